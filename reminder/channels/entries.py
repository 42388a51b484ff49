"""The lines of a nudge: one occurrence each, or the late cycles of one task together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby

from reminder.channels.context import Context, signing_words, title
from reminder.channels.wording import closed_words, day_words, listed, together
from reminder.core.ledger import Event, State
from reminder.core.periods import vn_day
from reminder.core.plan import Confirm

IN_FULL = 10  # lines; the rest is a number


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line of a nudge: one occurrence, or the late ones of one task."""

    states: tuple[State, ...]  # the earliest first
    kind: str  # late | item | done
    code: str
    title: str
    tail: str  # how it stands
    part: str = ""  # whose part it is, where that isn't plain


def merged(context: Context, live: Iterable[State]) -> list[list[State]]:
    """A list a line, the earliest due first; the late cycles of one task share theirs."""
    products = sorted(
        (s for s in live if not s.occurrence.is_check_in), key=lambda s: s.due or date.max
    )
    lines: dict[tuple[object, ...], list[State]] = {}
    for state in products:
        late = context.scheduler.days_late(state, context.today) > 0
        cycle = late and state.occurrence.deliverable.recurs
        lines.setdefault(state.key[:3] if cycle else state.key, []).append(state)
    return list(lines.values())


def _entry(context: Context, states: list[State], *, tail: bool = True) -> Entry:
    first, today = states[0], context.today
    late = context.scheduler.days_late(first, today)
    names = together([s.occurrence.period.name for s in states])
    name = f"{first.occurrence.task.title} {names}" if len(states) > 1 else title(first)
    stands = [context.due(first)] if tail else ["hạn dự kiến"] if first.assumed else []
    if len(states) > 1:
        dues = [day_words(s.due, today) for s in states if s.due][:3]
        stands = [f"quá hạn, lâu nhất {late} ngày làm việc (hạn {listed(dues)})"]
    return Entry(
        states=tuple(states),
        kind="late" if late else "item",
        code=context.code(first),
        title=name,
        tail=", ".join(filter(None, [*stands, context.moved(first)])),
    )


def resting_entries(
    context: Context, resting: Iterable[tuple[State, tuple[str, ...]]]
) -> list[Entry]:
    """What an edited message shows of work that needs no nudge any more, by whom and since when."""
    return [
        Entry(
            states=(state,),
            kind="done" if _closing(state, units) else "item",
            code=context.code(state),
            title=title(state),
            tail=_rest(context, state, units),
        )
        for state, units in resting
    ]


def _closing(state: State, units: tuple[str, ...]) -> Event | None:
    """What closed it, for all or for the last of `units`."""
    parts = [state.parts[unit] for unit in units if unit in state.parts]
    return state.closed or (parts[-1] if len(parts) == len(units) else None)


def _rest(context: Context, state: State, units: tuple[str, ...]) -> str:
    event = _closing(state, units)
    if event is None:
        signing = signing_words(context, state)
        return signing or f"{context.due(state, ahead=False)}, nhắc lại sau"
    when = closed_words(event.at, None, context.today, context.scheduler.calendar)
    return f"đã xong {when}, người báo: {context.person(event)}"


def shown_entries(
    context: Context, lines: list[list[State]], units: tuple[str, ...], *, tailless: bool
) -> list[Entry]:
    """The lines in full; how long is left is said once of several with one due day."""
    entries: list[Entry] = []
    for line in lines:
        entry = _entry(context, line, tail=not tailless)
        before = entries[-1].states[0] if entries else None
        if (
            entry.kind == "item"
            and before
            and not tailless
            and before.due == line[0].due != context.today
        ):
            same = ", ".join(
                filter(None, [context.due(line[0], ahead=False), context.moved(line[0])])
            )
            entry = replace(entry, tail=same)
        task = line[0].occurrence.task
        mine = [unit for unit in units if unit in line[0].open_units]
        if task.confirm is Confirm.ALL and len(units) > 1:
            entry = replace(entry, part=listed([context.unit(unit) for unit in mine]))
        entries.append(entry)
    return entries


def warnings(context: Context, lines: list[list[State]]) -> tuple[str, ...]:
    """When the leaders will hear of what is late and of which they have not heard."""
    told: list[tuple[date, str, str]] = []
    for state in (state for line in lines for state in line):
        plan = context.plan(state)
        stage = context.scheduler.escalation_stages(state, plan).get(plan.leaders)
        held = state.held_until is not None and stage is not None and stage[0] < state.held_until
        if (
            stage
            and not held
            and stage[0] > context.today
            and context.scheduler.days_late(state, context.today)
        ):
            told.append(
                (stage[0], context.plan(state).by_unit[plan.leaders].name, context.code(state))
            )
    sentences = []
    for (day, leaders), group in groupby(sorted(told), key=lambda t: t[:2]):
        codes = list(dict.fromkeys(code for *_, code in group))
        which = "" if len(lines) == 1 else f" {', '.join(codes[:IN_FULL])}"
        last = vn_day(context.scheduler.calendar.before(day))
        part = "sáng" if context.scheduler.policy.slot.hour < 12 else "chiều"
        sentences.append(
            f"Nếu hết {last} chưa xong{which}, {part} {vn_day(day)} máy sẽ báo {leaders}."
        )
    return tuple(sentences)
