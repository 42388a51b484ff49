"""The draft of the office's report as a .docx, laid out as NĐ 30/2020/NĐ-CP, appendix I, says.

Number, date and signature are left empty. Importing python-docx takes 0.2 s, so this module is
imported only where a report is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count, groupby

from docx.table import Table, _Cell

from reminder.documents import report_words as words
from reminder.documents.paper import CENTRED, FLUSH, TEXT, WIDTH, Paper, Piece, add_row, bold_width
from reminder.domain.calendar import with_period
from reminder.domain.plan import Kind
from reminder.domain.report import CLOSED, Entry, Letterhead, Report, Status, fill_from_plan
from reminder.domain.text import fold

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MARK = "DỰ THẢO"
LEFT = 3700  # twips, the left column of the head: the authority; the motto has the rest
COUNTRY, MOTTO = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"
SHARE = 0.4  # of the text above, the length of a rule; the decree asks for a third to a half
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
Points = list[tuple[str, list[str]]]  # the points under a heading: a title, and its lines


def file_name(report: Report) -> str:
    """“du-thao-bao-cao-2024-Q1.docx”."""
    return f"du-thao-bao-cao-{report.period.id}.docx"


def subject(report: Report, letterhead: Letterhead) -> str:
    """The subject (trích yếu): “Kết quả cải cách hành chính quý I năm 2024”."""
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
    paper.add_header(MARK)
    _head(paper, report, names)
    _title(paper, report, names)
    _body(paper, report, names)
    _foot(paper, names)
    paper.add_part()
    _annex(paper, report, names)
    return paper.save()


def _head(paper: Paper, report: Report, names: Letterhead) -> None:
    """The authority; Quốc hiệu and Tiêu ngữ; number, place and date."""
    right = WIDTH - LEFT
    table = paper.add_table((LEFT, right))
    ours, country = add_row(table)
    if names.parent:
        paper.add(names.parent.upper(), look=SMALL, into=ours)
    for line in names.lines:
        paper.add(Piece(line, bold=True), look=SMALL, into=ours)
    last = min(bold_width(names.lines[-1], SMALL.size), LEFT)
    paper.add_rule(round(last * SHARE), LEFT, into=ours)
    paper.add(Piece(COUNTRY, bold=True), look=SMALL, into=country)
    paper.add(Piece(MOTTO, bold=True), look=CENTRED, into=country)
    paper.add_rule(bold_width(MOTTO, CENTRED.size), right, into=country)
    number, dateline = add_row(table)
    paper.add(f"Số:          /BC-{names.symbol}", look=SMALL, into=number)
    when = f"{names.place}, ngày       tháng       năm {report.drafted.year}"
    paper.add(Piece(when, italic=True), look=CENTRED, into=dateline)


def _title(paper: Paper, report: Report, names: Letterhead) -> None:
    """BÁO CÁO, the subject, the last day of the figures, the addressees."""
    about = subject(report, names)
    paper.add(Piece("BÁO CÁO", bold=True), look=replace(CENTRED, before=18))
    paper.add(Piece(about, bold=True), look=CENTRED)
    paper.add_rule(round(min(bold_width(about, CENTRED.size), WIDTH) * SHARE))
    note = f"({MARK} – Số liệu đến ngày {words.day(report.last)})"
    paper.add(Piece(note, italic=True), look=SMALL)
    if len(names.addressees) == 1:
        line = f"Kính gửi: {names.addressees[0]}"
        paper.add(line, look=replace(CENTRED, before=12, after=12))
        return
    paper.add("Kính gửi:", look=replace(CENTRED, before=12))
    *others, last = (f"- {addressee}" for addressee in names.addressees)
    below = replace(FLUSH, indent=WIDTH // 4)
    for line in others:
        paper.add(f"{line};", look=below)
    paper.add(f"{last}.", look=replace(below, after=12))


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
    paper.add(text, look=replace(HEADING, style="Heading 1"))


def _line(paper: Paper, text: str, *, together: bool = False) -> None:
    paper.add(text, look=replace(TEXT, together=together))


def _sections(
    paper: Paper, report: Report, points: Callable[[str], Points], *, silent: str
) -> None:
    """A numbered heading for each section of the plan, with lettered points below it."""
    number = 0
    for section, title in report.plan.sections.items():
        found = [(about, lines) for about, lines in points(section) if lines]
        if not found and (not silent or not _has_work(report, section)):
            continue
        number += 1
        heading = Piece(f"{number}. {title}", bold=True)
        paper.add(heading, look=replace(HEADING, style="Heading 2"))
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
    """Whether the section has anything but the office's own reports."""
    return any(
        deliverable.kind is not Kind.REPORT
        for task in report.plan.tasks
        if task.section == section
        for deliverable in task.deliverables
    )


def _results(report: Report, section: str) -> Points:
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


def _next(report: Report, section: str) -> Points:
    """What is due next, the check-ins of a period in one line, and what has no date."""
    mine = [entry for entry in report.coming if entry.section == section]
    products: dict[tuple[str, str], list[Entry]] = {}
    for entry in mine:
        if not entry.check_in:
            products.setdefault((entry.code, entry.product), []).append(entry)
    dated = [words.coming(report, entries) for entries in products.values()]
    standing = [
        words.check_ins(report, list(group))
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
    """Nơi nhận on the left, room for the signature on the right; on the page of the last line."""
    paper.add(look=replace(FLUSH, size=4, together=True))
    left, right = add_row(paper.add_table((WIDTH // 2, WIDTH - WIDTH // 2)))
    heading = Piece("Nơi nhận:", bold=True, italic=True)
    paper.add(heading, look=replace(FLUSH, size=12), into=left)
    for recipient in ("Như trên", *names.recipients):
        paper.add(f"- {recipient};", look=replace(FLUSH, size=11), into=left)
    paper.add(f"- Lưu: {names.archive}.", look=replace(FLUSH, size=11), into=left)
    for line in (names.on_behalf, names.signer):
        if line:
            paper.add(Piece(line.upper(), bold=True), look=CENTRED, into=right)
    for _ in range(SIGNING_ROOM):
        paper.add(look=CENTRED, into=right)


def _annex(paper: Paper, report: Report, names: Letterhead) -> None:
    """The annex: a table of all entries, under their sections."""
    paper.add(Piece("Phụ lục", bold=True), look=CENTRED)
    heading = f"Tình hình thực hiện nhiệm vụ {report.name}".upper()
    paper.add(Piece(heading, bold=True), look=CENTRED)
    to = (
        f"(Kèm theo Báo cáo số          /BC-{names.symbol} ngày       tháng       năm "
        f"{report.drafted.year} của {names.authority})"
    )
    paper.add(Piece(to, italic=True), look=replace(CENTRED, after=10))
    table = paper.add_table([width for _, width in _COLUMNS], ruled=True)
    for cell, (title, _) in zip(add_row(table, repeat=True), _COLUMNS, strict=True):
        paper.add(Piece(title, bold=True), look=CELL_CENTRED, into=cell)
    numbers = count(1)
    for section, title in report.plan.sections.items():
        entries = report.of(section)
        if entries:
            paper.add(Piece(title, bold=True), look=replace(CELL, together=True), into=_wide(table))
        for entry in entries:
            _fill(paper, add_row(table), _cells(report, next(numbers), entry))
    if not report.entries:
        paper.add("Trong kỳ không có nhiệm vụ.", look=CELL_CENTRED, into=_wide(table))


def _wide(table: Table) -> _Cell:
    """Add a row of one merged cell."""
    cells = add_row(table)
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
        paper.add(text, look=CELL_CENTRED if place in (0, 3) else CELL, into=cell)
