"""The sentences of the report, one function for each kind of entry; without python-docx."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from reminder.domain.calendar import vn_date, with_period
from reminder.domain.report import CLOSED, Entry, Extension, Report, Said, Status
from reminder.domain.text import evidence_words

LETTERS = "abcdđeghiklm"  # of the points under a heading, in Vietnamese order


def day(at: date) -> str:
    """“30/01/2024”."""
    return vn_date(at, year=True)


def named(report: Report, entry: Entry) -> str:
    """“Kết quả đánh giá chất lượng phục vụ tháng 02 (2c)”; without the report's own period.

    A product of several is named: “… – Quyết định công bố (1d)”.
    """
    period = entry.period
    title = entry.title
    if period and period != report.period:
        title = with_period(title, period.name)
    part = f" – {entry.part}" if entry.part and not entry.check_in else ""
    return f"{title}{part} ({entry.code})"


def named_in_table(report: Report, entry: Entry) -> str:
    """`named`, with “cập nhật” for a check-in, to distinguish it from the task's product."""
    if entry.check_in and entry.period:
        return f"{entry.title} – cập nhật {entry.period.name} ({entry.code})"
    return named(report, entry)


def joined(names: Sequence[str]) -> str:
    return ", ".join(names)


def done(report: Report, entry: Entry) -> str:
    """Who closed it and when, in time or late, and the number of the paper."""
    assert entry.closed_on is not None
    who = joined(entry.units) if not entry.missing and len(entry.units) > 1 else entry.closed_by
    when = f"hoàn thành ngày {day(entry.closed_on)}, {_kept(entry)}"
    paper = evidence_words(entry.evidence) if entry.evidence else "chưa ghi số, ngày văn bản"
    told = f". {_quoted(entry.notes)}" if entry.notes else ""
    return f"{named(report, entry)}: {who} {when}; sản phẩm: {entry.product}, {paper}{told}."


def _kept(entry: Entry) -> str:
    if entry.due is None:
        return "kế hoạch không ghi hạn"
    if entry.days_late:
        return f"quá hạn {entry.days_late} ngày làm việc ({_due_name(entry)} {day(entry.due)})"
    return "trước hạn" if entry.closed_on and entry.closed_on < entry.due else "đúng hạn"


def _due_name(entry: Entry) -> str:
    return "hạn dự kiến" if entry.assumed else "hạn"


def answered(report: Report, entry: Entry) -> str:
    """The answers to a check-in, and the units that have not answered."""
    told = "; ".join(
        f"{said.unit}: {said.text or 'đã báo, không kèm nội dung'}{_after(report, said)}"
        for said in entry.answers
    )
    if not entry.missing:
        return f"{named(report, entry)}: {told}."
    late = f", quá hạn {entry.days_late} ngày làm việc" if entry.days_late else ""
    due = f" ({_due_name(entry)} {day(entry.due)}{late})" if entry.due else ""
    gap = f"chưa có số liệu của {joined(entry.missing)}{due}"
    why = f". {_quoted(entry.notes)}" if entry.notes else ""
    return f"{named(report, entry)}: {f'{told}; ' if told else ''}{gap}{why}."


def _after(report: Report, said: Said) -> str:
    return f" (báo ngày {day(said.on)})" if said.on > report.last else ""


def _quoted(notes: Sequence[Said]) -> str:
    return "; ".join(f"{said.unit} báo ngày {day(said.on)}: {said.text}" for said in notes)


def late(report: Report, entry: Entry) -> str:
    """How late it is, which units are open, and the reason that they gave."""
    assert entry.due is not None
    due = f"{_due_name(entry)} {day(entry.due)}, quá hạn {entry.days_late} ngày làm việc"
    words = [f"{joined(entry.units)} chủ trì, {due}"]
    if 0 < len(entry.missing) < len(entry.units):
        words.append(f"còn chờ {joined(entry.missing)}")
    if entry.closed_on:
        paper = f", {evidence_words(entry.evidence)}" if entry.evidence else ""
        words.append(f"đã hoàn thành ngày {day(entry.closed_on)}, sau ngày chốt số liệu{paper}")
    why = _quoted(entry.notes) if entry.notes else "bộ phận chưa nêu"
    return f"{named(report, entry)}: {'; '.join(words)}. Lý do: {why}."


def signing(report: Report, entry: Entry) -> str:
    """Work that waits for a signature."""
    since = f"đã trình ký ngày {day(entry.signing_since)}" if entry.signing_since else "chờ ký"
    delay = f", quá hạn {entry.days_late} ngày làm việc" if entry.days_late else ""
    due = f" ({_due_name(entry)} {day(entry.due)}{delay})" if entry.due else ""
    return f"{named(report, entry)}: {joined(entry.units)} {since}{due}."


def extended(report: Report, entry: Entry, one: Extension) -> str:
    """The old and the new due day, who asked, and why."""
    wish = f"theo đề nghị của {one.unit}" if one.unit else "do Văn phòng điều chỉnh"
    wish = wish.replace("Văn phòng", report.plan.by_unit[report.plan.office].name)
    why = f". Lý do: {one.why}" if one.why else ""
    return f"{named(report, entry)}: từ {day(one.was)} đến {day(one.until)}, {wish}{why}."


def coming(report: Report, entries: Sequence[Entry]) -> str:
    """The next occurrences of one deliverable, with their units and due days."""
    first, *more = entries
    if not more:
        due = f"{_still(first)}{_due_name(first)} {_due_day(first)}"
        return f"{named(report, first)}: {joined(first.units)}, {due}."
    times = joined(
        [
            f"{entry.period.name if entry.period else ''} "
            f"({_still(entry)}{_due_name(entry)} {_due_day(entry)})"
            for entry in entries
        ]
    )
    return f"{first.title} ({first.code}): {joined(first.units)}; {times}."


def _still(entry: Entry) -> str:
    """The words before the due day of late work; empty if it is not late."""
    return "tiếp tục hoàn thành, đã quá " if entry.days_late else ""


def _due_day(entry: Entry) -> str:
    return day(entry.due) if entry.due else ""


def check_ins(report: Report, entries: Sequence[Entry]) -> str:
    """The check-ins of one period: “Cập nhật … quý II (hạn dự kiến 10/6/2024): 1a, 1e.”"""
    first = entries[0]
    name = first.period.name if first.period else report.name
    codes = joined([entry.code for entry in entries])
    if first.days_late:
        return f"Bổ sung số liệu nhiệm vụ thường xuyên {name} còn thiếu: {codes}."
    due = f"{_due_name(first)} {_due_day(first)}"
    return f"Cập nhật nhiệm vụ thường xuyên {name} ({due}): {codes}."


def undated(report: Report, entry: Entry) -> str:
    return f"{named(report, entry)}: {joined(entry.units)}, {entry.product}, chưa có hạn."


def summary(report: Report) -> Iterator[str]:
    """The sentences with the figures, which add up to the rows of the annex."""
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
    answered_ = report.count(*CLOSED, check_ins=True)
    standing_ = sum(entry.check_in for entry in report.entries)
    if standing_:
        yield (
            f"Số lượt cập nhật nhiệm vụ thường xuyên: {standing_:02}; trong đó: đã có số liệu "
            f"{answered_:02}; chưa có số liệu {standing_ - answered_:02}."
        )


def status_words(entry: Entry) -> str:
    """The annex's column “Tình trạng”."""
    late_by = f"quá hạn {entry.days_late} ngày làm việc" if entry.days_late else ""
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
    """The annex's column “Hạn”, with the plan's own day if it was moved."""
    if entry.due is None:
        return "Chưa có hạn"
    if entry.assumed:
        return f"{day(entry.due)} (dự kiến)"
    if entry.original is None:
        return day(entry.due)
    word = "gia hạn" if entry.due > entry.original else "dời"
    return f"{day(entry.due)} ({word} từ {day(entry.original)})"


def product_words(entry: Entry) -> str:
    """The annex's column “Sản phẩm”."""
    return f"{entry.product}, {evidence_words(entry.evidence)}" if entry.evidence else entry.product
