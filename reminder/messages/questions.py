"""Questions: nothing was recorded yet; the words are in templates/questions.j2."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from reminder.domain import payloads
from reminder.domain.calendar import Period, last_of_month, vn_date
from reminder.domain.ledger import State
from reminder.domain.outbox import Outbound
from reminder.domain.plan import Key
from reminder.messages.answers import begun, choice, closed_before, still_open, works_of
from reminder.messages.compose import message
from reminder.messages.context import Act, Context, Work
from reminder.messages.wording import one_line

BUTTONS = 8
LATER = (3, 5)  # working days on, as a new date is mostly asked
Row = tuple[Any, ...]


def which(context: Context, p: payloads.WhichOccurrence) -> Outbound | None:
    """Which of these is done? Of one task's products “both” is offered too."""
    works = [work for work in works_of(context, p.keys) if not work.state.closed]
    if not works:
        return _closed_since(context, p.keys)
    closed = context.states.get(p.closed) if p.closed else None
    if len(works) == 1 and closed is not None and closed.closed:
        return _which_left(context, works[0], Work(context, closed), p.unit)
    one_task = len({work.state.key[:2] for work in works}) == 1
    rows = [(choice(work, "", p.unit, by_product=one_task),) for work in works[:BUTTONS]]
    if one_task and len(works) > 1:
        word = "cả hai" if len(works) == 2 else "tất cả"
        form = f"xong {works[0].code} {word}"
        rows.append((context.button(word.capitalize(), Act.BOTH, works[0].state, form, p.unit),))
    if instead := still_open(context, p.instead):
        rows.append((choice(instead, "Ý tôi là ", p.unit),))
    typed = [action.typed for row in rows for action in row]
    return message(
        "questions",
        p.view,
        actions=tuple(rows),
        works=works,
        one_task=one_task,
        shown=BUTTONS,
        typed=typed,
    )


def _closed_since(context: Context, keys: Sequence[Key]) -> Outbound | None:
    """The question waited, and all that it offered is done: that is the answer."""
    closed = [(work, work.state.closed) for work in works_of(context, keys) if work.state.closed]
    return closed_before(*closed[-1]) if closed else None


def _which_left(context: Context, work: Work, closed: Work, unit: str) -> Outbound:
    """One product of the task is done: is it the other one now?"""
    left = work.state.occurrence.deliverable.name
    form = f"xong {work.name}"
    yes = context.button(f"Đúng, xong {left}", Act.DONE, work.state, form, unit)
    no = context.button("Không, tôi chỉ báo lại", Act.NO, work.state, "", unit)
    return message(
        "questions",
        "which-left",
        actions=((yes,), (no,)),
        c=context,
        work=work,
        left=left,
        closed=closed,
        event=closed.state.closed,
    )


def claimed(context: Context, p: payloads.Claimed) -> Outbound | None:
    """Whether it is done: one tap, or “đúng” or “chưa”; of several, which."""
    works = [work for work in works_of(context, p.keys) if not work.state.closed][:BUTTONS]
    if not works:
        return _closed_since(context, p.keys)
    first = works[0]
    if len(works) > 1:
        rows = [(choice(work, "✅ ", p.unit),) for work in works]
        no = context.button("⏳ Chưa xong việc nào", Act.NO, first.state, "", p.unit)
        actions: tuple[Row, ...] = (*rows, (no,))
    else:
        form = f"xong {first.name}"
        yes = context.button("✅ Đúng, xong", Act.DONE, first.state, form, p.unit)
        no = context.button("⏳ Chưa", Act.NOT_YET, first.state, "chưa", p.unit)
        rows = [(yes,)]
        actions = ((yes, no),)
    return message(
        "questions",
        p.view,
        actions=actions,
        p=p,
        words=one_line(p.words, 200),
        works=works,
        typed=[action.typed for row in rows for action in row],
    )


def which_part(context: Context, p: payloads.WhichPart) -> Outbound | None:
    """The question of any other verb: typed forms, and buttons for what is not done."""
    works = works_of(context, p.keys)
    if not works:
        return None
    typed = [f"{p.head} {work.name} {p.tail}".strip() for work in works]
    rows = [
        (context.button(f"⏳ {work.name}", Act.NOT_YET, work.state, form, p.unit),)
        for work, form in zip(works[:BUTTONS], typed, strict=False)
        if p.unit
    ]
    return message(
        "questions",
        p.view,
        actions=tuple(rows),
        works=works,
        words=one_line(p.words, 200),
        instances=len({work.state.key.deliverable for work in works}) == 1,
        typed=typed,
    )


def which_plan(context: Context, p: payloads.WhichPlan) -> Outbound:
    """Two plans have it open: the year says which is meant."""
    first: dict[str, State] = {}
    for state in sorted(begun(context), key=lambda s: s.due or date.max):
        if state.key.task == p.code and not state.closed:
            first.setdefault(state.key.plan, state)
    works = [Work(context, state) for state in first.values()]
    return message("questions", p.view, p=p, works=works)


def listed_back(context: Context, p: payloads.ListedBack) -> Outbound:
    return message("questions", p.view, p=p, works=works_of(context, p.keys))


def not_understood(context: Context, p: payloads.NotUnderstood) -> Outbound:
    works = [work for work in works_of(context, p.keys) if not work.state.closed][:BUTTONS]
    rows = (
        (context.button(f"✅ {work.name}", Act.DONE, work.state, f"xong {work.name}"),)
        for work in works
    )
    return message("questions", p.view, actions=tuple(rows), p=p)


def how_set_due(context: Context, p: payloads.HowSetDue) -> Outbound | None:
    """To which day? The likely ones as buttons, any other typed."""
    state = context.states.get(p.key)
    if state is None:
        return None
    work, days = Work(context, state), _likely_days(context, state)
    rows = (
        (
            context.button(
                context.day(day), Act.MOVE, state, f"/dathan {work.name} {vn_date(day)}", day=day
            ),
        )
        for day in days
    )
    example = days[0] if days else date(context.plan(state).year, 12, 31)
    return message("questions", p.view, actions=tuple(rows), work=work, example=vn_date(example))


def _likely_days(context: Context, state: State) -> list[date]:
    """A few working days after the due day; of what has none, the ends of month, quarter, year."""
    year, today = context.plan(state).year, context.today
    last = date(year, 12, 31)
    if state.due is not None:
        start = max(state.due, today)
        days = [context.scheduler.calendar.after(start, count) for count in LATER]
    else:
        first = max(today, state.occurrence.opens)
        quarter = Period.parse(f"{first.year}-Q{(first.month + 2) // 3}")
        days = [last_of_month(first.year, first.month), quarter.last, last]
    return sorted({day for day in days if today < day <= last})


QUESTIONS: Mapping[type[payloads.Payload], Callable[[Context, Any], Outbound | None]] = {
    payloads.WhichOccurrence: which,
    payloads.Claimed: claimed,
    payloads.WhichPart: which_part,
    payloads.WhichPlan: which_plan,
    payloads.ListedBack: listed_back,
    payloads.NotUnderstood: not_understood,
    payloads.HowSetDue: how_set_due,
}
