"""The office's report as a .docx, in the layout of NĐ 30/2020/NĐ-CP, appendix I.

A draft: its number, date and signature stay empty, and it says so. python-docx takes 0.2 s to
load: import this where a report is written, not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count, groupby

from docx.table import Table, _Cell

from reminder.documents import report_words as words
from reminder.documents.paper import CENTRED, FLUSH, TEXT, WIDTH, Paper, Piece, bold_width, row
from reminder.domain.periods import with_period
from reminder.domain.plan import Kind
from reminder.domain.report import CLOSED, Entry, Letterhead, Report, Status, fill_from_plan
from reminder.domain.text import fold

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MARK = "DỰ THẢO"
LEFT = 3700  # twips of the head's left column: the authority; the motto takes the rest
COUNTRY, MOTTO = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"
SHARE = 0.4  # of a line below a name: the decree asks for a third to a half of the text
SIGNING_ROOM = 5  # empty lines for signature and seal
SMALL = replace(CENTRED, size=13)  # of the head; the decree allows 12 and 13 there
HEADING = replace(TEXT, align="left", before=6, together=True)
CELL, CELL_CENTRED = replace(FLUSH, size=12), replace(CENTRED, size=12)
_ROMANS = ("I", "II", "III", "IV")
_COLUMNS = (
    ("STT", 660),
    ("Nhiệm vụ", 2400),
    ("Chủ trì", 1350),
    ("Hạn", 1350),
    ("Tình trạng", 1450),
    ("Sản phẩm (số, ngày văn bản)", WIDTH - 7210),
)
Lines = list[tuple[str, list[str]]]  # points under a heading: what each is about, and its lines


def file_name(report: Report) -> str:
    """“du-thao-bao-cao-2024-Q1.docx”."""
    return f"du-thao-bao-cao-{report.period.id}.docx"


def subject(report: Report, letterhead: Letterhead) -> str:
    """The trích yếu: “Kết quả cải cách hành chính quý I năm 2024”."""
    own = letterhead.subject
    if not own:
        titles = [
            task.title
            for task in report.plan.tasks
            if any(d.kind is Kind.REPORT for d in task.deliverables)
        ]
        own = titles[0] if titles else f"Kết quả thực hiện {report.plan.title}"
    if fold(own).startswith("bao cao "):
        own = own.split(maxsplit=2)[2]
    return with_period(f"{own[:1].upper()}{own[1:]}", report.name)


def docx(report: Report, letterhead: Letterhead) -> bytes:
    """The .docx of `report`; the same bytes for the same arguments."""

    names = fill_from_plan(letterhead, report.plan)
    paper = Paper(f"Báo cáo {subject(report, names)}", report.drafted)
    paper.head(MARK)
    _head(paper, report, names)
    _title(paper, report, names)
    _body(paper, report, names)
    _foot(paper, names)
    paper.new_part()
    _annex(paper, report, names)
    return paper.save()


def _head(paper: Paper, report: Report, names: Letterhead) -> None:
    """Who issues it; Quốc hiệu and Tiêu ngữ; number, place and date."""
    right = WIDTH - LEFT
    table = paper.table((LEFT, right))
    ours, country = row(table)
    if names.parent:
        paper.say(names.parent.upper(), look=SMALL, into=ours)
    for line in names.lines:
        paper.say(Piece(line, bold=True), look=SMALL, into=ours)
    last = min(bold_width(names.lines[-1], SMALL.size), LEFT)
    paper.rule(round(last * SHARE), LEFT, into=ours)
    paper.say(Piece(COUNTRY, bold=True), look=SMALL, into=country)
    paper.say(Piece(MOTTO, bold=True), look=CENTRED, into=country)
    paper.rule(bold_width(MOTTO, CENTRED.size), right, into=country)
    number, dateline = row(table)
    paper.say(f"Số:          /BC-{names.symbol}", look=SMALL, into=number)
    when = f"{names.place}, ngày       tháng       năm {report.drafted.year}"
    paper.say(Piece(when, italic=True), look=CENTRED, into=dateline)


def _title(paper: Paper, report: Report, names: Letterhead) -> None:
    """BÁO CÁO, what it is about, how far its figures go, and to whom it is addressed."""
    about = subject(report, names)
    paper.say(Piece("BÁO CÁO", bold=True), look=replace(CENTRED, before=18))
    paper.say(Piece(about, bold=True), look=CENTRED)
    paper.rule(round(min(bold_width(about, CENTRED.size), WIDTH) * SHARE))
    note = f"({MARK} – Số liệu đến ngày {words.day(report.last)})"
    paper.say(Piece(note, italic=True), look=SMALL)
    if len(names.addressees) == 1:
        line = f"Kính gửi: {names.addressees[0]}"
        paper.say(line, look=replace(CENTRED, before=12, after=12))
        return
    paper.say("Kính gửi:", look=replace(CENTRED, before=12))
    *others, last = (f"- {addressee}" for addressee in names.addressees)
    below = replace(FLUSH, indent=WIDTH // 4)
    for line in others:
        paper.say(f"{line};", look=below)
    paper.say(f"{last}.", look=replace(below, after=12))


def _body(paper: Paper, report: Report, names: Letterhead) -> None:
    first, last = words.day(report.first), words.day(report.last)
    _line(
        paper,
        f"Thực hiện {report.plan.title}, {names.authority} báo cáo kết quả thực hiện {report.name} "
        f"(số liệu từ ngày {first} đến ngày {last}) như sau:",
    )
    _chapter(paper, 0, "Tình hình chung")
    for sentence in words.summary(report):
        _line(paper, sentence)
    _chapter(paper, 1, "Kết quả thực hiện theo từng nội dung")
    _sections(paper, report, lambda section: _results(report, section), silent="Trong kỳ không có.")
    _chapter(paper, 2, f"Nhiệm vụ thời gian tới (đến ngày {words.day(report.coming_until)})")
    _sections(paper, report, lambda section: _next(report, section), silent="")
    _chapter(paper, 3, "Kiến nghị, đề xuất")
    _line(paper, "…………")
    about = subject(report, names)
    closing = f"Trên đây là báo cáo {about[:1].lower()}{about[1:]} của {names.authority}./."
    _line(paper, closing, together=True)


def _chapter(paper: Paper, number: int, title: str) -> None:

    text = Piece(f"{_ROMANS[number]}. {title.upper()}", bold=True)
    paper.say(text, look=replace(HEADING, style="Heading 1"))


def _line(paper: Paper, text: str, *, together: bool = False) -> None:
    paper.say(text, look=replace(TEXT, together=together))


def _sections(paper: Paper, report: Report, points: Callable[[str], Lines], *, silent: str) -> None:
    """A numbered heading for each section of the plan, its points lettered below it."""

    number = 0
    for section, title in report.plan.sections.items():
        found = [(about, lines) for about, lines in points(section) if lines]
        if not found and (not silent or not _has_work(report, section)):
            continue
        number += 1
        heading = Piece(f"{number}. {title}", bold=True)
        paper.say(heading, look=replace(HEADING, style="Heading 2"))
        for letter, (about, lines) in zip(words.LETTERS, found, strict=False):
            if about:
                mark = f"{letter}) " if len(found) > 1 else ""  # one point alone has no letter
                _line(paper, f"{mark}{about}:", together=True)
            for text in lines:
                _line(paper, f"- {text}")
        if not found:
            _line(paper, silent)
    if not number:
        _line(paper, "Không có.")


def _has_work(report: Report, section: str) -> bool:
    """Whether the section holds anything but the office's own reports."""
    return any(
        deliverable.kind is not Kind.REPORT
        for task in report.plan.tasks
        if task.section == section
        for deliverable in task.deliverables
    )


def _results(report: Report, section: str) -> Lines:
    entries = report.of(section)
    products = [entry for entry in entries if not entry.check_in]

    def lines(say: Callable[[Report, Entry], str], *statuses: Status) -> list[str]:
        return [say(report, entry) for entry in products if entry.status in statuses]

    return [
        ("Sản phẩm đã hoàn thành", lines(words.done, *CLOSED)),
        (
            "Nhiệm vụ thường xuyên",
            [words.answered(report, entry) for entry in entries if entry.check_in],
        ),
        ("Đã trình, chờ ký", lines(words.signing, Status.SIGNING)),
        ("Quá hạn và lý do", lines(words.late, Status.LATE)),
        (
            "Gia hạn",
            [words.extended(report, entry, one) for entry in entries for one in entry.extensions],
        ),
    ]


def _next(report: Report, section: str) -> Lines:
    """What comes, the check-ins of a period in one line, and what still has no date."""
    mine = [entry for entry in report.coming if entry.section == section]
    products: dict[tuple[str, str], list[Entry]] = {}
    for entry in mine:
        if not entry.check_in:
            products.setdefault((entry.code, entry.product), []).append(entry)
    dated = [words.coming(report, entries) for entries in products.values()]
    standing = [
        words.standing(report, list(group))
        for _, group in groupby(
            (entry for entry in mine if entry.check_in), key=lambda entry: entry.period
        )
    ]
    undated = [
        words.undated(report, entry)
        for entry in report.of(section)
        if entry.due is None and entry.closed_on is None
    ]
    return [("", [*dated, *standing, *undated])]


def _foot(paper: Paper, names: Letterhead) -> None:
    """Nơi nhận on the left, the signature's room on the right; never on a page apart."""

    paper.say(look=replace(FLUSH, size=4, together=True))
    left, right = row(paper.table((WIDTH // 2, WIDTH - WIDTH // 2)))
    heading = Piece("Nơi nhận:", bold=True, italic=True)
    paper.say(heading, look=replace(FLUSH, size=12), into=left)
    for recipient in ("Như trên", *names.recipients):
        paper.say(f"- {recipient};", look=replace(FLUSH, size=11), into=left)
    paper.say(f"- Lưu: {names.archive}.", look=replace(FLUSH, size=11), into=left)
    for line in (names.on_behalf, names.signer):
        if line:
            paper.say(Piece(line.upper(), bold=True), look=CENTRED, into=right)
    for _ in range(SIGNING_ROOM):
        paper.say(look=CENTRED, into=right)


def _annex(paper: Paper, report: Report, names: Letterhead) -> None:
    """The tracker's table: each piece of work in the period, under its section."""
    paper.say(Piece("Phụ lục", bold=True), look=CENTRED)
    heading = f"Tình hình thực hiện nhiệm vụ {report.name}".upper()
    paper.say(Piece(heading, bold=True), look=CENTRED)
    to = (
        f"(Kèm theo Báo cáo số          /BC-{names.symbol} ngày       tháng       năm "
        f"{report.drafted.year} của {names.authority})"
    )
    paper.say(Piece(to, italic=True), look=replace(CENTRED, after=10))
    table = paper.table([width for _, width in _COLUMNS], ruled=True)
    for cell, (title, _) in zip(row(table, repeat=True), _COLUMNS, strict=True):
        paper.say(Piece(title, bold=True), look=CELL_CENTRED, into=cell)
    numbers = count(1)
    for section, title in report.plan.sections.items():
        entries = report.of(section)
        if entries:
            paper.say(Piece(title, bold=True), look=replace(CELL, together=True), into=_wide(table))
        for entry in entries:
            _fill(paper, row(table), _cells(report, next(numbers), entry))
    if not report.entries:
        paper.say("Trong kỳ không có nhiệm vụ.", look=CELL_CENTRED, into=_wide(table))


def _wide(table: Table) -> _Cell:
    """A new row as one cell."""
    cells = row(table)
    whole: _Cell = cells[0].merge(cells[-1])
    return whole


def _cells(report: Report, number: int, entry: Entry) -> Iterator[str]:
    yield f"{number}"
    yield words.named_in_table(report, entry)
    yield words.joined(entry.units)
    yield words.due_words(entry)
    yield words.status_words(entry)
    yield words.product_words(entry)


def _fill(paper: Paper, cells: Sequence[_Cell], texts: Iterator[str]) -> None:
    for place, (cell, text) in enumerate(zip(cells, texts, strict=True)):
        paper.say(text, look=CELL_CENTRED if place in (0, 3) else CELL, into=cell)
