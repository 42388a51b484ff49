"""`reminder done`, `extend`, `approve` …: what a person told, with that person's rights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from reminder.cli import app
from reminder.cli.answers import ACTS
from reminder.domain.ledger import EventKind
from tests.cli.test_people import NOW, Terminal
from tests.conftest import ROOT


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(tmp_path, monkeypatch)


def recorded(terminal: Terminal) -> list[str]:
    """The ledger as “kind task by channel →until”."""
    with terminal.store() as store:
        events = [r.event for r in store.events()]
    return [
        f"{e.kind} {e.key.task} {e.by} {e.channel}" + (f" →{e.until}" if e.until else "")
        for e in events
    ]


def test_done_closes_for_a_person(terminal: Terminal) -> None:
    """Recorded under the person's name, by the channel cli; said as the officer would read it."""
    output = terminal.run("done", "1c", "--by", "tp-1")
    with terminal.store() as store:
        recorded = store.events()
    assert [(r.event.kind, r.event.key, r.event.unit) for r in recorded] == [
        (EventKind.DONE, ("cchc-2024", "1c", 1, "2024"), "tu-phap")
    ]
    event = recorded[0].event
    assert (event.by, event.channel, event.at) == ("tp-1", "cli", NOW)
    assert recorded[0].unit_name == "Tư pháp"
    assert "Danh mục VBQPPL hết hiệu lực năm 2023" in output


@pytest.mark.parametrize(
    ("codes", "by", "told"),
    [
        (["4b"], "tp-1", "4b"),  # another unit's work
        (["9z"], "tp-1", "9z"),  # no such task
        (["1c"], "ai-do", "people.toml không có người nào mã “ai-do”"),
    ],
)
def test_done_says_why_nothing_was_recorded(
    terminal: Terminal, codes: list[str], by: str, told: str
) -> None:
    """Exit code 1, a sentence, and an empty ledger."""
    assert told in terminal.refused("done", *codes, "--by", by)
    with terminal.store() as store:
        assert store.events() == []


def test_done_a_second_time_changes_nothing(terminal: Terminal) -> None:
    """What is closed is said to be, with exit code 1."""
    terminal.run("done", "1c", "--by", "tp-1")
    assert "1c" in terminal.refused("done", "1c", "--by", "tp-1")
    with terminal.store() as store:
        assert len(store.events()) == 1


def test_an_office_without_an_inbox_decides(terminal: Terminal) -> None:
    """The unit asks for more time, the office agrees, moves a date and reopens: by the terminal."""
    said = [
        terminal.run("extend", "1c", "05/02", "chờ số liệu", "--by", "tp-1"),
        terminal.run("approve", "1c", "--by", "vp-1"),
        terminal.run("setdue", "5a", "15/9/2024", "chờ tỉnh giao", "--by", "vp-1"),
        terminal.run("confirm", "4b", "--by", "vp-1"),
        terminal.run("submit", "1c", "--by", "tp-1"),
        terminal.run("note", "1c", "sắp xong", "--by", "tp-1"),
        terminal.run("done", "1c", "--by", "tp-1"),
        terminal.run("undo", "1c", "--by", "tp-1"),
    ]
    assert recorded(terminal) == [
        "extension-asked 1c tp-1 cli →2024-02-05",
        "extension-granted 1c vp-1 cli →2024-02-05",
        "due-set 5a vp-1 cli →2024-09-15",
        "confirmed 4b vp-1 cli",
        "submitted 1c tp-1 cli",
        "noted 1c tp-1 cli",
        "done 1c tp-1 cli",
        "undone 1c tp-1 cli",
    ]
    assert all(said)


def test_others_hear_of_it_from_the_daemon(terminal: Terminal) -> None:
    """The answer is on the terminal alone; what others are told waits in the outbox."""
    terminal.run("extend", "1c", "05/02", "chờ số liệu", "--by", "tp-1")
    with terminal.store() as store:
        rows = [(r.draft.recipient, r.draft.kind, r.draft.channel) for r in store.rows()]
    assert rows == [("vp-1", "notice", "console")]


def test_json_tells_what_was_recorded_and_said(terminal: Terminal) -> None:
    """Exit code 1 where nothing was, with the reason."""
    call = ["done", "1c", "--by", "tp-1", "--json", "--config", str(terminal.config)]
    first, again = (CliRunner().invoke(app, call, catch_exceptions=False) for _ in range(2))
    done: dict[str, Any] = json.loads(first.stdout)
    refused: dict[str, Any] = json.loads(again.stdout)
    assert (first.exit_code, again.exit_code) == (0, 1)
    assert [(e["event"], e["task"], e["by"]) for e in done["recorded"]] == [("done", "1c", "tp-1")]
    assert (refused["recorded"], refused["reminded"]) == ([], [])
    assert "1c" in done["said"]
    assert "1c" in refused["said"]


def test_a_reminder_now_counts_as_done(terminal: Terminal) -> None:
    """It records no event, and puts a nudge into the outbox, once a day."""
    call = ["remind", "1c", "--by", "vp-1", "--json", "--config", str(terminal.config)]
    first, again = (CliRunner().invoke(app, call, catch_exceptions=False) for _ in range(2))
    reminded = [json.loads(result.stdout)["reminded"] for result in (first, again)]
    assert (first.exit_code, again.exit_code) == (0, 1)
    assert reminded == [[["cchc-2024", "1c", 1, "2024", "tu-phap"]], []]
    with terminal.store() as store:
        assert [(r.draft.recipient, r.draft.kind) for r in store.rows()] == [("tp-1", "nudge")]


@pytest.mark.parametrize(
    "words",
    [
        ("approve", "1c"),
        ("setdue", "5a", "15/9/2024"),
        ("reopen", "1c", "còn thiếu"),
        ("remind", "1c"),
    ],
)
def test_the_rights_are_the_persons_own(terminal: Terminal, words: tuple[str, ...]) -> None:
    """What the office alone may do, an officer may not do here either."""
    assert "Văn phòng" in terminal.refused(*words, "--by", "tp-1")
    assert recorded(terminal) == []


@pytest.mark.parametrize("act", [name for name, *_ in ACTS])
def test_each_acting_command_shows_an_example(act: Any) -> None:
    """A person finds out at the terminal what to type, in Vietnamese."""
    result = CliRunner().invoke(app, [act, "--help"])
    assert result.exit_code == 0
    assert f"Ví dụ: reminder {act}" in " ".join(result.stdout.split())


def replanned(terminal: Terminal, *changes: tuple[str, str]) -> None:
    """The office's plan is one of its own, with each first text in the place of the second."""
    plan = terminal.folder / "plan.toml"
    text = (ROOT / "data" / "plan2024.toml").read_text(encoding="utf-8")
    for old, new in changes:
        text = text.replace(old, new, 1)
    plan.write_text(text, encoding="utf-8")
    config = terminal.config.read_text(encoding="utf-8")
    terminal.config.write_text(
        config.replace(str(ROOT / "data/plan2024.toml"), str(plan)), encoding="utf-8"
    )


def test_an_event_is_named_by_options(terminal: Terminal) -> None:
    """`--day` and `--note` stand for the day and the words; the due day is counted and told."""
    rule = 'awaiting = true\nevent = { name = "nhận văn bản", offset = 5, unit = "working-day" }'
    text = (ROOT / "data" / "plan2024.toml").read_text(encoding="utf-8")
    task = text[text.index('code = "5a"') :]
    task = task[: task.index("awaiting = true") + len("awaiting = true")]
    replanned(terminal, (task, task.replace("awaiting = true", rule)))
    named = ("event", "5a", "--day", "2024-01-30", "--note", "công văn 15/UBND", "--by", "vp-1")
    told = json.loads(terminal.run(*named, "--json"))
    assert [(e["event"], e["day"], e["until"], e["note"]) for e in told["recorded"]] == [
        ("event-named", "2024-01-30", "2024-02-06", "công văn 15/UBND")
    ]
    assert "hạn Thứ Ba 06/02" in told["said"]
    assert recorded(terminal) == ["event-named 5a vp-1 cli →2024-02-06"]
    assert "chỉ Văn phòng" in terminal.refused("event", "5a", "30/01", "--by", "tp-1")


def test_codes_in_a_row_are_codes(terminal: Terminal) -> None:
    """`done 1.1 1.2` closes both: each argument is a code, and none a day."""
    replanned(terminal, ('code = "1c"', 'code = "1.1"'), ('code = "1e"', 'code = "1.2"'))
    terminal.run("done", "1.1", "1.2", "--by", "tp-1")
    assert recorded(terminal) == ["done 1.1 tp-1 cli", "updated 1.2 tp-1 cli"]
