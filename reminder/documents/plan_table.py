"""How an occurrence stands on a day, in the words of a table's column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from reminder.domain import digest
from reminder.domain.calendar import local
from reminder.domain.ledger import Event, State
from reminder.domain.periods import vn_date
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.domain.text import normal

LONGEST = 32_767  # UTF-16 units of a cell: Excel's limit
Cell = str | int | date | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list: its heading, and its width in characters."""

    heading: str
    width: float
    centred: bool = False


COLUMNS = (
    Column("STT", 5, centred=True),
    Column("Mã", 5, centred=True),
    Column("Nhiệm vụ", 26),
    Column("Sản phẩm", 22),
    Column("Kỳ", 9),
    Column("Chủ trì", 12),
    Column("Phối hợp", 11),
    Column("Hạn", 10.5, centred=True),
    Column("Hạn gốc", 10.5, centred=True),
    Column("Về hạn", 13),
    Column("Tình trạng", 14),
    Column("Ngày xong", 10.5, centred=True),
    Column("Số, ký hiệu", 14),
    Column("Ghi chú", 26),
)


def written(text: str) -> str:
    """`text` as a cell can hold it: no control characters, no longer than Excel allows."""
    units = normal(text).strip().encode("utf-16-le")
    return units[: 2 * LONGEST].decode("utf-16-le", errors="ignore")


def row(plan: Plan, state: State, scheduler: Scheduler, day: date) -> list[Cell]:
    """The cells of `state` after its number, in the order of COLUMNS."""
    occurrence = state.occurrence
    original = state.original_due
    return [
        occurrence.task.code,
        occurrence.task.title,
        occurrence.deliverable.product,
        occurrence.period.name,
        unit_names(plan, occurrence.task.lead),
        unit_names(plan, occurrence.task.support),
        state.due,
        original if original != state.due else None,
        about_due(state),
        standing_words(state, scheduler, day),
        local(state.closed.at).date() if state.closed else None,
        _evidence(state),
        _notes(plan, state),
    ]


def unit_names(plan: Plan, units: Sequence[str]) -> str:
    return ", ".join(plan.by_unit[unit].label for unit in units)


def about_due(state: State) -> str:
    """“gia hạn từ 31/01”, “hạn dự kiến”, and a request that waits for the office."""
    said = []
    original, due = state.original_due, state.due
    if state.assumed:
        said.append("hạn dự kiến")
    elif due is not None and original is None:
        said.append("Văn phòng đặt hạn")
    elif due is not None and original is not None and due != original:
        said.append(f"{'gia hạn' if due > original else 'dời'} từ {vn_date(original)}")
    if state.request is not None and not state.closed:
        until = f" đến {vn_date(state.request.until)}" if state.request.until else ""
        said.append(f"xin gia hạn{until}, chờ quyết")
    return "; ".join(said)


def _evidence(state: State) -> str:
    """The number of what was handed in; of shared work each unit's."""
    told = [state.evidence]
    if len(state.parts) > 1:
        told = [*(part.evidence for part in state.parts.values()), state.evidence]
    return "; ".join(dict.fromkeys(text for text in told if text))


def _notes(plan: Plan, state: State) -> str:
    """What was said, a line each: parts of shared work, the check-in's text, notes."""
    lines = []
    if state.parts and not state.closed:
        parts = (
            f"{unit_names(plan, [unit])} {vn_date(local(event.at).date())}"
            for unit, event in state.parts.items()
        )
        lines.append(f"Đã báo xong: {', '.join(parts)}")
    said = [*state.parts.values(), *state.notes]
    lines += [
        f"{vn_date(local(event.at).date())}: {event.note}"
        for event in sorted(said, key=lambda event: event.at)
        if event.note
    ]
    return "\n".join(lines)


class Standing(StrEnum):
    """What an occurrence counts as; each is exactly one of these."""

    DONE = "Xong đúng hạn"
    DONE_LATE = "Xong quá hạn"
    SIGNING = "Chờ ký"  # a unit has handed it in for signature, late or not
    LATE = "Quá hạn"
    OPEN = "Đang mở"
    AHEAD = "Chưa đến kỳ"  # its period has not begun
    AWAITING = "Chưa có hạn"


def standing(state: State, scheduler: Scheduler, day: date, unit: str | None = None) -> Standing:
    """How `state` stands on `day`; with `unit`, how that unit's own part does.

    Late is counted from the due day rolled forward to a working day, done or not (Civil Code 2015,
    art. 148(5)).
    """
    closing = closed_by(state, unit)
    if closing is not None:
        late = scheduler.days_late(state, local(closing.at).date())
        return Standing.DONE_LATE if late else Standing.DONE
    if _signing(state, unit):
        return Standing.SIGNING
    if state.due is None:
        return Standing.AWAITING
    if scheduler.days_late(state, day):
        return Standing.LATE
    return Standing.OPEN if state.occurrence.opens <= day else Standing.AHEAD


def _signing(state: State, unit: str | None) -> bool:
    return bool(state.submitted if unit is None else state.awaits_signature(unit))


def closed_by(state: State, unit: str | None = None) -> Event | None:
    """The event that closed `state`, or the part of `unit`; None if that is still open."""
    if unit is not None and unit in state.parts:
        return state.parts[unit]
    return state.closed


def standing_words(state: State, scheduler: Scheduler, day: date) -> str:
    """`standing` with how late: “Quá hạn 3 ngày làm việc”, “Chờ ký, quá hạn 2 ngày làm việc”."""
    found = standing(state, scheduler, day)
    until = local(state.closed.at).date() if state.closed else day
    late = scheduler.days_late(state, until)
    if not late:
        return found.value
    joint = ", quá hạn" if found is Standing.SIGNING else ""
    return f"{found.value}{joint} {late} ngày làm việc"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """How many occurrences stand how: the first three are all that were closed or have begun.

    `late`, `signing` and `awaiting` are among the open ones, and may overlap.
    """

    name: str  # of the unit, or of all
    total: int
    in_time: int
    done_late: int
    open: int
    late: int
    signing: int
    awaiting: int
    ahead: int  # neither closed nor begun


def figures(plan: Plan, states: Sequence[State], scheduler: Scheduler, day: date) -> list[Figures]:
    """The figures of each unit that leads anything, and in the last place those of the whole plan.

    A unit's are of its own parts, so that who has done its share of shared work is not late.
    """
    lines = [
        _figures(unit.name, mine, scheduler, day)
        for unit in plan.units
        if (mine := [_part(s, unit.id) for s in states if unit.id in s.occurrence.task.lead])
    ]
    return [*lines, _figures("Cả kế hoạch", states, scheduler, day)]


def _part(state: State, unit: str) -> State:
    """`state` as far as the part of `unit` goes."""
    submitted = state.submitted if _signing(state, unit) else {}
    return replace(state, closed=closed_by(state, unit), submitted=submitted)


def _figures(name: str, states: Sequence[State], scheduler: Scheduler, day: date) -> Figures:
    """Counted as the weekly digest counts."""
    made = digest.figures(states, scheduler, day)
    return Figures(
        name=name,
        total=len(states),
        in_time=made.in_time,
        done_late=made.done_late,
        open=made.open,
        late=made.late,
        signing=made.signing,
        awaiting=made.awaiting,
        ahead=len(states) - made.in_time - made.done_late - made.open,
    )
