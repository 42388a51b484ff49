"""What the program says of itself; the words are in templates/notices.j2.

Enrolment, plans that begin and end, who is not reached, channels, addresses, files and copies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from markupsafe import Markup, escape

from reminder.domain import payloads
from reminder.domain.calendar import vn_date
from reminder.domain.ledger import Event, EventKind, to_settle
from reminder.domain.outbox import Action, Outbound
from reminder.domain.payloads import Payload
from reminder.messages.answers import DateGroup, by_dates
from reminder.messages.compose import Actions, block_lines, message
from reminder.messages.context import Act, Context, Work
from reminder.messages.limits import clip
from reminder.messages.wording import listed
from reminder.services.office import GROUP
from reminder.understanding.verbs import Reader, help_lines

UNREACHED = 12  # people named in one message about those whom nothing reaches
LATE_SHOWN = 12
LINES = 20  # of the awaiting and of the assumed
BUTTONS = 40  # one for each line shown; a keyboard takes a hundred
SETTLED = 6  # lines of what was settled: the newest


def welcome(context: Context, p: payloads.Welcome) -> Outbound | None:
    """What one of that office can do here."""
    office, person = context.office, context.office.people.get(p.person)
    if person is None:  # taken from the file meanwhile
        return None
    return message(
        "notices",
        p.view,
        c=context,
        person=person,
        leader=office.leaders.issuperset(person.units),
        office=office.as_sender(person).office,
    )


def help_message(context: Context, p: payloads.Help) -> Outbound:
    """What its reader may type, from the table of verbs."""

    def lines(reader: Reader) -> list[Markup]:
        return [_with_codes(line, context.office_name) for line in help_lines(reader)]

    return message(
        "notices",
        p.view,
        c=context,
        p=p,
        lines=lines(Reader.LEADER if p.leader else Reader.OFFICER),
        office_lines=lines(Reader.OFFICE),
    )


def _with_codes(line: str, office: str) -> Markup:
    """`line` with `…` as what one types, and {office} as the office's name."""
    shown = str(escape(line.replace("{office}", office)))
    return Markup(re.sub("`(.*?)`", r"<code>\1</code>", shown))  # noqa: S704  escaped above


def plan_started(context: Context, p: payloads.PlanStarted) -> Outbound | None:
    """What a plan starts with: already late, without a date, with an assumed one; and a way out."""
    plan = context.plans.get(p.plan)
    if plan is None:
        return None
    answered = {e.key for e in context.events if e.kind is EventKind.HELD and e.by}
    known = (context.states[key] for key in p.late if key in context.states)
    still = [s for s in known if not s.closed and s.held_until and s.key not in answered]
    still.sort(key=lambda s: (s.occurrence.is_check_in, s.due or date.max))
    states = [s for s in context.states.values() if s.key.plan == plan.id and not s.closed]
    late = [Work(context, state) for state in still]
    awaiting = [Work(context, state) for state in states if state.due is None]
    assumed = by_dates(context, [s for s in states if s.assumed])
    soon = min(context.scheduler.calendar.after(context.today, 5), date(plan.year, 12, 31))
    return message(
        "notices",
        p.view,
        actions=_plan_buttons(context, plan.office, late, awaiting, assumed),
        c=context,
        p=p,
        plan=plan,
        late=late,
        late_shown=LATE_SHOWN,
        awaiting=awaiting,
        assumed=assumed,
        shown=LINES,
        soon=vn_date(soon),
    )


def _plan_buttons(
    context: Context,
    office: str,
    late: Sequence[Work],
    awaiting: Sequence[Work],
    assumed: Sequence[DateGroup],
) -> Actions:
    """All at once first; then what is late, what has no date, what is assumed."""
    rows: list[tuple[Action, ...]] = []
    waiting = [*(s for group in assumed for s in group.states), *(work.state for work in late)]
    if waiting:
        label = "Xác nhận tất cả" if late else "Xác nhận tất cả hạn dự kiến"
        rows.append(
            (context.button(label, Act.CONFIRM_ALL, waiting[0], "/xacnhan tất cả", office),)
        )
    done = [
        context.button(f"✅ {w.name}", Act.DONE, w.state, f"xong {w.name}", w.state.open_units[0])
        for w in late[:LATE_SHOWN]
    ]
    dated = [
        context.button(f"📅 {w.name}", Act.SET_DUE, w.state, f"/dathan {w.name} 15/9 lý do")
        for w in awaiting[:LINES]
    ]
    alone = [Work(context, group.states[0]) for group in assumed if len(group.codes) == 1]
    kept = {
        w.code: context.button(f"Giữ hạn {w.code}", Act.CONFIRM, w.state, f"/xacnhan {w.code}")
        for w in alone
    }
    shown = [*done, *dated, *kept.values()][: BUTTONS - len(rows)]
    return (*rows, *(tuple(shown[n : n + 2]) for n in range(0, len(shown), 2)))


_SETTLES = (
    EventKind.CONFIRMED,
    EventKind.HELD,
    EventKind.DUE_SET,
    EventKind.EXTENSION_GRANTED,
)


def plan_settled(context: Context, p: payloads.PlanStarted, sent: datetime) -> Outbound | None:
    """The list of a plan's start as it is now, with what was settled since it was `sent`."""
    shown = plan_started(context, p)
    if shown is None:
        return None
    by_act: dict[tuple[object, ...], list[Event]] = {}
    for event in context.events:
        state = context.states.get(event.key)
        ours = event.key.plan == p.plan and event.by and event.at >= sent
        listed_there = state and (event.key in p.late or to_settle(state.occurrence))
        if ours and listed_there and event.kind in _SETTLES:
            act = (event.kind, event.by, event.until, event.at)
            by_act.setdefault(act, []).append(event)
    settled = [(events[0], _few_codes(context, events)) for events in by_act.values()]
    if not settled:
        return replace(shown, html=clip(shown.html))
    lines = block_lines(
        "notices", "plan-settled", buttons=False, c=context, settled=settled[-SETTLED:]
    )
    html = "\n".join([shown.html, *(line.shown for line in lines)])
    return replace(shown, html=clip(html))


def _few_codes(context: Context, events: Sequence[Event]) -> str:
    codes = list(dict.fromkeys(context.code(context.states[e.key]) for e in events))
    return ", ".join(codes[:4]) + (f" và {len(codes) - 4} việc nữa" if len(codes) > 4 else "")


def plan_over(context: Context, p: payloads.PlanOver) -> Outbound | None:
    plan = context.plans.get(p.plan)
    if plan is None:
        return None
    last = not any(map(context.speaks, context.plans))
    return message("notices", p.view, plan=plan, last=last)


def unit_empty(context: Context, p: payloads.UnitEmpty) -> Outbound | None:
    """None once it has somebody."""
    if context.office.members(p.unit):
        return None
    tasks = [task for plan in context.office.plans for task in plan.tasks]
    codes = [task.code for task in tasks if p.unit in task.lead]
    return message("notices", p.view, c=context, p=p, codes=codes)


def office_empty(context: Context, p: payloads.OfficeEmpty) -> Outbound | None:
    """To the leaders; None once it has somebody."""
    return None if context.office.members(p.unit) else message("notices", p.view, c=context, p=p)


def address_dead(context: Context, p: payloads.AddressDead) -> Outbound:
    """Somebody, or a unit's group, can't be reached on a channel, and what mends it."""
    return message(
        "notices",
        p.view,
        c=context,
        p=p,
        name=context.name(p.recipient),
        unit=p.recipient.removeprefix(GROUP) if p.recipient.startswith(GROUP) else "",
        mail=context.office.traits(p.channel).mail,
    )


def unreached(context: Context, p: payloads.Unreached) -> Outbound | None:
    """All whom nothing reaches, in one message; None if everybody has been reached since."""
    people = [p for p in context.office.files.people if not context.office.ways(p.id)]
    if not people:
        return None
    named = [f"{person.name} ({person.id})" for person in people[:UNREACHED]]
    left = len(people) - UNREACHED
    who = listed([*named, f"{left} người nữa"] if left > 0 else named)
    return message("notices", p.view, c=context, people=people, who=who)


NOTICES: Mapping[type[Payload], Callable[[Context, Any], Outbound | None]] = {
    payloads.Welcome: welcome,
    payloads.Help: help_message,
    payloads.PlanStarted: plan_started,
    payloads.PlanOver: plan_over,
    payloads.UnitEmpty: unit_empty,
    payloads.OfficeEmpty: office_empty,
    payloads.AddressDead: address_dead,
    payloads.Unreached: unreached,
}
