"""Questions, requests for more time, and refusals.

The words are in templates/questions.j2, extensions.j2 and refusals.j2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from reminder.domain import payloads
from reminder.domain.calendar import Period, last_of_month, vn_date
from reminder.domain.ledger import CLOSING, ENDS_REQUEST, Event, EventKind, State, fold
from reminder.domain.outbox import Action, Outbound
from reminder.domain.plan import Key
from reminder.messages.answers import choice, still_open
from reminder.messages.compose import Actions, message
from reminder.messages.context import Context, Work
from reminder.understanding.verbs import Verb

BUTTONS = 8  # rows
LATER = (3, 5)  # working days on, as a new date is mostly asked


def which(context: Context, p: payloads.WhichOccurrence) -> Outbound | None:
    """Ask which of these is done; of one task's products “both” is offered too."""
    works = [work for work in context.works(p.keys) if not work.state.closed]
    if not works:
        return _closed_since(context, p.keys)
    first, closed = works[0], context.work(p.closed)
    if len(works) == 1 and closed and closed.state.closed:
        left = first.occurrence.deliverable.name
        yes = first.button(f"Đúng, xong {left}", "done", f"xong {first.name}", p.unit)
        no = first.button("Không, tôi chỉ báo lại", "no", "", p.unit)
        pair = ((yes,), (no,))
        return message(context, "which-left", actions=pair, work=first, left=left, closed=closed)
    one_task = len({work.state.key[:2] for work in works}) == 1
    rows = [(choice(work, "", p.unit, by_product=one_task),) for work in works[:BUTTONS]]
    if one_task and len(works) > 1:
        word = "cả hai" if len(works) == 2 else "tất cả"
        form = f"xong {first.code} {word}"
        rows.append((first.button(word.capitalize(), "both", form, p.unit),))
    if instead := still_open(context, p.instead):
        rows.append((choice(instead, "Ý tôi là ", p.unit),))
    typed = [action.typed for row in rows for action in row]
    word = "kỳ" if all(work.occurrence.deliverable.recurs for work in works) else "phần"
    return message(
        context, p, actions=tuple(rows), works=works, one_task=one_task, shown=BUTTONS,
        typed=typed, word=word,
    )  # fmt: skip


def _closed_since(context: Context, keys: Sequence[Key]) -> Outbound | None:
    """Tell that all of `keys` closed while the question waited; None if none of it did."""
    events = [work.state.closed for work in context.works(keys) if work.state.closed]
    if not events:
        return None
    return message(context, payloads.AlreadyDone(key=events[-1].key, event=events[-1]))


def claimed(context: Context, p: payloads.Claimed) -> Outbound | None:
    """Ask whether it is done: one tap, or “đúng” or “chưa”; of several, which."""
    works = [work for work in context.works(p.keys) if not work.state.closed][:BUTTONS]
    if not works:
        return _closed_since(context, p.keys)
    first = works[0]
    if len(works) > 1:
        rows = [(choice(work, "✅ ", p.unit),) for work in works]
        no = first.button("⏳ Chưa xong việc nào", "no", "", p.unit)
        actions: Actions = (*rows, (no,))
    else:
        rows = [(first.button("✅ Đúng, xong", "done", f"xong {first.name}", p.unit),)]
        no = first.button("⏳ Chưa", "not-yet", "chưa", p.unit)
        actions = ((*rows[0], no),)
    typed = [action.typed for row in rows for action in row]
    return message(context, p, actions=actions, works=works, typed=typed)


def which_of_nudge(context: Context, p: payloads.WhichOfNudge) -> Outbound | None:
    """Ask which work of the last nudge is meant, by its number there."""
    works = context.works(p.keys)
    if all(work.state.closed for work in works):
        return _closed_since(context, p.keys)
    return message(context, p, works=works)


def which_office(context: Context, p: payloads.WhichOffice) -> Outbound:
    """Ask which office a message is for: a button or a number."""
    actions = tuple(
        (Action(label=name, data=f"{payloads.OFFICE_BUTTON}{number}", typed=str(number)),)
        for number, (_, name) in enumerate(p.offices, start=1)
    )
    return message(context, p, actions=actions)


def set_due_asked(context: Context, p: payloads.SetDueAsked) -> Outbound:
    """Ask whether the office sets the date that it asked for: one tap, or “đúng” or “không”."""
    work = Work(context, context.states[p.key])
    form = f"/dathan {work.name} {vn_date(p.until)}"
    yes = work.button("✅ Đúng, đặt hạn", "move", form, day=p.until)
    no = work.button("Không", "no", "không")
    return message(context, p, actions=((yes, no),), work=work)


def which_part(context: Context, p: payloads.WhichPart) -> Outbound | None:
    """Return the question of any other verb: typed forms, and buttons for what is not done."""
    works = context.works(p.keys)
    if not works:
        return None
    typed = [f"{p.head} {work.name} {p.tail}".strip() for work in works]
    rows = [
        (work.button(f"⏳ {work.name}", "not-yet", form, p.unit),)
        for work, form in zip(works[:BUTTONS], typed, strict=False)
        if p.unit
    ]
    instances = len({work.state.key.deliverable for work in works}) == 1
    return message(context, p, actions=tuple(rows), works=works, instances=instances, typed=typed)


def which_plan(context: Context, p: payloads.WhichPlan) -> Outbound:
    """Ask which of two plans is meant, which both have this code open; the year says it."""
    first: dict[str, Work] = {}
    for work in sorted(context.begun(), key=lambda work: work.state.due or date.max):
        if work.state.key.task == p.code and not work.state.closed:
            first.setdefault(work.state.key.plan, work)
    return message(context, p, works=list(first.values()))


def listed_back(context: Context, p: payloads.ListedBack) -> Outbound:
    return message(context, p, works=context.works(p.keys))


def not_understood(context: Context, p: payloads.NotUnderstood) -> Outbound:
    works = [work for work in context.works(p.keys) if not work.state.closed][:BUTTONS]
    rows = ((work.button(f"✅ {work.name}", "done", f"xong {work.name}"),) for work in works)
    return message(context, p, actions=tuple(rows))


def how_set_due(context: Context, p: payloads.HowSetDue) -> Outbound | None:
    """Ask to which day; the likely ones are buttons, any other is typed."""
    work = Work(context, context.states[p.key])
    days = _likely_days(work)
    rows = (
        (work.button(context.day(d), "move", f"/dathan {work.name} {vn_date(d)}", day=d),)
        for d in days
    )
    return message(context, p, actions=tuple(rows), example=days[0] if days else work.last_day)


def _likely_days(work: Work) -> list[date]:
    """Return a few working days after the due day, or the ends of month, quarter, year."""
    today, last = work.context.today, work.last_day
    if work.state.due is not None:
        start = max(work.state.due, today)
        days = [work.context.scheduler.calendar.after(start, count) for count in LATER]
    else:
        first = max(today, work.occurrence.opens)
        quarter = Period.parse(f"{first.year}-Q{(first.month + 2) // 3}")
        days = [last_of_month(first.year, first.month), quarter.last, last]
    return sorted({day for day in days if today < day <= last})


def extension_asked(context: Context, p: payloads.ExtensionAsked) -> Outbound | None:
    """Ask the office; None once it was decided, withdrawn, or the task closed."""
    work = Work(context, context.states[p.key])
    if work.asked is None or work.asked.until is None:
        return None
    return message(context, p, actions=(_yes_and_no(work, work.asked.until),))


def _yes_and_no(work: Work, until: date, label: str = "") -> tuple[Action, Action]:
    """Return ✅ and ❌ on the request for just this day: each button decides its own request."""
    unit = work.state.request.unit if work.state.request else ""
    return (
        work.button(f"✅ {label or 'Đồng ý'}", "approve", f"/dongy {work.name}", unit, day=until),
        work.button(
            f"❌ {label or 'Không'}", "refuse", f"/khongdongy {work.name}", unit, day=until
        ),
    )


def waiting(context: Context, keys: Iterable[Key]) -> Outbound | None:
    """Return the requests that were not decided and whose due day comes; None once all are."""
    works = [work for work in context.works(keys) if work.asked]
    if not works:
        return None
    rows = (
        _yes_and_no(work, work.asked.until, work.name if len(works) > 1 else "")
        for work in works[:BUTTONS]
        if work.asked and work.asked.until
    )
    return message(context, "request", actions=tuple(rows), works=works)


_ENDS = ENDS_REQUEST | CLOSING | {EventKind.EXTENSION_ASKED}  # another takes its place


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A request as it was made, and what became of it."""

    work: Work  # as it stood then
    asked: Event
    ended: Event | None


def decided(context: Context, keys: Iterable[Key], sent: datetime) -> Outbound | None:
    """Return what became of the requests for `keys` that stood when a message was `sent`."""
    requests = [each for key in dict.fromkeys(keys) if (each := _asked(context, key, sent))]
    if not requests:
        return None
    rows = [
        _yes_and_no(work, each.asked.until, work.code)
        for each in requests
        if each.ended is None and each.asked.until
        if (work := context.work(each.asked.key))
    ]
    return message(context, "decided", actions=tuple(rows), requests=requests)


def _asked(context: Context, key: Key, sent: datetime) -> Asked | None:
    state = context.states.get(key)
    events = [event for event in context.events if event.key == key]
    before = [e for e in events if e.kind is EventKind.EXTENSION_ASKED and e.at <= sent]
    if state is None or not before:
        return None
    asked = before[-1]
    then = fold([state.occurrence], context.events, until=asked.at)[key]
    ended = None if state.request == asked else _end(events, asked, state)
    return Asked(work=Work(context, then), asked=asked, ended=ended)


def _end(events: list[Event], asked: Event, state: State) -> Event | None:
    """Return what ended the request."""
    after = (e for e in events[events.index(asked) + 1 :] if e.kind in _ENDS)
    return next((e for e in after if e.kind not in CLOSING or state.closed), None)


def day_set(context: Context, key: Key, sent: datetime) -> Outbound | None:
    """Say, in the question's place, which day was set and by whom; no button."""
    work, dated = context.work(key), (EventKind.DUE_SET, EventKind.EVENT_NAMED)
    moved = [e for e in context.events if e.key == key and e.kind in dated and e.at >= sent]
    if work is None or not moved:
        return None
    return message(context, "day-set", work=work, event=moved[-1])


def refused(context: Context, p: payloads.Refused) -> Outbound | None:
    """Return the words of its reason."""
    values: dict[str, Any] = {"p": p, "work": context.work(p.key)}
    if p.verb:
        row = Verb(p.verb).row
        values |= {"command": row.slash, "example": row.typed("1c")}
    return message(context, p.reason, **values)


def office_only(context: Context, p: payloads.OfficeOnly) -> Outbound:
    return message(context, p, deed=Verb(p.verb).row.deed)


def unhandled(context: Context, p: payloads.Unhandled) -> Outbound | None:
    """Return what an earlier release could not do; None for what the service answers itself."""
    return message(context, p, command=Verb(p.verb).row.slash) if p.later else None
