"""What a time phrase is read into."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    """What sort of time a phrase names."""

    DATE = "date"
    DATE_RANGE = "date_range"
    MONTH = "month"  # also 6 tháng đầu năm
    QUARTER = "quarter"
    YEAR = "year"
    PERIODIC = "periodic"
    ONGOING = "ongoing"  # standing work
    EVENT = "event-relative"
    EXTERNAL = "by-external-schedule"
    NONE = "none"  # no time, or a vague one


class Status(StrEnum):
    """How a plan may take a part over."""

    LITERAL = "literal"  # the text writes the day, or a cycle with its day
    PERIOD = "period"  # the text names a period, whose last day is due
    ASSUMED = "assumed"  # any day is a guess that has to be confirmed
    CHECK_IN = "check-in"  # standing work
    AWAITING = "awaiting"  # somebody else or an event decides


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One thing with one time."""

    kind: Kind
    status: Status
    due: tuple[date, ...] = ()  # the last permissible days; none where the text names none
    proposed: tuple[date, ...] = ()  # stand-in days where the text names none
    op: str = ""  # "by": the written day is included; "before": due is the day before it
    start: date | None = None
    until: date | None = None  # the last day of standing work
    open_end: bool = False  # “và các năm tiếp theo”
    every: str = ""  # daily, weekly, monthly, quarterly, half-yearly, yearly, unspecified
    times: int = 0  # in each period
    weekday: str = ""  # as RFC 5545 writes it: MO, 1MO
    label: str = ""  # the words that tie the part to one of the products
    event: str = ""
    offset: int | None = None  # negative before the event
    unit: str = ""  # of the offset: day, working-day, month, hour
    fuzzy: str = ""  # start-of-year, middle-of-month, …


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What a phrase means."""

    parts: tuple[Part, ...]
    ask: bool = False  # a person has to confirm
    why: str = ""  # in Vietnamese
    mended: str = ""  # the words as they stand, where OCR spoilt a figure


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A time phrase inside a sentence, and its place there."""

    start: int
    end: int
    reading: Reading
