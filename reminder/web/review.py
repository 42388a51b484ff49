"""A draft beside its document, page by page: the text, its places marked; what was understood."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from reminder.importing.answers import hindrances, open_questions
from reminder.importing.draft import Draft, Leftover, Question, Task
from reminder.importing.drafting import Line, Places
from reminder.importing.page import Entry, Side, entry_of, sides_of
from reminder.importing.wording import ALL, counts, offered, offered_to_all

LARGEST = 48_000  # of a page's weight: a page stays below 60 kB
HEADING, HEADING_TEXT = 3, 400  # lines, characters before a task that stand beside it
HEAVY_TEXT = 4_000  # weight of text by itself that is kept together
TASK, QUESTION, CHOICE, TEXT_LINE = 1_500, 500, 110, 40  # what each weighs besides its text
FOLLOWING = 3  # lines of a PDF that may belong to the line before
MOST_GENERAL = 15  # questions about the whole plan that are shown at once
MOST_BUTTONS = 5  # of a question; more choices are a list
_NO_WORDS = re.compile(r"[\W_]*")

Piece = tuple[str, bool]  # a piece of a line, and whether it is marked


@dataclass(frozen=True)
class Shown:
    """A line of the document."""

    text: str
    wanted: tuple[str, ...] = ()  # what is marked in it
    taken: bool = False  # it is of the task beside it

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return pieces_of(self.text, self.wanted)


@dataclass(frozen=True)
class Asked:
    """A question with the answers that it offers."""

    question: Question
    choices: tuple[tuple[str, str], ...]  # the answer and its words
    sides: tuple[Side, ...] = ()  # the two places of a contradiction

    @property
    def weight(self) -> int:
        """How much of a page it takes, in bytes."""
        return QUESTION + CHOICE * len(self.choices) + 2 * len(self.question.text)

    @property
    def as_list(self) -> bool:
        """Whether the choices are too many for a button each."""
        return len(self.choices) > MOST_BUTTONS


@dataclass(frozen=True)
class Block:
    """A part of the document, and what was made of it."""

    lines: tuple[Shown, ...]
    entry: Entry | None = None
    leftover: Leftover | None = None
    asked: tuple[Asked, ...] = ()  # of the task as a whole, and of its deliverables
    elsewhere: tuple[str, ...] = ()  # tasks where it is asked which of the two holds
    lead: str = ""  # as it is corrected in a field
    mark: str = ""  # of the task or the passage, as it is shown

    @property
    def weight(self) -> int:
        """How much of a page it takes, in bytes."""
        texts = sum(len(line.text.encode()) for line in self.lines)
        asked = [asked.weight for asked in self.asked]
        task = TASK + 300 * len(self.entry.lines) if self.entry else TASK * bool(self.leftover)
        answered = 160 * len(self.entry.answered) if self.entry else 0
        return texts + TEXT_LINE * len(self.lines) + sum(asked) + task + answered


@dataclass(frozen=True)
class Review:
    """One page of a draft's review."""

    draft: Draft
    counts: str
    hindering: int  # questions without whose answer there is no plan
    open: int
    general: tuple[Asked, ...]  # on the first page: about the plan as a whole, and its units
    more: int  # such questions that are not shown yet
    to_all: list[tuple[str, str, str, int]]  # kind, answer, words, how many questions
    blocks: tuple[Block, ...]
    page: int
    pages: int


def review(draft: Draft, lines: Sequence[Line], page: int, *, only_open: bool) -> Review:
    """Return a page of the review; `only_open`: of the tasks that have open questions."""
    blocks = [*_blocks(draft, lines)]
    if only_open:
        blocks = [block for block in blocks if block.asked]
    general = [*_general(draft)]
    pages = _paged(blocks, general[:MOST_GENERAL])
    page = min(page, len(pages))
    still = open_questions(draft)
    return Review(
        draft=draft,
        counts=counts(draft),
        hindering=len(hindrances(draft)),
        open=len(still),
        general=tuple(general[:MOST_GENERAL]) if page == 1 else (),
        more=max(0, len(general) - MOST_GENERAL),
        to_all=offered_to_all(draft),
        blocks=tuple(pages[page - 1]),
        page=page,
        pages=len(pages),
    )


def mark_of(made: Task | Leftover) -> str:
    """Return what tells whether a task or a passage is still as a form showed it."""
    return sha256(repr(made).encode()).hexdigest()[:12]


def page_with(draft: Draft, lines: Sequence[Line], code: str, *, only_open: bool) -> int:
    """Return the number of the page that shows a task; 0 where none does."""
    blocks = [b for b in _blocks(draft, lines) if b.asked or not only_open]
    general = [*_general(draft)][:MOST_GENERAL]
    for number, found in enumerate(_paged(blocks, general), start=1):
        if any(block.entry and block.entry.task.code == code for block in found):
            return number
    return 0


def _asked(draft: Draft, questions: Iterable[Question]) -> Iterator[Asked]:
    for question in questions:
        choices = [choice for choice in offered(draft, question) if choice[0] != ALL]
        sides = sides_of(draft, question) if question.kind == "contradiction" else ()
        yield Asked(question, tuple(choices), tuple(sides))


def _blocks(draft: Draft, lines: Sequence[Line]) -> Iterator[Block]:
    """Yield the document's parts in its order, and at last the tasks without a place in it."""
    places = Places(lines)
    found: list[tuple[list[int], Task | Leftover]] = [
        *((places.lines(task.source), task) for task in draft.tasks),
        *((places.lines(one.place), one) for one in draft.leftovers),
    ]
    found.sort(key=lambda pair: pair[0][:1] or [len(lines)])
    firsts = {numbers[0] for numbers, _ in found if numbers}
    done = 0
    for numbers, made in found:
        end = numbers[0] if numbers else len(lines)
        before = [*range(done, end)]
        if len(before) > HEADING or sum(len(lines[n].text) for n in before) > HEADING_TEXT:
            yield from _text(lines, before)
            before = []
        taken = {*numbers, *_following(lines, numbers, firsts, made)}
        yield _block(draft, lines, [*before, *sorted(taken)], taken, made)
        while end in taken:
            end += 1
        done = max(done, end)
    yield from _text(lines, range(done, len(lines)))


def _following(
    lines: Sequence[Line], numbers: Sequence[int], firsts: set[int], made: Task | Leftover
) -> Iterator[int]:
    """Yield the lines of a PDF that go on with a task's: up to the one that has its time."""
    if not numbers or not lines[numbers[-1]].where.startswith("tr:") or isinstance(made, Leftover):
        return
    wanted = [one.phrase for one in made.deliverables]
    near: list[int] = []
    for number in range(numbers[-1] + 1, min(numbers[-1] + 1 + FOLLOWING, len(lines))):
        if number in firsts:
            break
        near.append(number)
        if any(is_marked for _, is_marked in pieces_of(lines[number].text, wanted)):
            yield from near
            return


def _text(lines: Sequence[Line], numbers: Iterable[int]) -> Iterator[Block]:
    """Yield text of which no task was made, in parts that fit on a page."""
    part: list[Shown] = []
    for number in numbers:
        part.append(Shown(lines[number].text))
        if (block := Block(tuple(part))).weight > HEAVY_TEXT:
            yield block
            part = []
    if part:
        yield Block(tuple(part))


def _block(
    draft: Draft, lines: Sequence[Line], shown: Sequence[int], taken: set[int],
    made: Task | Leftover,
) -> Block:  # fmt: skip
    wanted = _wanted(draft, made) if isinstance(made, Task) else ()
    found = tuple(
        Shown(lines[number].text, wanted, taken=True)
        if number in taken
        else Shown(lines[number].text)
        for number in shown
    )
    if isinstance(made, Leftover):
        return Block(found, leftover=made, mark=mark_of(made))
    entry = entry_of(draft, made)
    still = [*entry.open, *(question for line in entry.lines for question in line.open)]
    against = [q for q in draft.questions if q.id in entry.contradictions]
    still += [q for q in against if q.task == made.code]  # asked once, at the first of the two
    elsewhere = tuple(q.task for q in against if q.task != made.code)
    lead = "; ".join(unit.name for unit in draft.units if unit.id in made.lead)
    asked = tuple(_asked(draft, still))
    return Block(
        found, entry=entry, asked=asked, elsewhere=elsewhere, lead=lead, mark=mark_of(made)
    )


def _wanted(draft: Draft, task: Task) -> tuple[str, ...]:
    """Return what is marked in the text of a task: its times, and who leads and helps."""
    named = {*task.lead, *task.support}
    units = [unit for unit in draft.units if unit.id in named]
    names = [name for unit in units for name in (unit.name, unit.short, *unit.spellings)]
    return (*(one.phrase for one in task.deliverables), *names)


def pieces_of(text: str, wanted: Iterable[str]) -> tuple[Piece, ...]:
    """Return `text` in pieces, of which those are marked that are `wanted`."""
    spans: list[tuple[int, int]] = []
    for one in wanted:
        named = one.rstrip("…").split()
        if len("".join(named)) < 2 or _NO_WORDS.fullmatch(one):
            continue
        like = r"(?<!\w)" + r"\s+".join(map(re.escape, named)) + r"(?!\w)"
        spans += [found.span() for found in re.finditer(like, text, re.IGNORECASE)]
    found_pieces: list[Piece] = []
    at = 0
    for start, end in sorted(spans):
        if end <= at:
            continue
        found_pieces += [(text[at:start], False)] if start > at else []
        found_pieces.append((text[max(start, at) : end], True))
        at = end
    return (*found_pieces, *([(text[at:], False)] if at < len(text) else []))


def _general(draft: Draft) -> Iterator[Asked]:
    return _asked(draft, (q for q in open_questions(draft) if not q.task))


def _paged(blocks: Sequence[Block], general: Sequence[Asked]) -> list[list[Block]]:
    pages: list[list[Block]] = [[]]
    weight = sum(asked.weight for asked in general)
    for block in blocks:
        if pages[-1] and weight + block.weight > LARGEST:
            pages.append([])
            weight = 0
        pages[-1].append(block)
        weight += block.weight
    return pages
