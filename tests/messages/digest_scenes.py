"""Mondays of 2024 on which the office reads its digest."""

from __future__ import annotations

from datetime import date, timedelta

from reminder.domain.ledger import Event, EventKind
from reminder.domain.outbox import Outbound
from reminder.domain.people import Person
from reminder.messages.context import Context
from reminder.messages.digest import digest_of, weekly, zalo
from reminder.services.status import Fault, Health, Slot, Unreachable, Why
from tests.messages.office import at, done, key, said, scene

HEAD = (17, "f5fdf858f3b527cd0cc1b1e2d2ab57aa30ad0a8b6b3f5a1d7c3d0a6f7f5b1c22")
SHARED = ("tu-phap", "van-phong", "van-hoa-xa-hoi", "dia-chinh-xay-dung")


def shared(month: int, day: str, *units: str) -> list[Event]:
    """2c of a month, done by these units on one day."""
    return [done(at(day), key("2c", period=f"2024-{month:02}"), unit) for unit in units]


def january() -> list[Event]:
    """2c by all, 4b by its unit; 1c is still open."""
    return [
        *shared(1, "2024-01-30", *SHARED),
        done(at("2024-01-31"), key("4b"), "tai-chinh-ke-toan", evidence="15/QĐ-UBND"),
    ]


def lively() -> list[Event]:
    """The ledger of a quarter in which something of everything has happened."""
    quarter, second = "2024-Q1", key("1d", 2)
    return [
        *january(),
        done(at("2024-02-02"), key("1c"), "tu-phap", evidence="12/QĐ-UBND ngày 02/02"),
        done(at("2024-02-19"), key("1d", 1), "tu-phap", evidence="21/BC-UBND"),
        said(
            EventKind.EXTENSION_GRANTED, at("2024-02-28"), second, "van-phong",
            until=date(2024, 3, 15),
        ),
        *shared(2, "2024-02-29", "tu-phap", "van-phong"),
        said(
            EventKind.NOTED, at("2024-03-04"), key("2c", period="2024-02"), "dia-chinh-xay-dung",
            note="chờ số liệu tháng 02 của Bộ phận Một cửa",
        ),
        *(
            said(EventKind.UPDATED, at("2024-03-08"), key(code, 1, quarter), unit, note=text)
            for code, unit, text in (
                ("1a", "tu-phap", "thẩm định 03 văn bản"),
                ("1e", "tu-phap", "tuyên truyền 02 buổi, 120 lượt người"),
                ("2i", "van-phong", "vẫn làm thường xuyên"),
                ("2k", "van-phong", "tiếp nhận 05 phản ánh, đã xử lý 05"),
                ("3", "van-phong", "kiểm tra đột xuất 01 lần"),
            )
        ),
        said(EventKind.UPDATED, at("2024-03-11"), key("2e", 1, quarter), "van-phong",
             note="vẫn làm thường xuyên"),
        said(EventKind.SUBMITTED, at("2024-03-12"), key("5c"), "van-phong"),
        said(EventKind.EXTENSION_ASKED, at("2024-03-13"), second, "tu-phap",
             until=date(2024, 3, 22), note="chờ ý kiến của thành phố"),
        done(at("2024-03-14"), key("BC", 1, quarter), "van-phong", evidence="35/BC-UBND"),
    ]  # fmt: skip


def health(day: str) -> Health:
    """A week in which one morning came late."""
    monday = date.fromisoformat(day)
    tuesday = (monday - timedelta(days=6)).isoformat()
    friday = (monday - timedelta(days=3)).isoformat()
    return Health(
        slots=5,
        broken=(Slot(at=at(tuesday, "08:00"), said=at(tuesday, "09:40") + timedelta(days=1)),),
        unknown=1,
        sent={"telegram": at(friday, "08:00"), "email": at(friday, "08:01")},
        polled={"telegram": at(day, "07:29")},
        head=HEAD,
    )


def cut_off() -> list[Unreachable]:
    """One person whose addresses fail, and a unit without people."""
    cuc = Person(
        id="cuc", name="Lê Thị Cúc", units=("tai-chinh-ke-toan",), channels=("telegram", "email")
    )
    faults = (
        Fault(channel="telegram", why=Why.UNBOUND),
        Fault(
            channel="email", why=Why.DEAD, since=at("2024-03-01"),
            reason="hộp thư không tồn tại",
        ),
    )  # fmt: skip
    return [
        Unreachable(unit="tai-chinh-ke-toan", person=cuc, faults=faults),
        Unreachable(unit="van-hoa-thong-tin", person=None),
    ]


def march() -> Outbound:
    """As the mail of Monday 18/3 has it, the plan attached."""
    context = scene("2024-03-18", lively())
    return weekly(
        context, digest_of(context), health=health("2024-03-18"), cut_off=cut_off(), attached=True
    )


def february() -> Outbound:
    """As Telegram has it on Monday 05/02, to one who gets the mail too."""
    context = scene("2024-02-05", january())
    sound = Health(slots=4, sent={"telegram": at("2024-02-02", "08:00")}, head=HEAD)
    return weekly(context, digest_of(context), health=sound, mailed=True)


def quiet() -> Outbound:
    """Nothing late, nothing to settle in the way of people: it comes all the same."""
    context = scene("2024-01-22")
    return weekly(context, digest_of(context), health=Health(head=(0, "0" * 64)))


def too_early() -> Outbound:
    context = scene("2023-12-25")
    return weekly(context, digest_of(context))


def pasted(day: str = "2024-02-26") -> Outbound:
    """What `/zalo` answers on Monday 26/02, with 1c and the report of 1d done."""
    context = pasted_scene(day)
    return zalo(context)


def pasted_scene(day: str) -> Context:
    events = [*january(), done(at("2024-02-02"), key("1c"), "tu-phap")]
    return scene(day, [*events, done(at("2024-02-19"), key("1d", 1), "tu-phap")])
