"""Cycles: “ngày 25 hàng tháng”, “ngày 05 tháng đầu quý sau”, and their days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from reminder.domain.calendar import days_between, in_month
from reminder.importing.days import DAY, MONTHS, OPS, Chain, PlanYear, Span, month_shift
from reminder.importing.readings import Kind, Part, Status
from reminder.importing.tokens import Token

_CYCLES = {"ngay": "daily", "tuan": "weekly", "thang": "monthly", "quy": "quarterly"}
_CYCLES |= {"3 thang": "quarterly", "6 thang": "half-yearly", "nua nam": "half-yearly"}
_CYCLES |= {"hoc ky": "term", "nam": "yearly", "1 nam": "yearly", "nam hoc": "yearly"}
_CYCLES |= {"9 thang": "unspecified"}
_INTERVALS = {("tuan", 1): "weekly", ("thang", 1): "monthly", ("thang", 3): "quarterly"}
_INTERVALS |= {("thang", 6): "half-yearly", ("thang", 12): "yearly", ("quy", 1): "quarterly"}
_INTERVALS |= {("quy", 2): "half-yearly", ("nam", 1): "yearly"}
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_KINDS = OPS | {"each", "interval", "times", "month_of", "last_day", "weekday", "week"}
_KINDS |= {"report", "regular", "fuzzy", "clock"}


@dataclass(slots=True)
class Cycle:
    """The tokens of one cycle; `everys` are the cycles named, mostly one."""

    tokens: dict[str, list[Token]]
    everys: list[str]

    def first(self, kind: str) -> Token | None:
        return next(iter(self.tokens.get(kind, ())), None)

    def has(self, *kinds: str) -> bool:
        return any(kind in self.tokens for kind in kinds)

    @property
    def times(self) -> int:
        token = self.first("times")
        return int(token["times"] or token["n"] or token["m"]) if token else 0

    @property
    def op(self) -> str:
        """Return "before" for “trước thứ Sáu”, "by" for “trước 15 giờ thứ Sáu”."""
        ops = [kind for kind in OPS if kind in self.tokens]
        return "before" if ops == ["before"] and not self.has("clock") else "by" if ops else ""

    @property
    def is_named(self) -> bool:
        """Whether more than “báo cáo quý” names it."""
        return self.has(*_KINDS - {"report", "fuzzy", "clock", "week", *OPS})

    @property
    def has_more_than_weekdays(self) -> bool:
        return self.has(*_KINDS - {"report", "fuzzy", "clock", "week", "weekday", *OPS})


def cycle_of(tokens: Sequence[Token]) -> Cycle:
    """Return the cycle that the tokens name; without `everys` if none."""
    found: dict[str, list[Token]] = {}
    for token in tokens:
        if token.kind in _KINDS:
            found.setdefault(token.kind, []).append(token)
    cycle = Cycle(found, [])
    cycle.everys = _everys(cycle)
    return cycle


def _everys(cycle: Cycle) -> list[str]:
    of, last, each = cycle.first("month_of"), cycle.first("last_day"), cycle.first("each")
    if of and (every := _CYCLES.get(of["period"].removeprefix("0"), "")):
        return [every]
    if last and last["what"] in _CYCLES:
        return [_CYCLES[last["what"]]]
    if each and "of_month" in each.groups:
        return ["monthly"]
    if each and (named := _named(each["cycles"])):
        return named
    if interval := cycle.first("interval"):
        count = int(interval["count"] or interval["each_count"] or 1)
        return [_INTERVALS.get((interval["unit"] or interval["each_unit"], count), "unspecified")]
    times = cycle.first("times")
    if times and (unit := times["per"] or times["of"] or times["in"]):
        return [_CYCLES[unit]]
    if of and of["next"]:
        return ["monthly"]
    if report := cycle.first("report"):
        return [_CYCLES[report["every"].removeprefix("0")]]
    return ["unspecified"] if cycle.has("regular", "times", "each", "month_of") else []


def _named(text: str) -> list[str]:
    """Return the cycles of “tháng, quý và hằng năm”."""
    found = []
    for word in text.replace("/", ",").replace(" va ", ",").split(","):
        unit = word.strip()
        for each in ("dinh ky ", "hang ", "moi ", "tung "):
            unit = unit.removeprefix(each)
        if every := _CYCLES.get(unit.removeprefix("0"), ""):
            found.append(every)
    return found


def weekdays_of(token: Token) -> list[str]:
    """Return the days of “thứ Hai”, “thứ 2, 4, 6”."""
    figures = [c for c in token["number"] or token["short"] if c.isdigit()]
    return [_WEEKDAYS[int(figure) - 2] for figure in figures] or ["SU"]


def weekday_name(day: date) -> str:
    return _WEEKDAYS[day.weekday()]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The first and the last day of a cycle, where the text names them."""

    first: date | None
    last: date | None
    spans: tuple[Span, ...] = ()  # the periods that are named, where there are several

    def has(self, end: date) -> bool:
        return not self.spans or any(span.first <= end <= span.last for span in self.spans)


def cycle_part(
    cycle: Cycle, every: str, days: Sequence[Chain], bounds: Bounds, plan: PlanYear
) -> tuple[Part, list[str]]:
    """Return the days of a cycle, and what a person has to confirm."""
    first, last = bounds.first or plan.first, bounds.last or plan.last
    ends: list[date] = []
    if every in MONTHS:
        ends = [e for e in plan.ends(every) if first <= e and e.replace(day=1) <= last]
        ends = [end for end in ends if bounds.has(end)]
    part = Part(kind=Kind.PERIODIC, status=Status.LITERAL, every=every, times=cycle.times)
    of = cycle.first("month_of")
    months = [_month_of(of, end, every) for end in ends] if of else ends
    weekdays = [day for token in cycle.tokens.get("weekday", ()) for day in weekdays_of(token)]
    last_day = cycle.first("last_day")
    if days and ends and (every == "monthly" or of):
        due = [in_month(month, day) for month in months for _, day in days[0].days]
        if bounds.first and not of:
            due = [day for day in due if first <= day <= last]
        whys = ["hai thời gian khác nhau"] if len(days) > 1 else []
        return _with_days(part, due, days[0].op or "by"), whys
    if weekdays and every == "weekly":
        due = [day for day in days_between(first, last) if weekday_name(day) in weekdays]
        part = replace(part, weekday=",".join(weekdays))
        return _with_days(part, due, cycle.op), []
    if weekdays and every == "monthly" and (nth := _nth_of(cycle)):
        due = [_nth(end, _WEEKDAYS.index(weekdays[0]), nth) for end in ends]
        part = replace(part, weekday=f"{nth}{weekdays[0]}")
        named = bool(cycle.tokens["weekday"][0]["nth"])
        whys = [] if named else ["thứ của tuần thứ mấy: đếm theo tuần hay theo thứ?"]
        return _with_days(part, due, cycle.op), whys
    if last_day and not last_day["working"] and last_day["which"].startswith("cuoi") and ends:
        return _with_days(part, ends, cycle.op or "by"), []
    if of and not days and not cycle.has("fuzzy", "week", "weekday"):
        whys = ["“trước” một kỳ: trước ngày đầu, hay trong kỳ ấy?"] if cycle.op == "before" else []
        if not of["end"]:
            part = replace(part, status=Status.PERIOD)
        return _with_days(part, months, cycle.op), whys
    return _without_days(cycle, part, weekdays, ends), ["có kỳ, không có ngày"]


def _without_days(cycle: Cycle, part: Part, weekdays: Sequence[str], ends: Sequence[date]) -> Part:
    fuzzy = cycle.first("fuzzy")
    if part.every == "term":
        if fuzzy:
            return Part(kind=Kind.NONE, status=Status.ASSUMED, fuzzy="end-of-term")
        part = replace(part, every="half-yearly")
    return replace(part, status=Status.ASSUMED, proposed=tuple(ends), weekday=",".join(weekdays))


def _with_days(part: Part, due: Sequence[date], op: str) -> Part:
    """Return `part` with these days as written."""
    return replace(part, due=tuple(d - DAY if op == "before" else d for d in due), op=op)


def _month_of(token: Token, end: date, every: str) -> date:
    """Return the last day of the month that “tháng đầu quý sau” means for the period to `end`."""
    if token["next"]:
        return month_shift(end, 1)
    months = MONTHS.get(every, 1)
    places = {"dau": 0, "giua": 1, "thu 1": 0, "thu 2": 1, "thu 3": 2}
    place = places.get(token["place"].removesuffix(" tien"), months - 1)
    return month_shift(end, place - months + 1 + (months if token["later"] else 0))


def _nth_of(cycle: Cycle) -> int:
    """Return n of “thứ Hai tuần thứ n”, -1 for the last, 0 without any."""
    week = cycle.first("week")
    text = cycle.tokens["weekday"][0]["nth"] or (week["week"] if week else "")
    if text.startswith("cuoi"):
        return -1
    figure = text.removeprefix("thu ").replace("nhat", "1")
    return int(figure) if figure.isdigit() else 1 if text else 0


def _nth(end: date, weekday: int, place: int) -> date:
    """Return the n-th such weekday of the month that ends on `end`, or the last."""
    if place < 0:
        return end - timedelta(days=(end.weekday() - weekday) % 7)
    first = end.replace(day=1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (place - 1))
