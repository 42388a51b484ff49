"""`reminder status`: the numbers, the marks, who is out of reach; never a secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reminder.domain.ledger import Event, EventKind
from reminder.domain.outbox import Draft, RowState
from reminder.domain.payloads import Nudge
from reminder.domain.plan import Key
from reminder.services.quota import IN, OUT, count
from tests.cli.test_people import NOW, Terminal

TOKEN = "123456789:AAF-secret_of_the_bot"
CHANNELS = f"""
[telegram]
token = "{TOKEN}"
[email]
host = "smtp.xa.example"
sender = "nhac@xa.example"
username = "nhac"
password = "{TOKEN}"
"""


def told(terminal: Terminal) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(terminal.run("status", "--json"))
    return found


def test_a_new_office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was said yet; the console reaches all, and units with work have somebody or not."""
    found = told(Terminal(tmp_path, monkeypatch))
    empty_units = [one["unit"] for one in found.pop("unreachable")]
    assert empty_units == [
        "tai-chinh-ke-toan", "van-hoa-xa-hoi", "dia-chinh-xay-dung", "van-hoa-thong-tin",
    ]  # fmt: skip
    numbers = [found.pop(name) for name in ("open", "late", "awaiting")]
    assert found == {
        "at": "2024-01-30T09:00:00+07:00",
        "plans": ["cchc-2024"],
        "outbox": found["outbox"],
        "channels": ["console"],
        "quotas": {},
        "down": {},
        "last_tick": None,
        "last_poll": None,
        "not_taken": 0,
        "headless": [],
        "inbox": None,
        "last_backup": None,
        "last_backup_away": None,
        "unconfirmed_years": [],
    }
    assert not any(found["outbox"].values())
    assert numbers[1:] == [0, 3]
    assert numbers[0] > 3


def test_open_and_late_follow_the_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Late counts from the first working day after the due day; a closed one is in neither."""
    terminal = Terminal(tmp_path, monkeypatch)
    terminal.at(NOW + timedelta(days=2))  # 01/02: 1c and 4b were due on 31/01
    before = told(terminal)
    key = Key("cchc-2024", "1c", 1, "2024")
    done = Event(at=NOW, kind=EventKind.DONE, key=key, unit="tu-phap", by="tp-1", channel="cli")
    with terminal.store() as store:
        store.record([done], unit_names={}, at=NOW)
    after = told(terminal)
    assert (before["open"] - after["open"], before["late"] - after["late"]) == (1, 1)


def test_marks_and_people_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each person whom no wished channel reaches, with the reason for each channel; no secret."""
    terminal = Terminal(tmp_path, monkeypatch, CHANNELS)
    with terminal.store() as store:
        for person in ("vp-1", "tp-1", "ld-1"):
            store.bind(person, "email", f"{person[:2]}@xa.example", NOW)
        for address in ("tp@xa.example", "ld@xa.example"):
            store.mark_address_dead("email", address, "550 no such user", NOW)
        store.set_meta("last_tick", NOW.isoformat())
        store.set_meta("last_poll", (NOW - timedelta(minutes=1)).isoformat())
        store.set_meta("last_backup", (NOW - timedelta(hours=6, minutes=30)).isoformat())
        store.set_meta("down:telegram", NOW.isoformat())
        store.set_meta("down:email", "")
    found = told(terminal)
    assert [one for one in found["unreachable"] if one["person"]] == [
        {
            "unit": "tu-phap",
            "person": "tp-1",
            "name": "Công chức Tư pháp",
            "why": "telegram: chưa gắn; email: hỏng từ 30/01/2024 09:00 (550 no such user)",
        },
        {
            "unit": "lanh-dao",
            "person": "ld-1",
            "name": "Lãnh đạo",
            "why": "email: hỏng từ 30/01/2024 09:00 (550 no such user)",
        },
    ]
    assert (found["channels"], found["down"], found["last_tick"], found["last_poll"]) == (
        ["telegram", "email"],
        {"telegram": "2024-01-30T09:00:00+07:00"},
        "2024-01-30T09:00:00+07:00",
        "2024-01-30T08:59:00+07:00",
    )
    text = terminal.run("status")
    assert "Telegram không nhận tin từ 09:00:00 30/01/2024" in text
    assert "Bản sao cuối: 02:30:00 30/01/2024\n" in text
    assert (
        "Không tới được: Lãnh đạo (ld-1, lanh-dao): "
        "thư điện tử: hỏng từ 30/01/2024 09:00 (550 no such user)" in text
    )
    assert TOKEN[-8:] not in text + json.dumps(found)


def test_messages_are_counted_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that may have come twice are said so, with the list that names them; JSON has keys."""
    terminal = Terminal(tmp_path, monkeypatch)
    with terminal.store() as store:
        drafts = [
            Draft(
                slot=NOW,
                recipient=who,
                kind="nudge",
                channel="telegram",
                payload=Nudge(items=()),
                due_at=NOW,
            )
            for who in ("vp-1", "tp-1", "ld-1")
        ]
        store.record([], unit_names={}, drafts=drafts, at=NOW)
        store.lease(NOW, 1, timedelta(minutes=5), ["telegram"])
        store.release_all(NOW)
        sent, dead = store.lease(NOW, 2, timedelta(minutes=5), ["telegram"])
        store.mark_sent(sent, "77", NOW)
        store.mark_ended(dead, RowState.DEAD, "người nhận đã chặn bot", at=NOW)
    assert (
        "Tin: 1 chờ gửi, 1 đã gửi, 1 không gửi được, 1 có thể đã đến hai lần\n"
        "  xem: reminder outbox list --state dead\n"
        "  xem: reminder outbox list --state unknown\n"
    ) in terminal.run("status")
    assert told(terminal)["outbox"]["unknown"] == 1


def test_an_office_of_nobody_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody in it, or nobody who can be reached: in one line, and in the JSON."""
    settings = '[email]\nhost = "mail.xa.example"\nsender = "nhac@xa.example"'
    terminal = Terminal(tmp_path, monkeypatch, settings)
    assert told(terminal)["headless"] == []
    with terminal.store() as store:
        store.bind("vp-1", "email", "vp@xa.example", NOW)
        store.mark_address_dead("email", "vp@xa.example", "550", NOW)
    assert told(terminal)["headless"] == ["van-phong"]
    people = (tmp_path / "people.toml").read_text(encoding="utf-8")
    others = people.replace('"van-phong"', '"tai-chinh-ke-toan"')
    (tmp_path / "people.toml").write_text(others, encoding="utf-8")
    assert told(terminal)["headless"] == ["van-phong"]
    assert "Không ai của van-phong nhận được tin" in terminal.run("status")


def test_a_year_whose_calendar_nobody_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for; a plan that has fallen silent counts no more."""
    terminal = Terminal(tmp_path, monkeypatch)
    terminal.at(datetime(2027, 3, 1, tzinfo=UTC))
    found = told(terminal)
    assert (found["plans"], found["open"], found["unconfirmed_years"]) == ([], 0, [2027])
    assert terminal.run("status").startswith(
        "Kế hoạch: không còn kế hoạch nào nhắc việc, máy sẽ im lặng. Viết kế hoạch năm nay theo "
        "docs/plan-format.md rồi ghi tên tệp vào [plan] files\n"
    )
    assert "Lịch năm 2027 chưa đối chiếu với thông báo nghỉ lễ" in terminal.run("status")


def test_the_mailbox_is_counted_where_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for a person in the mailbox, and how often somebody pretended to be an officer."""
    assert told(Terminal(tmp_path, monkeypatch, CHANNELS))["inbox"] is None
    inbox = (
        '[inbox]\nhost = "imap"\nusername = "u"\npassword = "p"\naddress = "nhac@xa.example"\n'
        'trust = "token"\n'
    )
    terminal = Terminal(tmp_path, monkeypatch, CHANNELS + inbox)
    with terminal.store() as store:
        store.set_meta("inbox:unknown", "2")
        store.set_meta("inbox:forged", "1")
        store.set_meta("inbox:put_aside", "3")
        store.set_meta("inbox:last_look", NOW.isoformat())
    assert told(terminal)["inbox"] == {
        "last_look": "2024-01-30T09:00:00+07:00",
        "unknown": 2,
        "forged": 1,
        "disbelieved_bounces": 0,
        "put_aside": 3,
    }
    for words in ("2 thư chưa hiểu", "3 thư không đọc được"):
        assert words in terminal.run("status")


def test_a_monthly_quota_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many messages of this month the channel has carried, of how many."""
    terminal = Terminal(tmp_path, monkeypatch, '[zalo]\ntoken = "12:ab"\nmonthly_quota = 2000\n')
    with terminal.store() as store:
        count(store, "zalo", OUT, NOW, 1210)
        count(store, "zalo", IN, NOW, 34)
    assert told(terminal)["quotas"] == {
        "zalo": {
            "month": "2024-01",
            "limit": 2000,
            "used": 1244,
            "sent": 1210,
            "received": 34,
            "percent": 62,
            "refused_until": None,
        }
    }
    line = "  Zalo tháng 01/2024: 1.244 trong 2.000 tin (62 %), 1.210 gửi, 34 nhận"
    assert line in terminal.run("status").splitlines()
