"""/nghiphep: an absence is announced, moved and ended, by the person or by the office."""

from __future__ import annotations

from datetime import date

import pytest

from reminder.domain.ledger import Absence, absences
from tests.decisions.decide_kit import Room, told_of

NOW = "2024-01-30 09:12"


def said(room: Room, who: str, text: str, when: str = NOW) -> tuple[list[str], list[str]]:
    return told_of(room.say(who, when, text))


CASES = [
    ("an: /away 01/02-10/02", ["away /an.0:2024-02-01 tu-phap →2024-02-10"]),
    ("an: nghỉ phép 3 ngày từ mai", ["away /an.0:2024-01-31 tu-phap →2024-02-02"]),
    ("an: xin nghỉ phép đến hết 02/02 ạ", ["away /an.0:2024-01-30 tu-phap →2024-02-02"]),
    ("binh: /nghiphep an 01/02-10/02", ["away /an.0:2024-02-01 tu-phap →2024-02-10"]),
    ("binh: /nghiphep Giang 05/02", ["away /giang.0:2024-02-05 van-hoa-xa-hoi →2024-02-05"]),
    ("an: /nghiphep 25/12/2024-03/01/2025", ["away /an.0:2024-12-25 tu-phap →2025-01-03"]),
]


@pytest.mark.parametrize(("text", "events"), CASES)
def test_an_absence_is_recorded(text: str, events: list[str]) -> None:
    """By oneself for oneself; by the office for whom it names by id or by name."""
    who, _, typed = text.partition(": ")
    assert said(Room(), who, typed)[0] == events


REFUSED = [
    ("an: /away 01/01-10/01", "refused:away-past"),
    ("an: /away 01/02/2024-10/02/2025", "refused:away-long"),
    ("an: /away dung 01/02-10/02", "office-only"),
    ("an: /away xuân 01/02-10/02", "refused:whose-absence"),
    ("an: /away xuân hủy", "refused:whose-absence"),
    ("binh: /away xuân 01/02-10/02", "refused:no-person"),
    ("an: /away 10/02-01/02", "error"),
    ("an: /away 30/02", "error"),
    ("an: /away hủy", "refused:not-away"),
]


@pytest.mark.parametrize(("text", "view"), REFUSED)
def test_what_is_no_absence_is_refused(text: str, view: str) -> None:
    """Past, too long, turned round, no such day, somebody else's, nobody's: nothing recorded."""
    who, _, typed = text.partition(": ")
    assert said(Room(), who, typed) == ([], [view])


def test_the_same_again_is_not_recorded_twice() -> None:
    """A new last day for the same first one moves the absence."""
    room = Room()
    said(room, "an", "/away 01/02-10/02")
    assert said(room, "an", "/away 01/02-10/02") == ([], ["away"])
    said(room, "an", "/away 01/02-05/02")
    assert absences(room.events) == (
        Absence(person="an", since=date(2024, 2, 1), until=date(2024, 2, 5)),
    )


def test_an_absence_ends_early() -> None:
    """“hủy” ends all that is not over, by the person or by the office; what was is kept."""
    room = Room()
    said(room, "an", "/away 01/02-10/02")
    said(room, "an", "/away 01/3-05/3")
    assert said(room, "binh", "/nghiphep an hủy", "2024-02-06 08:00") == (
        ["back /an.0:2024-02-01 tu-phap →2024-02-10", "back /an.0:2024-03-01 tu-phap →2024-03-05"],
        ["back", "back-word>van-phong", "back-word>an"],
    )
    assert (absences(room.events), len(room.events)) == ((), 4)


def test_who_is_told_of_an_absence() -> None:
    """The office always; the person where somebody else has written it down."""
    room = Room()
    assert said(room, "an", "/away 01/02-10/02")[1] == ["away", "away-word>van-phong"]
    assert said(room, "binh", "/away cuc 01/02-10/02")[1] == [
        "away",
        "away-word>van-phong",
        "away-word>cuc",
    ]
