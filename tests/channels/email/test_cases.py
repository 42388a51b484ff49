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
