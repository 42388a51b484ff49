"""The weekly digest in short, as a phone shows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from reminder.channels.compose import compose
from reminder.channels.context import Context, handle, title
from reminder.channels.wording import coming_rest, day_words
from reminder.core.digest import Digest
from reminder.core.ledger import State
from reminder.core.periods import vn_day
from reminder.ports import Outbound

SHOWN = 8  # lines of each part; the rest is a number


def weekly(context: Context, found: Digest, *, unreachable: Sequence[str] = ()) -> Outbound:
    """The digest of the week; said also when all is well."""
    parts = [
        ("🔴", "Quá hạn", [_late(context, s) for s in found.late]),
        ("🟠", "Tuần này", [_coming(context, s) for s in found.this_week]),
        ("🟡", "Hai tuần tới", [_coming(context, s) for s in found.next_weeks]),
        ("🟢", "Xong trong tuần trước", [_done(context, s) for s in found.done]),
        ("🖋", "Chờ ký", [_name(context, s) for s in found.signing]),
        ("📅", "Xin gia hạn, chờ quyết", [_name(context, s) for s in found.requests]),
    ]
    return compose(
        "digest",
        subject=f"Tổng hợp tuần – {vn_day(found.day)}: {len(found.late)} việc quá hạn",
        day=vn_day(found.day),
        week=_week(context, found),
        parts=[
            {
                "mark": mark,
                "name": name,
                "count": len(lines),
                "lines": lines[:SHOWN],
                "more": max(0, len(lines) - SHOWN),
            }
            for mark, name, lines in parts
            if lines
        ],
        well=found.all_is_well,
        awaiting=list(dict.fromkeys(context.code(s) for s in found.awaiting)),
        assumed=len({s.key[:3] for s in found.assumed}),
        unreachable=list(unreachable),
    )


def _week(context: Context, found: Digest) -> str:
    """How many working days this week has left, and the rest that comes."""
    sunday = found.day + timedelta(days=6 - found.day.weekday())
    left = len(context.scheduler.calendar.between(found.day, sunday))
    words = f"Tuần này còn {left} ngày làm việc"
    rest = coming_rest(found.day, context.scheduler.calendar)
    if rest:
        name = context.holiday(*rest)
        words += (
            f", nghỉ{' ' + name if name else ''} từ {vn_day(rest[0])} đến hết {vn_day(rest[1])}"
        )
    return f"{words}."


def _name(context: Context, state: State) -> str:
    return f"{handle(context, state)} {title(state)} ({context.units(state.occurrence.task.lead)})"


def _late(context: Context, state: State) -> str:
    days = context.scheduler.days_late(state, context.today)
    waiting = state.open_units or state.occurrence.task.lead
    signing = ", chờ ký" if state.submitted else ""
    name = f"{handle(context, state)} {title(state)}"
    return f"{name} – {context.units(waiting)}, {days} ngày làm việc{signing}"


def _coming(context: Context, state: State) -> str:
    due = day_words(state.due, context.today) if state.due else ""
    word = "hạn dự kiến " if state.assumed else ""
    waiting = context.units(state.open_units)
    return f"{handle(context, state)} {title(state)} – {waiting}, {word}{due}"


def _done(context: Context, state: State) -> str:
    evidence = f", {state.evidence}" if state.evidence else ""
    return f"{handle(context, state)} {title(state)}{evidence}"
