"""The outline of a document: its paragraphs as a tree of labelled items and fields.

An item is a heading, a numbered or lettered paragraph, a bullet. A field is a line that says one
thing of the item above it: “Cơ quan chủ trì: …”, “Thời gian: …”. Whether “a)” begins an item or a
field is seen by its words, not by its label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reminder.domain.text import words
from reminder.importing.layout import Change, Document, Paragraph, Table
from reminder.importing.vocabulary import (
    ends_document,
    is_everybody,
    is_organisation,
    is_time_heading,
    is_title,
    plain,
    split_field,
)

# --- labels

_LABEL = re.compile(
    r"""
    (?P<part>(?:phần|chương|mục|phụ\ lục|biểu(?:\ số)?|bảng)\s+
        (?:thứ\s+(?:nhất|hai|ba|tư|năm|sáu)\b|(?:[IVX]{1,5}|\d{1,2}|[A-Z])\b)[.:)]?)
    | (?P<work>(?:nhiệm\ vụ|nội\ dung|công\ việc|việc|hoạt\ động)\s+(?P<count>\d{1,2})\s?[.:)])
    | \((?P<paren>\d{1,2}|[a-zđ])\)
    | (?P<roman>[IVX]{1,5})\s?[.)/](?=\s)
    | (?P<multi>\d{1,2}(?:\.\d{1,2}){1,3})(?:[.)]\s*|\s+)(?=[^\W\d])
    | (?P<num>\d{1,3})\s?(?:[.)](?:\s+|(?=[^\W\d]))|/\s+)
    | (?P<upper>[A-HK-UY])[.)](?=\s)
    | (?P<letter>[a-zđ])\s?[.)](?=\s|[^\W\d_])
    | (?P<bullet>[-–—+*•●▪◦○✓➢·])\s*(?![-–—]|nt\b)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MAJOR = {"part": 0, "roman": 1, "upper": 1, "heading": 2}  # a new one closes all below it
_PAGE_NUMBER = re.compile(r"(?:trang\s+)?-?\s*\d{1,3}\s*-?", re.IGNORECASE)


def split_label(text: str) -> tuple[str, str, str]:
    """Return the class of the label at the text's start, the label, and the rest.

    A bullet before another label is left out: “- a) Xây dựng” is the item a).
    """
    found = _LABEL.match(text)
    if found is None:
        return "", "", text
    label, rest = found[0].strip(), text[found.end() :].strip()
    if found["bullet"]:
        inner = split_label(rest)
        if inner[0][:1].isalpha():
            return inner
        return "-" if label in "-–—" else label, label, rest
    return _class(found, label), found["count"] or label, rest


def _class(found: re.Match[str], label: str) -> str:
    """Return the class of a label: those of one class are siblings."""
    kind = next(name for name in _CLASSES if found[name])
    if kind == "letter" and label[0].isupper():
        return "upper"
    if kind in ("roman", "upper", "letter") and not label[0].isupper():  # “i)”
        return f"letter{label[-1]}"
    if kind == "num":
        return f"num{label[-1]}"
    if kind == "multi":
        return f"multi{found['multi'].count('.')}"
    if kind == "paren":
        return "paren1" if found["paren"].isdigit() else "parena"
    return kind


_CLASSES = ("part", "work", "paren", "roman", "multi", "num", "upper", "letter")


# --- the tree


@dataclass(slots=True)
class Node:
    """A heading, an item or a field, with what stands under it."""

    kind: str = ""  # the class of its label; without one "heading", "para", or "" for a field
    label: str = ""
    text: str = ""
    role: str = ""  # what a field says: lead, doer, support, time, product, content, other
    first: str = ""  # places of its first and last line
    last: str = ""
    body: list[str] = field(default_factory=list)  # paragraphs without a label under it
    children: list[Node] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    level: int = 0  # of Word's lists

    def end(self) -> str:
        """Return the place of the last line in or under this item."""
        return self.children[-1].end() if self.children else self.last

    def walk(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            yield from child.walk()


def read_outline(document: Document) -> Node:
    """Return the root of the document's outline; tables stand under the heading above them."""
    builder = _Builder(wrapped=document.kind in ("txt", "pdf"))
    blocks = document.blocks[_after_letterhead(document) :]
    for place, block in enumerate(blocks):
        if isinstance(block, Table):
            builder.table(block)
        else:
            builder.paragraph(block, _next_text(blocks, place))
    return builder.root


def _after_letterhead(document: Document) -> int:
    """Return the number of the block with the title; 0 where none is found."""
    for place, block in enumerate(document.blocks[:MOST_LETTERHEAD]):
        if isinstance(block, Paragraph) and is_title(block.full):
            return place
    return 0


MOST_LETTERHEAD = 60  # blocks


def _next_text(blocks: Sequence[Paragraph | Table], place: int) -> str:
    following = blocks[place + 1] if place + 1 < len(blocks) else None
    return following.full if isinstance(following, Paragraph) else ""


class _Builder:
    """Takes the blocks in order; `stack` is the way from the root to the open item."""

    def __init__(self, *, wrapped: bool) -> None:
        self.wrapped = wrapped  # a paragraph is a line of a page, not a whole paragraph
        self.root = Node(kind="root")
        self.stack = [self.root]
        self.is_over = False  # after “Nơi nhận”: the signature, until an annex begins
        self.line = ""  # the last line taken, and its place
        self.place = ""

    def table(self, table: Table) -> None:
        self.is_over = False
        while self.stack[-1].role or self.stack[-1].kind in ("", "-", "+", "para"):
            self.stack.pop()
        self.stack[-1].tables.append(table)
        self.line = ""

    def paragraph(self, paragraph: Paragraph, following: str) -> None:
        text = paragraph.text.strip()
        kind, label, rest = split_label(text)
        if paragraph.label:
            kind, label, rest = self._word_label(paragraph, kind, label, rest, text)
        if not kind and (not rest or _PAGE_NUMBER.fullmatch(rest)):
            return
        if ends_document(rest):
            self.is_over = True
        if self.is_over and not (kind == "part" or plain(rest).startswith(("phu luc", "bieu "))):
            return
        self.is_over = False
        node = Node(kind, label, rest, first=paragraph.where, last=paragraph.where)
        node.level = paragraph.level
        node.changes = list(paragraph.changes)
        found = split_field(rest, bare=self._has_field() or _is_field(following))
        if found and (found[1] or not (kind in _MAJOR or is_organisation(rest))):
            node.role, node.text = found
        if not kind and not node.role:
            self._without_label(paragraph, node, following)
        else:
            self._open(node)
        self.line, self.place = text, paragraph.where

    def _word_label(
        self, paragraph: Paragraph, kind: str, label: str, rest: str, text: str
    ) -> tuple[str, str, str]:
        """Return the label that Word makes, unless the text has one of its own."""
        if kind and not kind.startswith("-"):
            return kind, label, rest
        made = split_label(f"{paragraph.label} x")
        if made[0]:
            return made[0], made[1], rest
        return "-", paragraph.label, text

    def _has_field(self) -> bool:
        """Return whether the open item has fields, so that one without a colon is believed."""
        for node in reversed(self.stack):
            if node.role:
                return True
            if node.kind not in ("", "root"):
                return any(child.role for child in node.children)
        return False

    def _open(self, node: Node) -> None:
        kinds = [(n.kind, bool(n.role)) for n in self.stack]
        same = [i for i, (kind, _) in enumerate(kinds) if kind == node.kind and kind]
        if not node.kind:  # a field without a label
            while self.stack[-1].role and not self.stack[-1].kind:
                self.stack.pop()
            if self.stack[-1].role and self.stack[-1].text:
                self.stack.pop()
        elif same:
            del self.stack[same[-1] :]
        else:
            self._close_for(node)
        self.stack[-1].children.append(node)
        self.stack.append(node)

    def _close_for(self, node: Node) -> None:
        """Close what can't hold an item of a class that is not open yet."""
        rank = _MAJOR.get(node.kind)
        is_bullet = not node.kind[:1].isalpha()
        while len(self.stack) > 1:
            top = self.stack[-1]
            if top.kind == "para":
                self.stack.pop()
                continue
            open_field = top.role and not top.text
            if rank is not None:
                closes = _MAJOR.get(top.kind, 9) > rank
            elif top.role:
                closes = not open_field
            else:
                closes = not is_bullet and not top.kind[:1].isalpha()
            if not closes:
                return
            self.stack.pop()

    def _without_label(self, paragraph: Paragraph, node: Node, following: str) -> None:
        text = node.text
        top = self.stack[-1]
        if top.kind == "part" and not top.text and not top.children:
            top.text, top.last = text.rstrip(" :"), paragraph.where
            return
        if self._is_heading(paragraph, text, following):
            node.kind = "heading"
            node.text = text.rstrip(" :")
            self._open(node)
            return
        if self.wrapped and self.line and self._continues(paragraph):
            if top.body and not top.children and not top.role:
                top.body[-1] += f" {text}"
            else:
                self._append(top, text)
            top.last = paragraph.where
            return
        if top.role and self.wrapped:
            self.stack.pop()
            top = self.stack[-1]
        elif top.role and not top.text:
            top.text = text
            top.last = paragraph.where
            return
        about_all = is_everybody(text)  # it closes the list above, and goes on with the section
        while len(self.stack) > 1 and (
            top.role or top.kind == "para" or (about_all and top.kind not in _MAJOR)
        ):
            self.stack.pop()
            top = self.stack[-1]
        if top.kind in _MAJOR:
            node.kind = "para"
            top.children.append(node)
            self.stack.append(node)
            return
        top.body.append(text)
        top.changes += paragraph.changes
        if top.kind != "root":
            top.last = paragraph.where

    @staticmethod
    def _append(top: Node, text: str) -> None:
        top.text = f"{top.text} {text}".strip()
        if not top.role and (found := split_field(top.text)):
            top.role, top.text = found

    def _continues(self, paragraph: Paragraph) -> bool:
        """Return whether this line of a page goes on with the sentence of the line before it."""
        text = paragraph.text
        if self.stack[-1].kind == "root":
            return False
        if not text[0].isupper():
            return True
        if self.stack[-1].kind in _MAJOR and not text.isupper():
            return False
        if re.search(r"[.;:!?/]$", self.line):
            return False
        last = plain(self.line.split()[-1])
        gap = _line_number(paragraph.where) - _line_number(self.place)
        return gap <= 1 or last in _GOES_ON

    def _is_heading(self, paragraph: Paragraph, text: str, following: str) -> bool:
        if len(text) > 150:
            return False
        letters = [c for c in text if c.isalpha()]
        if len(letters) > 3 and all(c.isupper() for c in letters):
            return True
        if is_time_heading(text):
            return True
        if text[-1] == ":" and text[0].isupper() and split_label(following)[0]:
            return not _is_field(following)
        if self.wrapped or text[-1] in ".;," or not text[0].isupper() or len(text) > 90:
            return False
        if paragraph.style.casefold().startswith(("heading", "title")) or paragraph.bold:
            return True
        return bool(split_label(following)[0]) and not _is_field(following)


_GOES_ON = words("cua va voi theo ve cho tai cac tu den ngay trong o la do bang nhu hoac")


def _is_field(text: str) -> bool:
    return split_field(split_label(text)[2]) is not None


def _line_number(where: str) -> int:
    found = re.search(r"(\d+)$", where)
    return int(found[1]) if found else 0
