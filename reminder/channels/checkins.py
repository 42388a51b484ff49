"""The check-ins of a message: one block a period, with one way to answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from reminder.channels.context import Context
from reminder.channels.wording import day_words
from reminder.core.ledger import State

ROWS = 10  # check-ins of a block that are named; the rest is a number
_SAMPLES = ("đã thực hiện 03 văn bản", "vẫn làm thường xuyên")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The check-ins of one period and due day."""

    period: str  # “quý I”
    count: int
    due: str  # “hạn dự kiến Chủ Nhật 10/3, nhận đến hết Thứ Hai 11/3”
    rows: tuple[tuple[str, str], ...]  # code and title
    more: int
    example: str


def asked_views(context: Context, states: Sequence[State]) -> tuple[Asked, ...]:
    """A block for each period and due day among the check-ins of `states`, the earliest first."""
    blocks: dict[tuple[date, str], list[State]] = {}
    for state in states:
        if state.occurrence.is_check_in and state.due:
            blocks.setdefault((state.due, state.key.period), []).append(state)
    return tuple(_asked(context, blocks[key]) for key in sorted(blocks))


def _asked(context: Context, states: list[State]) -> Asked:
    shown = states[:ROWS]
    codes = [context.code(state) for state in shown]
    return Asked(
        period=states[0].occurrence.period.name,
        count=len(states),
        due=taken_until(context, states[0]),
        rows=tuple((c, s.occurrence.task.title) for c, s in zip(codes, shown, strict=True)),
        more=len(states) - len(shown),
        example="; ".join(f"{c} {s}" for c, s in zip(codes, _SAMPLES, strict=False)),
    )


def taken_until(context: Context, state: State) -> str:
    """“hạn dự kiến Chủ Nhật 10/3, nhận đến hết Thứ Hai 11/3”."""
    assert state.due is not None
    calendar, today = context.scheduler.calendar, context.today
    written = context.due(state, ahead=False)
    if late := context.scheduler.days_late(state, today):
        return f"{written}, quá hạn {late} ngày làm việc"
    last = calendar.roll_forward(state.due)
    if last == today:
        return f"{written}, nhận đến hết hôm nay"
    if last != state.due:
        return f"{written}, nhận đến hết {day_words(last, today)}"
    return written
