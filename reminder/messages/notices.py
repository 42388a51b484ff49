"""What the program says of itself; the words are in templates/notices.j2.

Enrolment, plans that begin and end, who is not reached, channels, addresses, files and copies.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from markupsafe import Markup, escape

from reminder.domain import payloads
from reminder.domain.calendar import vn_date
from reminder.domain.ledger import SETTLING, Event, EventKind, to_settle
from reminder.domain.outbox import Action, Outbound
from reminder.messages.answers import DateGroup, by_dates
from reminder.messages.compose import Actions, block_lines, clip, message
from reminder.messages.context import Context, Work
from reminder.services.office import GROUP
from reminder.understanding.verbs import Reader, Verb, help_lines

LATE_SHOWN = 12
LINES = 20  # of the awaiting and of the assumed
BUTTONS = 40  # one for each line shown; a keyboard takes a hundred
SETTLED = 6  # lines of what was settled: the newest


def sign_in(context: Context, p: payloads.SignIn) -> Outbound | None:
    """Return the link and the code of a sign-in; None where the page is off."""
    links = context.links
    if p.province and links is not None:
        links = links.province
    if links is None:
        return None
    url, code = links.login(p.login), links.code(p.login)
    return message(context, p, url=url, code=code)


def page_link(context: Context, p: payloads.PageLink) -> Outbound:
    """Return the link that signs in to the page, or why there is none."""
    links = context.links
    return message(context, p, on=links is not None, url=links.login(p.login) if links else "")


def welcome(context: Context, p: payloads.Welcome) -> Outbound | None:
    """Return what one of that office can do here."""
    office, person = context.office, context.office.people.get(p.person)
    if person is None:  # taken from the file meanwhile
        return None
    return message(
        context,
        p,
        person=person,
        leader=office.leaders.issuperset(person.units),
        office=office.as_sender(person).office,
    )


def help_message(context: Context, p: payloads.Help) -> Outbound:
    """Return what its reader may type, from the table of verbs."""

    def lines(reader: Reader) -> list[Markup]:
        """Return the lines, with what stands in `…` as what one types."""
        # Nobody is sent to a channel that the office has not set up.
        found = help_lines(reader, () if context.groups else (Verb.BIND,))
        shown = (line.replace("{office}", context.office_name) for line in found)
        return [
            Markup(re.sub("`(.*?)`", r"<code>\1</code>", str(escape(line))))  # noqa: S704
            for line in shown
        ]

    own = lines(Reader.LEADER if p.leader else Reader.OFFICER)
    return message(context, p, lines=own, office_lines=lines(Reader.OFFICE))


def plan_started(context: Context, p: payloads.PlanStarted) -> Outbound | None:
    """List what a plan starts with: late, without a date, with an assumed one."""
    plan = context.plans.get(p.plan)
    if plan is None:
        return None
    answered = {e.key for e in context.events if e.kind is EventKind.HELD and e.by}
    known = (context.states[key] for key in p.late if key in context.states)
    late = [
        Work(context, state)
        for state in known
        if not state.closed and state.held_until and state.key not in answered
    ]
    late.sort(key=lambda work: (work.occurrence.is_check_in, work.state.due or date.max))
    begun = max(context.today, plan.first_day)  # a later year is asked about in its time
    works = [
        Work(context, s)
        for k, s in context.states.items()
        if k.plan == plan.id and s.occurrence.year.first <= begun
    ]
    awaiting = [w for w in works if w.state.due is None and not w.state.closed]
    assumed = by_dates([w for w in works if w.state.assumed and not w.state.closed])
    soon = min(context.scheduler.calendar.after(context.today, 5), plan.last_day)
    return message(
        context,
        p,
        actions=_plan_buttons(plan.office, late, awaiting, assumed),
        plan=plan,
        late=late,
        late_shown=LATE_SHOWN,
        awaiting=awaiting,
        assumed=assumed,
        shown=LINES,
        soon=vn_date(soon),
    )


def _plan_buttons(
    office: str, late: Sequence[Work], awaiting: Sequence[Work], assumed: Sequence[DateGroup]
) -> Actions:
    """Return a button for all, then those for what is late, undated, or assumed."""
    rows: list[tuple[Action, ...]] = []
    if waiting := [*(work for group in assumed for work in group.works), *late]:
        label = "Xác nhận tất cả" if late else "Xác nhận tất cả hạn dự kiến"
        rows.append((waiting[0].button(label, "confirm-all", "/xacnhan tất cả", office),))
    done = [
        w.button(f"✅ {w.name}", "done", f"xong {w.name}", w.state.open_units[0])
        for w in late[:LATE_SHOWN]
    ]
    dated = [
        w.button(f"📅 {w.name}", "set-due", f"/dathan {w.name} 15/9 lý do")
        for w in awaiting[:LINES]
    ]
    alone = [group.works[0] for group in assumed if len(group.codes) == 1]
    kept = {w.code: w.button(f"Giữ hạn {w.code}", "confirm", f"/xacnhan {w.code}") for w in alone}
    shown = [*done, *dated, *kept.values()][: BUTTONS - len(rows)]
    return (*rows, *(tuple(shown[n : n + 2]) for n in range(0, len(shown), 2)))


def plan_settled(context: Context, p: payloads.PlanStarted, sent: datetime) -> Outbound | None:
    """Say the list of a plan's start as it is now, with what was settled since it was `sent`."""
    shown = plan_started(context, p)
    if shown is None:
        return None
    by_act: dict[tuple[object, ...], list[Event]] = {}
    for event in context.events:
        state = context.states.get(event.key)
        ours = event.key.plan == p.plan and event.by and event.at >= sent
        listed_there = state and (event.key in p.late or to_settle(state.occurrence))
        if ours and listed_there and event.kind in SETTLING:
            act = (event.kind, event.by, event.until, event.at)
            by_act.setdefault(act, []).append(event)
    settled = [
        (events[0], list(dict.fromkeys(work.code for work in context.works(e.key for e in events))))
        for events in by_act.values()
    ]
    html = [shown.html]
    if settled:
        lines = block_lines("plan-settled", buttons=False, c=context, settled=settled[-SETTLED:])
        html += [line.shown for line in lines]
    return replace(shown, html=clip("\n".join(html)))


def plan_over(context: Context, p: payloads.PlanOver) -> Outbound | None:
    plan = context.plans.get(p.plan)
    if plan is None:
        return None
    return message(context, p, plan=plan, last=not any(map(context.speaks, context.plans)))


def unit_empty(context: Context, p: payloads.UnitEmpty) -> Outbound | None:
    """Say that a unit has nobody; None once it has somebody."""
    if context.office.members(p.unit):
        return None
    tasks = [task for plan in context.office.plans for task in plan.tasks]
    return message(context, p, codes=[task.code for task in tasks if p.unit in task.lead])


def office_empty(context: Context, p: payloads.OfficeEmpty) -> Outbound | None:
    """Tell the leaders that the office has nobody; None once it has somebody."""
    return None if context.office.members(p.unit) else message(context, p)


def address_dead(context: Context, p: payloads.AddressDead) -> Outbound:
    """Say that somebody can't be reached on a channel, and what mends it."""
    unit = p.recipient.removeprefix(GROUP) if p.recipient.startswith(GROUP) else ""
    traits = context.office.traits(p.channel)
    return message(context, p, unit=unit, mail=traits.mail, invite=traits.invite(p.recipient))


def quota_used(context: Context, p: payloads.QuotaUsed) -> Outbound:
    """How many messages are left, and who has no other channel."""
    office = context.office
    people = [one for one in office.people.values() if office.ways(one.id) == [p.channel]]
    return message(context, p, alone=[one.name for one in people])


def unreached(context: Context, p: payloads.Unreached) -> Outbound | None:
    """Return all whom nothing reaches, in one message; None if everybody has been reached since."""
    people = [p for p in context.office.files.people if not context.office.ways(p.id)]
    return message(context, p, people=people) if people else None
