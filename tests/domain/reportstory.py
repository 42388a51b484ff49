"""A quarter in which things went as they do: in time, late, extended, waiting, told and untold."""

from __future__ import annotations

from datetime import date

from reminder.domain.ledger import Event, EventKind
from tests.messages.office import at, done, key, said

Q1 = "2024-Q1"
FOUR = ("van-phong", "tu-phap", "van-hoa-xa-hoi", "dia-chinh-xay-dung")


def told(day: str, code: str, unit: str, text: str, number: int = 1) -> Event:
    """An answer to the quarter's check-in."""
    return said(EventKind.UPDATED, at(day), key(code, number, Q1), unit, by="an", note=text)


def story() -> list[Event]:
    """The first quarter of 2024, up to what came after the figures' last day, 14/3."""
    january, february = (key("2c", period=f"2024-0{month}") for month in (1, 2))
    events = [
        done(at("2024-01-30"), key("1c"), "tu-phap", evidence="12/QĐ-UBND ngày 30/01"),
        *[done(at("2024-01-31"), january, unit) for unit in FOUR],
        done(at("2024-02-05"), key("4b"), "tai-chinh-ke-toan", evidence="QĐ 15/QĐ-UBND"),
        said(
            EventKind.EXTENSION_ASKED, at("2024-02-19"), key("1d"), "tu-phap", by="an",
            until=date(2024, 2, 26), note="chờ số liệu HĐND.",
        ),
        said(
            EventKind.EXTENSION_GRANTED, at("2024-02-19", "10:00"), key("1d"), "tu-phap",
            by="binh", until=date(2024, 2, 26),
        ),
        done(at("2024-02-26"), key("1d"), "tu-phap", evidence="21/BC-UBND ngày 26/02"),
        *[done(at("2024-02-29"), february, unit) for unit in FOUR[:2]],
        said(
            EventKind.NOTED, at("2024-03-05"), key("1d", 2), "tu-phap", by="an",
            note="đang lấy ý kiến HĐND",
        ),
        told("2024-03-07", "1b", "van-phong", "vẫn làm thường xuyên"),
        told("2024-03-08", "1a", "tu-phap", "thẩm định 03 văn bản"),
        said(EventKind.SUBMITTED, at("2024-03-12"), key("5c"), "van-phong", by="binh"),
        told("2024-03-15", "1e", "tu-phap", "tuyên truyền 02 buổi"),
        done(at("2024-03-15"), key("1d", 2), "tu-phap", evidence="30/QĐ-UBND"),
        said(EventKind.EVIDENCE, at("2024-03-15"), january, "van-phong", evidence="05/BC-UBND"),
    ]  # fmt: skip
    return sorted(events, key=lambda event: event.at)
