"""`reminder log`: what it prints of the ledger."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from reminder.domain.ledger import Event, EventKind, absence_key
from reminder.domain.plan import Key
from tests.cli.test_people import NOW, Terminal

EVENTS = (
    Event(
        at=NOW,
        kind=EventKind.DONE,
        key=Key("cchc-2024", "1c", 1, "2024"),
        unit="tu-phap",
        by="tp-1",
        channel="telegram",
        evidence="12/QĐ-UBND",
        note="đã ban hành",
    ),
    Event(
        at=NOW + timedelta(hours=1),
        kind=EventKind.SNOOZED,
        key=Key("cchc-2024", "2c", 1, "2024-03"),
        unit="van-phong",
        by="da-nghi",
        channel="email",
        until=date(2024, 4, 2),
    ),
    Event(
        at=NOW + timedelta(hours=2),
        kind=EventKind.HELD,
        key=Key("ke-hoach-cu", "1c", 1, "2023"),
        unit="bo-phan-cu",
    ),
)


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal(tmp_path, monkeypatch)
    with terminal.store() as store:
        store.record(EVENTS, unit_names={}, at=NOW)
    return terminal


def test_json_is_one_object_a_line(terminal: Terminal) -> None:
    """The fields that other programs rely on, the oldest first; `until` where there is a day."""
    first, second, third = map(json.loads, terminal.run("log", "--json").splitlines())
    assert first == {
        "at": "2024-01-30T09:00:00+07:00",
        "event": "done",
        "plan": "cchc-2024",
        "task": "1c",
        "deliverable": 1,
        "period": "2024",
        "unit": "tu-phap",
        "by": "tp-1",
        "channel": "telegram",
        "evidence": "12/QĐ-UBND",
        "note": "đã ban hành",
    }
    assert (second["event"], second["until"]) == ("snoozed", "2024-04-02")
    assert (third["event"], third["by"], list(third)) == ("held", "", list(first))


def test_text_is_one_line_an_event(terminal: Terminal) -> None:
    """When, what, which work, whose, by whom; what plan and people file have lost keeps its id."""
    lines = terminal.run("log").splitlines()
    assert lines[0] == (
        "30/01/2024 09:00 · xong · 1c Quyết định · Tư pháp · Công chức Tư pháp (telegram) · "
        "12/QĐ-UBND · đã ban hành"
    )
    assert lines[1].startswith("30/01/2024 10:00 · hẹn nhắc lại 02/4/2024 · 2c ")
    assert lines[1].endswith(" 2024-03 · Văn phòng · da-nghi (email)")
    assert lines[2] == "30/01/2024 11:00 · chờ Văn phòng · 1c · bo-phan-cu · chương trình"


def test_an_absence_names_the_person(terminal: Terminal) -> None:
    """It is of no task: who, from when, until when, by whom; no code can be asked for it."""
    away = Event(
        at=NOW + timedelta(hours=3),
        kind=EventKind.AWAY,
        key=absence_key("tp-1", date(2024, 2, 1)),
        unit="tu-phap",
        by="vp-1",
        channel="telegram",
        until=date(2024, 2, 10),
    )
    with terminal.store() as store:
        store.record([away], unit_names={}, at=NOW)
    assert json.loads(terminal.run("log", "--json").splitlines()[-1]) == {
        "at": "2024-01-30T12:00:00+07:00",
        "event": "away",
        "person": "tp-1",
        "since": "2024-02-01",
        "until": "2024-02-10",
        "unit": "tu-phap",
        "by": "vp-1",
        "channel": "telegram",
    }
    assert terminal.run("log").splitlines()[-1] == (
        "30/01/2024 12:00 · nghỉ đến hết 10/02/2024 · Công chức Tư pháp, từ 01/02/2024 · Tư pháp · "
        "Công chức Văn phòng (telegram)"
    )
    assert terminal.refused("log", "--task", "tp-1").startswith("không có nhiệm vụ “tp-1”")
    terminal.at(NOW + timedelta(days=3))
    assert "Công chức Tư pháp nghỉ đến hết 10/02/2024." in terminal.run("people")
    terminal.at(NOW + timedelta(days=20))
    assert "nghỉ" not in terminal.run("people")


def test_one_task(terminal: Terminal) -> None:
    """--task leaves the others out; an unknown code is told with the nearest."""
    shown = terminal.run("log", "--task", "1c", "--json").splitlines()
    assert [json.loads(line)["event"] for line in shown] == ["done", "held"]
    assert terminal.run("log", "--task", "1d") == "Chưa ghi nhận việc gì.\n"
    assert terminal.run("log", "--task", "1d", "--json") == ""
    assert terminal.refused("log", "--task", "1cc").startswith("không có nhiệm vụ “1cc”")
