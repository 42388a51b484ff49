"""Checks of a province as a whole: its server, processes, offices, accounts and copies."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from reminder.app import bootstrap
from reminder.doctor import Check, fault, ok, warn
from reminder.doctor.local import account_faults, around, copies, faulty, read_settings, waits
from reminder.doctor.postgres import server
from reminder.domain.errors import ReminderError
from reminder.ops.backups import Backups
from reminder.ops.supervisor import SharedClock
from reminder.services.status import marks
from reminder.store.accounts import Accounts
from reminder.store.offices import Stores

SLOW = timedelta(minutes=10)  # since the oldest message was due, from which on to warn
_NAMED = 20  # offices with faults


def checks(config: Path | None) -> Iterator[Check]:
    """Yield the results for a province; nothing is changed."""
    settings = yield from read_settings(config)
    if settings is None:
        return
    copied = bootstrap.backups(settings)
    if not settings.province.operators:
        words = "Chưa ghi ai là người quản trị của tỉnh: không ai xem được trang của tỉnh."
        yield warn("operators", words, "ghi [province] operators, địa chỉ thư của họ")
    try:
        with bootstrap.all_offices(settings) as one:
            yield from _database(Stores(one), copied, bootstrap.time_of(one))
    except ReminderError as error:
        yield fault("database", f"Không đọc được dữ liệu: {error.vietnamese}.", "xem docs/scale.md")
    yield from around(settings, config, copied)


def _database(stores: Stores, copied: Backups | None, now: datetime) -> Iterator[Check]:
    yield from _offices(stores, now)
    yield from _accounts(stores)
    yield _queue(stores, now)
    yield from _clocks(stores, now)
    if stores.database.path is None:
        yield from server(stores.database, is_copied=copied is not None, is_many=True)
    if copied is not None:
        noted = marks(stores.of(""), ())
        yield from copies(copied, noted.last_backup, noted.last_backup_away, now)


def _offices(stores: Stores, now: datetime) -> Iterator[Check]:
    offices = stores.offices()
    yield waits(offices, now) or ok("daemon", f"{len(offices)} phường được quét đúng giờ.")
    wrong = [one for one in offices if one.fault]
    for one in wrong[:_NAMED]:
        yield faulty(one)
    if len(wrong) > _NAMED:
        words = f"Còn {len(wrong) - _NAMED} phường nữa không quét được."
        yield fault("office", words, "reminder office list kể hết")


def _accounts(stores: Stores) -> Iterator[Check]:
    accounts, heard = stores.accounts(), stores.heard()
    used = {account for _, _, account in stores.links()}
    found = [check for one in accounts for check in account_faults(one, heard.get(one.id))]
    yield from found
    if idle := [one.id for one in accounts if one.id not in used]:
        words = f"Tài khoản chưa phường nào dùng: {', '.join(idle)}."
        yield warn("account-unused", words, "reminder office account link PHƯỜNG TÀI-KHOẢN")
    if not found:
        yield ok("accounts", f"{len(accounts)} tài khoản gửi và nhận được.")


def _clocks(stores: Stores, now: datetime) -> Iterator[Check]:
    here = SharedClock(bootstrap.SystemClock(), Accounts(stores.database).time)
    here.compare()
    wrong = stores.wrong_clocks(now)
    if here.is_wrong:
        wrong[platform.node()] = here.ahead
    for machine, ahead in sorted(wrong.items()):
        seconds = round(ahead.total_seconds())
        off = f"{'nhanh' if seconds > 0 else 'chậm'} {abs(seconds)} giây"
        words = f"Đồng hồ của máy {machine} {off} so với đồng hồ của PostgreSQL, mà cả tỉnh theo."
        yield warn("clock", words, "bật NTP ở máy ấy và ở máy chủ PostgreSQL")
    if not wrong:
        yield ok("clock", "Đồng hồ các máy và của PostgreSQL khớp nhau.")


def _queue(stores: Stores, now: datetime) -> Check:
    queues = Accounts(stores.database).queues(now)
    old = [queue for queue in queues if now - queue.since > SLOW]
    if not old:
        return ok("queue", f"{sum(queue.due for queue in queues)} tin đang đến lượt gửi.")
    told = ", ".join(f"{one.account} {one.due} tin" for one in old)
    words = f"Tin chờ gửi đã hơn {SLOW.seconds // 60} phút: {told}."
    return fault(
        "queue", words, "cho tiến trình reminder run --role worker chạy; xem nhật ký của nó"
    )
