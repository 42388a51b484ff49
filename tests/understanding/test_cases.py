"""Messages as officers type them, each with what it must come to.

The rows are played as `reminder understand --batch` plays them. `must` holds requirements parted by
commas, all to be met; alternatives within one by “|”. `done:1d#2@2024-Q1`: this occurrence closes.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from reminder.app import batch

pytestmark = pytest.mark.no_cover  # what it runs is measured elsewhere, and much repeated here
DATA = Path(__file__).parent / "data"
CLOSING = {"done", "updated"}
KEPT = {"answered", "noted"}  # the words are kept, and nothing closes
KINDS = {
    "done": CLOSING, "update": CLOSING, "notdone": KEPT | {"returned"}, "note": KEPT,
    "submit": KEPT | {"submitted"}, "extend": {"extension-asked", "extension-granted", "due-set"},
    "undo": {"undone", "extension-withdrawn", "reopened"}, "snooze": KEPT | {"snoozed"},
    "evidence": {"evidence"}, "away": {"away"},
}  # fmt: skip
NOT_DONE = re.compile(r"Đã ghi: [^\n]*chưa xong")
Event = dict[str, Any]


def parts(wanted: str) -> tuple[str, str, str, str, str]:
    kind, _, rest = wanted.strip().partition(":")
    code, _, more = rest.partition(":")
    match = re.fullmatch(r"([^#@]*)(?:#(\d+))?(?:@(.+))?", code)
    assert match is not None
    return kind, match[1], match[2] or "", match[3] or "", more


def is_about(event: Event, code: str, part: str, period: str) -> bool:
    return (
        code in ("", event["task"])
        and part in ("", str(event["deliverable"]))
        and period in ("", event["period"])
    )


def fits(event: Event, wanted: str) -> bool:
    kind, code, part, period, more = parts(wanted)
    if event["event"] not in KINDS.get(kind, ()) or not is_about(event, code, part, period):
        return False
    if not more or more.startswith("ev="):
        return True
    first, _, last = more.partition("..")
    return first <= (event["until"] or "") <= (last or first)


def verdict(row: dict[str, str], line: dict[str, Any]) -> str:
    """“wrong close”, “false record”, “lost”, “asked” or “right”."""
    events = line["events"]
    every = [wanted for group in row["must"].split(",") for wanted in group.split("|")]
    for event in events:
        if event["event"] in CLOSING and (
            row["never"] in ("done", "done,state") or not any(fits(event, w) for w in every)
        ):
            return "wrong close"
    if any(_is_false(event, every, events, line["reply"]) for event in events):
        return "false record"
    if all(_is_met(group, events, line) for group in row["must"].split(",")):
        return "right"
    asked = line["question"] or line["outcome"] in ("asked", "refused")
    return "asked" if asked or row["must"] == "silent" else "lost"


def _is_false(event: Event, every: list[str], events: list[Event], reply: str) -> bool:
    if event["event"] in CLOSING or any(fits(event, wanted) for wanted in every):
        return False
    if event["event"] not in KEPT:
        return True
    place = (event["task"], event["deliverable"])
    if any((e["task"], e["deliverable"]) == place for e in events if e["event"] in CLOSING):
        return False
    mine = {parts(w)[0] for w in every if parts(w)[1] and is_about(event, *parts(w)[1:4])}
    if mine - {"done", "update", "evidence"}:
        return False
    lost = event["event"] == "noted" and mine and not NOT_DONE.search(reply)
    return not lost


def _is_met(group: str, events: list[Event], line: dict[str, Any]) -> bool:
    for wanted in group.split("|"):
        kind = parts(wanted)[0]
        quiet = not events
        if kind in ("asks", "list", "task", "help"):
            met = quiet and line["outcome"] != "ignored"
        elif kind in ("nothing", "silent"):
            met = quiet and (kind == "nothing" or line["outcome"] == "ignored")
        else:
            met = any(fits(event, wanted) for event in events)
        if met:
            return True
    return False


MORE = [pytest.param(name, marks=pytest.mark.thorough) for name in ("more.tsv", "talk.tsv")]


@pytest.mark.parametrize(
    "name", ["typed.tsv", pytest.param("wards.tsv", marks=pytest.mark.thorough), *MORE]
)
def test_nothing_is_recorded_that_nobody_said(name: str) -> None:
    """No wrong close and no false record; what is plainly said closes at once."""
    path = DATA / name
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    lines = batch.answers(batch.read_rows(path))
    found = [(verdict(row, line), row) for row, line in zip(rows, lines, strict=True)]
    counts = Counter(each for each, _ in found)
    bad = [(each, row["text"]) for each, row in found if each in ("wrong close", "false record")]
    assert bad == []
    assert counts["lost"] <= 2
    plain = [
        (each, row["text"])
        for each, row in found
        if row["class"].startswith("plain") and row["class"] not in ("plain-update", "plainish")
    ]
    asked = [text for each, text in plain if each != "right"]
    assert len(asked) <= len(plain) // 10, asked
