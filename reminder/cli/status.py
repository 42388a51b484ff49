"""`reminder status`: how the work and the program stand, on one page, without a secret."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from reminder.app import bootstrap
from reminder.app.channels import channel_names
from reminder.cli.options import Config
from reminder.domain.calendar import local
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler, local_day
from reminder.services import recipients
from reminder.services.office import CONSOLE
from reminder.services.recipients import Why
from reminder.services.status import of_work
from reminder.store.records import BACKED_UP, BACKED_UP_AWAY

if TYPE_CHECKING:
    from reminder.store.store import Store

SILENT = (
    "không còn kế hoạch nào nhắc việc, máy sẽ im lặng. Viết kế hoạch năm nay theo "
    "docs/plan-format.md rồi ghi tên tệp vào [plan] files"
)
STATES = {  # of the outbox; the key is what `outbox list --state` takes
    "pending": "chờ gửi",
    "leased": "đang gửi",
    "sent": "đã gửi",
    "dead": "không gửi được",
    "superseded": "không cần gửi nữa",
    "dropped": "đã bỏ",
    "unknown": "có thể đã đến hai lần",
}


@dataclass(frozen=True, kw_only=True)
class Unreachable:
    """Somebody, or a unit, whom no message reaches."""

    unit: str
    person: str  # empty: the unit has nobody
    name: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """How reading answers by mail stands."""

    last_look: str | None
    unknown: int  # mails that are left unread in the folder, for a person
    forged: int  # of all so far, those that pretended to be an answer


@dataclass(frozen=True, kw_only=True)
class Status:
    """What `--json` prints; times are the office's."""

    at: str
    plans: list[str]  # those that still speak
    open: int  # not closed, and begun: as the digest counts; the late and the awaiting among them
    late: int
    awaiting: int  # without a date
    outbox: dict[str, int]  # by state, and “unknown”: those that may have been sent twice
    channels: list[str]
    down: dict[str, str]  # channel → since when it refuses everything
    last_tick: str | None
    last_poll: str | None
    inbox: Inbox | None  # None: no [inbox]
    last_backup: str | None  # the last daily copy
    last_backup_away: str | None  # in the second folder
    unreachable: list[Unreachable]
    headless: list[str]  # offices of which nobody is reached: nobody decides, nobody is told
    unconfirmed_years: list[int]  # the calendar of these was not checked by anybody


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Một đối tượng JSON.")] = False,
    config: Config = None,
) -> None:
    """Xem việc đang mở, việc quá hạn, các tin, và ai chưa tin nào tới được."""
    with bootstrap.office(config) as office:
        store = office.store
        channels = [c for c in channel_names(office.settings) if c != CONSOLE]
        plans = office.office.speaking(office.now)
        cut_off = recipients.unreachable(office.office, plans)
        work = of_work(office.office, office.now)
        found = Status(
            at=_local(office.now.isoformat()) or "",
            plans=[plan.id for plan in plans],
            open=work.open,
            late=work.late,
            awaiting=work.awaiting,
            outbox=store.counts(),
            channels=channels or [CONSOLE],
            down={c: since for c in channels if (since := _local(store.meta(f"down:{c}")))},
            last_tick=_local(store.meta("last_tick")),
            last_poll=_local(store.meta("last_poll")),
            last_backup=_local(store.meta(BACKED_UP)),
            last_backup_away=_local(store.meta(BACKED_UP_AWAY)),
            inbox=_inbox(store) if office.settings.inbox.is_on else None,
            unreachable=_told(plans, cut_off),
            headless=recipients.headless(office.office, plans),
            unconfirmed_years=_unconfirmed(plans, office.scheduler, office.now),
        )
    print(json.dumps(asdict(found), ensure_ascii=False)) if as_json else _print(found)


def _inbox(store: Store) -> Inbox:
    return Inbox(
        last_look=_local(store.meta("inbox:last_look")),
        unknown=int(store.meta("inbox:unknown") or 0),
        forged=int(store.meta("inbox:forged") or 0),
    )


def _unconfirmed(plans: Sequence[Plan], scheduler: Scheduler, now: datetime) -> list[int]:
    used = {local_day(now).year, *(plan.year for plan in plans)}
    return sorted(used & set(scheduler.calendar.unconfirmed))


def _told(plans: Sequence[Plan], found: Sequence[recipients.Unreachable]) -> list[Unreachable]:
    names = {unit.id: unit.label for plan in plans for unit in plan.units}
    return [
        Unreachable(
            unit=one.unit,
            person=one.person.id if one.person else "",
            name=one.person.name if one.person else names[one.unit],
            why="; ".join(map(_why, one.faults)) or "không có ai trong people.toml",
        )
        for one in found
    ]


def _why(fault: recipients.Fault) -> str:
    match fault.why:
        case Why.NOT_SET_UP:
            return f"{fault.channel}: chưa cài đặt"
        case Why.NO_ADDRESS:
            return f"{fault.channel}: chưa có địa chỉ"
        case Why.UNBOUND:
            return f"{fault.channel}: chưa gắn"
        case Why.DEAD:
            since = f" từ {local(fault.since):%d/%m/%Y %H:%M}" if fault.since else ""
            return f"{fault.channel}: hỏng{since}" + (f" ({fault.reason})" if fault.reason else "")


def _local(stamp: str | None) -> str | None:
    return local(datetime.fromisoformat(stamp)).isoformat(timespec="seconds") if stamp else None


def _print(found: Status) -> None:
    print(f"Kế hoạch: {', '.join(found.plans) or SILENT}")
    print(f"Việc: {found.open} đang mở, {found.late} quá hạn, {found.awaiting} chưa có hạn")
    rows = [f"{n} {STATES[state]} ({state})" for state, n in found.outbox.items() if n]
    print(f"Tin: {', '.join(rows) or 'chưa có'}")
    for state in ("dead", "unknown"):
        if found.outbox.get(state):
            print(f"  xem: reminder outbox list --state {state}")
    print(f"Kênh: {', '.join(found.channels)}")
    for channel, since in found.down.items():
        print(f"  {channel} không nhận tin từ {_words(since)}")
    ticked, polled = _words(found.last_tick), _words(found.last_poll)
    print(f"Lần quét cuối: {ticked}; hỏi Telegram lần cuối: {polled}")
    if found.inbox is not None:
        print(
            f"Hộp thư đọc lần cuối: {_words(found.inbox.last_look)}; "
            f"{found.inbox.unknown} thư chưa hiểu, để nguyên chưa đọc; "
            f"{found.inbox.forged} thư mạo danh từ trước đến nay"
        )
    away = f"; ở ổ đĩa khác: {_words(found.last_backup_away)}" if found.last_backup_away else ""
    print(f"Bản sao cuối: {_words(found.last_backup)}{away}")
    for one in found.unreachable:
        who = f"{one.name} ({one.person}, {one.unit})" if one.person else f"{one.name} ({one.unit})"
        print(f"Không tới được: {who}: {one.why}")
    for unit in found.headless:
        print(
            f"Không ai của {unit} nhận được tin: tổng hợp tuần, báo quá hạn và việc xin gia hạn "
            "không tới được ai"
        )
    for year in found.unconfirmed_years:
        print(f"Lịch năm {year} chưa đối chiếu với thông báo nghỉ lễ: xem config/calendar.toml")


def _words(stamp: str | None) -> str:
    return f"{datetime.fromisoformat(stamp):%H:%M:%S %d/%m/%Y}" if stamp else "chưa có"
