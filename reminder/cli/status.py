"""`reminder status`, `doctor`, `test`, `outbox`: how work and program stand, what to correct."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reminder.app import bootstrap
from reminder.app.bootstrap import Opened
from reminder.app.channels import CHANNELS
from reminder.cli.options import AsJson, AsJsonLines, Commands, Config, iso, option, print_table
from reminder.cli.people import PersonId, known_person
from reminder.domain.calendar import local
from reminder.domain.errors import FileError, ReminderError
from reminder.domain.outbox import STATE_WORDS
from reminder.domain.text import one_line

if TYPE_CHECKING:
    from reminder.doctor import Check
    from reminder.domain.outbox import Row
    from reminder.domain.payloads import Payload
    from reminder.services.quota import Quota
    from reminder.services.status import Fault, StatusSnapshot, Unreachable
    from reminder.store.store import Store

SILENT = (
    "không còn kế hoạch nào nhắc việc, máy sẽ im lặng. Viết kế hoạch năm nay theo "
    "docs/plan-format.md rồi ghi tên tệp vào [plan] files"
)


def status(
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Xem việc đang mở, việc quá hạn, các tin, và ai chưa tin nào tới được."""
    from reminder.services.status import snapshot

    with bootstrap.office(config) as opened:
        found = snapshot(opened.office, opened.store, opened.now)
        if office := opened.store.office:
            from reminder.app.offices import marks_of
            from reminder.store.offices import Stores

            of_all = marks_of(Stores(opened.store), office, found.marks)
            found = replace(found, marks=of_all)
        titles = {traits.name: traits.title for traits in opened.office.known}
        inbox = opened.settings.inbox.is_on
    if as_json:
        print(json.dumps(_as_json(found, inbox=inbox), ensure_ascii=False))
    else:
        _print(found, titles, inbox=inbox)


def _as_json(found: StatusSnapshot, *, inbox: bool) -> dict[str, Any]:
    """Return the fields of the contract; times are the office's."""
    marks = found.marks
    mailbox = {
        "last_look": iso(marks.inbox_looked),
        "unknown": marks.inbox_unknown,
        "forged": marks.inbox_forged,
        "disbelieved_bounces": marks.inbox_bounces,
        "put_aside": marks.inbox_put_aside,
    }
    return {
        "at": iso(found.at),
        "plans": [plan.id for plan in found.plans],
        "open": found.work.open,
        "late": found.work.late,
        "awaiting": found.work.awaiting,
        "outbox": {**found.messages, "unknown": found.repeats},
        "channels": list(found.channels) or ["console"],
        "quotas": {
            channel: {
                "month": f"{quota.month:%Y-%m}",
                "limit": quota.limit,
                "used": quota.used,
                "sent": quota.sent,
                "received": quota.received,
                "percent": quota.percent,
                "refused_until": iso(quota.refused_until),
            }
            for channel, quota in found.quotas.items()
        },
        "down": {channel: iso(since) for channel, since in marks.down.items()},
        "last_tick": iso(marks.last_tick),
        "last_poll": iso(marks.last_poll),
        "not_taken": marks.not_taken,
        "inbox": mailbox if inbox else None,
        "last_backup": iso(marks.last_backup),
        "last_backup_away": iso(marks.last_backup_away),
        "unreachable": [
            {
                "unit": one.unit,
                "person": one.person.id if one.person else "",
                "name": _name(found, one),
                "why": _why(one, {}),
            }
            for one in found.unreachable
        ],
        "headless": list(found.headless),
        "unconfirmed_years": list(found.unconfirmed_years),
    }


def _name(found: StatusSnapshot, one: Unreachable) -> str:
    names = {unit.id: unit.label for plan in found.plans for unit in plan.units}
    return one.person.name if one.person else names[one.unit]


def _why(one: Unreachable, titles: Mapping[str, str]) -> str:
    """Say why each channel does not reach the person; `titles`: the channels' for people."""
    why = (f"{titles.get(each.channel, each.channel)}: {_fault(each)}" for each in one.faults)
    return "; ".join(why) or "không có ai trong people.toml"


def _fault(fault: Fault) -> str:
    from reminder.services.status import Why

    match fault.why:
        case Why.NOT_SET_UP:
            return "chưa cài đặt"
        case Why.NO_ADDRESS:
            return "chưa có địa chỉ"
        case Why.UNBOUND:
            return "chưa gắn"
        case Why.DEAD:
            since = f" từ {local(fault.since):%d/%m/%Y %H:%M}" if fault.since else ""
            return f"hỏng{since}" + (f" ({one_line(fault.reason)})" if fault.reason else "")


def _print(found: StatusSnapshot, titles: Mapping[str, str], *, inbox: bool) -> None:
    work, marks = found.work, found.marks
    print(f"Kế hoạch: {', '.join(plan.id for plan in found.plans) or SILENT}")
    print(f"Việc: {work.open} đang mở, {work.late} quá hạn, {work.awaiting} chưa có hạn")
    counts = {**found.messages, "unknown": found.repeats}
    rows = [f"{count} {STATE_WORDS[state]}" for state, count in counts.items() if count]
    print(f"Tin: {', '.join(rows) or 'chưa có'}")
    for state in ("dead", "unknown"):
        if counts.get(state):
            print(f"  xem: reminder outbox list --state {state}")
    print(f"Kênh: {', '.join(titles[each] for each in found.channels) or titles['console']}")
    for channel, since in marks.down.items():
        print(f"  {titles[channel]} không nhận tin từ {_time(since)}")
    for channel, quota in found.quotas.items():
        print(f"  {titles[channel]} {_quota(quota)}")
    for channel, since in marks.deaf.items():
        print(f"  {titles[channel]} không đưa tin đến từ {_time(since)}")
    asked = [
        f"; hỏi {wiring.traits.title} lần cuối: {_time(marks.polled.get(wiring.traits.name))}"
        for wiring in CHANNELS
        if wiring.polls and wiring.traits.name in found.channels
    ]
    print(f"Lần quét cuối: {_time(marks.last_tick)}{''.join(asked)}")
    if marks.not_taken:
        print(f"Tin đến mà máy gặp lỗi, chưa ghi: {marks.not_taken}; đã báo người nhắn gửi lại")
    if inbox:
        print(
            f"Hộp thư đọc lần cuối: {_time(marks.inbox_looked)}; "
            f"{marks.inbox_unknown} thư chưa hiểu, để nguyên chưa đọc; "
            f"{marks.inbox_forged} thư mạo danh, {marks.inbox_bounces} báo trả thư không tin được "
            "từ trước đến nay"
            + (f"; {marks.inbox_put_aside} thư không đọc được" if marks.inbox_put_aside else "")
        )
    away = f"; ở ổ đĩa khác: {_time(marks.last_backup_away)}" if marks.last_backup_away else ""
    print(f"Bản sao cuối: {_time(marks.last_backup)}{away}")
    for one in found.unreachable:
        who = f"{one.person.id}, {one.unit}" if one.person else one.unit
        print(f"Không tới được: {_name(found, one)} ({who}): {_why(one, titles)}")
    for unit in found.headless:
        print(
            f"Không ai của {unit} nhận được tin: tổng hợp tuần, báo quá hạn và việc xin gia hạn "
            "không tới được ai"
        )
    for year in found.unconfirmed_years:
        print(f"Lịch năm {year} chưa đối chiếu với thông báo nghỉ lễ: xem config/calendar.toml")


def _quota(quota: Quota) -> str:
    used, limit, sent, received = (
        f"{number:,}".replace(",", ".")
        for number in (quota.used, quota.limit, quota.sent, quota.received)
    )
    refused = f"; bị từ chối đến {_time(quota.refused_until)}" if quota.refused_until else ""
    return (
        f"tháng {quota.month:%m/%Y}: {used} trong {limit} tin ({quota.percent} %), "
        f"{sent} gửi, {received} nhận{refused}"
    )


def _time(at: datetime | None) -> str:
    return f"{local(at):%H:%M:%S %d/%m/%Y}" if at else "chưa có"


class CheckPrinter:
    """Prints each check at once, and counts the verdicts."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.counts: Counter[str] = Counter()

    def tell(self, check: Check) -> None:
        self.counts[check.verdict] += 1
        if self.as_json:
            print(json.dumps(asdict(check), ensure_ascii=False), flush=True)
            return
        print(check, flush=True)
        if check.remedy:
            print(f"    → {check.remedy}", flush=True)

    async def tell_all(self, checks: AsyncIterator[Check]) -> None:
        async for check in checks:
            self.tell(check)


def doctor(
    local: Annotated[
        bool, typer.Option("--local", help="Chỉ xem trên máy này, không dùng mạng.")
    ] = False,
    send: Annotated[
        bool, typer.Option("--send", help="Gửi cho mọi người trong danh sách một tin thử.")
    ] = False,
    as_json: AsJsonLines = False,
    config: Config = None,
) -> None:
    """Xem cài đặt, kế hoạch, lịch, dữ liệu, bản sao, ổ đĩa, mã bot, giờ, thư; nói việc cần làm.

    Không sửa gì. Thư thử chỉ gửi tới hộp thư của chính cơ quan; có --send thì mỗi người nhận thêm
    một tin thử bằng từng kênh của mình. Mã thoát 1 nếu có gì hỏng.
    """
    if local and send:
        raise ReminderError("--local không dùng mạng nên không đi cùng --send")
    printer = CheckPrinter(as_json=as_json)
    if run_checks(printer, config, local=local) and send:
        send_tests(printer, config)
    if printer.counts["fault"]:
        raise typer.Exit(1)


def run_checks(printer: CheckPrinter, config: Path | None, *, local: bool = False) -> bool:
    """Print all that can be checked; return whether the settings can be read."""
    # What reads the disk, and httpx, aiosmtplib and imap-tools, are imported where they are used.
    from reminder.doctor import local as on_disk
    from reminder.doctor import province

    of_all = _is_of_all(config)
    for check in province.checks(config) if of_all else on_disk.checks(config, bootstrap.now()):
        printer.tell(check)
    try:
        settings = bootstrap.settings_of(config, secrets=True)
    except ReminderError:  # told above
        return False
    if not local:
        from reminder.doctor import network

        for check in network.checks(settings, bootstrap.now()):
            printer.tell(check)
        if settings.email.is_on:
            asyncio.run(printer.tell_all(network.MailCheck(settings, bootstrap.now).findings()))
    return True


def _is_of_all(config: Path | None) -> bool:
    """Return whether it is asked how all offices of a province are."""
    from reminder.store.offices import has_offices

    try:
        settings = bootstrap.load_settings(config)
        # Before the first office, or while the database is away, the settings tell.
        of_all = bool(settings.province.operators or settings.province.name)
        return not bootstrap.chosen() and (of_all or has_offices(settings.store.url))
    except (ReminderError, OSError):
        return False  # the checks tell why


def send_tests(printer: CheckPrinter, config: Path | None, person: str = "") -> None:
    """Send a test message to the person, or to all; tell what came of it."""
    from reminder.doctor import message

    try:
        with bootstrap.office(config, secrets=True) as opened:
            bootstrap.need_served(opened.store)
            everybody = opened.office.people
            people = [known_person(person, everybody)] if person else list(everybody.values())
            asyncio.run(printer.tell_all(message.findings(opened, people)))
    except FileError:
        if person:
            raise  # else the doctor has told it


def send_test(
    person: PersonId,
    as_json: AsJsonLines = False,
    config: Config = None,
) -> None:
    """Gửi ngay một tin thử cho một người bằng từng kênh của họ, và cho biết kết quả.

    Tin thử không ghi vào sổ. Mã thoát 1 nếu có kênh không gửi được, hoặc không kênh nào gửi được.
    """
    printer = CheckPrinter(as_json=as_json)
    send_tests(printer, config, person)
    if printer.counts["fault"] or not printer.counts["ok"]:
        raise typer.Exit(1)


outbox = Commands(help="Xem các tin; gửi lại hoặc bỏ một tin.")

CODES = 6  # that a line names


# The values of `--state`: the states of a row, and “unknown” for possible repeats.
Shown = StrEnum(
    "Shown", ["pending", "leased", "sent", "returned", "dead", "superseded", "dropped", "unknown"]
)
RowId = Annotated[int, typer.Argument(metavar="SỐ", help="Số của tin trong `outbox list`.")]


@outbox.command("list", epilog="Ví dụ: reminder outbox list --state dead")
def show(
    state: Annotated[
        list[Shown] | None, option("TRẠNG-THÁI", "Chỉ những tin này; ghi được nhiều lần.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="SỐ", help="Nhiều nhất bấy nhiêu.")] = 100,
    config: Config = None,
) -> None:
    """Xem các tin, mới nhất trước: nội dung, người nhận, kênh, trạng thái và lý do.

    Trạng thái: pending (chờ gửi), leased (đang gửi), sent (đã gửi), returned (thư bị trả lại),
    dead (không gửi được), superseded (không cần gửi nữa), dropped (đã bỏ), unknown (có thể đã
    đến hai lần).
    """
    with bootstrap.office(config) as opened:
        rows = _rows(opened.store, state or (), limit)
        glance = _glance(opened)
        titles = {traits.name: traits.title for traits in opened.office.known}
        cells = [_cells(row, *glance(row), titles) for row in rows]
    headers = ("Số", "Giờ", "Nội dung", "Người nhận", "Kênh", "Trạng thái", "Lần", "Ghi chú")
    print_table(headers, cells) if cells else print("Không có tin nào.")


def _rows(store: Store, shown: Sequence[Shown], limit: int) -> list[Row]:
    from reminder.domain.outbox import RowState

    states = [RowState(each.value) for each in shown if each is not Shown.unknown]
    if Shown.unknown not in shown:
        return store.rows(states=states, limit=limit)
    every = store.rows(limit=100_000)  # of several years
    return [row for row in every if row.repeat or row.state in states][:limit]


def _glance(opened: Opened) -> Callable[[Row], tuple[str, str]]:
    """Return the subject and the recipient of a row."""
    # Payloads and templates take a while to load.
    from reminder.domain.payloads import Items
    from reminder.messages.context import kind_words
    from reminder.messages.rows import RowRenderer
    from reminder.services.office import STRANGER

    renderer = RowRenderer()
    context = renderer.context(opened.office, opened.now)

    def about(row: Row) -> str:
        kind = kind_words(row.draft.kind)
        payload = row.draft.payload
        items = payload.items if isinstance(payload, Items) else ()
        codes = list(dict.fromkeys(item.key.task for _, item in items))
        if codes:
            more = f" và {len(codes) - CODES} việc nữa" if len(codes) > CODES else ""
            return f"{kind} {', '.join(codes[:CODES])}{more}"
        if row.draft.kind not in ("reply", "notice"):
            return kind
        try:
            message = renderer.render(opened.office, opened.now, row)
        except Exception:  # noqa: BLE001  a row of an older program must not hide the others
            message = None
        return f"{kind}: {message.subject if message else _view(payload)}"

    def to_whom(recipient: str) -> str:
        if recipient.startswith(STRANGER):
            return f"người lạ ({recipient.removeprefix(STRANGER)})"
        name = context.name(recipient)
        return name if name == recipient else f"{name} ({recipient})"

    return lambda row: (about(row), to_whom(row.draft.recipient))


def _view(payload: Payload) -> str:
    from reminder.domain.payloads import Unreadable

    return str(payload.raw.get("view")) if isinstance(payload, Unreadable) else payload.view


def _cells(row: Row, about: str, to_whom: str, titles: Mapping[str, str]) -> tuple[object, ...]:
    notes = [
        row.error,
        f"gửi {local(row.sent_at):%d/%m %H:%M:%S}" if row.sent_at else "",
        f"thử lại {local(row.due_at):%d/%m %H:%M:%S}"
        if row.state == "pending" and row.attempts
        else "",
        "có thể đã đến hai lần" if row.repeat else "",
    ]
    draft = row.draft
    return (
        row.id,
        f"{local(draft.slot):%d/%m/%Y %H:%M}",
        about,
        to_whom,
        titles.get(draft.channel, draft.channel),
        STATE_WORDS[row.state],
        row.attempts,
        "; ".join(note for note in notes if note),
    )


@outbox.command(epilog="Ví dụ: reminder outbox retry 17")
def retry(row: RowId, config: Config = None) -> None:
    """Gửi lại ngay một tin không gửi được (dead), bị trả lại (returned) hoặc đã bỏ (dropped)."""
    with bootstrap.office(config) as office:
        if not office.store.revive(row, office.now):
            raise ReminderError(
                f"tin số {row} không có, hoặc không phải tin không gửi được, bị trả lại hay đã bỏ"
            )
    print(f"Tin số {row} sẽ được gửi lại ngay.")


@outbox.command(epilog="Ví dụ: reminder outbox drop 17")
def drop(row: RowId, config: Config = None) -> None:
    """Bỏ một tin đang chờ (pending) hoặc không gửi được (dead): tin ấy không gửi nữa."""
    with bootstrap.office(config) as office:
        if not office.store.drop(row):
            raise ReminderError(
                f"tin số {row} không có, hoặc không phải tin đang chờ hay không gửi được"
            )
    print(f"Đã bỏ tin số {row}.")
