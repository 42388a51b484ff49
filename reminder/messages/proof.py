"""The ledger and the proof of notice in words, for the command line and the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from reminder.documents.workbook import csv_file
from reminder.domain.calendar import local, local_day, vn_date
from reminder.domain.ledger import Event, EventKind
from reminder.domain.outbox import STATE_WORDS
from reminder.domain.plan import Plan
from reminder.domain.schedule import Stage
from reminder.messages.context import kind_words
from reminder.services.proof import Notice, Told, Verdict, Work
from reminder.store.records import Broken

EVENT_WORDS = {
    EventKind.DONE: "xong",
    EventKind.UPDATED: "đã cập nhật",
    EventKind.UNDONE: "hoàn tác",
    EventKind.REOPENED: "mở lại",
    EventKind.SUBMITTED: "đã trình ký",
    EventKind.RETURNED: "rút trình ký",
    EventKind.SNOOZED: "hẹn nhắc lại",
    EventKind.EVIDENCE: "số, ngày văn bản",
    EventKind.NOTED: "ghi chú",
    EventKind.ANSWERED: "trả lời",
    EventKind.DUE_SET: "đặt hạn",
    EventKind.EVENT_NAMED: "có ngày sự kiện, hạn",
    EventKind.EVENT_WITHDRAWN: "rút ngày sự kiện",
    EventKind.CONFIRMED: "xác nhận hạn",
    EventKind.EXTENSION_ASKED: "xin gia hạn",
    EventKind.EXTENSION_GRANTED: "cho gia hạn",
    EventKind.EXTENSION_REFUSED: "không cho gia hạn",
    EventKind.EXTENSION_WITHDRAWN: "rút xin gia hạn",
    EventKind.HELD: "chờ Văn phòng",
    EventKind.AWAY: "nghỉ đến hết",
    EventKind.BACK: "không nghỉ nữa",
}


def what_words(event: Event, plans: Sequence[Plan]) -> str:
    """Return “1c Quyết định”, with the period of recurring work; else the code alone."""
    key = event.key
    plan = next((p for p in plans if p.id == key.plan), None)
    task = plan.by_code.get(key.task) if plan else None
    # A product that was recorded may be gone from the plan.
    named = (d.name for d in task.deliverables if d.number == key.deliverable) if task else ()
    name = next(iter(named), "")
    period = key.period if "-" in key.period else ""
    year = f"{plan.year}/" if plan and len(plans) > 1 else ""
    return " ".join(part for part in (f"{year}{key.task}", name, period) if part)


SHOWN = 16  # hex digits of a hash, as a digest prints them
NAMED = 3  # heads that are named one by one
_WHAT = {
    "changed": "nội dung mục này đã bị sửa sau khi ghi",
    "missing": "mục này đã bị xóa khỏi sổ",
    "added": "mục này không do chương trình ghi: nó được thêm vào sau",
    "rewritten": "cả sổ đến mục này đã bị viết lại",
}
_TO_DO = (
    "Việc cần làm: dừng `reminder run`; giữ nguyên tệp cơ sở dữ liệu để đối chiếu; tìm bản sao lưu "
    "mới nhất còn nguyên vẹn rồi lấy lại bằng `reminder restore`; xem ai ghi được "
    "vào máy này."
)


def verdict_words(verdict: Verdict, number: int, last: str) -> str:
    """Return whether the ledger is as it was written; `number` and `last`: its head."""
    if verdict.broken is not None:
        return _broken(verdict, verdict.broken)
    entries = f"{number} mục, mã mục cuối {last[:SHOWN]}" if number else "chưa có mục nào"
    return f"Sổ ghi nguyên vẹn: {entries}.\n{_compared_with(verdict.told)}"


def proof_file(notices: Iterable[Notice]) -> bytes:
    """Return the proof of notice as CSV: a row for each message and task of it."""
    return csv_file(list(COLUMNS), [[cell(n) for cell in COLUMNS.values()] for n in notices])


def _compared_with(told: Sequence[Told]) -> str:
    carried = [each for each in told if each.row]
    typed = [each for each in told if not each.row]
    parts = [f"{len(carried)} mã trong các bản tổng hợp đã soạn"] if carried else []
    parts += [f"mã nhập tay {_short(each)}" for each in typed]
    if not parts:
        return (
            "Chưa có mã nào của bản tổng hợp tuần để đối chiếu; mã in trong thư thì nhập tay: "
            "--head SỐ:MÃ."
        )
    hint = "" if typed else " Mã trong thư đã nhận còn chắc hơn: --head SỐ:MÃ."
    return f"Khớp với {' và '.join(parts)}.{hint}"


def _short(told: Told) -> str:
    return f"{told.number}:{told.hash[:SHOWN]}"


def _broken(verdict: Verdict, broken: Broken) -> str:
    """Return what is wrong, where and when, which heads say so, and what to do."""
    since = ""
    if broken.what == "rewritten":
        first = verdict.agreed + 1
        stretch = f"các mục {first}–{broken.number}" if first < broken.number else "mục này"
        since = f" Chỗ sai nằm trong {stretch}."
    sound = verdict.agreed if broken.what == "rewritten" else broken.number - 1
    lines = [
        f"Sổ ghi KHÔNG còn nguyên vẹn, từ mục {broken.number}: {_WHAT[broken.what]}.{since}",
        _around(broken),
        f"{'Các mục 1–' if sound > 1 else 'Mục '}{sound} còn nguyên." if sound else "",
        *[f"Trái với {_named(each)}." for each in verdict.against[:NAMED]],
        f"Và {more} mã nữa." if (more := len(verdict.against) - NAMED) > 0 else "",
        _TO_DO,
    ]
    return "\n".join(filter(None, lines))


def _around(broken: Broken) -> str:
    """Return the times of the events before and after it; a forged row may have any time."""
    before = f"Mục {broken.number - 1} ngay trước ghi lúc {_time(broken.before)}."
    at = {
        "missing": f"Mục còn lại kế tiếp đề {_time(broken.at)}.",
        "added": f"Mục cuối của sổ nay đề {_time(broken.at)}.",
    }.get(broken.what, f"Mục {broken.number} nay đề {_time(broken.at)}.")
    return " ".join([before if broken.before else "", at if broken.at else ""]).strip()


def _time(kept: str) -> str:
    with suppress(ValueError, OverflowError):
        return f"{local(datetime.fromisoformat(kept)):%H:%M %d/%m/%Y}"
    return "giờ không đọc được"


def _named(told: Told) -> str:
    if told.slot is None:
        return f"mã nhập tay {_short(told)}"
    day = vn_date(local_day(told.slot), year=True)
    return f"mã {_short(told)} trong bản tổng hợp {day} (tin số {told.row})"


def _of_work(cell: Callable[[Work], str | int]) -> Callable[[Notice], str | int]:
    return lambda notice: cell(notice.work) if notice.work else ""


# Of the proof: heading, and the cell of a notice.
COLUMNS: Mapping[str, Callable[[Notice], str | int]] = {
    "Tin số": lambda n: n.row.id,
    "Lượt": lambda n: local(n.row.draft.slot).isoformat(),
    "Gửi lúc": lambda n: _second(n.row.sent_at),
    "Mã người nhận": lambda n: n.row.draft.recipient,
    "Người nhận": lambda n: n.name,
    "Kênh": lambda n: n.row.draft.channel,
    "Địa chỉ": lambda n: n.address,
    "Loại tin": lambda n: " ".join(filter(None, (kind_words(n.row.draft.kind), n.said))),
    "Bộ phận": _of_work(lambda w: w.unit),
    "Kế hoạch": _of_work(lambda w: w.key.plan),
    "Mã việc": _of_work(lambda w: w.key.task),
    "Phần": _of_work(lambda w: w.key.deliverable),
    "Kỳ": _of_work(lambda w: w.period),
    "Việc": _of_work(lambda w: w.title),
    "Sản phẩm": _of_work(lambda w: w.product),
    "Hạn": _of_work(lambda w: w.due.isoformat() if w.due else ""),
    "Mốc nhắc": _of_work(lambda w: _stage(w.stage)),
    "Quá hạn (ngày làm việc)": _of_work(lambda w: w.days_late),
    "Tình trạng": lambda n: STATE_WORDS[n.row.state],
    "Số lần gửi": lambda n: n.row.attempts,
    "Mã của nhà cung cấp": lambda n: n.row.provider_id,
    "Ghi chú": lambda n: "; ".join(_remarks(n)),
}


def _second(at: datetime | None) -> str:
    return local(at).isoformat(timespec="seconds") if at else ""


def _stage(text: str) -> str:
    stage = Stage.parse(text)
    if stage.again:
        return "nhắc lại"
    if stage.offset == 0:
        return "đúng hạn"
    ahead = f"trước hạn {-stage.offset} ngày"
    return ahead if stage.offset < 0 else f"quá hạn {stage.offset} ngày làm việc"


def _remarks(notice: Notice) -> Iterable[str]:
    if notice.left_out:
        yield f"không có trong tin: {notice.left_out}"
    if notice.row.repeat:
        yield "có thể đã tới hai lần"
    if notice.row.error and notice.row.state != "sent":
        yield notice.row.error
