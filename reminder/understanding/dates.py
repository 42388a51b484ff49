"""Days, stretches of days and periods, as people of an office write them.

A day without a year is this year's, unless that lies more than half a year back: then next year's.
“Đầu, giữa, cuối” follow the Civil Code 2015, art. 146: the 1st, the 15th, the last day.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from reminder.domain.calendar import Period, last_of_month
from reminder.understanding.lexicon import listed
from reminder.understanding.spelling import Found, Phrases, Token, plain_at

_HALF_YEAR = timedelta(days=183)
_MAX_DAYS = 366
_YEARS = range(2000, 2100)

# The two signs of a date are the same; a paper's number (12/3/QĐ) or a share (2-3 ngày) is no date.
_NUMERIC = re.compile(
    r"(\d{1,2})([/.-])(\d{1,2})(?:\2(\d{4}|\d{2}))?(?!\d|/\w|-[^\W\d]|\.\d)", re.ASCII
)
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?![\w/-])", re.ASCII)
_ISO_PERIOD = re.compile(r"(20\d\d)-([qQ][1-4]|[hH][12]|0[1-9]|1[0-2])(?![\w/-])", re.ASCII)
_MONTH_OF_YEAR = re.compile(r"(\d{1,2})[/-](20\d\d)(?![\w/-])", re.ASCII)
_YEAR_AFTER = re.compile(r"\s*(?:[/-]|năm|nam)\s*(20\d\d)(?![\w/-])", re.IGNORECASE | re.ASCII)

_NUMERALS = Phrases({phrase: int(number) for phrase, number in listed("numerals").items()})
_ROMANS = {"i": 1, "ii": 2, "iii": 3, "iv": 4}


@dataclass(frozen=True, slots=True)
class Day:
    """A day that the text names; `day` is None where the calendar has no such day."""

    day: date | None
    relative: bool = False  # said from today's view: “mai”, “thứ sáu”
    past: date | None = None  # this year's, where without a year next year's is meant


def near(day: int, month: int, today: date, year: int | None = None) -> date | None:
    """Return the day meant by `day`/`month` as seen from `today`; None if there is no such day."""
    try:
        if year is not None:
            return date(year, month, day) if year in _YEARS else None
        guess = date(today.year, month, day)
        return date(today.year + 1, month, day) if today - guess > _HALF_YEAR else guess
    except ValueError:
        return None


def _dated(day: int, month: int, today: date, year: int | None) -> Day:
    found = near(day, month, today, year)
    rolled = year is None and found is not None and found.year > today.year
    return Day(found, past=near(day, month, today, today.year) if rolled else None)


def _relative() -> dict[str, tuple[str, int, int]]:
    """Return each phrase of lexicon.toml for a day seen from today → what `_seen` is given."""
    found = {}
    for phrase, rule in listed("days").items():
        unit, ahead, day = rule.split()
        found[phrase] = unit, int(ahead), int(day)
    for pattern, rule in listed("weekdays").items():
        unit, ahead = rule.split()
        for name, weekday in listed("weekday-names").items():
            found[pattern.format(name)] = unit, int(ahead), int(weekday)
    return found


_RELATIVE = Phrases(_relative())


def _seen(unit: str, ahead: int, day: int, today: date) -> date:
    """Return the `day` of the week or month that lies `ahead`; of days, the one so many ahead."""
    match unit:
        case "day":
            return today + timedelta(ahead)
        case "week":
            return today + timedelta(7 * ahead + day - today.weekday())
        case "coming":
            return today + timedelta(7 * ahead + (day - today.weekday() - 1) % 7 + 1)
        case "year":
            return date(today.year, 12, 31)
    first = _ahead(today, ahead)
    last = last_of_month(first.year, first.month)
    return last.replace(day=min(day, last.day))


def _ahead(today: date, months: int) -> date:
    """Return the first of the month that lies `months` ahead."""
    year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
    return date(year, month + 1, 1)


def day_at(text: str, tokens: Sequence[Token], index: int, today: date) -> Found[Day] | None:
    """Return the day named at `index`; “ngày”, “hôm” before it belong to it."""
    found = _RELATIVE.at(tokens, index)
    edge = _edge(text, tokens, index, today)
    if found and (edge is None or found.size >= edge.size):
        return Found(found.size, Day(_seen(*found.value, today), relative=True))
    lead = 1 if plain_at(tokens, index) in ("ngay", "hom") else 0
    at = index + lead
    rest = _written(text, tokens, at, today) or _spelt(text, tokens, at, today)
    rest = rest or edge
    return Found(rest.size + lead, rest.value) if rest else None


def _written(text: str, tokens: Sequence[Token], index: int, today: date) -> Found[Day] | None:
    """15/3, 15-3-2024, 15.3.24, 2024-03-15."""
    if not _opens(tokens, index):
        return None
    start = tokens[index].start
    if match := _ISO.match(text, start):
        day = near(int(match[3]), int(match[2]), today, int(match[1]))
        return Found(_tokens_to(tokens, index, match.end()), Day(day))
    if match := _NUMERIC.match(text, start):
        size = _tokens_to(tokens, index, match.end())
        if match[2] == "-" and not match[4] and days_at(tokens, index):
            return None
        year = None if match[4] is None else int(match[4]) + (2000 if len(match[4]) == 2 else 0)
        return Found(size, _dated(int(match[1]), int(match[3]), today, year))
    return None


def _spelt(text: str, tokens: Sequence[Token], index: int, today: date) -> Found[Day] | None:
    """31 tháng 1, 31 tháng 1 năm 2024."""
    day, month = _number_at(tokens, index), _number_at(tokens, index + 2)
    if day is None or month is None or plain_at(tokens, index + 1) != "thang":
        return None
    size = 2 + month.size
    after = _YEAR_AFTER.match(text, tokens[index + size - 1].end)
    year = int(after[1]) if after else None
    end = after.end() if after else tokens[index + size - 1].end
    found = _dated(day.value, month.value, today, year)
    return Found(_tokens_to(tokens, index, end), found)


def _edge(text: str, tokens: Sequence[Token], index: int, today: date) -> Found[Day] | None:
    """Đầu/giữa/cuối/hết and a period: hết tháng 3, cuối quý I."""
    word = plain_at(tokens, index)
    if word not in ("dau", "giua", "cuoi", "het"):
        return None
    period = period_at(text, tokens, index + 1, today)
    if period is None:
        return None
    span = Period.parse(period.value)
    middle = span.first.replace(day=15) if span.first.month == span.last.month else None
    day = {"dau": span.first, "giua": middle}.get(word, span.last)
    return Found(period.size + 1, Day(day)) if day else None


def days_at(tokens: Sequence[Token], index: int) -> Found[int] | None:
    """Return how many days “3 ngày”, “một tuần”, “2-3 ngày” (the longer) are."""
    number = _number_at(tokens, index)
    if number is None or plain_at(tokens, index) == "tu":  # “từ hôm 31/1”
        return None
    after = index + number.size
    if plain_at(tokens, after) == "-" and (more := _number_at(tokens, after + 1)):
        number, after = more, after + 1 + more.size
    unit = {"ngay": 1, "hom": 1, "tuan": 7}.get(plain_at(tokens, after))
    if unit is None:
        return None
    size = after + 1 - index
    if [plain_at(tokens, after + k) for k in (1, 2)] == ["lam", "viec"]:
        size += 2
    return Found(size, min(number.value, 10 * _MAX_DAYS) * unit)


def sensible(days: int) -> bool:
    """Return whether `days` is a wait that anybody could mean."""
    return 1 <= days <= _MAX_DAYS


def period_at(text: str, tokens: Sequence[Token], index: int, today: date) -> Found[str] | None:
    """Return the period named at `index`, as an identifier; without a year, that of `today`."""
    if index >= len(tokens):
        return None
    return (
        _iso_period(text, tokens, index)
        or _current(tokens, index, today)
        or _cycle(text, tokens, index, today)
        or _year(tokens, index, today)
    )


def _iso_period(text: str, tokens: Sequence[Token], index: int) -> Found[str] | None:
    if not _opens(tokens, index):
        return None
    start = tokens[index].start
    if match := _ISO_PERIOD.match(text, start):
        return Found(_tokens_to(tokens, index, match.end()), f"{match[1]}-{match[2].upper()}")
    match = _MONTH_OF_YEAR.match(text, start)
    if match and 1 <= int(match[1]) <= 12:
        return Found(_tokens_to(tokens, index, match.end()), f"{match[2]}-{int(match[1]):02}")
    return None


_CURRENT = Phrases(listed("periods"))


def _current(tokens: Sequence[Token], index: int, today: date) -> Found[str] | None:
    found = _CURRENT.at(tokens, index)
    if found is None:
        return None
    cycle, ahead = found.value.split()
    if cycle == "year":
        return Found(found.size, f"{today.year}")
    first = _ahead(today, int(ahead) * (3 if cycle == "quarter" else 1))
    part = f"{first.month:02}" if cycle == "month" else f"Q{(first.month + 2) // 3}"
    return Found(found.size, f"{first.year}-{part}")


def _cycle(text: str, tokens: Sequence[Token], index: int, today: date) -> Found[str] | None:
    """Tháng 3, quý I, Q1, 6 tháng đầu năm; a year may follow."""
    named = _month_name(tokens, index) or _quarter_name(tokens, index) or _half(tokens, index)
    if named is None:
        return None
    after = _YEAR_AFTER.match(text, tokens[index + named.size - 1].end)
    if after is None:
        return Found(named.size, f"{today.year}-{named.value}")
    return Found(_tokens_to(tokens, index, after.end()), f"{after[1]}-{named.value}")


def _month_name(tokens: Sequence[Token], index: int) -> Found[str] | None:
    lead = plain_at(tokens, index) in ("thang", "thg", "th", "t")
    number = _number_at(tokens, index + 1) if lead else None
    if number is None or not 1 <= number.value <= 12:
        return None
    return Found(1 + number.size, f"{number.value:02}")


def _quarter_name(tokens: Sequence[Token], index: int) -> Found[str] | None:
    word, after = plain_at(tokens, index), plain_at(tokens, index + 1)
    if word not in ("quy", "qui", "q"):
        return None
    if after in _ROMANS:
        return Found(2, f"Q{_ROMANS[after]}")
    number = _number_at(tokens, index + 1)
    return Found(1 + number.size, f"Q{number.value}") if number and number.value <= 4 else None


def _half(tokens: Sequence[Token], index: int) -> Found[str] | None:
    number = _number_at(tokens, index)
    if number is None or number.value != 6 or plain_at(tokens, index + number.size) != "thang":
        return None
    size = number.size + 1
    edge = plain_at(tokens, index + size)
    if edge not in ("dau", "cuoi"):
        return Found(size, "H1")
    year = plain_at(tokens, index + size + 1) == "nam"
    return Found(size + 1 + year, "H1" if edge == "dau" else "H2")


def _year(tokens: Sequence[Token], index: int, today: date) -> Found[str] | None:
    lead = 1 if plain_at(tokens, index) == "nam" else 0
    number = tokens[index + lead].number if index + lead < len(tokens) else None
    signs = plain_at(tokens, index + lead + 1), plain_at(tokens, index + lead - 1)
    if number is None or abs(number - today.year) > 3 or "/" in signs or "-" in signs:
        return None
    return Found(1 + lead, f"{number}")


def _number_at(tokens: Sequence[Token], index: int) -> Found[int] | None:
    if index >= len(tokens):
        return None
    number = tokens[index].number
    if number is not None:
        return Found(1, number) if len(tokens[index].text) <= 4 and number else None
    return _NUMERALS.at(tokens, index)


def _opens(tokens: Sequence[Token], index: int) -> bool:
    """Return whether a number begins here, rather than goes on (2024 in 12/2024/QĐ)."""
    if index >= len(tokens) or tokens[index].number is None:
        return False
    if not tokens[index].glued:
        return True
    sign, before = tokens[index - 1].plain, tokens[index - 2] if index > 1 else None
    return sign != "/" and (sign != "-" or (before is not None and before.number is not None))


def _tokens_to(tokens: Sequence[Token], index: int, end: int) -> int:
    """Return how many tokens from `index` on reach to the offset `end`."""
    size = 0
    while index + size < len(tokens) and tokens[index + size].start < end:
        size += 1
    return size
