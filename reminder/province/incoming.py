"""What people write to the accounts of a province: whose it is, and that it is taken once.

One bot may serve many offices. A message is for the office in which its writer is bound; of several
for the one whose message it answers, whose button was pressed, or who said something last; where
that does not tell, the writer is asked. An invitation's code leads to the office that issued it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from reminder.app.channels import RECEIVING
from reminder.app.logs import bound
from reminder.channels import Webhook
from reminder.domain.context import Inbound
from reminder.domain.errors import ReminderError
from reminder.domain.outbox import Row, RowState, SendError
from reminder.domain.payloads import OFFICE_BUTTON, WhichOffice, parts_of
from reminder.domain.tokens import (
    hash_code,
    hash_typed_code,
    is_typed_code,
    webhook_secret,
)
from reminder.files.settings import account_section, environment, secret_of
from reminder.province.process import Part, Province
from reminder.services.deliver import MAILBOX
from reminder.services.history import sent_as
from reminder.services.limits import Allowance
from reminder.services.service import Service
from reminder.store.offices import (
    BOT_NAME,
    DEAF,
    DELIVERED,
    LOOKED,
    POLLED,
    Account,
    deafness,
)
from reminder.store.records import NOT_TAKEN, StoreBusyError
from reminder.store.senders import Owner, Senders
from reminder.understanding.parse import chosen

if TYPE_CHECKING:
    from reminder.channels.email.receive import MailListener

log = logging.getLogger(__name__)

PLACE = "/vao/"  # of the page: beneath it providers post, at KIND/ACCOUNT
# The engine's roles.
POLL, HOOK, MAILBOX_ROLE, ACCOUNTS = "poll", "hook", "mailbox", "accounts"
SAID_WITHIN = timedelta(days=30)  # a message before that is no beginning of a conversation
# Messages of two offices that come within this time: what is written after them may answer either.
AT_ONE_TIME = timedelta(hours=12)
NEWEST = 20  # rows to one person that are looked through for the last message
FRESH = 10.0  # seconds for which the accounts are not read again
LOOK = 30.0  # seconds between two looks at which accounts there are
SILENT = timedelta(seconds=150)  # without a poll, after which an account is polled anew
LOOK_AT_WEBHOOK = timedelta(minutes=5)
NOTE = timedelta(seconds=30)  # a poll or delivery is noted no more often
STINT = 300.0  # seconds for which a process polls an account before another may
KEPT = 256  # accounts that a process has connections for
GUESSES = partial(Allowance, 5, timedelta(hours=1))  # of typed codes, by sender and process


class Choice(NamedTuple):
    """Whose a message is."""

    office: str
    inbound: Inbound  # as it is handed to the office
    among: tuple[str, ...] = ()  # the offices of which it may be; asked for where there are any


@dataclass
class Receiver:
    """Takes messages of all accounts. What begins with an underscore runs in the store's thread."""

    province: Province
    names: dict[str, str] = field(default_factory=dict)  # account → as its provider knows the bot
    guesses: Allowance = field(default_factory=GUESSES)

    def __post_init__(self) -> None:
        self._senders = Senders(self.province.stores.database)

    async def take(self, account: str, inbound: Inbound) -> bool:
        """Record a message and its result; return whether it was acted on or answered."""
        work = partial(self._take, account, self._of_account(account, inbound))
        done = await self.province.worker.retry("an incoming message", work)
        if done is None:
            raise asyncio.CancelledError  # the end: it must not be confirmed
        taken, accounts = done
        await self._wake(accounts)
        return taken

    async def not_taken(self, account: str, inbound: Inbound, *, comes_again: bool = False) -> None:
        """Count a message that could not be taken, and tell its sender.

        ReminderError where its office can't be served and it `comes_again`.
        """
        given = self._of_account(account, inbound)
        work = partial(self._not_taken, account, given, comes_again=comes_again)
        accounts = await self.province.worker.retry("an incoming message", work)
        if accounts is None:
            raise asyncio.CancelledError
        await self._wake(accounts)

    @staticmethod
    def _of_account(account: str, inbound: Inbound) -> Inbound:
        """Two bots may count their updates alike; Message-IDs of mails are unique."""
        if inbound.channel not in RECEIVING:
            return inbound
        return replace(inbound, update=f"{account}:{inbound.update}")

    async def _wake(self, accounts: Iterable[str]) -> None:
        for account in accounts:
            try:
                await self.province.engine.wake("send", account)
            except ReminderError as error:  # what waits is found by the next sweep
                log.warning("account %s was not woken: %s", account, error)

    def _take(self, account: str, inbound: Inbound) -> tuple[bool, tuple[str, ...]]:
        """Handle a message; return whether it was taken, and the accounts that have to send."""
        now = self.province.clock.now()
        choice = self.whose(account, inbound, now)
        if choice is None:
            return False, ()
        with bound(office=choice.office):
            return self._handle(account, inbound, choice, now)

    def _handle(
        self, account: str, inbound: Inbound, choice: Choice, now: datetime
    ) -> tuple[bool, tuple[str, ...]]:
        service = self._service(choice.office, account, inbound)
        if choice.among:
            known = ((each, self.province.stores.office(each)) for each in choice.among)
            names = tuple((each, found.name if found else each) for each, found in known)
            asked = WhichOffice(offices=names, words=inbound.text, update=inbound.update)
            outcome = service.answer(choice.inbound, asked, now)
        else:
            outcome, _ = service.take(choice.inbound, now, 0)
        if not outcome.taken:
            return False, ()
        ways = self.province.cache.accounts(choice.office)
        told = bool(outcome.notices or outcome.reminded or outcome.events)
        woken = {way for channel, way in ways.items() if told or channel == inbound.channel}
        return True, tuple(sorted(woken))

    def _not_taken(self, account: str, inbound: Inbound, *, comes_again: bool) -> tuple[str, ...]:
        now = self.province.clock.now()
        choice = self.whose(account, inbound, now)
        if choice is None:
            return ()
        try:
            service = self._service(choice.office, account, inbound)
        except ReminderError as error:
            if comes_again:
                raise
            log.error("update %s of the office %s: %s", inbound.update, choice.office, error)
            self.province.stores.of(choice.office).count(NOT_TAKEN)
            return ()
        service.not_taken(choice.inbound, now)
        return tuple(self.province.cache.accounts(choice.office).values())

    def _service(self, office: str, account: str, inbound: Inbound) -> Service:
        service = self.province.cache.service(office)
        if name := self.names.get(account):
            service.bot_names[inbound.channel] = name
        return service

    # ---- whose a message is

    def whose(self, account: str, inbound: Inbound, now: datetime) -> Choice | None:
        """Return whose a message is; None if no office uses the account."""
        if inbound.office:
            return Choice(inbound.office, inbound)
        if office := self._invited(account, inbound, now):
            return Choice(office, inbound)
        owners = self._owners(account, inbound)
        offices = tuple(dict.fromkeys(owner.office for owner in owners))
        if not offices:  # a stranger, who is answered no more than by a bot of one office
            first = self._senders.first(account)
            return Choice(first, inbound) if first else None
        if len(offices) == 1:
            return Choice(offices[0], inbound)
        return self._of_several(offices, owners, inbound, now)

    def _owners(self, account: str, inbound: Inbound) -> Sequence[Owner]:
        """Return who writes; in a group of one office or more, as whom of theirs."""
        channel = inbound.channel
        people: Sequence[Owner] = ()
        if inbound.sender and not inbound.anonymous:
            people = self._senders.owners(account, channel, [inbound.sender])
        if inbound.private:
            return people
        offices = [owner.office for owner in people]
        groups = self._senders.groups(account, channel, inbound.chat, offices)
        here = {group.office for group in groups}
        return [owner for owner in people if owner.office in here] or groups or people

    def _invited(self, account: str, inbound: Inbound, now: datetime) -> str:
        """Return the office whose invitation a message redeems."""
        if not inbound.private or inbound.edited or inbound.forwarded or inbound.press:
            return ""
        word, _, code = inbound.text.strip().partition(" ")
        started = word.partition("@")[0].lower() == "/start" and code.strip()
        typed = code.strip() if started else inbound.text
        if started and (office := self._senders.invited(account, hash_code(typed))):
            return office
        if not RECEIVING[inbound.channel].traits.typed_codes or not is_typed_code(typed):
            return ""
        if not self.guesses.left(inbound.sender, now):
            return ""
        for office, secret in self._senders.inviting(account, inbound.channel, now):
            hashed = hash_typed_code(secret, inbound.channel, typed)
            if self.province.stores.of(office).invited(hashed, now):
                return office
        self.guesses.take(inbound.sender, now)
        return ""

    def _of_several(
        self, offices: tuple[str, ...], owners: Sequence[Owner], inbound: Inbound, now: datetime
    ) -> Choice:
        """Return whose it is where the writer is in several offices."""
        stores, channel = self.province.stores, inbound.channel
        for office in offices:  # delivered again, after it was recorded
            if stores.of(office).was_seen(channel, inbound.update):
                return Choice(office, inbound)
        named = inbound.message if inbound.press else inbound.reply_to
        rows: list[Row] = []
        for owner in owners if named else ():
            rows += sent_as(stores.of(owner.office), owner.recipient, channel, named, inbound.chat)
        if not rows:
            rows = self._last_said(owners, channel, now)
        if not rows:
            return self._ask(offices, inbound)
        newest = rows[0]
        if (found := _chosen(newest, inbound)) and found.office in offices:
            return found
        if named and newest.provider_id == named:
            return Choice(newest.office, inbound)
        if asked := _asked(newest):  # and not answered
            return self._ask(tuple(o for o, _ in asked.offices if o in offices), inbound)
        if inbound.press or newest.draft.kind == "reply":
            return Choice(newest.office, inbound)
        others = [row for row in rows if row.office != newest.office]
        if any(_when(newest)[0] - _when(row)[0] < AT_ONE_TIME for row in others):
            among = {row.office for row in rows}
            return self._ask(tuple(o for o in offices if o in among), inbound, newest.office)
        return Choice(newest.office, inbound)

    def _last_said(self, owners: Sequence[Owner], channel: str, now: datetime) -> list[Row]:
        """Return the last message to each of them by this channel, the newest first."""
        found: dict[str, Row] = {}
        for owner in owners:
            rows = self.province.stores.of(owner.office).rows(
                recipient=owner.recipient,
                states=[RowState.SENT],
                since=now - SAID_WITHIN,
                limit=NEWEST,
            )
            said = (r for r in rows if r.draft.channel == channel and r.draft.kind != "edit")
            if (newest := max(said, key=_when, default=None)) is not None:
                before = found.get(owner.office)
                if before is None or _when(newest) > _when(before):
                    found[owner.office] = newest
        return sorted(found.values(), key=_when, reverse=True)

    def _ask(self, among: tuple[str, ...], inbound: Inbound, newest: str = "") -> Choice:
        """Ask which of these it is for, where that is of use: of a text that was sent alone."""
        asks = inbound.private and inbound.text and not (inbound.edited or inbound.forwarded)
        if asks and len(among) > 1:
            return Choice(among[0], inbound, among)
        return Choice(newest or among[0], inbound)


def _when(row: Row) -> tuple[datetime, int]:
    return row.sent_at or row.draft.slot, row.id


def _asked(row: Row) -> WhichOffice | None:
    """Return the question which office is meant, if a message asks it."""
    return next((p for p in parts_of(row.draft.payload) if isinstance(p, WhichOffice)), None)


def _chosen(row: Row, inbound: Inbound) -> Choice | None:
    """Return what is chosen by an answer to the question which office is meant."""
    asked = _asked(row)
    if asked is None:
        return None
    if inbound.press:
        said = inbound.press.removeprefix(OFFICE_BUTTON)
        places: tuple[int, ...] = (int(said),) if said.isdecimal() else ()
    else:
        places = chosen(inbound.text, len(asked.offices), ()) or ()
    if len(places) != 1 or not 1 <= places[0] <= len(asked.offices):
        return None
    office = asked.offices[places[0] - 1][0]
    return Choice(
        office,
        replace(
            inbound,
            office=office,
            text=asked.words,
            press="",
            reply_to="",
            update=f"{asked.update}@{office}",  # pressed twice, it acts once
        ),
    )


# ---- the accounts


@dataclass
class Backend:
    """What the listener of an account tells; channels.taking.Backend."""

    receiver: Receiver
    account: Account
    comes_again: bool = False  # what is not confirmed is delivered for a day, and holds up no other
    _noted: dict[str, datetime] = field(default_factory=dict)
    _told: str | None = None  # why it is deaf; None: that is not known to this process
    _noting: set[asyncio.Future[object]] = field(default_factory=set)

    async def reached(self, channel: str, bot_name: str) -> None:
        del channel
        self.receiver.names[self.account.id] = bot_name
        await self._set(BOT_NAME, bot_name)

    def polled(self, channel: str) -> None:
        """Note a poll, or that deliveries arrive; a note holds up nothing."""
        del channel
        self._later(POLLED)
        if self._told != "":
            self._told = ""
            self._keep(self._set(DEAF, ""))

    def delivered(self) -> None:
        """Note a delivery."""
        self._later(DELIVERED)

    async def failed(self, channel: str, error: SendError) -> None:
        await self.deaf(channel, error.reason)

    async def deaf(self, channel: str, reason: str) -> None:
        """Log once, and keep for the operator, that nothing is handed out."""
        if reason == self._told:
            return
        self._told = reason
        log.error("account %s (%s) hands out nothing: %s", self.account.id, channel, reason)
        await self._set(DEAF, deafness(reason, self.receiver.province.clock.now()))

    async def not_taken(self, inbound: Inbound) -> None:
        await self.receiver.not_taken(self.account.id, inbound, comes_again=self.comes_again)

    def _later(self, name: str) -> None:
        now = self.receiver.province.clock.now()
        before = self._noted.get(name)
        if before is None or not timedelta(0) <= now - before < NOTE:
            self._noted[name] = now
            self._keep(self._set(name, now.isoformat()))

    def _keep(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _set(self, name: str, value: str) -> None:
        province = self.receiver.province
        work = partial(province.stores.of("").set_meta, f"{self.account.id}/{name}", value)
        await province.worker.attempt(f"account {self.account.id}", work, again=False)


@dataclass
class Line:
    """A bot and its listener, as long as its account stays as it is."""

    account: Account
    backend: Backend
    listener: Any  # takes what its provider hands out
    close: Callable[[], Awaitable[None]]
    webhook: Webhook | None
    came: str = ""  # when something was delivered last, as it was noted at the last look


class Accounts:
    """The accounts of a province and the connections to them, in one process."""

    def __init__(self, province: Province) -> None:
        self.province, self.receiver = province, Receiver(province)
        self._known: dict[str, Account] = {}
        self._noted: dict[str, str] = {}
        self._read = float("-inf")
        self._lines: OrderedDict[str, Line] = OrderedDict()
        self._boxes: dict[str, tuple[Account, MailListener]] = {}

    async def known(self) -> dict[str, Account]:
        """Return the accounts; they are read again after some seconds."""
        now = asyncio.get_running_loop().time()
        if now - self._read >= FRESH:
            found, self._noted = await self.province.do(self._all)
            self._known, self._read = {each.id: each for each in found}, now
        return self._known

    def _all(self) -> tuple[list[Account], dict[str, str]]:
        """Return all accounts, and what is noted of them."""
        stores = self.province.stores
        accounts, noted = stores.accounts(), stores.of("").metas()
        for each in accounts:
            if name := noted.get(f"{each.id}/{BOT_NAME}"):
                self.receiver.names[each.id] = name
        return accounts, noted

    async def line(self, account_id: str) -> Line | None:
        """Return the connection of a bot; None where there is no such account.

        ReminderError where its secret is missing.
        """
        account = (await self.known()).get(account_id)
        kept = self._lines.get(account_id)
        if kept is not None and account is not None and _same(kept.account, account):
            self._lines.move_to_end(account_id)
            return kept
        if kept is not None:
            await self._lines.pop(account_id).close()
        if account is None or account.kind not in RECEIVING:
            return None
        made = self._lines[account_id] = self._made(account)
        while len(self._lines) > KEPT:
            await self._lines.popitem(last=False)[1].close()
        return made

    def _made(self, account: Account) -> Line:
        secret = secret_of(account.secret, environment())
        values, where = json.loads(account.settings), f"tài khoản {account.id}"
        section = account_section(account.kind, values, secret, where)
        webhook = self.webhook(account, secret)
        wiring = RECEIVING[account.kind]
        again = webhook is not None and wiring.redelivers
        backend = Backend(self.receiver, account, comes_again=again)
        assert wiring.receive is not None
        made = wiring.receive(section, backend, webhook)
        made.listener.take_by(partial(self.receiver.take, account.id))
        return Line(account, backend, made.listener, made.close, webhook)

    def webhook(self, account: Account, secret: str) -> Webhook | None:
        """Return where the account's provider delivers to; None: it is polled.

        Providers deliver by https alone.
        """
        web = self.province.settings.web
        if account.kind not in RECEIVING or not web.is_on or not web.url.startswith("https:"):
            return None
        url = f"{web.url}{PLACE}{account.kind}/{account.id}"
        return Webhook(url, webhook_secret(secret, account.id))

    async def close(self) -> None:
        """Close all connections."""
        while self._lines:
            await self._lines.popitem()[1].close()

    # ---- the engine's roles

    async def look(self, _: str) -> None:
        """Wake the accounts that are not polled, or whose webhook was not looked at lately."""
        accounts = (await self.known()).values()
        now = self.province.clock.now()
        for account in accounts:
            role, within = _role(account, self.webhook(account, ""))
            name = LOOKED if account.kind == MAILBOX else POLLED
            noted = self._noted.get(f"{account.id}/{name}")
            ago = now - datetime.fromisoformat(noted) if noted else None
            if role and (ago is None or not timedelta(0) <= ago < within):
                await self.province.engine.wake(role, account.id)

    async def poll(self, account_id: str) -> None:
        """Poll an account for a while, unless it has a webhook."""
        line = await self.line(account_id)
        if line is None or line.webhook is not None:
            return
        take = partial(self.receiver.take, account_id)
        await self._for_a_while(POLL, line.account, partial(line.listener.run, take))

    async def read_mailbox(self, account_id: str) -> None:
        """Read a mailbox for a while."""
        account = (await self.known()).get(account_id)
        if account is None or account.kind != MAILBOX:
            self._boxes.pop(account_id, None)
            return
        from reminder.province.mailbox import listener

        kept, box = self._boxes.get(account_id, (None, None))
        if box is None or kept is None or not _same(kept, account):
            secret = secret_of(account.secret, environment())
            where = f"tài khoản {account_id}"
            section = account_section(MAILBOX, json.loads(account.settings), secret, where)
            box = listener(self.province, account_id, section)
            self._boxes[account_id] = (account, box)
        take = partial(self.receiver.take, account_id)
        await self._for_a_while(MAILBOX_ROLE, account, partial(box.run, take))

    async def _for_a_while(
        self, role: str, account: Account, run: Callable[..., Coroutine[Any, Any, None]]
    ) -> None:
        """Receive until the stint is over, the account has changed, or the process ends."""
        loop, stop = asyncio.get_running_loop(), self.province.worker.stop
        end = loop.time() + STINT

        def enough() -> bool:
            now = self._known.get(account.id)
            return loop.time() > end or now is None or not _same(now, account)

        receiving = asyncio.create_task(run(until=enough))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({receiving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (receiving, stopping):
                task.cancel()
            ended, _ = await asyncio.gather(receiving, stopping, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended
        if not stop.is_set():
            await self.province.engine.wake(role, account.id)

    async def keep_webhook(self, account_id: str) -> None:
        """Have the account's webhook set, and see whether deliveries arrive."""
        line = await self.line(account_id)
        if line is None or line.webhook is None:
            return
        came, line.came = line.came, self._noted.get(f"{account_id}/{DELIVERED}", "")
        line.listener.delivered |= came != line.came
        await line.listener.keep()

    async def deliver(self, headers: Mapping[bytes, bytes], body: bytes) -> int:
        """Have a provider's post taken; return the HTTP status of the answer."""
        kind, _, account_id = headers.get(b":path", b"").decode().removeprefix(PLACE).partition("/")
        try:
            line = await self.line(account_id)
        except StoreBusyError as error:
            self.province.worker.troubles.waits("a delivery", error, again=False)
            return 503
        except ReminderError as error:
            self.province.worker.troubles.fails(f"account {account_id}", error)
            return 503
        if line is None or line.account.kind != kind or line.webhook is None:
            return 404
        with bound(account=account_id):
            status: int = await line.listener.deliver(headers, body)
        if status == 200:
            line.backend.delivered()
        return status


def _same(one: Account, other: Account) -> bool:
    return (one.kind, one.secret, one.settings) == (other.kind, other.secret, other.settings)


def _role(account: Account, webhook: Webhook | None) -> tuple[str, timedelta]:
    """Return by which role the account is received, and how long it may be silent."""
    if account.kind == MAILBOX:
        return MAILBOX_ROLE, SILENT
    if account.kind not in RECEIVING:
        return "", timedelta(0)
    return (HOOK, LOOK_AT_WEBHOOK) if webhook else (POLL, SILENT)


def worker_part(province: Province) -> Part:
    """Return what a worker does of it: polls, and keeps webhooks set."""
    accounts = Accounts(province)
    return Part(
        handlers={
            POLL: accounts.poll,
            HOOK: accounts.keep_webhook,
            MAILBOX_ROLE: accounts.read_mailbox,
            ACCOUNTS: accounts.look,
        },
        every=((LOOK, ACCOUNTS, ""),),
        end=accounts.close,
    )


def web_part(province: Province) -> Part:
    """Return what a process of the pages does of it: it takes what providers post."""
    accounts = Accounts(province)
    return Part(hooks={PLACE: accounts.deliver}, end=accounts.close)
