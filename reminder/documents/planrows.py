"""What a table of the plan says of each occurrence: its columns and their cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from reminder.core.ledger import State
from reminder.core.periods import vn_date
from reminder.core.plan import Plan
from reminder.core.schedule import Scheduler
from reminder.core.text import normal
from reminder.core.workdays import local
from reminder.documents.standing import standing_words

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
