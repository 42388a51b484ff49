"""To add a verb takes one row, one handler and one message: its payload and its block."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.trace import verb_tables
from tests.cli.test_people import PEOPLE
from tests.conftest import ROOT

ROW = """
    REPRINT = Row(
        "reprint inlai",
        handler="answers.reprint",
        takes=Takes.NOTE,
        phrases=("in lại",),
        who=Who.OFFICE,
        deed="cho in lại",
        help={_OFFICE: (7, "`/inlai 1c` – cho in lại văn bản")},
        terminal=Terminal("MÃ [LÝ-DO...]", "Cho in lại văn bản (Văn phòng).", "1c mờ chữ"),
    )
"""
HANDLER = '''

def reprint(context: Context, command: Command, target: Target) -> Decision:
    """“/inlai 1c”: the paper is printed again; the work stays as it is."""
    from reminder.domain.payloads import Reprinted

    state = resolve(context, command, target).named[0]
    unit = state.occurrence.task.lead[0]
    noted = event(context, EventKind.NOTED, state.key, unit, note=f"in lại {command.note}")
    return said(Reprinted(event=noted), [noted])
'''
PAYLOAD = """

class Reprinted(Payload):
    event: Event
"""
BLOCK = """
{% block reprinted %}
@subject In lại {{ work.code }}
Cho {{ p.event.note }}: {{ work }}.
{% endblock %}
"""
ADDED = {  # file → the text that the new text stands before, at its last place, and the new text
    "understanding/verbs.py": ("\n\nBY_MOOD = ", ROW),
    "decisions/answers.py": ("", HANDLER),
    "domain/payloads.py": ("", PAYLOAD),
    "messages/templates/answers.j2": ("", BLOCK),
}
# The program at an hour that stands still, when the shipped plan is under way.
RUN = """
from datetime import UTC, datetime
from reminder import cli
from reminder.app import bootstrap
bootstrap.now = lambda: datetime(2024, 1, 30, 2, 0, tzinfo=UTC)
cli.main()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with a verb more, and an office."""
    folder = tmp_path_factory.mktemp("program")
    for part in ("reminder", "data", "config"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (before, added) in ADDED.items():
        path = folder / "reminder" / name
        text = path.read_text(encoding="utf-8")
        place = text.rindex(before) if before else len(text)
        path.write_text(text[:place] + added + text[place:], encoding="utf-8")
    (folder / "people.toml").write_text(PEOPLE, encoding="utf-8")
    (folder / "office.toml").write_text(
        '[plan]\nfiles = ["data/plan2024.toml"]\n[store]\nurl = "sqlite:///reminder.db"\n',
        encoding="utf-8",
    )
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The changed program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.mark.thorough
def test_a_new_verb_is_typed_spoken_refused_and_helped_with(folder: Path) -> None:
    """With a slash and without; whoever may not use it reads who may; the help names it."""
    typed = [
        ("/inlai 1c: mờ chữ", "van-phong"),
        ("dạ in lại 1c mờ chữ", "van-phong"),
        ("/inlai 1c mờ chữ", "tu-phap"),
        ("/inlai", "van-phong"),
        ("/inlại1c mờ chữ", "van-phong"),
        ("/trogiup", "van-phong"),
        ("/trogiup", "tu-phap"),
    ]
    lines = ["text\tsender\tmoment", *(f"{text}\t{who}\t2024-01-30T09:00" for text, who in typed)]
    (folder / "typed.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = run(folder, "understand", "--batch", "typed.tsv", "--json")
    assert (result.stderr, result.returncode) == ("", 0)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    recorded = [[(e["event"], e["task"], e["note"]) for e in one["events"]] for one in found]
    told = [one["reply"] for one in found]
    printed = [("noted", "1c", "in lại mờ chữ")]
    assert recorded == [printed, printed, [], [], printed, [], []]
    assert told[0] == "Cho in lại mờ chữ: 1c Danh mục VBQPPL hết hiệu lực năm 2023."
    assert told[1] == told[4] == told[0]
    assert told[2] == "Chưa ghi gì: chỉ Văn phòng cho in lại được."
    assert told[3].endswith("ví dụ: /inlai 2c")
    assert told[5].endswith("\n• /inlai 1c – cho in lại văn bản")
    assert "inlai" not in told[6]


@pytest.mark.thorough
def test_a_new_verb_is_a_command_of_the_terminal(folder: Path) -> None:
    """With its help and example, and the person's own rights."""
    shown = run(folder, "reprint", "--help")
    office, officer = (
        run(folder, "reprint", "1c", "mờ chữ", "--by", who, "--config", "office.toml")
        for who in ("vp-1", "tp-1")
    )
    assert "Cho in lại văn bản (Văn phòng)." in shown.stdout
    assert "Ví dụ: reminder reprint 1c mờ chữ --by an" in " ".join(shown.stdout.split())
    assert (office.stdout, office.returncode) == (
        "Cho in lại mờ chữ: 1c Danh mục VBQPPL hết hiệu lực năm 2023.\n",
        0,
    )
    assert (officer.stderr, officer.returncode) == (
        "Chưa ghi gì: chỉ Văn phòng cho in lại được.\n",
        1,
    )


def test_no_other_table_lists_verbs() -> None:
    """What is known of a verb stands in its row."""
    assert verb_tables() == []
