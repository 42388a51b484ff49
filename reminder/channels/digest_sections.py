"""The parts of the full digest, in the order in which the office reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from reminder.channels import digest_health, digest_lines
from reminder.channels.context import Context, handle, title
from reminder.channels.wording import day_words
from reminder.core.digest import Digest, Figures, UnitFigures
from reminder.core.ledger import State
from reminder.core.periods import vn_date
from reminder.core.workdays import local
from reminder.service.health import Health
from reminder.service.reach import Unreachable

MOST = 20  # entries of a section; with all sections full a mail stays below what Gmail clips
SOON = timedelta(days=14)  # from today to the date of an example
BARS = 30  # units that have a bar
FEW = 3  # codes that one types together
BLOCKS = 20  # of a bar in plain text


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One figure, with its change since the digest before."""

    name: str
    value: int
    change: str  # “+2”, “−1”, “±0”; empty: nothing to compare with
    tone: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A unit's parts; widths are per cent of the longest bar."""

    name: str
    words: str
    done: int
    open: int
    late: int
    blocks: str  # the same in plain text


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One thing: a line in bold, and what there is to know of it."""

    code: str
    title: str
    details: tuple[str, ...] = ()
    typed: str = ""  # what the office can type about it


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A heading and its entries; `none` is said where there are none."""

    name: str
    tone: str  # late | soon | coming | done | ask | plain
    count: int
    entries: tuple[Entry, ...]
    none: str
    lines: tuple[str, ...] = ()  # said below the heading
    told: int | None = None  # how many the entries stand for; None: one each

    @property
    def more(self) -> int:
        return self.count - (len(self.entries) if self.told is None else self.told)


_Lines = Callable[[Context, State], list[str]]
_NAMES = (
    ("in_time", "Xong đúng hạn", "done"),
    ("done_late", "Xong quá hạn", "plain"),
    ("open", "Đang mở", "coming"),
    ("late", "Quá hạn", "late"),
    ("signing", "Chờ ký", "plain"),
    ("awaiting", "Chưa có hạn", "plain"),
)


def cells(figures: Figures, before: Figures | None) -> list[Cell]:
    """The six figures."""
    return [
        Cell(
            name=name,
            value=getattr(figures, field),
            change=_change(getattr(figures, field) - getattr(before, field)) if before else "",
            tone=tone,
        )
        for field, name, tone in _NAMES
    ]


def _change(difference: int) -> str:
    """With a true minus sign."""
    if not difference:
        return "±0"
    return f"+{difference}" if difference > 0 else f"−{-difference}"


def bars(context: Context, units: Sequence[UnitFigures]) -> list[Bar]:
    """A bar for each unit, all to one scale."""
    longest = max((unit.total for unit in units), default=1)
    return [_bar(context, unit, longest) for unit in units[:BARS]]


def _bar(context: Context, unit: UnitFigures, longest: int) -> Bar:
    parts = (unit.done, unit.open, unit.late)
    done, still, late = (max(1, round(100 * n / longest)) if n else 0 for n in parts)
    over = max(0, done + still + late - 100)  # what rounding up the small ones has added
    if done >= still:
        done -= over
    else:
        still -= over
    names = (f"{unit.done} xong", f"{unit.open} chưa quá hạn", f"{unit.late} quá hạn")
    said = [name for name, n in zip(names, parts, strict=True) if n or name.endswith("xong")]
    marks = zip("█░▓", parts, strict=True)
    return Bar(
        name=context.unit(unit.unit),
        words=", ".join(said),
        done=done,
        open=still,
        late=late,
        blocks="".join(m * (max(1, round(BLOCKS * n / longest)) if n else 0) for m, n in marks),
    )


def sections(
    context: Context, found: Digest, health: Health | None, cut_off: Sequence[Unreachable]
) -> list[Section]:
    """All parts below the figures."""
    since = day_words(local(found.since).date(), context.today) if found.since else "đầu năm"
    parts = [
        _section(context, "Quá hạn", "late", found.late, digest_lines.late,
                 "Không việc nào quá hạn."),
        _coming(context, "Tuần này", "soon", found.this_week),
        _coming(context, "Hai tuần tới", "coming", found.next_weeks),
        _section(context, f"Đã nộp, đã xong từ {since}", "done", found.done, digest_lines.closed,
                 "Chưa có việc nào."),
        *_check_ins(context, found),
        *_signing(context, found.signing),
        *_requests(context, found),
        *_to_settle(context, found),
        _unreachable(context, cut_off),
    ]  # fmt: skip
    if health:
        lines = tuple(digest_health.words(context, health))
        parts.append(
            Section(name="Máy nhắc việc", tone="plain", count=0, entries=(), none="", lines=lines)
        )
    return parts


def _section(
    context: Context, name: str, tone: str, states: Sequence[State], lines: _Lines, none: str
) -> Section:
    entries = tuple(
        Entry(code=context.code(s), title=title(s), details=tuple(lines(context, s)))
        for s in states[:MOST]
    )
    return Section(name=name, tone=tone, count=len(states), entries=entries, none=none)


def _coming(context: Context, name: str, tone: str, states: Sequence[State]) -> Section:
    """What falls due; the check-ins of one day are one entry."""
    groups = digest_lines.together(states)[:MOST]
    entries = []
    for group in groups:
        code, what = digest_lines.together_name(context, group)
        details = tuple(digest_lines.coming(context, group))
        entries.append(Entry(code=code, title=what, details=details))
    return Section(
        name=name,
        tone=tone,
        count=len(states),
        entries=tuple(entries),
        none="Không việc nào đến hạn.",
        told=sum(map(len, groups)),
    )


def _signing(context: Context, states: Sequence[State]) -> list[Section]:
    lines: _Lines = lambda context, state: digest_lines.coming(context, [state])  # noqa: E731
    return [_section(context, "Chờ ký", "ask", states, lines, "")] if states else []


def _check_ins(context: Context, found: Digest) -> list[Section]:
    """Who has not answered yet, in a line a unit; then each answer."""
    every = [*found.answered, *found.missing]
    if not every:
        return []
    periods = ", ".join(dict.fromkeys(s.occurrence.period.name for s in every))
    units: dict[str, list[str]] = {}
    for state in found.missing:
        units.setdefault(context.units(state.open_units), []).append(context.code(state))
    lines = [f"Đã có {len(found.answered)} trong {len(every)} cập nhật."]
    lines += [
        f"Chưa có – {unit}: {', '.join(digest_lines.some(codes, digest_lines.CODES))}"
        for unit, codes in units.items()
    ][:MOST]
    answers = _section(context, "", "done", found.answered, digest_lines.answered, "")
    return [
        Section(
            name=f"Cập nhật {periods}",
            tone="done",
            count=answers.count,
            entries=answers.entries,
            none="",
            lines=tuple(lines),
        )
    ]


def _requests(context: Context, found: Digest) -> list[Section]:
    entries = tuple(
        Entry(
            code=context.code(s),
            title=title(s),
            details=tuple(digest_lines.request(context, s)),
            typed=f"/dongy {handle(context, s)} · /khongdongy {handle(context, s)}",
        )
        for s in found.requests[:MOST]
    )
    if not entries:
        return []
    name = "Xin gia hạn, chờ quyết"
    return [Section(name=name, tone="ask", count=len(found.requests), entries=entries, none="")]


def _to_settle(context: Context, found: Digest) -> list[Section]:
    """Dates that the office has to give, then those it has to confirm."""
    entries = [
        Entry(
            code=context.code(s),
            title=title(s),
            details=(context.units(s.occurrence.task.lead), "chưa có hạn"),
            typed=f"/dathan {handle(context, s)} {_some_day(context)}",
        )
        for s in found.awaiting
    ]
    entries += [
        Entry(
            code=codes,
            title=what,
            details=(f"hạn dự kiến {days}",),
            typed=f"/xacnhan {codes}" if codes.count(",") < FEW else "",
        )
        for codes, what, days in digest_lines.assumed(context, found.assumed)
    ]
    if not entries:
        return []
    whole = ("Nhận tất cả hạn dự kiến, xin nhắn: /xacnhan tất cả",) if found.assumed else ()
    return [
        Section(
            name="Hạn cần chốt",
            tone="ask",
            count=len(entries),
            entries=tuple(entries[:MOST]),
            none="",
            lines=whole,
        )
    ]


def _some_day(context: Context) -> str:
    """A date such as one may type: worked, and still to come."""
    day = context.scheduler.calendar.roll_back(context.today + SOON)
    return vn_date(day, year=True)


def _unreachable(context: Context, cut_off: Sequence[Unreachable]) -> Section:
    found = digest_health.unreachable(context, cut_off)
    entries = tuple(Entry(code=who, title="", details=(why,)) for who, why in found[:MOST])
    none = "Đủ tất cả mọi người."
    return Section(name="Chưa liên lạc được", tone="late", count=len(found), entries=entries,
                   none=none)  # fmt: skip
