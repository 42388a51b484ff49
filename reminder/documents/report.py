"""The draft of the office's report as a .docx, laid out as NĐ 30/2020/NĐ-CP, appendix I, says.

Number, date and signature are left empty. Importing python-docx takes 0.2 s, so this module is
imported only where a report is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import count, groupby

from docx.table import Table, _Cell

from reminder.documents.paper import CENTRED, FLUSH, TEXT, WIDTH, Paper, Piece, add_row, bold_width
from reminder.domain.calendar import vn_date, with_period
from reminder.domain.plan import Kind
from reminder.domain.report import (
    CLOSED,
    Entry,
    Extension,
    Letterhead,
    Report,
    Said,
    Status,
    fill_from_plan,
)
from reminder.domain.text import evidence_words, fold

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MARK = "DỰ THẢO"
LEFT = 3700  # twips, the left column of the head: the authority; the motto has the rest
COUNTRY, MOTTO = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"
SHARE = 0.4  # of the text above, the length of a rule; the decree asks for a third to a half
SIGNING_ROOM = 5  # empty lines for signature and seal
SMALL = replace(CENTRED, size=13)  # of the head; the decree allows 12 and 13 there
HEADING = replace(TEXT, align="left", before=6, together=True)
CELL, CELL_CENTRED = replace(FLUSH, size=12), replace(CENTRED, size=12)
LETTERS = "abcdđeghiklm"  # of the points under a heading, in Vietnamese order
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
    """Return “du-thao-bao-cao-2024-Q1.docx”."""
    return f"du-thao-bao-cao-{report.period.id}.docx"


def subject(report: Report, letterhead: Letterhead) -> str:
    """Return the subject (trích yếu): “Kết quả cải cách hành chính quý I năm 2024”."""
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
    """Return the .docx of `report`; the same bytes for the same arguments."""
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
    note = f"({MARK} – Số liệu đến ngày {day(report.last)})"
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
    first, last = day(report.first), day(report.last)
    _line(
        paper,
        f"Thực hiện {report.plan.title}, {names.authority} báo cáo kết quả thực hiện {report.name} "
        f"(số liệu từ ngày {first} đến ngày {last}) như sau:",
    )
    _chapter(paper, 0, "Tình hình chung")
    for sentence in summary(report):
        _line(paper, sentence)
    _chapter(paper, 1, "Kết quả thực hiện theo từng nội dung")
    _sections(paper, report, _results, silent="Trong kỳ không có.")
    _chapter(paper, 2, f"Nhiệm vụ thời gian tới (đến ngày {day(report.coming_until)})")
    _sections(paper, report, _next, silent="")
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
    paper: Paper, report: Report, points: Callable[[Report, str], Points], *, silent: str
) -> None:
    """A numbered heading for each section of the plan, with lettered points below it."""
    number = 0
    for section, title in report.plan.sections.items():
        found = [(about, lines) for about, lines in points(report, section) if lines]
        if not found and (not silent or not _has_work(report, section)):
            continue
        number += 1
        heading = Piece(f"{number}. {title}", bold=True)
        paper.add(heading, look=replace(HEADING, style="Heading 2"))
        for letter, (about, lines) in zip(LETTERS, found, strict=False):
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
    """Return whether the section has anything but the office's own reports."""
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
        ("Sản phẩm đã hoàn thành", lines(done, *CLOSED)),
        (
            "Nhiệm vụ thường xuyên",
            [answered(report, entry) for entry in entries if entry.check_in],
        ),
        ("Đã trình, chờ ký", lines(signing, Status.SIGNING)),
        ("Quá hạn và lý do", lines(late, Status.LATE)),
        (
            "Gia hạn",
            [extended(report, entry, one) for entry in entries for one in entry.extensions],
        ),
    ]


def _next(report: Report, section: str) -> Points:
    """Return what is due next, the check-ins of a period in one line, and what has no date."""
    mine = [entry for entry in report.coming if entry.section == section]
    products: dict[tuple[str, str], list[Entry]] = {}
    for entry in mine:
        if not entry.check_in:
            products.setdefault((entry.code, entry.product), []).append(entry)
    standing = (entry for entry in mine if entry.check_in)
    awaiting = (e for e in report.of(section) if e.due is None and e.closed_on is None)
    lines = [
        *(coming(report, entries) for entries in products.values()),
        *(check_ins(report, list(of)) for _, of in groupby(standing, key=lambda e: e.period)),
        *(undated(report, entry) for entry in awaiting),
    ]
    return [("", lines)]


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
            texts = (
                f"{next(numbers)}",
                named_in_table(report, entry),
                ", ".join(entry.units),
                f"{due_words(entry)}{f' – {entry.place}' if entry.place else ''}",
                status_words(entry),
                product_words(entry),
            )
            for place, (cell, text) in enumerate(zip(add_row(table), texts, strict=True)):
                paper.add(text, look=CELL_CENTRED if place in (0, 3) else CELL, into=cell)
    if any(entry.place for entry in report.entries):
        of = report.plan.document or "văn bản kế hoạch"
        note = f"Bảng, dòng, đoạn ở cột “Hạn” là chỗ ghi hạn trong {of}."
        paper.add(Piece(note, italic=True), look=replace(CENTRED, before=6))
    if not report.entries:
        paper.add("Trong kỳ không có nhiệm vụ.", look=CELL_CENTRED, into=_wide(table))


def _wide(table: Table) -> _Cell:
    """Add a row of one merged cell."""
    cells = add_row(table)
    whole: _Cell = cells[0].merge(cells[-1])
    return whole


def day(at: date) -> str:
    """Return “30/01/2024”."""
    return vn_date(at, year=True)


def named(report: Report, entry: Entry) -> str:
    """Return “Kết quả đánh giá … tháng 02 (2c)”, without the report's own period.

    A product of several is named: “… – Quyết định công bố (1d)”.
    """
    period = entry.period
    title = entry.title
    if period and period != report.period:
        title = with_period(title, report.plan.period_name(period))
    part = f" – {entry.part}" if entry.part and not entry.check_in else ""
    return f"{title}{part} ({entry.code})"


def named_in_table(report: Report, entry: Entry) -> str:
    """Return `named`, with “cập nhật” for a check-in, to distinguish it from the task's product."""
    if entry.check_in and entry.period:
        return f"{entry.title} – cập nhật {_period(report, entry)} ({entry.code})"
    return named(report, entry)


def done(report: Report, entry: Entry) -> str:
    """Return who closed it and when, in time or late, and the number of the paper."""
    assert entry.closed_on is not None
    who = ", ".join(entry.units) if not entry.missing and len(entry.units) > 1 else entry.closed_by
    when = f"hoàn thành ngày {day(entry.closed_on)}, {_kept(entry)}"
    paper = evidence_words(entry.evidence) if entry.evidence else "chưa ghi số, ngày văn bản"
    told = f". {_quoted(entry.notes)}" if entry.notes else ""
    return f"{named(report, entry)}: {who} {when}; sản phẩm: {entry.product}, {paper}{told}."


def _kept(entry: Entry) -> str:
    if entry.due is None:
        return "kế hoạch không ghi hạn"
    if entry.days_late:
        return f"{_delay(entry)} ({_due(entry)})"
    return "trước hạn" if entry.closed_on and entry.closed_on < entry.due else "đúng hạn"


def _due(entry: Entry) -> str:
    """Return “hạn 31/01/2024”, “hạn dự kiến 10/6/2024”."""
    assert entry.due is not None
    return f"{'hạn dự kiến' if entry.assumed else 'hạn'} {day(entry.due)}"


def _delay(entry: Entry) -> str:
    return f"quá hạn {entry.days_late} ngày làm việc" if entry.days_late else ""


def _due_and_delay(entry: Entry) -> str:
    return f" ({', '.join(filter(None, (_due(entry), _delay(entry))))})" if entry.due else ""


def answered(report: Report, entry: Entry) -> str:
    """Return the answers to a check-in, and the units that have not answered."""
    told = "; ".join(
        f"{said.unit}: {said.text or 'đã báo, không kèm nội dung'}{_after(report, said)}"
        for said in entry.answers
    )
    if not entry.missing:
        return f"{named(report, entry)}: {told}."
    gap = f"chưa có số liệu của {', '.join(entry.missing)}{_due_and_delay(entry)}"
    why = f". {_quoted(entry.notes)}" if entry.notes else ""
    return f"{named(report, entry)}: {f'{told}; ' if told else ''}{gap}{why}."


def _after(report: Report, said: Said) -> str:
    return f" (báo ngày {day(said.on)})" if said.on > report.last else ""


def _quoted(notes: Sequence[Said]) -> str:
    return "; ".join(f"{said.unit} báo ngày {day(said.on)}: {said.text}" for said in notes)


def late(report: Report, entry: Entry) -> str:
    """Return how late it is, which units are open, and the reason that they gave."""
    words = [f"{', '.join(entry.units)} chủ trì, {_due(entry)}, {_delay(entry)}"]
    if 0 < len(entry.missing) < len(entry.units):
        words.append(f"còn chờ {', '.join(entry.missing)}")
    if entry.closed_on:
        paper = f", {evidence_words(entry.evidence)}" if entry.evidence else ""
        words.append(f"đã hoàn thành ngày {day(entry.closed_on)}, sau ngày chốt số liệu{paper}")
    why = _quoted(entry.notes) if entry.notes else "bộ phận chưa nêu"
    return f"{named(report, entry)}: {'; '.join(words)}. Lý do: {why}."


def signing(report: Report, entry: Entry) -> str:
    """Work that waits for a signature."""
    since = f"đã trình ký ngày {day(entry.signing_since)}" if entry.signing_since else "chờ ký"
    units = ", ".join(entry.units)
    return f"{named(report, entry)}: {units} {since}{_due_and_delay(entry)}."


def extended(report: Report, entry: Entry, one: Extension) -> str:
    """Return the old and the new due day, who asked, and why."""
    wish = f"theo đề nghị của {one.unit}" if one.unit else "do Văn phòng điều chỉnh"
    wish = wish.replace("Văn phòng", report.plan.by_unit[report.plan.office].name)
    why = f". Lý do: {one.why}" if one.why else ""
    return f"{named(report, entry)}: từ {day(one.was)} đến {day(one.until)}, {wish}{why}."


def coming(report: Report, entries: Sequence[Entry]) -> str:
    """Return the next occurrences of one deliverable, with their units and due days."""
    first, *more = entries
    if not more:
        return f"{named(report, first)}: {', '.join(first.units)}, {_still(first)}{_due(first)}."
    times = ", ".join(
        [f"{_period(report, entry)} ({_still(entry)}{_due(entry)})" for entry in entries]
    )
    return f"{first.title} ({first.code}): {', '.join(first.units)}; {times}."


def _period(report: Report, entry: Entry) -> str:
    return report.plan.period_name(entry.period) if entry.period else ""


def _still(entry: Entry) -> str:
    """Return the words before the due day of late work; empty if it is not late."""
    return "tiếp tục hoàn thành, đã quá " if entry.days_late else ""


def check_ins(report: Report, entries: Sequence[Entry]) -> str:
    """Return the check-ins of one period: “Cập nhật … quý II (hạn dự kiến 10/6/2024): 1a, 1e.”"""
    first = entries[0]
    name = _period(report, first) or report.name
    codes = ", ".join([entry.code for entry in entries])
    if first.days_late:
        return f"Bổ sung số liệu nhiệm vụ thường xuyên {name} còn thiếu: {codes}."
    return f"Cập nhật nhiệm vụ thường xuyên {name} ({_due(first)}): {codes}."


def undated(report: Report, entry: Entry) -> str:
    waits = f" ({entry.waits_for})" if entry.waits_for else ""
    return f"{named(report, entry)}: {', '.join(entry.units)}, {entry.product}, chưa có hạn{waits}."


def summary(report: Report) -> Iterator[str]:
    """Yield the sentences with the figures, which add up to the rows of the annex."""
    closed = report.count(*CLOSED, check_ins=False)
    rest = (
        (Status.SIGNING, "chờ ký"),
        (Status.LATE, "quá hạn"),
        (Status.OPEN, "đang thực hiện"),
        (Status.AWAITING, "chưa có hạn"),
    )
    total = closed + report.count(*(status for status, _ in rest), check_ins=False)
    parts = [f"đã hoàn thành {closed:02}"]
    in_time = report.count(Status.DONE, check_ins=False)
    if closed:
        parts[0] += f" (đúng hạn {in_time:02}, quá hạn {closed - in_time:02})"
    parts += [
        f"{name} {count:02}"
        for status, name in rest
        if (count := report.count(status, check_ins=False))
    ]
    yield f"Số nhiệm vụ có sản phẩm trong kỳ: {total:02}; trong đó: {'; '.join(parts)}."
    known = report.count(*CLOSED, check_ins=True)
    asked = sum(entry.check_in for entry in report.entries)
    if asked:
        yield (
            f"Số lượt cập nhật nhiệm vụ thường xuyên: {asked:02}; trong đó: đã có số liệu "
            f"{known:02}; chưa có số liệu {asked - known:02}."
        )


def status_words(entry: Entry) -> str:
    """Return the annex's column “Tình trạng”."""
    late_by = _delay(entry)
    closed = f"ngày {day(entry.closed_on)}" if entry.closed_on else ""
    match entry.status:
        case Status.DONE:
            return f"{'Đã cập nhật' if entry.check_in else 'Hoàn thành'} {closed}"
        case Status.DONE_LATE:
            return f"{'Đã cập nhật' if entry.check_in else 'Hoàn thành'} {closed}, {late_by}"
        case Status.LATE:
            after = f"; xong {closed}" if closed else ""
            return f"{late_by.capitalize()}{after}"
        case Status.SIGNING:
            return f"Chờ ký{f', {late_by}' if late_by else ''}"
        case Status.OPEN | Status.AWAITING:
            return f"Đang thực hiện{f'; xong {closed}' if closed else ''}"


def due_words(entry: Entry) -> str:
    """Return the annex's column “Hạn”, with the plan's own day if it was moved."""
    if entry.due is None:
        return "Chưa có hạn"
    if entry.assumed:
        return f"{day(entry.due)} (dự kiến)"
    if entry.original is None:
        return day(entry.due)
    word = "gia hạn" if entry.due > entry.original else "dời"
    return f"{day(entry.due)} ({word} từ {day(entry.original)})"


def product_words(entry: Entry) -> str:
    """Return the annex's column “Sản phẩm”."""
    return f"{entry.product}, {evidence_words(entry.evidence)}" if entry.evidence else entry.product
