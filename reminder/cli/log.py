"""`reminder log`: the events in order; whether the ledger is unchanged; who was told what.

What reads the outbox takes a while to load, so that `--verify` and `--export` import it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reminder.app import bootstrap
from reminder.cli import options
from reminder.cli.options import STATES, Config, day_option, option
from reminder.domain.calendar import local, local_day, vn_date
from reminder.domain.errors import ReminderError
from reminder.domain.ledger import Event, EventKind, absence_of
from reminder.domain.people import Person
from reminder.domain.plan import Key, Plan
from reminder.domain.schedule import Stage
from reminder.domain.text import one_line

if TYPE_CHECKING:
    from reminder.services.proof import Notice, Told, Verdict, Work
    from reminder.store.records import Broken

_WORDS = {
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


EXAMPLES = """Ví dụ: reminder log --task 1c --json

Ví dụ: reminder log --verify --head 123:ab12cd34ef56ab12

Ví dụ: reminder log --export bang-chung.csv --since 2024-01-01 --until 2024-03-31"""


def log(
    task: Annotated[str | None, option("MÃ", "Chỉ việc này: 1c, 1đ, BC.")] = None,
    since: Annotated[date | None, day_option("Từ ngày này.")] = None,
    until: Annotated[date | None, day_option("Đến hết ngày này.")] = None,
    as_json: options.AsJsonLines = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Sổ ghi có còn nguyên vẹn không? Mã thoát 1 nếu không.")
    ] = False,
    head: Annotated[
        list[str] | None,
        option("SỐ:MÃ", "Đối chiếu với mã in trong bản tổng hợp; ghi được nhiều lần."),
    ] = None,
    export: Annotated[
        Path | None, option("TỆP", "Ghi tệp CSV: ai được báo gì, lúc nào, bằng kênh nào.")
    ] = None,
    config: Config = None,
) -> None:
    """Xem tất cả những gì đã ghi, cũ trước mới sau: ai, lúc nào, bằng kênh nào.

    --verify đối chiếu sổ ghi với chuỗi mã của nó và với mã mà các bản tổng hợp đã in. --export ghi
    bằng chứng đã báo, mỗi tin và mỗi việc một dòng, có mã tin của nhà cung cấp và địa chỉ cá nhân.
    docs/security.md nói rõ mỗi thứ chứng minh được gì và không chứng minh được gì.
    """
    if (verify or head) and (task or since or until or as_json or export):
        raise ReminderError("--verify xem cả sổ: xin dùng riêng, chỉ kèm --head và --config")
    if verify or head or export:
        bootstrap.need_database(config)
    if verify or head:
        return _verify(config, head or ())
    if export and as_json:
        raise ReminderError("--export ghi các tin nhắc, --json in các mục của sổ: xin chọn một")
    if since and until and until < since:
        raise ReminderError(f"--until {until} đứng trước --since {since}")
    with bootstrap.office(config) as opened:
        events, plans, people = opened.office.events, opened.office.plans, opened.office.people
    if task is not None:
        work = [e for e in events if not absence_of(e)]
        known = {t.code for plan in plans for t in plan.tasks} | {e.key.task for e in work}
        options.check_code(task, known)

    def wanted(key: Key | None, day: date) -> bool:
        return (
            (task is None or (key is not None and key.task == task))
            and (since is None or day >= since)
            and (until is None or day <= until)
        )

    if export:
        return _export(config, export, wanted)
    shown = [event for event in events if wanted(event.key, local_day(event.at))]
    for event in shown:
        if as_json:
            print(json.dumps(event_fields(event), ensure_ascii=False))
        else:
            print(_line(event, plans, people))
    if not shown and not as_json:
        print("Chưa ghi nhận việc gì.")
    return None


def event_fields(event: Event) -> dict[str, Any]:
    """Return the event under the names of the contract; `until` only where it says something.

    An absence is of no work: it names the person, and the first day as `since`.
    """
    absence = absence_of(event)
    about: dict[str, Any] = event.key._asdict()
    more: dict[str, Any] = {"evidence": event.evidence, "note": event.note}
    if absence:
        since, until = absence.since.isoformat(), absence.until.isoformat()
        about, more = {"person": absence.person, "since": since, "until": until}, {}
    elif event.until:
        more["until"] = event.until.isoformat()
    if event.happened:
        more["day"] = event.happened.isoformat()
        del more["evidence"]
    return {
        "at": local(event.at).isoformat(),
        "event": event.kind.value,
        **about,
        "unit": event.unit,
        "by": event.by,
        "channel": event.channel,
        **more,
    }


def _line(event: Event, plans: Sequence[Plan], people: Mapping[str, Person]) -> str:
    who = people[event.by].name if event.by in people else event.by or "chương trình"
    unit = next((p.by_unit[event.unit].label for p in plans if event.unit in p.by_unit), event.unit)
    parts = [
        f"{local(event.at):%d/%m/%Y %H:%M}",
        _WORDS[event.kind] + (f" {vn_date(event.until, year=True)}" if event.until else ""),
        _whose(event, people) or _what(event, plans),
        unit,
        f"{who} ({event.channel})" if event.channel else who,
        vn_date(event.happened, year=True) if event.happened else event.evidence,
        event.note,
    ]
    return one_line(" · ".join(part for part in parts if part))


def _whose(event: Event, people: Mapping[str, Person]) -> str:
    """Return who is away and from when, for an absence; empty for work."""
    absence = absence_of(event)
    if absence is None:
        return ""
    name = people[absence.person].name if absence.person in people else absence.person
    return f"{name}, từ {vn_date(absence.since, year=True)}"


def _what(event: Event, plans: Sequence[Plan]) -> str:
    """Return “1c Quyết định”, with the period of recurring work; else the code alone."""
    key = event.key
    plan = next((p for p in plans if p.id == key.plan), None)
    task = plan.by_code.get(key.task) if plan else None
    name = ""
    if task and 1 <= key.deliverable <= len(task.deliverables):
        name = task.deliverable(key.deliverable).name
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


def _verify(config: Path | None, typed: Sequence[str]) -> None:
    """Print that the ledger is unchanged; ReminderError says where it is not, and what to do."""
    from reminder.services import proof

    told = [proof.typed(text) for text in typed]
    with bootstrap.database(config) as store:
        verdict = proof.verify(store, told)
        number, last = store.head()
    if verdict.broken is not None:
        raise ReminderError(_broken(verdict, verdict.broken))
    entries = f"{number} mục, mã mục cuối {last[:SHOWN]}" if number else "chưa có mục nào"
    print(f"Sổ ghi nguyên vẹn: {entries}.")
    print(_compared_with(verdict.told))


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


def _kind(notice: Notice) -> str:
    from reminder.messages.context import kind_words

    return " ".join(filter(None, (kind_words(notice.row.draft.kind), notice.said)))


# Of the proof: heading, and the cell of a notice.
COLUMNS: Mapping[str, Callable[[Notice], str | int]] = {
    "Tin số": lambda n: n.row.id,
    "Lượt": lambda n: local(n.row.draft.slot).isoformat(),
    "Gửi lúc": lambda n: _second(n.row.sent_at),
    "Mã người nhận": lambda n: n.row.draft.recipient,
    "Người nhận": lambda n: n.name,
    "Kênh": lambda n: n.row.draft.channel,
    "Địa chỉ": lambda n: n.address,
    "Loại tin": _kind,
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
    "Tình trạng": lambda n: STATES[n.row.state],
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


def _export(config: Path | None, target: Path, wanted: Callable[[Key | None, date], bool]) -> None:
    """Write the proof of notice: who was told what, when, by which channel."""
    from reminder.documents.workbook import csv_file
    from reminder.services import proof

    with bootstrap.office(config) as opened:
        rows = opened.store.rows(limit=proof.EVERY_ROW)
        found = [
            notice
            for notice in proof.notices(opened.office, rows)
            if wanted(notice.work.key if notice.work else None, local(notice.row.draft.slot).date())
        ]
    cells = [[cell(notice) for cell in COLUMNS.values()] for notice in found]
    content = csv_file(list(COLUMNS), cells)
    options.write_file(target, content)
    messages = len({notice.row.id for notice in found})
    print(f"Đã ghi {target}: {len(found)} dòng của {messages} tin.")
