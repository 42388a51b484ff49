"""Mails to the operators of a province: what has failed for long, and what does no more.

An office is told of its own trouble by its own channels; this is of all offices and accounts.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from reminder.app.channels import CHANNELS
from reminder.channels import Channel
from reminder.domain.calendar import local
from reminder.domain.errors import ReminderError
from reminder.domain.outbox import Outbound, SendError
from reminder.files.settings import account_section, environment, secret_of
from reminder.province.cache import OfficeCache
from reminder.province.process import Part, Province
from reminder.store.accounts import Accounts
from reminder.store.offices import Account, Heard, OfficeRecord, Stores

OPERATORS = "operators"  # the engine's role, and the mark of what they were told
LOOK = 60.0  # seconds
AT_MOST = timedelta(hours=1)  # a mail; what happens meanwhile is gathered
SLOW = timedelta(minutes=30)  # since the first of an account's messages was due
NAMED = 20  # troubles of a mail; of more their number
MAIL = next(wiring for wiring in CHANNELS if wiring.traits.mail)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """What fails of an account or an office, in words."""

    name: str  # stable, as of a check of `doctor`
    of: str  # the account's or office's id
    since: datetime
    sentence: str
    remedy: str

    @property
    def key(self) -> str:
        return f"{self.name} {self.of}"


def of_account(account: Account, heard: Heard | None) -> Iterator[Trouble]:
    """Yield what fails of an account, as its processes have noted it."""
    name = f"Tài khoản {account.id} ({account.kind})"
    if account.down_since:
        words = f"{name} không gửi được từ {local(account.down_since):%H:%M %d/%m/%Y}"
        yield Trouble(
            name="account-down", of=account.id, since=account.down_since,
            sentence=f"{words}: {account.down_reason}",
            remedy=f"sửa rồi máy tự thử lại; đổi: reminder office account set {account.id}",
        )  # fmt: skip
    if heard is not None and heard.deaf_since:
        words = f"{name} không nhận được tin từ {local(heard.deaf_since):%H:%M %d/%m/%Y}"
        yield Trouble(
            name="account-deaf", of=account.id, since=heard.deaf_since,
            sentence=f"{words}: {heard.reason}", remedy="xem nhật ký của worker",
        )  # fmt: skip


def of_office(record: OfficeRecord) -> Trouble:
    """Return the trouble that keeps an office from being ticked."""
    since = f" từ {local(record.fault_since):%H:%M %d/%m/%Y}" if record.fault_since else ""
    return Trouble(
        name="office", of=record.id, since=record.fault_since or record.made_at,
        sentence=f"{record.name} ({record.id}) không quét được{since}: {record.fault}",
        remedy=f"xem reminder office show {record.id}; sửa thì máy tự quét lại",
    )  # fmt: skip


def troubles(stores: Stores, now: datetime) -> list[Trouble]:
    """Return what fails of all accounts and offices, the oldest first."""
    heard = stores.heard()
    found = [one for each in stores.accounts() for one in of_account(each, heard.get(each.id))]
    down = {one.of for one in found if one.name == "account-down"}
    for queue in Accounts(stores.database).queues(now):
        if now - queue.since > SLOW and queue.account not in down:
            since = f"{local(queue.since):%H:%M %d/%m/%Y}"
            found.append(Trouble(
                name="queue", of=queue.account, since=queue.since,
                sentence=f"Tài khoản {queue.account} còn {queue.due} tin chờ gửi từ {since}",
                remedy="xem tiến trình reminder run --role worker có chạy không",
            ))  # fmt: skip
    if stores.faulty():
        found += [of_office(each) for each in stores.offices() if each.fault]
    return sorted(found, key=lambda one: one.since)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the operators know: the troubles by key, in words, and when they were written to."""

    mailed: datetime | None = None
    known: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, kept: str | None) -> Told:
        """Return what was kept; nothing where it was altered."""
        try:
            found = json.loads(kept or "{}")
            mailed = found.get("mailed")
            return cls(
                mailed=datetime.fromisoformat(mailed) if mailed else None,
                known={str(key): str(words) for key, words in found.get("known", {}).items()},
            )
        except (ValueError, TypeError, AttributeError):
            return cls()

    def written(self) -> str:
        """Return it as it is kept."""
        mailed = self.mailed.isoformat() if self.mailed else ""
        return json.dumps({"mailed": mailed, "known": self.known}, ensure_ascii=False)


@dataclass(frozen=True, kw_only=True)
class News:
    """What a mail tells, and what the operators know then."""

    begun: tuple[Trouble, ...]
    over: tuple[str, ...]
    known: Mapping[str, str]

    def message(self, province: str, page: str) -> Outbound:
        """Return the mail."""
        many = f"{len(self.begun)} trục trặc" if self.begun else "đã hết trục trặc"
        parts = []
        if self.begun:
            told = [f"• {one.sentence}\n  → {one.remedy}" for one in self.begun]
            parts.append("\n".join(["Đang có trục trặc:", *_named(told)]))
        if self.over:
            parts.append("\n".join(["Đã hết:", *_named([f"• {words}" for words in self.over])]))
        if before := len(self.known) - len(self.begun):
            parts.append(f"Còn {before} trục trặc đã báo trước đây, chưa hết.")
        where = f"{page} hoặc reminder doctor" if page else "reminder doctor"
        parts.append(f"Xem mọi trục trặc: {where}. Mỗi giờ nhiều nhất một thư như thế này.")
        subject = f"Nhắc việc {province or 'nhiều phường'}: {many}"
        return Outbound(subject=subject, html="", text="\n\n".join(parts))


def _named(lines: list[str]) -> list[str]:
    more = len(lines) - NAMED
    return lines if more <= 0 else [*lines[:NAMED], f"• và {more} trục trặc nữa"]


def news(told: Told, found: Iterable[Trouble], now: datetime, patience: timedelta) -> News | None:
    """Return what the operators are to be told now; None: nothing.

    Each trouble once it has lasted for `patience`, and once when it is over; a mail an hour.
    """
    if told.mailed and timedelta(0) <= now - told.mailed < AT_MOST:
        return None
    here = {one.key: one for one in found}
    begun = tuple(
        one for key, one in here.items() if key not in told.known and now - one.since >= patience
    )
    over = tuple(words for key, words in told.known.items() if key not in here)
    if not begun and not over:
        return None
    known = {key: words for key, words in told.known.items() if key in here}
    return News(begun=begun, over=over, known=known | {one.key: one.sentence for one in begun})


async def write_to(
    do: Callable[[Callable[[], Any]], Awaitable[Any]],
    cache: OfficeCache,
    now: Callable[[], datetime],
    address: str,
    message: Outbound,
    key: str,
) -> None:
    """Send a mail of no office by the first account that takes it, those that work first.

    ReminderError, SendError or OSError where none does. `do` runs work in the store's thread.
    """
    kind, message = MAIL.traits.name, replace(message, automatic=True)
    error: Exception = ReminderError(
        f"there is no account of kind {kind}: reminder office account add"
    )
    accounts: list[Account] = await do(cache.stores.accounts)
    for account in sorted(accounts, key=lambda each: each.down_since is not None):
        if account.kind != kind:
            continue
        try:
            channel: Channel = await do(partial(_connected, cache, account, now))
            try:
                await channel.send(address, message, key)
            finally:
                await channel.stop()
        except (ReminderError, SendError, OSError) as failed:
            error = failed
        else:
            return
    raise error


def _connected(cache: OfficeCache, account: Account, now: Callable[[], datetime]) -> Channel:
    values, secret = json.loads(account.settings), secret_of(account.secret, environment())
    section = account_section(account.kind, values, secret, account.id)
    settings = replace(cache.base, **{account.kind: section})
    return MAIL.connect(settings, cache.stores.of(""), now)


def part(province: Province) -> Part:
    """Return what the role tick does to tell the operators: one process of all."""
    settings, worker = province.settings, province.worker
    section, patience = settings.province, settings.delivery.tell_after
    if not section.operators:
        return Part()
    store, now = province.stores.of(""), province.clock.now
    what = "a mail to the operators"

    def looked() -> tuple[Told, News | None]:
        at = now()
        told = Told.read(store.meta(OPERATORS))
        return told, news(told, troubles(province.stores, at), at, patience)

    async def look(_: str) -> None:
        told, found = await province.do(looked)
        if found is None:
            return
        message = found.message(section.name, settings.web.url if settings.web.is_on else "")
        key = f"{OPERATORS}:{told.mailed}"  # if this ends before it is kept, the same mail again
        sent = False
        for address in section.operators:
            try:
                await write_to(province.do, province.cache, now, address, message, key)
            except (ReminderError, SendError, OSError) as error:
                worker.troubles.fails(f"{what} ({address})", error)
            else:
                worker.troubles.over(f"{what} ({address})")
                sent = True
        if sent:
            kept = Told(mailed=now(), known=found.known).written()
            await worker.retry(what, partial(store.set_meta, OPERATORS, kept))

    return Part(handlers={OPERATORS: look}, every=((LOOK, OPERATORS, ""),))
