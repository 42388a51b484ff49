"""The documents of `cases`: what each has is found, and where it stands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from reminder.domain.text import fold
from reminder.importing.layout import Document, Row, Table
from reminder.importing.reading import read_document

CASES = Path(__file__).parent / "cases"


def expected(name: str) -> list[tuple[str, str]]:
    """The places and titles of a document's tasks."""
    (path,) = CASES.glob(f"{name}-*.expected.json")
    tasks = json.loads(path.read_text("utf-8"))["tasks"]
    return [(task["where"], task["title"]) for task in tasks if task["title"]]


def document(name: str) -> Document:
    (path,) = (path for path in CASES.glob(f"{name}-*") if path.suffix != ".json")
    return read_document(path)


def rows(found: Document) -> list[Row]:
    return [row for block in found.blocks if isinstance(block, Table) for row in block.rows]


def words(text: str) -> str:
    return " ".join(re.findall(r"\w+", fold(text)))


@pytest.mark.parametrize("name", ["d01", "d02", "d05", "d06", "d07", "d08"])
def test_word_files(name: str) -> None:
    """Each task's title stands at its place."""
    found = document(name)
    texts: dict[str, str] = {}
    for paragraph in found.paragraphs():
        texts[paragraph.where] = f"{texts.get(paragraph.where, '')} {paragraph.text}"
    for where, title in expected(name):
        between = re.fullmatch(r"p:(\d+)\.\.(\d+)", where)
        places = (
            [f"p:{n}" for n in range(int(between[1]), int(between[2]) + 1)] if between else [where]
        )
        text = words(" ".join(texts[place] for place in places if place in texts))
        assert words(title) in text, where


@pytest.mark.parametrize("name", ["d04", "d10"])
def test_text_files(name: str) -> None:
    """Each task's title begins at its line, whatever bytes the file is written in."""
    texts = {paragraph.where: paragraph.text for paragraph in document(name).paragraphs()}
    for where, title in expected(name):
        assert words(title)[:12] in words(texts[where]), where


def test_a_pdf_of_a_table() -> None:
    """The rows come one a task, though the table goes over a page and one row is broken."""
    found = rows(document("d03"))
    assert [row.cells[0].text for row in found] == ["TT", *(str(n) for n in range(1, 12))]
    for row, (_, title) in zip(found[1:], expected("d03"), strict=True):
        assert words(row.cells[1].text).startswith(words(title)[:20])
    assert [row.cells[3].text for row in found[5:8]] == [
        *["Trước ngày 15/8/2026", "Sau khi có quyết định của Sở", "Ngày 15 tháng cuối quý"],
    ]


def test_a_pdf_of_prose() -> None:
    """Sentences are whole, and so is the annex."""
    found = document("d09")
    texts = [words(paragraph.text) for paragraph in found.paragraphs()]
    for _, title in expected("d09"):
        assert any(words(title)[:25] in text for text in texts), title
    assert [row.cells[2].text for row in rows(found)] == [
        *["Mốc thời gian", "10 ngày trước Lễ phát động", "12/4/2027", "20/5/2027"],
        *["Tuần thứ ba của tháng 6/2027", "-"],
    ]
