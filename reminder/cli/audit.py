"""`reminder log --verify` and `--export`: is the ledger unchanged, and who was told what."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

from reminder.app import bootstrap
from reminder.cli.options import STATES
from reminder.documents.csv import Cell, csv_file
from reminder.domain.calendar import local
from reminder.domain.errors import ReminderError
from reminder.domain.outbox import RowState
from reminder.domain.periods import vn_date
from reminder.domain.schedule import Stage, local_day
from reminder.messages.wording import kind_words
from reminder.services import proof
from reminder.services.proof import Notice, Told, Verdict, Work, notices
from reminder.store.records import Broken

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


def verify(config: Path | None, typed: Sequence[str]) -> None:
    """Print that the ledger is unchanged; ReminderError says where it is not, and what to do."""
    told = [proof.typed(text) for text in typed]
    with bootstrap.database(config) as store:
        verdict = proof.verify(store, told)
        number, last = store.head()
    if verdict.broken is not None:
        raise ReminderError(_broken(verdict, verdict.broken))
    print(f"Sổ ghi nguyên vẹn: {_entries(number, last)}.")
    print(_held_against(verdict.told))


def _entries(number: int, last: str) -> str:
    return f"{number} mục, mã mục cuối {last[:SHOWN]}" if number else "chưa có mục nào"


def _held_against(told: Sequence[Told]) -> str:
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
    """What is wrong, where and when, which heads say so, and what to do."""
    since = ""
    if broken.what == "rewritten":
        first = verdict.agreed + 1
        stretch = f"các mục {first}–{broken.number}" if first < broken.number else "mục này"
        since = f" Chỗ sai nằm trong {stretch}."
    sound = verdict.agreed if broken.what == "rewritten" else broken.number - 1
    lines = [
        f"Sổ ghi KHÔNG còn nguyên vẹn, từ mục {broken.number}: {_WHAT[broken.what]}.{since}",
        _when(broken),
        f"{_up_to(sound)} còn nguyên." if sound else "",
        *[f"Trái với {_named(each)}." for each in verdict.against[:NAMED]],
        f"Và {more} mã nữa." if (more := len(verdict.against) - NAMED) > 0 else "",
        _TO_DO,
    ]
    return "\n".join(filter(None, lines))


def _up_to(number: int) -> str:
    return f"Các mục 1–{number}" if number > 1 else "Mục 1"


def _when(broken: Broken) -> str:
    """The times of the events before and after it; a forged row may have any time."""
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


def _of_work(cell: Callable[[Work], Cell]) -> Callable[[Notice], Cell]:
    return lambda notice: cell(notice.work) if notice.work else ""


# Of the proof: heading, and the cell of a notice.
COLUMNS: Mapping[str, Callable[[Notice], Cell]] = {
    "Tin số": lambda n: n.row,
    "Lượt": lambda n: n.slot.isoformat(),
    "Gửi lúc": lambda n: n.sent_at.isoformat(timespec="seconds") if n.sent_at else "",
    "Mã người nhận": lambda n: n.recipient,
    "Người nhận": lambda n: n.name,
    "Kênh": lambda n: n.channel,
    "Địa chỉ": lambda n: n.address,
    "Loại tin": lambda n: " ".join(filter(None, (kind_words(n.kind), n.said))),
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
    "Tình trạng": lambda n: STATES[n.state],
    "Số lần gửi": lambda n: n.attempts,
    "Mã của nhà cung cấp": lambda n: n.provider_id,
    "Ghi chú": lambda n: "; ".join(_remarks(n)),
}


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
    if notice.repeat:
        yield "có thể đã tới hai lần"
    if notice.error and notice.state is not RowState.SENT:
        yield notice.error


def export(
    config: Path | None, target: Path, task: str | None, since: date | None, until: date | None
) -> None:
    """Write the proof of notice: who was told what, when, by which channel."""
    with bootstrap.office(config) as opened:
        rows = opened.store.rows(limit=proof.EVERY_ROW)
        found = _chosen(notices(opened.office, rows), task, since, until)
    cells = [[cell(notice) for cell in COLUMNS.values()] for notice in found]
    _write(target, csv_file(list(COLUMNS), cells))
    messages = len({notice.row for notice in found})
    print(f"Đã ghi {target}: {len(found)} dòng của {messages} tin.")


def _chosen(
    found: Iterable[Notice], task: str | None, since: date | None, until: date | None
) -> list[Notice]:
    return [
        notice
        for notice in found
        if (task is None or (notice.work is not None and notice.work.key.task == task))
        and (since is None or notice.slot.date() >= since)
        and (until is None or notice.slot.date() <= until)
    ]


def _write(target: Path, content: bytes) -> None:
    """Write the file atomically and for its owner only, since it holds people's addresses."""
    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(content)
        part.replace(target)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise ReminderError(f"không ghi được {target}: {error.strerror or error}") from error
