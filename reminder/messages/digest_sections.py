"""The parts of the full digest, in the order in which the office reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from reminder.domain.calendar import local_day
from reminder.domain.digest import Digest, Figures, UnitFigures
from reminder.domain.ledger import EventKind, State
from reminder.domain.periods import vn_date
from reminder.domain.plan import Confirm, Kind
from reminder.messages.context import (
    Context,
    evidence_words,
    handle,
    heard_words,
    signing_words,
    title,
    waiting_units,
)
from reminder.messages.wording import closed_words, day_words, listed, moment_words, one_line, some
from reminder.services.recipients import Fault, Unreachable, Why
from reminder.services.status import Health, Slot

NOTE = 160  # characters of a note or of a check-in's text; the ledger has all of it
CODES = 24  # of one line
DATES = 4  # of a recurring assumed date
SLOTS = 5  # broken slots that are named
SHORT_HASH = 16  # hex digits of the chain's head: 64 bits, and a person can compare them


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
    since = day_words(local_day(found.since), context.today) if found.since else "đầu năm"
    parts = [
        _section(context, "Quá hạn", "late", found.late, late,
                 "Không việc nào quá hạn."),
        _coming(context, "Tuần này", "soon", found.this_week),
        _coming(context, "Hai tuần tới", "coming", found.next_weeks),
        _section(context, f"Đã nộp, đã xong từ {since}", "done", found.done, closed,
                 "Chưa có việc nào."),
        *_check_ins(context, found),
        *_signing(context, found.signing),
        *_requests(context, found),
        *_to_settle(context, found),
        _unreachable(context, cut_off),
    ]  # fmt: skip
    if health:
        lines = tuple(health_words(context, health))
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
    groups = together(states)[:MOST]
    entries = []
    for group in groups:
        code, what = together_name(context, group)
        details = tuple(coming(context, group))
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
    lines: _Lines = lambda context, state: coming(context, [state])  # noqa: E731
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
        f"Chưa có – {unit}: {', '.join(some(codes, CODES))}" for unit, codes in units.items()
    ][:MOST]
    answers = _section(context, "", "done", found.answered, answered, "")
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
            details=tuple(request(context, s)),
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
        for codes, what, days in assumed(context, found.assumed)
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
    found = unreachable(context, cut_off)
    entries = tuple(Entry(code=who, title="", details=(why,)) for who, why in found[:MOST])
    none = "Đủ tất cả mọi người."
    return Section(name="Chưa liên lạc được", tone="late", count=len(found), entries=entries,
                   none=none)  # fmt: skip


def unreachable(context: Context, found: Iterable[Unreachable]) -> list[tuple[str, str]]:
    """Each person once, and each empty unit: (who, why)."""
    names: dict[str, tuple[str, str]] = {}
    for one in found:
        if one.person is None:
            names[f"unit:{one.unit}"] = (context.unit(one.unit), "chưa có ai nhận tin")
        else:
            why = "; ".join(_fault(context, fault) for fault in one.faults)
            unit = context.units(one.person.units)
            names.setdefault(one.person.id, (f"{one.person.name} ({unit})", why))
    return list(names.values())


def _fault(context: Context, fault: Fault) -> str:
    name = context.channel(fault.channel)
    match fault.why:
        case Why.NOT_SET_UP:
            return f"{name} chưa được cài đặt"
        case Why.NO_ADDRESS:
            return f"{name}: chưa có địa chỉ"
        case Why.UNBOUND:
            return f"{name} chưa kết nối"
        case Why.DEAD:
            since = f" từ {_day(context, fault.since)}" if fault.since else ""
            reason = f" ({fault.reason})" if fault.reason else ""
            return f"{name} không nhận tin{since}{reason}"


def _day(context: Context, at: datetime) -> str:
    return day_words(local_day(at), context.today)


def health_words(context: Context, health: Health) -> list[str]:
    """A line each: slots, messages, channels, the ledger."""
    lines = _slots(context, health)
    stuck = [f"{health.waiting} tin đang chờ gửi"] if health.waiting else []
    stuck += [f"{health.lost} tin không kênh nào gửi được"] if health.lost else []
    stuck += [f"{health.unknown} tin có thể đã tới hai lần"] if health.unknown else []
    if stuck:
        lines.append(f"Tin: {', '.join(stuck)}.")
    elif health.sent:
        lines.append("Mọi tin đã gửi, không tin nào gửi lặp.")
    lines.append(_contacts(context, health))
    lines += [
        f"{_channel(context, channel)} từ chối mọi tin từ {moment_words(since, context.today)}."
        for channel, since in health.down.items()
    ]
    number, last = health.head
    lines.append(
        f"Sổ ghi: {number} mục, mã mục cuối {last[:SHORT_HASH]} (giữ lại để đối chiếu)."
        if number
        else "Sổ ghi: chưa có mục nào."
    )
    return lines


def _slots(context: Context, health: Health) -> list[str]:
    if not health.slots:
        return ["Lượt nhắc: từ tổng hợp trước chưa có lượt nào."]
    if not health.broken:
        return [f"Lượt nhắc: cả {health.slots} lượt đều đúng ngày."]
    line = f"Lượt nhắc: {health.kept} trong {health.slots} lượt đúng ngày."
    named = [_broken(context, slot) for slot in health.broken[:SLOTS]]
    left = len(health.broken) - SLOTS
    named += [f"Và {left} lượt nữa."] if left > 0 else []
    return [line, *named]


def _broken(context: Context, slot: Slot) -> str:
    when = moment_words(slot.at, context.today)
    if slot.said is None:
        return f"Lượt {when} bị lỡ."
    return f"Lượt {when} muộn, nói lúc {moment_words(slot.said, context.today)}."


def _contacts(context: Context, health: Health) -> str:
    found = [
        f"{context.channel(channel)} {moment_words(at, context.today)}"
        for channel, at in sorted(health.sent.items())
    ]
    if health.polled:
        found.append(f"hỏi tin Telegram {moment_words(health.polled, context.today)}")
    return f"Liên lạc gần nhất: {', '.join(found)}." if found else "Chưa có tin nào được gửi đi."


def _channel(context: Context, channel: str) -> str:
    name = context.channel(channel)
    return name[:1].upper() + name[1:]
