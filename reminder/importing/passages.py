"""Which passages of a document are tasks: the outline and the tables, gone through once.

A passage is taken for a task if it has fields (“Chủ trì: …”, “Thời gian: …”), stands under a unit's
or a month's heading, or is a row of a table of tasks. What has a date or names a unit in charge
and is not taken is kept as a leftover, for people to see.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from reminder.domain.text import one_line, squeeze
from reminder.importing.draft import Leftover
from reminder.importing.layout import Change, Table
from reminder.importing.outline import Node
from reminder.importing.tables import Head, TableRow, read_head, read_rows
from reminder.importing.units import MOST_UNITS, heading_unit, split_names, subject
from reminder.importing.vocabulary import (
    inline_fields,
    is_data_window,
    is_everybody,
    is_funding,
    is_goals,
    is_organisation,
    is_past,
    is_target,
    is_time_heading,
    names_tasks,
    plain,
)

_HEADINGS = ("part", "roman", "upper", "heading")
MOST_LEFT = 50  # rows of one table
HasTime = Callable[[str], bool]


@dataclass(slots=True)
class Passage:
    """A task as the document has it, its parts as they are written."""

    text: str
    path: tuple[str, ...]  # the labels from the outermost heading to the task's own
    where: str
    section: str = ""
    lead: list[str] = field(default_factory=list)
    support: list[str] = field(default_factory=list)
    products: list[str] = field(default_factory=list)
    times: list[str] = field(default_factory=list)  # as written, a line each
    finer: str = ""  # a second column of times
    note: str = ""  # the remark of a table's row
    marks: tuple[str, ...] = ()  # marked period columns
    has_periods: bool = False  # there are period columns
    heading_time: str = ""  # months or standing work that a heading above names
    body: str = ""  # what else stands under it
    in_table: bool = False
    is_inherited: bool = False  # its time stands in a heading above
    is_report: bool = False  # the office's own report, from the part on how to organise
    changes: list[Change] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Context:
    """What the headings above say."""

    path: tuple[str, ...] = ()
    section: str = ""
    lead: tuple[str, ...] = ()
    support: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    heading_time: str = ""
    goals: bool = False
    organisation: bool = False
    mostly_timed: bool = False  # at least half of the items here name a time


@dataclass(slots=True)
class Passages:
    tasks: list[Passage] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)
    sections: dict[str, str] = field(default_factory=dict)


def find_passages(root: Node, has_time: HasTime) -> Passages:
    """Return the passages that are tasks, in the document's order, and those that may be."""
    known = _known_names(root, has_time)
    return _Finder(known, has_time).find(root)


def place(first: str, last: str) -> str:
    """Return the place from one paragraph to another: p:11..15."""
    a, b = re.fullmatch(r"(p|line):(\d+)", first), re.fullmatch(r"(p|line):(\d+)", last)
    if a and b and a[1] == b[1] and a[2] != b[2]:
        return f"{a[1]}:{a[2]}..{b[2]}"
    return first


def _known_names(root: Node, has_time: HasTime) -> list[str]:
    """Return the units that fields, headings and tables name, the longest first."""
    names: set[str] = set()
    for node in root.walk():
        if node.role in ("lead", "support"):
            names.update(split_names(node.text))
        elif not node.role and (name := heading_unit(node.text)):
            names.add(name)
        for table in node.tables:
            head = read_head(table, has_time)
            for row in read_rows(table, head) if head else ():
                names.update(split_names(row.lead) + split_names(row.support))
    good = (n for n in names if 3 < len(n) <= 90 and ":" not in n)
    return sorted(good, key=lambda n: (-len(n), n))[:MOST_UNITS]


class _Finder:
    def __init__(self, known: list[str], has_time: HasTime) -> None:
        self.known = known
        self.has_time = has_time
        self.found = Passages()

    def find(self, root: Node) -> Passages:
        self._tables(root, _Context())
        for child in root.children:
            self._visit(child, _Context())
        used = {passage.section for passage in self.found.tasks}
        self.found.sections = {k: v for k, v in self.found.sections.items() if k in used}
        return self.found

    # --- prose

    def _visit(self, node: Node, context: _Context) -> None:
        if node.role:  # a field with no item above it
            return
        inner = self._context(node, context)
        items = [child for child in node.children if not child.role]
        fields = _fields(node)
        if inner.goals and not any(_fields(one) for one in node.walk()):
            self._leave(node, inner)
        elif self._is_task(node, items, fields, inner):
            self._take(node, fields, inner)
        else:
            if fields:
                inner = _inherit(inner, fields)
            elif not items:
                self._leave(node, inner)
            timed = sum(self.has_time(" ".join([item.text, *item.body])) for item in items)
            inner = replace(inner, mostly_timed=timed * 2 >= len(items))
            for child in items:
                self._visit(child, inner)
        self._tables(node, inner)

    def _context(self, node: Node, context: _Context) -> _Context:
        label = _code_part(node)
        inner = replace(context, path=(*context.path, label) if label else context.path)
        text = node.text
        is_heading = node.kind in _HEADINGS or bool(node.children)
        if is_heading and (is_goals(text) or is_funding(text)):
            inner = replace(inner, goals=True)
        elif node.kind in _HEADINGS and (names_tasks(text) or is_time_heading(text)):
            inner = replace(inner, goals=False)
        bracket = re.search(r"\(([^()]+)\)", text)
        if is_heading and bracket and not is_time_heading(text) and self.has_time(bracket[1]):
            inner = replace(inner, times=(bracket[1],))
        if is_organisation(text):
            inner = replace(inner, organisation=True)
        if node.children and is_time_heading(text):
            inner = replace(inner, heading_time=text.strip(" :"), section=text.strip(" :"))
            self.found.sections[inner.section] = inner.section
        elif node.children and node.kind and not _own_fields(node):
            name = heading_unit(text)
            if name and not (node.kind in _HEADINGS and is_everybody(name)):
                inner = replace(inner, lead=tuple(split_names(name)) or (name,))
        if label and not _own_fields(node) and any(not c.role for c in node.children):
            key = ".".join(inner.path)
            inner = replace(inner, section=key)
            if key:
                self.found.sections.setdefault(key, one_line(text.strip(" :"), 150))
        return inner

    def _is_task(
        self, node: Node, items: list[Node], fields: list[tuple[str, str]], context: _Context
    ) -> bool:
        kinds = {kind for kind, _ in fields}
        if node.kind in _HEADINGS and not {"lead", "time"} <= kinds:
            return False
        if kinds & {"lead", "doer", "time", "product"}:
            if any(_fields(child) for item in items for child in item.walk()):
                return False
            with_time = sum(self.has_time(item.text) for item in items)
            return "time" in kinds or with_time < 2
        if not node.kind or node.kind in _HEADINGS or context.goals:
            return False
        if items:
            if heading_unit(node.text) or is_time_heading(node.text):
                return False
            if any(_fields(x) or self.has_time(x.text) for item in items for x in item.walk()):
                return False
            return bool(context.lead) and self.has_time(node.text)
        return self._is_leaf_task(node, context)

    def _is_leaf_task(self, node: Node, context: _Context) -> bool:
        first, text = self._time_first(node.text)
        if len(text) < 8 or is_target(text) or is_data_window(text) or is_everybody(text):
            return False
        timed = bool(first) or self.has_time(" ".join([text, *node.body]))
        name, rest = subject(text, self.known)
        named = bool(name) and not is_everybody(name)
        if _after_colon(text)[0] or _assigned(text, self.known)[0]:
            if not context.organisation:
                return True
            named = True
        if is_past(rest):
            return False
        if node.kind == "para":
            return timed and named
        if context.organisation and not context.lead:
            return timed and named
        if context.times and named:
            return True
        if context.heading_time or (context.lead and not is_everybody(context.lead[0])):
            return timed or context.mostly_timed or not context.organisation
        return timed and bool(context.path[:-1] or named)

    def _take(self, node: Node, fields: list[tuple[str, str]], context: _Context) -> None:
        first, text = self._time_first(self._timed_sentence(node, context))
        text, _ = inline_fields(text)
        body = [inline_fields(paragraph)[0] for paragraph in node.body]
        body += [
            " ".join([child.text, *child.body])
            for item in node.children
            if item.role in ("", "content")
            for child in item.walk()
        ]
        passage = Passage(
            text=text,
            path=context.path,
            where=place(node.first, node.end()),
            section=context.section,
            times=_values(fields, "time") or ([first] if first else []),
            products=_values(fields, "product"),
            heading_time=context.heading_time,
            body=" ".join(filter(None, body)),
            is_report=context.organisation and not context.lead,
            changes=[c for child in node.walk() for c in child.changes],
        )
        leads, doers = _values(fields, "lead"), _values(fields, "doer")
        passage.lead = _names(leads or doers)
        passage.support = _names(_values(fields, "support") + (doers if leads else []))
        if not passage.lead:
            passage.lead = list(context.lead)
        if not passage.support and not leads:
            passage.support = list(context.support)
        if not passage.times and not self.has_time(f"{text} {passage.body}"):
            passage.times = list(context.times)
            passage.is_inherited = bool(context.times)
        passage.support += [n[: -len(_HELPS)].strip() for n in passage.lead if n.endswith(_HELPS)]
        passage.lead = [name for name in passage.lead if not name.endswith(_HELPS)]
        self.found.tasks.append(passage)
        self._roles(passage)

    def _time_first(self, text: str) -> tuple[str, str]:
        """Return the time before a sentence, and the rest: “Ngày 05/4: Phòng X trình …”."""
        found = _TIME_FIRST.match(text)
        if found and self.has_time(found[1]):
            return found[1], text[found.end() :]
        return "", text

    def _timed_sentence(self, node: Node, context: _Context) -> str:
        """Return the sentence that names a time, with its unit; else the text."""
        sentences = re.split(r"(?<=[^\W\d]{2})\.\s+(?=[A-ZĐ])", node.text)
        if len(sentences) < 2 or not (context.organisation or node.kind == "para"):
            return node.text
        name = ""
        for sentence in sentences:
            name = (own := subject(sentence, self.known)[0]) or name
            if name and self.has_time(sentence):
                return sentence if own else f"{name} {sentence[0].lower()}{sentence[1:]}"
        return node.text

    def _roles(self, passage: Passage) -> None:
        """Take the units that the sentence itself names out of it."""
        text, lead, support = roles(passage.text, self.known, has_lead=bool(passage.lead))
        if text:
            passage.text = text
        if not passage.lead and not lead and passage.body:
            lead, support, body = _assigned(f". {passage.body}", self.known)
            passage.body = body.strip(" .")
            lead = lead or self._subject_of(passage.body)
        passage.lead = passage.lead or lead
        passage.support += [s for s in support if s not in passage.support + passage.lead]

    def _subject_of(self, body: str) -> list[str]:
        """Return the unit that a sentence of the body says is in charge."""
        for sentence in re.split(r"(?<=[.;])\s+", body):
            name, after = subject(sentence, self.known)
            if name and (_LEADS.match(plain(after)) or _DUTY.match(plain(after))):
                return [name]
        return []

    def _leave(self, node: Node, context: _Context) -> None:
        """Keep what may be a task after all."""
        if node.kind == "heading" and not context.path:
            return  # the letterhead and the title
        for one in node.walk():
            text = " ".join([one.text, *one.body])
            if one.role or len(text) < 12:
                continue
            base = plain(text)
            why = ""
            if "chu tri" in base:
                why = "có chữ “chủ trì”"
            elif self.has_time(text) and not base.startswith(("can cu", "thuc hien luat")):
                why = "có thời gian"
            if why:
                why += "; nằm trong phần mục tiêu, yêu cầu" if context.goals else ""
                self.found.leftovers.append(
                    Leftover(place=place(one.first, one.last), text=text[:500], why=why)
                )

    # --- tables

    def _tables(self, node: Node, context: _Context) -> None:
        head: Head | None = None
        for table in node.tables:
            own = read_head(table, self.has_time)
            if own is None and head and len(table.rows[0].columns) == len(head.kinds):
                own = replace(head, rows=0)  # a table that a page break cut in two
            head = own
            if own is None or (context.goals and "time" not in own.kinds):
                self._leave_table(table)
                continue
            for row in read_rows(table, own):
                self._take_row(row, context)

    def _leave_table(self, table: Table) -> None:
        """Keep the rows with a time of a table that is not taken for one of tasks."""
        for row in table.rows[:MOST_LEFT]:
            text = " | ".join(filter(None, (squeeze(cell.text) for cell in row.cells)))
            if self.has_time(text):
                why = "hàng có thời gian của một bảng không giống bảng phân công"
                left = Leftover(place=row.where, text=text[:500], why=why)
                self.found.leftovers.append(left)

    def _take_row(self, row: TableRow, context: _Context) -> None:
        text, inside = inline_fields(row.text)
        band_labels = [_band_label(band) for band in row.bands]
        band_unit = next((u for b in reversed(row.bands) if (u := heading_unit(_band_text(b)))), "")
        band_time = next((b for b in row.bands if is_time_heading(_band_text(b))), "")
        lead_text, lead_fields = inline_fields(row.lead)
        fields = [*lead_fields, *inside, *inline_fields(row.support)[1]]
        leads = ([lead_text] if lead_text else []) + _values(fields, "lead")
        passage = Passage(
            text=squeeze(text),
            path=(
                *context.path,
                *[b for b in band_labels if b],
                *([row.label] if row.label else []),
            ),
            where=row.where,
            section=self._band_section(row, context),
            lead=_names(leads or _values(fields, "doer"))
            or ([band_unit] if band_unit else list(context.lead)),
            support=_names([inline_fields(row.support)[0], *_values(fields, "support")]),
            products=_lines(row.product) or _values(fields, "product"),
            times=_lines(row.times[0]) if row.times else _values(fields, "time"),
            finer="; ".join(_lines(row.times[1])) if len(row.times) > 1 else "",
            note=row.note,
            marks=row.marks,
            has_periods=row.has_periods,
            heading_time=_band_text(band_time) if band_time else context.heading_time,
            in_table=True,
            changes=row.changes,
        )
        if len(passage.text) < 3 or (
            is_target(passage.text) and not passage.times and not passage.lead
        ):
            return
        self.found.tasks.append(passage)

    def _band_section(self, row: TableRow, context: _Context) -> str:
        """Return the key of the section that the bands above a row make."""
        if not row.bands:
            return context.section
        labels = [label for band in row.bands if (label := _band_label(band))]
        key = ".".join([*context.path, *labels]) if labels else _band_text(row.bands[-1])
        self.found.sections.setdefault(key, one_line(_band_text(row.bands[-1]), 150))
        return key


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _band_label(band: str) -> str:
    found = re.match(r"(?:phần\s+)?([IVX]+|\d{1,2}(?:\.\d+)*|[A-ZĐ])[.):]\s", band, re.IGNORECASE)
    return found[1] if found else ""


def _band_text(band: str) -> str:
    return re.sub(r"^(?:phần\s+)?(?:[IVX]+|\d{1,2}(?:\.\d+)*|[A-ZĐ])[.):]\s+", "", band).strip()


def _code_part(node: Node) -> str:
    if node.kind == "part":
        base = plain(node.label)
        return "P" if base.startswith("phu luc") else node.label.split()[-1].strip(".:)")
    if node.kind == "heading" and plain(node.text).startswith("phu luc"):
        return "P"
    if node.kind.startswith(("roman", "upper", "num", "multi", "letter", "work", "paren")):
        return node.label.strip(" .)/")
    return ""


def _own_fields(node: Node) -> bool:
    return any(child.role for child in node.children)


def _fields(node: Node) -> list[tuple[str, str]]:
    """Return the fields of an item: lines under it, and those inside its text and paragraphs."""
    found: list[tuple[str, str]] = []
    for text in (node.text, *node.body):
        found += inline_fields(text)[1]
    for child in node.children:
        if child.role:
            found += _field(child)
    return found


def _field(node: Node) -> list[tuple[str, str]]:
    """Return a field with what stands under it: more lines of its value, or fields of its own."""
    lines = [node.text, *node.body]
    inner: list[tuple[str, str]] = []
    for child in node.children:
        if child.role:
            inner += _field(child)
        else:
            lines += [" ".join([c.text, *c.body]) for c in child.walk()]
    value, inside = inline_fields("\n".join(filter(None, lines)))
    own = [] if node.role in ("other", "content") or not value else [(node.role, value)]
    return [*own, *inside, *inner]


def _values(fields: list[tuple[str, str]], kind: str) -> list[str]:
    return [line for k, value in fields if k == kind for line in _lines(value)]


def _names(values: list[str]) -> list[str]:
    names: list[str] = []
    for value in values:
        names += [name for name in split_names(value) if name not in names]
    return names


def _inherit(context: _Context, fields: list[tuple[str, str]]) -> _Context:
    lead = _names(_values(fields, "lead") or _values(fields, "doer"))
    return replace(
        context,
        lead=tuple(lead) or context.lead,
        support=tuple(_names(_values(fields, "support"))) or context.support,
        times=tuple(_values(fields, "time")) or context.times,
    )


# --- roles inside a sentence

_WITH = re.compile(r"(?:(?P<lead>chu tri)\s*,?\s*(?:va )?)?phoi hop(?: chat che)? (?:voi |cung )")
_RELATED = re.compile(r"(?:cac )?(?:co quan|don vi|bo phan|phong|ban|nganh)[^.;]{0,40}? lien quan")
_LEADS = re.compile(
    r",? ?(?:co trach nhiem |chiu trach nhiem )?(?:la don vi |la co quan )?(?:chu tri|phu trach"
    r"|lam dau moi)\s*,?\s*"
)
_DUTY = re.compile(
    r"(?:(?:co trach nhiem|chiu trach nhiem|co nhiem vu)\s*"
    r"|la (?:co quan|don vi|bo phan) (?:thuong truc|dau moi|chu tri)\s*,?\s*)+"
)


_TIME_FIRST = re.compile(
    r"((?:ngày|từ|trước|đến|tháng|quý|tuần|chậm nhất|đầu|cuối|giữa|sáng|chiều|thứ"
    r"|\d)[^:;]{2,50}):\s+(?=\w)",
    re.IGNORECASE,
)
# Who does the work, said after it: “… . Giao X chủ trì, phối hợp với Y.”, “…, do X thực hiện”.
_DOES = r"(?:chủ trì|thực hiện|phụ trách|tham mưu|chịu trách nhiệm|có trách nhiệm|làm đầu mối)"
_ASSIGNED = re.compile(
    rf"(?:(?<=[.;,])\s*(?:giao(?: cho)?|phân công|do)|(?<=[.;]))\s+"
    rf"(?P<lead>[A-ZĐ][^.;:]{{2,80}}?),? {_DOES}(?: (?:chính|thực hiện|tổ chức|triển khai))*"
    r"(?:,? ?(?:và )?phối hợp (?:chặt chẽ )?(?:với|cùng) (?P<with>[^.;:]{3,90}?)"
    r"(?: (?:tổ chức )?(?:thực hiện|triển khai))*|, ?(?P<support>[^.;:]{3,80}?) phối hợp)?"
    r"\s*(?:[.;]|(?=,)|$)",
    re.IGNORECASE,
)
_HELPED = re.compile(  # “(Công an phường phối hợp)”, “…, các tổ dân phố phối hợp”
    r"\s*(?:\((?P<inside>)|[,;]\s)(?P<support>[^(),;.:]{3,90}(?(inside)(?:,[^(),;.:]{3,90})*))"
    r" (?:cùng )?phối hợp(?: thực hiện)?(?(inside)\)|(?=[.;,]|$))"
)
_HELPS = " phối hợp"
_BRACKET = re.compile(
    r"\((?P<lead>[^():]{3,90}?) (?:chủ trì(?: thực hiện)?|phụ trách|thực hiện|tham mưu"
    r"|làm đầu mối)(?=[,;)])"
)


def roles(text: str, known: list[str], *, has_lead: bool) -> tuple[str, list[str], list[str]]:
    """Return a sentence without its units, those in charge, and those that help.

    “Phối hợp với X làm Y” under the heading of a unit: that unit is in charge, X helps.
    """
    lead: list[str] = []
    support: list[str] = []
    rest = text
    if not has_lead:
        lead, support, rest = _assigned(text, known)
    if not has_lead and not lead:
        lead, support, rest = _after_colon(text)
    if not has_lead and not lead:
        name, after = subject(text, known)
        if name:
            lead, rest = [name], after
            if found := _DUTY.match(plain(rest)):
                rest = rest[found.end() :]
    elif repeated := _repeated(rest, known):
        rest = repeated
    if found := _LEADS.match(plain(rest)):
        following = plain(rest[found.end() :])
        if not following.startswith("phoi hop"):
            rest = rest[found.end() :]
    helping, rest = _helping(rest, known)
    rest = rest.strip(" ,;.")
    return (rest[:1].upper() + rest[1:] if rest else ""), lead, support + helping


def _helping(text: str, known: list[str]) -> tuple[list[str], str]:
    """Return who helps: “phối hợp với X …”, “(X phối hợp)”; and the text without it."""
    support: list[str] = []
    rest = text
    if found := _WITH.search(plain(rest)):
        names, after = helpers(rest[found.end() :], known)
        if related := _RELATED.match(plain(rest), found.end()):
            names, after = ["liên quan"], rest[related.end() :]
        if names:
            support = [name for name in names if name != "liên quan"]
            before = rest[: found.start()].rstrip(" ,;")
            joint = "" if before and after[:1] in ".,;" else " "
            rest = f"{before}{joint}{after.lstrip(' ,') if joint else after}"
    if found := _HELPED.search(rest):
        names = split_names(found["support"])
        if names and (heading_unit(names[0]) or names[0].casefold().startswith("các ")):
            support += names
            rest = rest[: found.start()] + rest[found.end() :]
    return support, rest


def _assigned(text: str, known: list[str]) -> tuple[list[str], list[str], str]:
    """Return who is in charge and who helps, where it is said after the work or in brackets."""
    for pattern in (_ASSIGNED, _BRACKET):
        found = pattern.search(text)
        lead = split_names(found["lead"]) if found else []
        if found is None or not lead or not heading_unit(lead[0]):
            continue
        if pattern is _BRACKET:
            rest = f"{text[: found.start('lead')]}{text[found.end() :].lstrip(' ,;')}"
            return lead, [], rest.replace("()", "")
        support, more = split_names(found["support"] or ""), ""
        if found["with"]:
            support, more = helpers(found["with"], known)
        return lead, support, f"{text[: found.start()]}{more} {text[found.end() :]}".strip()
    return [], [], text


_AFTER_COLON = re.compile(r":\s*(?P<lead>[A-ZĐ][^:.()]{2,150})")


def _after_colon(text: str) -> tuple[list[str], list[str], str]:
    """Return who does the work, where it only follows it: “Cắt tỉa cây xanh: Tổ Dịch vụ công”."""
    found = _AFTER_COLON.search(text, 8)
    if found is None:
        return [], [], text
    lead: list[str] = []
    support: list[str] = []
    end = found.start("lead")
    for piece in re.finditer(r"[^;]+;?", found["lead"]):
        own, _, helps = re.sub(r",? phối hợp (?:với )?", "|", piece[0]).partition("|")
        names = split_names(own)
        if not names or not all(map(heading_unit, names)):
            break
        lead += names
        support += split_names(helps)
        end = found.start("lead") + piece.end()
    return lead, support, f"{text[: found.start()]} {text[end:]}".strip() if lead else text


def _repeated(text: str, known: list[str]) -> str:
    """Return what follows the unit that a sentence repeats from its heading; else ""."""
    name, rest = subject(text, known)
    return rest if name and _LEADS.match(plain(rest)) else ""


def helpers(text: str, known: list[str]) -> tuple[list[str], str]:
    """Return the units that a text begins with, and the rest."""
    names: list[str] = []
    rest = text
    while True:
        name, after = subject(rest, known)
        if not name:
            break
        names.append(name)
        rest = after if after.startswith((",", ";")) else text[len(text) - len(after) :]
        joint = re.match(r"\s*(?:,|;|và)\s*", rest)
        if joint is None or not subject(rest[joint.end() :], known)[0]:
            break
        rest = rest[joint.end() :]
    if not names:
        # The last of the sentence: “…, phối hợp với Ủy ban MTTQ tỉnh”.
        whole = re.split(r"[.;]", text, maxsplit=1)
        parts = split_names(whole[0])
        if parts and len(whole[0]) < 90 and heading_unit(parts[0]):
            return parts, text[len(whole[0]) :]
    return names, rest
