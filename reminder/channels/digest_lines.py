"""One line of the digest about one occurrence: who is waited for, when it is due, what was said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from reminder.channels.context import (
    Context,
    evidence_words,
    heard_words,
    signing_words,
    title,
    waiting_units,
)
from reminder.channels.wording import closed_words, day_words, listed, one_line
from reminder.core.ledger import EventKind, State
from reminder.core.periods import vn_date
from reminder.core.plan import Confirm, Kind

NOTE = 160  # characters of a note or of a check-in's text; the ledger has all of it
CODES = 24  # of one line
DATES = 4  # of a recurring assumed date


def waiting(context: Context, state: State) -> str:
    """The units still to act, and which have done their part of shared work."""
    units = context.units(waiting_units(state))
    done = [u for u in state.occurrence.task.lead if u in state.parts]
    return f"{units} (đã xong phần mình: {context.units(done)})" if done else units


def due(context: Context, state: State) -> str:
    """How the due day stands, and the plan's own date where the office moved it."""
    return "; ".join(filter(None, (context.due(state), context.moved(state))))


def late(context: Context, state: State) -> list[str]:
    """Of late work: whom it waits for, since when, and the reason that was given."""
    reasons = [n.note for n in state.notes if n.kind is EventKind.NOTED and n.note]
    found = [waiting(context, state), due(context, state), signing_words(context, state)]
    found += [_asked_more(context, state)] if state.request else []
    found += [f"lý do: {one_line(reasons[-1], NOTE)}"] if reasons else []
    heard = "" if reasons else heard_words(context, state)
    found += [f"phản hồi gần nhất: {one_line(heard, NOTE)}"] if heard else []
    return [each for each in found if each]


def coming(context: Context, states: Sequence[State]) -> list[str]:
    """Of work to come that stands together: whom it waits for, and how long is left."""
    first = states[0]
    found = [together_units(context, states), due(context, first)]
    found += [signing_words(context, first)] if len(states) == 1 else []
    return [each for each in found if each]


def together(states: Sequence[State]) -> list[tuple[State, ...]]:
    """In their order; check-ins of one period and day stand together, where the first one does."""
    groups: dict[tuple[object, ...], list[State]] = {}
    for state in states:
        occurrence = state.occurrence
        apart = () if occurrence.is_check_in else state.key
        key = (state.key.plan, occurrence.period, state.due, state.assumed, apart)
        groups.setdefault(key, []).append(state)
    return [tuple(group) for group in groups.values()]


def together_name(context: Context, states: Sequence[State]) -> tuple[str, str]:
    """The codes and the name of what stands together: “1a, 1b”, “Cập nhật quý I”."""
    if len(states) == 1:
        return context.code(states[0]), title(states[0])
    return _codes(context, states), f"Cập nhật {states[0].occurrence.period.name}"


def together_units(context: Context, states: Sequence[State]) -> str:
    """Whom they wait for, each unit once."""
    if len(states) == 1:
        return waiting(context, states[0])
    return context.units(tuple(dict.fromkeys(u for s in states for u in waiting_units(s))))


def closed(context: Context, state: State) -> list[str]:
    """Of closed work: who, when and whether in time, and the evidence."""
    event = state.closed
    assert event is not None
    count = len(state.occurrence.task.lead)
    who = f"đủ {count} bộ phận" if by_all(state) else context.unit(event.unit)
    calendar = context.scheduler.calendar
    when = closed_words(event.at, state.due, context.today, calendar)
    found = [who, when, evidence_words(state.evidence)]
    if state.occurrence.is_check_in and event.note:
        found.append(f"“{one_line(event.note, NOTE)}”")
    return [each for each in found if each]


def by_all(state: State) -> bool:
    """Whether several units each had to confirm it."""
    task = state.occurrence.task
    return task.confirm is Confirm.ALL and len(task.lead) > 1


def answered(context: Context, state: State) -> list[str]:
    """Of an answered check-in: who, on which day, and the text."""
    event = state.closed
    assert event is not None
    text = event.note or event.evidence
    return [context.unit(event.unit), f"“{one_line(text, NOTE)}”" if text else "đã cập nhật"]


def _asked_more(context: Context, state: State) -> str:
    request = state.request
    if request is None or request.until is None:
        return ""
    return f"xin gia hạn đến {day_words(request.until, context.today)}"


def request(context: Context, state: State) -> list[str]:
    """Of an extension that waits: from when to when, and why."""
    asked = state.request
    assert asked is not None
    due_day = "; ".join(filter(None, (context.due(state, ahead=False), context.moved(state))))
    found = [context.unit(asked.unit), _asked_more(context, state), due_day]
    found += [f"lý do: {one_line(asked.note, NOTE)}"] if asked.note else []
    return [each for each in found if each]


def assumed(context: Context, states: Sequence[State]) -> list[tuple[str, str, str]]:
    """Dates to confirm: (codes, what they are of, the days); work of the same days is one line."""
    together: dict[tuple[str, str, int], list[State]] = {}
    for state in states:
        report = state.occurrence.deliverable.kind is Kind.REPORT
        place = (*state.key[:2], 0 if report else state.key.deliverable)
        together.setdefault(place, []).append(state)
    groups: dict[tuple[str, tuple[date, ...]], list[State]] = {}
    for of_one in together.values():
        first = of_one[0]
        what = "Cập nhật tình hình" if first.occurrence.is_check_in else _what(first)
        days = tuple(s.due for s in of_one if s.due)
        groups.setdefault((what, days), []).append(first)
    return [
        (_codes(context, firsts), what, _dates(days, context.today))
        for (what, days), firsts in groups.items()
    ]


def _what(state: State) -> str:
    occurrence = state.occurrence
    report = occurrence.deliverable.kind is Kind.REPORT
    several = len(occurrence.task.deliverables) > 1 and not report
    return occurrence.deliverable.product if several else occurrence.task.title


def _codes(context: Context, states: Iterable[State]) -> str:
    return ", ".join(some(list(dict.fromkeys(context.code(s) for s in states)), CODES))


def _dates(days: Sequence[date], today: date) -> str:
    if len(days) == 1:
        return day_words(days[0], today)
    shown = [vn_date(day, year=day.year != today.year) for day in days[:DATES]]
    more = f" và {len(days) - DATES} ngày nữa" if len(days) > DATES else ""
    return ", ".join(shown) + more


def to_settle(context: Context, awaiting: Sequence[State], assumed: Sequence[State]) -> str:
    """“1đ, 2g chưa có hạn; 15 việc cập nhật và 4 kỳ BC còn hạn dự kiến”; empty if none is."""
    codes = list(dict.fromkeys(context.code(s) for s in awaiting))
    check_ins = {s.key[:3] for s in assumed if s.occurrence.is_check_in}
    reports = [s for s in assumed if s.occurrence.deliverable.kind is Kind.REPORT]
    others = [s for s in assumed if s not in reports and not s.occurrence.is_check_in]
    parts = [", ".join(some(list(dict.fromkeys(context.code(s) for s in others))))]
    parts += [f"{len(check_ins)} việc cập nhật quý"] if check_ins else []
    parts += [f"{len(reports)} kỳ {_codes(context, reports)}"] if reports else []
    found = [f"{', '.join(some(codes))} chưa có hạn"] if codes else []
    kept = [part for part in parts if part]
    found += [f"{listed(kept)} còn hạn dự kiến"] if kept else []
    return "; ".join(found)


def some(codes: Sequence[str], most: int = 12) -> list[str]:
    """The first of `codes`, and how many more there are."""
    left = len(codes) - most
    return [*codes[:most], f"và {left} việc nữa"] if left > 0 else list(codes)
