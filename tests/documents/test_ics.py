"""Calendar files, read by the rules of RFC 5545."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reminder.documents.ics import due_days, uid, unit_calendar
from reminder.domain.ledger import Event, EventKind, State, fold
from reminder.domain.plan import Key, Plan, occurrences
from reminder.domain.schedule import Scheduler
from tests.documents.rfc5545 import Component, read
from tests.messages.office import at, documented, done, key, said

NOW = at("2024-01-26")
LIST = key("1c")  # due on Wednesday 31/01


def states(plan: Plan, *events: Event) -> dict[Key, State]:
    return fold(occurrences(plan), events)


def events_of(
    plan: Plan, scheduler: Scheduler, *events: Event, unit: str = "tu-phap"
) -> dict[str, Component]:
    """The events of a unit's calendar by their UID."""
    data = unit_calendar([plan], states(plan, *events), scheduler, unit, NOW)
    return {one["UID"]: one for one in read(data).inside}


def the_list(plan: Plan, scheduler: Scheduler, *events: Event) -> Component:
    return events_of(plan, scheduler, *events)[uid(LIST, "tu-phap")]


def test_an_open_due_day(plan2024: Plan, scheduler: Scheduler) -> None:
    """All day, the end exclusive; rings at 08:00 of the working day before; takes no time."""
    found = the_list(plan2024, scheduler)
    assert found.properties == [
        ("UID", uid(LIST, "tu-phap")),
        ("DTSTAMP", "20240126T021200Z"),
        ("DTSTART;VALUE=DATE", "20240131"),
        ("DTEND;VALUE=DATE", "20240201"),
        ("SUMMARY", "1c Danh mục VBQPPL hết hiệu lực năm 2023 – hạn"),
        (
            "DESCRIPTION",
            (
                r"Sản phẩm: Quyết định công bố Danh mục\nChủ trì: Tư pháp\n"
                r"Kế hoạch ghi: Chậm nhất 31/01/2024\nLàm xong xin nhắn máy nhắc việc: xong 1c"
            ),
        ),
        ("CATEGORIES", "Tư pháp,Kế hoạch cải cách hành chính năm 2024"),
        ("STATUS", "CONFIRMED"),
        ("TRANSP", "TRANSPARENT"),
        ("SEQUENCE", "0"),
    ]
    (alarm,) = found.inside
    assert alarm.properties == [
        ("ACTION", "DISPLAY"),
        ("DESCRIPTION", "1c Danh mục VBQPPL hết hiệu lực năm 2023 – hạn"),
        ("TRIGGER", "-PT16H"),
    ]


def test_an_event_says_where_its_day_comes_from(scheduler: Scheduler) -> None:
    """What the plan's document says, and where."""
    described = the_list(documented(), scheduler)["DESCRIPTION"]
    assert (
        r"Kế hoạch ghi: Chậm nhất 31/01/2024 (mục 1.c\, bảng 1\, dòng 7\, KH-2024.docx)"
        in described
    )


def test_the_calendar_says_what_it_is(plan2024: Plan, scheduler: Scheduler) -> None:
    """PUBLISH, since nobody is invited; the name is what programs show beside it."""
    calendar = read(unit_calendar([plan2024], states(plan2024), scheduler, "tu-phap", NOW))
    assert calendar.properties == [
        ("PRODID", "-//reminder//Nhac viec ke hoach//VI"),
        ("VERSION", "2.0"),
        ("CALSCALE", "GREGORIAN"),
        ("METHOD", "PUBLISH"),
        ("X-WR-CALNAME", "Hạn công việc – Tư pháp"),
    ]


def test_a_units_year(plan2024: Plan, scheduler: Scheduler) -> None:
    """All that the unit leads and that has a date, and nothing else, in the order of the days."""
    data = unit_calendar([plan2024], states(plan2024), scheduler, "tu-phap", NOW)
    led = [o for o in occurrences(plan2024) if "tu-phap" in o.task.lead and o.due]
    assert [one["UID"] for one in read(data).inside] == [
        uid(o.key, "tu-phap") for o in sorted(led, key=lambda o: o.due or date.max)
    ]


def test_what_is_done_is_marked_and_silent(plan2024: Plan, scheduler: Scheduler) -> None:
    """✓ before the title, the day and the number of what was handed in, no alarm."""
    closing = done(at("2024-01-25"), LIST, "tu-phap", evidence="12/QĐ-UBND, ngày 25/01")
    found = the_list(plan2024, scheduler, closing)
    assert found["SUMMARY"] == "✓ 1c Danh mục VBQPPL hết hiệu lực năm 2023 – đã xong"
    assert found.text("DESCRIPTION").splitlines()[-2:] == [
        "Đã báo xong: Thứ Năm 25/01",
        "Số, ký hiệu: 12/QĐ-UBND, ngày 25/01",
    ]
    assert (found["SEQUENCE"], found["LAST-MODIFIED"], found.inside) == (
        "1", "20240125T021200Z", [],
    )  # fmt: skip


def test_a_moved_date_moves_the_same_event(plan2024: Plan, scheduler: Scheduler) -> None:
    """The UID stays, the SEQUENCE grows with each change and never shrinks, after an undo too."""
    story = [
        said(EventKind.DUE_SET, at("2024-01-23"), LIST, "van-phong", until=date(2024, 2, 2)),
        done(at("2024-01-24"), LIST, "tu-phap"),
        said(EventKind.UNDONE, at("2024-01-25"), LIST, "tu-phap"),
        said(EventKind.UNDONE, at("2024-01-26"), LIST, "tu-phap"),  # changes nothing any more
    ]
    editions = [the_list(plan2024, scheduler, *story[:n]) for n in range(len(story) + 1)]
    assert [(one["DTSTART;VALUE=DATE"], one["SEQUENCE"]) for one in editions] == [
        ("20240131", "0"), ("20240202", "1"), ("20240202", "2"), ("20240202", "3"),
        ("20240202", "3"),
    ]  # fmt: skip
    assert editions[-1]["LAST-MODIFIED"] == "20240125T021200Z"
    assert "Về hạn: gia hạn từ 31/01" in editions[-1].text("DESCRIPTION").splitlines()


@pytest.mark.parametrize(
    ("due", "trigger"),
    [
        (date(2024, 1, 31), "-PT16H"),  # Wednesday: Tuesday
        (date(2024, 2, 5), "-P2DT16H"),  # Monday: Friday
        (date(2024, 3, 31), "-P1DT16H"),  # Sunday: Friday, its last working day
        (date(2024, 2, 15), "-P7DT16H"),  # the day after Tết: the day before it
    ],
)
def test_the_alarm_rings_on_a_working_day(
    plan2024: Plan, scheduler: Scheduler, due: date, trigger: str
) -> None:
    """08:00 of the working day before, told relative to the day's start, as Outlook needs it."""
    move = said(EventKind.DUE_SET, at("2024-01-23"), LIST, "van-phong", until=due)
    (alarm,) = the_list(plan2024, scheduler, move).inside
    assert alarm["TRIGGER"] == trigger


def test_what_needs_no_alarm(plan2024: Plan, scheduler: Scheduler) -> None:
    """No alarm whose hour has passed, and none while a signature is waited for."""
    late = said(EventKind.DUE_SET, at("2024-01-23"), LIST, "van-phong", until=date(2024, 1, 26))
    signing = said(EventKind.SUBMITTED, at("2024-01-25"), LIST, "tu-phap")
    assert the_list(plan2024, scheduler, late).inside == []
    waiting = the_list(plan2024, scheduler, signing)
    assert waiting.inside == []
    assert "Chờ ký từ Thứ Năm 25/01" in waiting.text("DESCRIPTION").splitlines()


def test_an_assumed_date_is_tentative(plan2024: Plan, scheduler: Scheduler) -> None:
    """Hạn dự kiến is said, until the office confirms it; a day off says by when to be done."""
    found = events_of(plan2024, scheduler)[uid(key("1a", 1, "2024-Q1"), "tu-phap")]
    assert (found["STATUS"], found["SUMMARY"].endswith(" quý I – hạn dự kiến")) == (
        "TENTATIVE", True,
    )  # fmt: skip
    assert found.text("DESCRIPTION").splitlines()[-3:] == [
        "Về hạn: hạn dự kiến",
        "Hạn rơi vào ngày nghỉ: làm xong trong Thứ Sáu 08/3",
        "Làm xong xin nhắn máy nhắc việc: cập nhật 1a: …",
    ]
    confirmed = said(EventKind.CONFIRMED, NOW, key("1a", 1, "2024-Q1"), "van-phong")
    after = events_of(plan2024, scheduler, confirmed)[uid(key("1a", 1, "2024-Q1"), "tu-phap")]
    assert (after["STATUS"], after["SEQUENCE"]) == ("CONFIRMED", "1")


def test_shared_work_is_each_units_own(plan2024: Plan, scheduler: Scheduler) -> None:
    """In 2c who has confirmed sees ✓, with its own number; the others' events stay open."""
    shared = key("2c", 1, "2024-01")
    part = done(at("2024-01-25"), shared, "tu-phap", evidence="7/TP")
    other = done(at("2024-01-26"), shared, "van-phong", evidence="9/VP")
    mine = events_of(plan2024, scheduler, part, other)[uid(shared, "tu-phap")]
    open_ = events_of(plan2024, scheduler, part, other, unit="van-hoa-xa-hoi")
    assert (mine["SUMMARY"][0], mine.text("DESCRIPTION").splitlines()[-1]) == (
        "✓", "Số, ký hiệu: 7/TP",
    )  # fmt: skip
    assert open_[uid(shared, "van-hoa-xa-hoi")]["SUMMARY"][0] == "2"


def test_names_are_nobody_elses(plan2024: Plan) -> None:
    """Each part of the work has a UID of its own, in ASCII: 1d and 1đ, and each unit."""
    made = [uid(o.key, unit) for o in occurrences(plan2024) for unit in o.task.lead]
    assert len(set(made)) == len(made)
    assert all(name.isascii() for name in made)
    assert uid(LIST, "tu-phap") == "f12c8d1f-31ff-5206-9e68-20d4a3531e48@nhac-viec.invalid"


def test_a_mails_due_days(plan2024: Plan, scheduler: Scheduler) -> None:
    """Only what is asked for, the same events as in the unit's year; nothing is no calendar."""
    kept = states(plan2024)
    found = read(due_days([plan2024], [(kept[LIST], "tu-phap")], scheduler, NOW)).inside
    assert found == [the_list(plan2024, scheduler)]
    with pytest.raises(ValueError, match="must hold an event"):
        due_days([plan2024], [(kept[key("5a")], "van-phong")], scheduler, NOW)


@given(st.text())
@example("A\r\nBEGIN:VALARM\r\nEND:VALARM\r\n")
@example('a,b;c\\n\\d:"e" \x00\x1b\x85\u2028\ufeff😀' * 9)
@example("\ud800")
def test_any_title_keeps_to_the_rules(plan2024: Plan, scheduler: Scheduler, text: str) -> None:
    """What people write stays text: no line of its own, no broken fold, no half character."""
    task = replace(plan2024.by_code["1c"], title=text)
    plan = replace(plan2024, title=text, tasks=(task,))
    (found,) = read(unit_calendar([plan], states(plan), scheduler, "tu-phap", NOW)).inside
    assert found.text("SUMMARY").startswith("1c")
    assert found.text("SUMMARY").endswith("– hạn")


def test_the_end_is_the_next_day_over_a_years_end(plan2024: Plan, scheduler: Scheduler) -> None:
    """31/12 ends on 1 January; every event lasts one day."""
    for one in events_of(plan2024, scheduler).values():
        start = date.fromisoformat(one["DTSTART;VALUE=DATE"])
        assert date.fromisoformat(one["DTEND;VALUE=DATE"]) == start + timedelta(days=1)
