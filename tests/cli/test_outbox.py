"""`reminder outbox`: what it lists, and what an operator can do about a message."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from reminder.domain.outbox import Draft, RowState
from reminder.domain.payloads import Digest, Nudge, Payload, Stranger, Unreadable, Welcome
from reminder.domain.plan import Key
from reminder.domain.schedule import Item, Stage
from tests.cli.test_people import NOW, Terminal

CODES = ("1c", "1d")


def draft(recipient: str, hours: int) -> Draft:
    slot = NOW + timedelta(hours=hours)
    keys = (Key("cchc-2024", code, 1, "2024") for code in CODES)
    items = tuple(("tu-phap", Item(key, date(2024, 1, 31), Stage(-1))) for key in keys)
    return Draft(
        slot=slot,
        recipient=recipient,
        kind="nudge",
        channel="telegram",
        payload=Nudge(items=items),
        due_at=slot,
    )


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Three messages: one sent, one dead, one that waits."""
    terminal = Terminal(tmp_path, monkeypatch)
    with terminal.store() as store:
        drafts = [draft("vp-1", 0), draft("tp-1", 1), draft("ld-1", 2)]
        store.record([], unit_names={}, drafts=drafts, at=NOW)
        later = NOW + timedelta(hours=1)
        store.lease(NOW, 1, timedelta(minutes=5), ["telegram"])
        store.release_all(NOW)
        dead, sent = store.lease(later, 2, timedelta(minutes=5), ["telegram"])
        store.mark_sent(sent, "77", later)
        store.mark_ended(dead, RowState.DEAD, "người nhận đã chặn bot", at=later)
    return terminal


def listed(terminal: Terminal, *arguments: str) -> list[list[str]]:
    """The cells of each line."""
    lines = terminal.run("outbox", "list", *arguments).splitlines()
    return [
        [cell.strip() for cell in line.strip("│").split("│")]
        for line in lines
        if line.startswith("│")
    ]


def test_list_shows_the_newest_slot_first(terminal: Terminal) -> None:
    """What, to whom, by which channel, how it stands, how often it was tried, why it is dead."""
    assert listed(terminal) == [
        ["3", "30/01/2024 11:00", "tin nhắc 1c, 1d", "Lãnh đạo (ld-1)", "Telegram", "chờ gửi",
         "0", ""],
        ["2", "30/01/2024 10:00", "tin nhắc 1c, 1d", "Công chức Tư pháp (tp-1)", "Telegram",
         "không gửi được", "1", "người nhận đã chặn bot"],
        ["1", "30/01/2024 09:00", "tin nhắc 1c, 1d", "Công chức Văn phòng (vp-1)", "Telegram",
         "đã gửi", "2", "gửi 30/01 10:00:00; có thể đã đến hai lần"],
    ]  # fmt: skip
    wanted = ["--state", "sent", "--state", "dead"]
    assert [row[0] for row in listed(terminal, *wanted)] == ["2", "1"]
    assert [row[0] for row in listed(terminal, "--state", "unknown")] == ["1"]
    both = ["--state", "unknown", "--state", "pending"]
    assert [row[0] for row in listed(terminal, *both)] == ["3", "1"]
    assert [row[0] for row in listed(terminal, *both, "--limit", "1")] == ["3"]
    assert [row[0] for row in listed(terminal, "--limit", "1")] == ["3"]
    assert terminal.run("outbox", "list", "--state", "dropped") == "Không có tin nào.\n"


def test_answers_and_notices_are_told_by_what_they_say(terminal: Terminal) -> None:
    """By their subject; by their name where a former program wrote what this one can't render."""
    with terminal.store() as store:
        views: list[tuple[str, str, Payload]] = [
            ("group:tu-phap", "digest", Digest()),
            ("stranger:77", "reply", Stranger()),
            ("tp-1", "reply", Welcome(person="tp-1")),
            ("vp-1", "notice", Unreadable(raw={"view": "of-long-ago", "data": {}})),
        ]
        drafts = [
            Draft(slot=NOW + timedelta(days=n), recipient=who, kind=kind, channel="telegram",
                  payload=payload, due_at=NOW)
            for n, (who, kind, payload) in enumerate(views, start=1)
        ]  # fmt: skip
        store.record([], unit_names={}, drafts=drafts, at=NOW)
    assert [row[2:4] for row in listed(terminal, "--limit", "4")] == [
        ["thông báo: of-long-ago", "Công chức Văn phòng (vp-1)"],
        ["tin trả lời: Đã kết nối", "Công chức Tư pháp (tp-1)"],
        ["tin trả lời: Trả lời của máy nhắc việc", "người lạ (77)"],
        ["bản tổng hợp", "nhóm Tư pháp (group:tu-phap)"],
    ]


def test_a_dead_message_is_sent_again(terminal: Terminal) -> None:
    """It waits again, due at once; one that was sent is left alone."""
    assert terminal.run("outbox", "retry", "2") == "Tin số 2 sẽ được gửi lại ngay.\n"
    with terminal.store() as store:
        (row,) = store.rows(recipient="tp-1")
    assert (row.state, row.due_at) == (RowState.PENDING, NOW)
    for number in ("1", "99"):
        said = terminal.refused("outbox", "retry", number)
        assert (
            said
            == f"tin số {number} không có, hoặc không phải tin không gửi được, bị trả lại hay đã bỏ"
        )


def test_a_mail_that_came_back_is_shown_as_such_and_sent_again(terminal: Terminal) -> None:
    """In the list, with why; with the people, until a later message was accepted."""
    why = "thư bị trả lại: hộp thư đã đầy (5.2.2)"
    with terminal.store() as store:
        (row,) = store.rows(recipient="vp-1")
        assert store.mark_returned(row, why, at=NOW)
    shown = listed(terminal, "--state", "returned")[0][5:]
    assert (shown[0], shown[2].startswith(f"{why}; gửi 30/01")) == ("bị trả lại", True)
    last = f"Tin gần nhất qua Telegram gửi vp-1 lúc 10:00 30/01/2024 không đến: {why}.\n"
    assert terminal.run("people").endswith(last)
    assert terminal.run("outbox", "retry", "1") == "Tin số 1 sẽ được gửi lại ngay.\n"
    assert why not in terminal.run("people")


def test_a_waiting_message_is_dropped(terminal: Terminal) -> None:
    """It is not sent, and can be taken back by retry; one that was sent is left alone."""
    assert terminal.run("outbox", "drop", "3") == "Đã bỏ tin số 3.\n"
    assert [row[5] for row in listed(terminal)] == ["đã bỏ", "không gửi được", "đã gửi"]
    said = terminal.refused("outbox", "drop", "1")
    assert said == "tin số 1 không có, hoặc không phải tin đang chờ hay không gửi được"
    terminal.run("outbox", "retry", "3")
    assert [row[5] for row in listed(terminal)] == ["chờ gửi", "không gửi được", "đã gửi"]
