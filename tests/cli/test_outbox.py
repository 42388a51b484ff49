"""`reminder outbox`: what it lists, and what an operator can do about a message."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from reminder.core.outbox import Draft, RowState
from tests.cli.test_people import NOW, Terminal


def draft(recipient: str, hours: int) -> Draft:
    slot = NOW + timedelta(hours=hours)
    return Draft(slot=slot, recipient=recipient, kind="nudge", channel="telegram", due_at=slot)


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Three messages: one sent, one dead, one that waits."""
    terminal = Terminal(tmp_path, monkeypatch)
    with terminal.store() as store:
        drafts = [draft("vp-1", 0), draft("tp-1", 1), draft("ld-1", 2)]
        store.record([], unit_names={}, drafts=drafts, at=NOW)
        later = NOW + timedelta(hours=1)
        sent, dead = store.lease(later, 2, timedelta(minutes=5), ["telegram"])
        store.mark_sent(sent, "77", later)
        store.mark_ended(dead, RowState.DEAD, "bot was blocked by the user", at=later)
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
    """To whom, by which channel, how it stands, how often it was tried, and why it is dead."""
    assert listed(terminal) == [
        ["3", "30/01/2024 11:00", "nudge", "ld-1", "telegram", "pending", "0", ""],
        ["2", "30/01/2024 10:00", "nudge", "tp-1", "telegram", "dead", "1",
         "bot was blocked by the user"],
        ["1", "30/01/2024 09:00", "nudge", "vp-1", "telegram", "sent", "1",
         "gửi 30/01 10:00:00"],
    ]  # fmt: skip
    wanted = ["--state", "sent", "--state", "dead"]
    assert [row[0] for row in listed(terminal, *wanted)] == ["2", "1"]
    assert [row[0] for row in listed(terminal, "--limit", "1")] == ["3"]
    assert terminal.run("outbox", "list", "--state", "dropped") == "Không có tin nào.\n"


def test_a_dead_message_is_sent_again(terminal: Terminal) -> None:
    """It waits again, due at once; one that was sent is left alone."""
    assert terminal.run("outbox", "retry", "2") == "Tin số 2 sẽ được gửi lại ngay.\n"
    with terminal.store() as store:
        (row,) = store.rows(recipient="tp-1")
    assert (row.state, row.due_at) == (RowState.PENDING, NOW)
    for number in ("1", "99"):
        said = terminal.refused("outbox", "retry", number)
        assert said == f"tin số {number} không có, hoặc không phải dead hay dropped"


def test_a_waiting_message_is_dropped(terminal: Terminal) -> None:
    """It is not sent, and can be taken back by retry; one that was sent is left alone."""
    assert terminal.run("outbox", "drop", "3") == "Đã bỏ tin số 3.\n"
    assert [row[5] for row in listed(terminal)] == ["dropped", "dead", "sent"]
    said = terminal.refused("outbox", "drop", "1")
    assert said == "tin số 1 không có, hoặc không phải pending hay dead"
    terminal.run("outbox", "retry", "3")
    assert [row[5] for row in listed(terminal)] == ["pending", "dead", "sent"]
