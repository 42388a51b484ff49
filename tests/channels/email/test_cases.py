"""Mails of many clients, charsets and languages, played on a whole office: data/mails.tsv.

`must`: what has to be recorded; `never`: what must not; `text`: the words that are the answer.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from reminder.app.batch import answers, read_rows

TABLE = Path(__file__).parent / "data" / "mails.tsv"


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


ROWS = rows()


@pytest.fixture(scope="module")
def played() -> dict[str, dict[str, Any]]:
    """What comes of each mail, by its path."""
    lines = answers(read_rows(TABLE))
    return {row["mail"]: line for row, line in zip(ROWS, lines, strict=True)}


def one_line(text: str) -> str:
    return " ".join(text.replace("\\n", " ").split())


@pytest.mark.parametrize("row", ROWS, ids=[row["mail"] for row in ROWS])
def test_each_is_judged_as_what_it_is_and_its_own_words_are_found(
    row: dict[str, str], played: dict[str, dict[str, Any]]
) -> None:
    """A person's words are taken whole, without a word of the quote; a machine's are not."""
    line = played[row["mail"]]
    assert line["judged"] in row["judged"].split("|")
    assert "error" not in line
    if line["judged"] == "answer":
        assert one_line(line["text"]) == one_line(row["text"])


CLOSING = ("done", "updated")


def closed(line: dict[str, Any]) -> set[str]:
    """The tasks that a mail has closed."""
    return {event["task"] for event in line["events"] if event["event"] in CLOSING}


def test_nothing_is_closed_that_was_not_said_to_be_done(played: dict[str, dict[str, Any]]) -> None:
    """Not by a quote, a signature, a machine, another's word, or letters that were lost."""
    wrong = [
        row["mail"]
        for row in ROWS
        if ("done:1c" not in row["must"] and closed(played[row["mail"]]))
        or closed(played[row["mail"]]) - {"1c"}
    ]
    assert wrong == []


def test_what_was_said_to_be_done_is_closed_or_asked(played: dict[str, dict[str, Any]]) -> None:
    """At least nineteen of twenty close at once; whatever does not is asked with the right work."""
    meant = [played[row["mail"]] for row in ROWS if row["must"] == "done:1c"]
    asked = [line for line in meant if not closed(line)]
    assert all(line["question"] for line in asked)
    assert 20 * len(asked) <= len(meant)
