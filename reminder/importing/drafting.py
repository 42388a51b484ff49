"""A file → its draft and its text line by line, in a process of its own.

Parsing and the search for tasks both run there, with the limits of `reading`: the daemon of the
page goes on sending meanwhile, and a document that takes too long ends alone.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from reminder.domain.plan import Plan
from reminder.domain.text import one_line, squeeze
from reminder.importing.draft import Draft, Task, Unit, dumps, loads
from reminder.importing.layout import Document, Paragraph, RefusedError, Row, plain
from reminder.importing.reading import (
    MEMORY,
    SECONDS,
    Progress,
    as_document,
    content_of,
    kind_of,
    limit_process,
    parsed,
    refusal,
    tell_all,
    told_apart,
)

COMMAND = (sys.executable, "-P", "-m", "reminder.importing.drafting")
LONGEST_LINE = 2000  # characters
MOST_LINES = 5000  # of one place
_RANGE = re.compile(r"(p|line):(\d+)\.\.(\d+)")


class Line(NamedTuple):
    """A paragraph of a document, or a row of a table, as people read it."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Drafted:
    """The draft of a document, and the document's text."""

    draft: Draft
    lines: tuple[Line, ...]


def draft_apart(
    path: Path,
    name: str,
    *,
    like: Plan | None = None,
    year: int | None = None,
    progress: Progress | None = None,
) -> Drafted:
    """Return the draft of the file at `path`, which people call `name`; RefusedError without one.

    `like` and `year` are as in `make_draft`.
    """
    asked = {
        "path": str(path),
        "name": name,
        "like": dumps(_former(like)) if like is not None else "",
        "year": year,
    }
    answer = told_apart(COMMAND, json.dumps(asked).encode(), progress)
    return Drafted(loads(answer["draft"]), tuple(Line(*line) for line in answer["lines"]))


def _former(plan: Plan) -> Draft:
    """Return of a plan what `make_draft` takes from it, as a draft, which can be written."""
    units = [
        Unit(id=unit.id, name=unit.name, short=unit.short, spellings=[*unit.spellings])
        for unit in plan.units
    ]
    tasks = [Task(code=t.code, title=t.title, full_title=t.full_title) for t in plan.tasks]
    return Draft(
        id=plan.id, title=plan.title, year=plan.year, office=plan.office, leaders=plan.leaders,
        units=units, tasks=tasks,
    )  # fmt: skip


def main() -> None:
    """Draft the plan of the file that standard input names."""
    limit_process(SECONDS, MEMORY)
    tell_all(_answers(**json.load(sys.stdin.buffer)))


def _answers(path: str, name: str, like: str, year: int | None) -> Iterator[dict[str, Any]]:
    from reminder.importing.tasks import make_draft

    try:
        content = content_of(Path(path))
        kind = kind_of(content)
        for answer in parsed(kind, content):
            if "pages" in answer:
                yield answer
    except RefusedError as error:
        raise RefusedError(refusal(name, error)) from None
    # As JSON has it: merged cells get what stands above them when they are read back.
    document = as_document(name, content, kind, json.loads(json.dumps(answer, default=plain)))
    draft = make_draft(document, like=loads(like) if like else None, year=year)
    check_found(draft, name)
    yield {"draft": dumps(draft), "lines": lines_of(document)}


def check_found(draft: Draft, name: str) -> None:
    """RefusedError if a document holds nothing that could be a task."""
    if not draft.tasks and not draft.leftovers:
        raise RefusedError(
            f"không thấy việc nào trong {one_line(name)}: đây có phải văn bản kế hoạch không?"
        )


def lines_of(document: Document) -> list[Line]:
    """Return the text of a document: a line for each paragraph, and for each row of a table."""
    found = []
    for block in document.blocks:
        rows = [block] if isinstance(block, Paragraph) else block.rows
        found += [Line(row.where, one_line(_text(row), LONGEST_LINE)) for row in rows]
    return [line for line in found if line.text]


def _text(block: Paragraph | Row) -> str:
    if isinstance(block, Paragraph):
        return block.full
    cells = (squeeze(cell.text) for cell in block.cells if not cell.above)
    return " │ ".join(cell for cell in cells if cell)


class Places:
    """Finds the lines that the places of a draft name."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._numbers: dict[str, list[int]] = {}
        for number, line in enumerate(lines):
            self._numbers.setdefault(line.where, []).append(number)

    def lines(self, source: str) -> list[int]:
        """Return the numbers of the lines at a place: “p:11..15”, “t:1 r:4; p:30”."""
        wanted: dict[str, None] = {}
        for place in filter(None, source.split("; ")):
            found = _RANGE.fullmatch(place)
            if found is None:
                wanted[place] = None
                continue
            for number in range(int(found[2]), min(int(found[3]), int(found[2]) + MOST_LINES) + 1):
                wanted[f"{found[1]}:{number}"] = None
        return sorted(number for place in wanted for number in self._numbers.get(place, ()))


if __name__ == "__main__":
    main()
