"""The sends of a province: each account at one process at a time, its offices in turns.

The dispatcher is that of the single ward. What it leases and records here are the rows of one
account; each is rendered and recorded by the service of its own office, so that an office with a
faulty plan holds up its own messages alone.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple, TypeVar

from reminder.app.channels import CHANNELS, mail_identity
from reminder.app.dispatcher import Dispatcher
from reminder.channels import Paced
from reminder.domain.errors import ReminderError
from reminder.domain.outbox import Row, SendError
from reminder.domain.schedule import MessageKind
from reminder.domain.tokens import MailIdentity
from reminder.files.settings import account_section, environment, secret_of
from reminder.ops.supervisor import Troubles, pause_until
from reminder.province.cache import OfficeCache
from reminder.province.process import Part, Province
from reminder.services.deliver import HOLD, Accepted, Rendered, Whose
from reminder.services.service import Service
from reminder.store.accounts import Accounts, AccountTakenError, Hold
from reminder.store.offices import Account
from reminder.store.records import StoreBusyError

log = logging.getLogger(__name__)
T = TypeVar("T")

SEND, DUE = "send", "due"  # the engine's roles
SWEEP = 2.0  # seconds between two looks at what is due, for wakes that were lost and for retries
STINT = 60.0  # seconds for which a process keeps an account that has more to send
# Seconds for which a fence that was seen is relied on. The engine hands on what a process has two
# seconds after it could say last that it lives, at the earliest, and providers count by the second:
# what the former holder has sent no longer counts when the next one begins.
SURE = 0.9
AT_A_TIME = 0.04  # seconds after which an account lets others have the store's thread
PUT_OFF = timedelta(minutes=5)  # of rows whose office can't be served
REST = 60.0  # seconds before an account that can't be set up is tried again
NOT_SET_UP = "chưa dùng được: "  # begins why such an account is down
TELL = 60.0  # seconds between two looks at whether the offices are to hear of an account's trouble
_PLAIN = ("nudge", "notice", "reply")  # kinds of which most need nothing of what was said before
KEPT = 64  # channels that are kept for the next stint of their account


class _Leased(NamedTuple):
    """What an office has leased, and what it needs to render that."""

    office: str
    rows: list[Row]
    revision: tuple[int, str] | None  # as LedgerPart.revision
    newest: Mapping[str, datetime]  # as services.history.newest_nudges


@dataclass
class AccountRows:
    """Leases, renders and records the messages of one account.

    Every method runs in the store's one thread.
    """

    account: Account
    fence: int
    accounts: Accounts
    cache: OfficeCache
    troubles: Troubles
    monotonic: Callable[[], float]
    begun: bool = False  # it has leased, or tried to
    seen: float = 0.0  # when the fence was last found to be ours
    taken: bool = False  # by another process
    down: bool = False  # nothing gets through
    told: str = ""  # why, as it is noted
    # The service of each office with messages under way, and their number.
    _services: dict[str, Service] = field(default_factory=dict)
    _under_way: Counter[str] = field(default_factory=Counter)
    _identities: dict[str, MailIdentity] = field(default_factory=dict)  # of offices
    _leased: deque[_Leased] = field(default_factory=deque)  # and not rendered yet
    _places: dict[int, int] = field(default_factory=dict)  # rows → their place in the lease
    _unsent: list[Row] = field(default_factory=list)  # leased, and given back as soon as may be

    @property
    def channel(self) -> str:
        """The channel that the account is of."""
        return self.account.kind

    def lease_due(
        self, now: datetime, limit: int, full: Iterable[str], crowded: Collection[Whose]
    ) -> tuple[list[Rendered], datetime | None]:
        """Lease and render messages; return with them when the first of all is due."""
        del full  # there is one channel
        self.begun = True
        if self.taken:
            return [], None
        self._release()
        if not self._leased:
            looked = self.monotonic()
            try:
                self._lease(now, limit, [(office, who) for office, _, who in crowded])
            except AccountTakenError as error:
                log.warning("%s: what this one had under way may come twice, marked", error)
                self.taken = True
                return [], None
            self.seen = looked
        if not self._leased:
            return [], self.accounts.next_due(self.account.id)
        found: list[Rendered] = []
        began = self.monotonic()
        while self._leased:
            found += self._prepared(self._leased.popleft(), now)
            if found and self.monotonic() - began > AT_A_TIME:
                break  # the rest comes next
        return sorted(found, key=lambda each: self._places[each.row.id]), now

    def _lease(self, now: datetime, limit: int, crowded: Collection[tuple[str, str]]) -> None:
        """Lease messages, and read what their offices need to render them."""
        with self.accounts.together():
            rows = self.accounts.lease(self.account.id, self.fence, now, limit, HOLD, crowded)
            if not rows:
                return
            offices = {row.office for row in rows}
            self.cache.look(offices, self.account.id)
            revisions = self.accounts.revisions(offices)
            nudges = [row for row in rows if row.draft.kind == MessageKind.NUDGE]
            who = {(row.office, row.draft.recipient) for row in nudges}
            since = min((row.draft.slot for row in nudges), default=now)
            newest = self.accounts.newest_slots(MessageKind.NUDGE, who, since)
        self._places = {row.id: n for n, row in enumerate(rows)}
        for office, of_office in _by_office(rows, lambda row: row.office):
            known = revisions.get(office), newest.get(office, {})
            self._leased.append(_Leased(office, of_office, *known))

    def _prepared(self, leased: _Leased, now: datetime) -> list[Rendered]:
        """Render an office's rows; put them off if the office can't be served."""
        office, rows = leased.office, leased.rows
        what = f"sending for the office {office}"
        try:
            service = self._service(office)
            service.refresh(leased.revision)
            reads = any(row.draft.kind not in _PLAIN for row in rows)
            with service.store.together() if reads else nullcontext():
                found = service.prepared(rows, now, leased.newest, self._unsent)
            if service.office.traits(self.channel).mail:
                found = self._identified(service, found)
            if found:
                self._services[office] = service
                self._under_way[office] += len(found)
        except StoreBusyError as error:  # the others' rows are leased, too
            self.troubles.waits(what, error, again=False)
            self._unsent += rows
            return []
        except Exception as error:  # noqa: BLE001  one faulty office must not hold up the others
            self.troubles.fails(what, error)
            words = " ".join(str(error).split()) or type(error).__name__
            for row in rows:
                store, why = self.cache.stores.of(office), row.error or words
                store.mark_retry(row, now + PUT_OFF, why, unknown=False)
            return []
        self.troubles.over(what)
        return found

    def _identified(self, service: Service, found: list[Rendered]) -> list[Rendered]:
        """Give mails the identity of their office; the secret in it leaves with the office."""
        office = service.store.office
        if office not in self._identities:
            settings = self.cache.settings(office)
            self._identities[office] = mail_identity(settings, service.store)
        identity = self._identities[office]
        return [replace(one, message=replace(one.message, identity=identity)) for one in found]

    def _service(self, office: str) -> Service:
        service = self.cache.service(office)
        service.shares_accounts = True
        return service

    def _ended(self, numbers: Mapping[str, int]) -> None:
        """Note how many messages are under way no more; an office without any may be forgotten.

        Comes last, as what the database refuses is done again as a whole.
        """
        for office, number in numbers.items():
            self._under_way[office] -= number
            if not self._under_way[office]:
                del self._under_way[office], self._services[office]

    def _release(self) -> None:
        """Give back what was leased and could not be rendered."""
        while self._unsent:
            row = self._unsent[-1]
            self.cache.stores.of(row.office).mark_retry(row, row.due_at, row.error, unknown=False)
            self._unsent.pop()

    def give_back(self, outgoing: Iterable[Rendered]) -> None:
        """Release rows that were leased and not attempted."""
        while self._leased:
            self._unsent += self._leased.popleft().rows
        self._release()
        groups = _by_office(outgoing, _office_of)
        for office, those in groups:
            self._services[office].give_back(those)
        self._ended({office: len(those) for office, those in groups})

    def sent_together(self, accepted: Sequence[Accepted]) -> bool:
        """Record accepted messages by one commit; return whether that made anything to send."""
        told = False
        with self.cache.stores.database.together():
            held = self.accounts.mark_sent([one.mark for one in accepted])
            marked = list(zip(accepted, held, strict=True))
            for office, those in _by_office(marked, lambda pair: _office_of(pair[0].rendered)):
                ones, mine = zip(*those, strict=True)
                told = self._services[office].sent_together(ones, mine) or told
        told = self._up(max(one.at for one in accepted)) or told
        self._ended(Counter(_office_of(one.rendered) for one in accepted))
        return told

    def _up(self, now: datetime) -> bool:
        """Note that the account works; return whether that made anything to send."""
        if not self.down or not self.accounts.up(self.account.id):
            return False
        self.down, self.told = False, ""
        log.info("account %s works again", self.account.id)

        def say(service: Service) -> bool:
            service.forget_trouble()
            return service.accepted(now, self.channel)

        return any(self.each_office(say))

    def failed(self, rendered: Rendered, error: SendError, now: datetime) -> None:
        """Record a message that was not accepted."""
        if error.channel_down or error.unreachable:
            self.note_down(error.reason, now, error.said)
        office = _office_of(rendered)
        self._services[office].failed(rendered, error, now)
        self._ended({office: 1})

    def note_down(self, reason: str, now: datetime, said: str = "") -> None:
        """Note that nothing gets through, and log it once."""
        if self.told == reason:
            return
        self.down, self.told = True, reason
        if self.accounts.down(self.account.id, reason, now):
            log.error("account %s: nothing gets through: %s", self.account.id, said or reason)

    def tell_trouble(self, now: datetime) -> bool:
        """Tell each office, by its other channels, if the account has long been down."""
        account = self.cache.stores.account(self.account.id)
        if account is None or account.down_since is None:
            return False
        since, reason = account.down_since, account.down_reason

        def say(service: Service) -> bool:
            service.in_trouble(self.channel, reason, since)
            return service.tell_trouble(now) > 0

        return any(self.each_office(say))

    def each_office(self, work: Callable[[Service], T]) -> list[T]:
        """Do `work` for each office of the account that can be served."""
        done = []
        for office, _, _ in self.cache.stores.links(account_id=self.account.id):
            with suppress(StoreBusyError):
                try:
                    done.append(work(self._service(office)))
                except StoreBusyError:
                    raise
                except Exception as error:  # noqa: BLE001  it costs this office alone
                    self.troubles.fails(f"sending for the office {office}", error)
        return done


def _office_of(rendered: Rendered) -> str:
    return rendered.row.office


def _by_office(found: Iterable[T], office_of: Callable[[T], str]) -> Iterable[tuple[str, list[T]]]:
    """Return the values of each office, in their order."""
    groups: dict[str, list[T]] = defaultdict(list)
    for each in found:
        groups[office_of(each)].append(each)
    return groups.items()


@dataclass
class _Connected:
    """A channel as it was made, and the fence under which it was last used here."""

    channel: Paced
    made_of: tuple[object, ...]
    fence: int = 0


class Sender:
    """Has one account after another sent, as the engine says."""

    def __init__(self, province: Province) -> None:
        self._province = province
        self._accounts = Accounts(province.stores.database)
        self._channels: OrderedDict[str, _Connected] = OrderedDict()  # the last used last
        self._leasing = asyncio.Lock()  # first come, first served
        self._again = asyncio.Lock()  # of whom leases again, the one that waits to, or does
        self._asking = asyncio.Lock()  # for the fences of all accounts
        self._busy: set[str] = set()  # accounts that are being sent for here
        self._stints: dict[str, AccountRows] = {}  # of them those that send
        self._rests: dict[str, float] = {}  # accounts that can't be set up → until when
        self._looks_at = 0.0  # when to look next whether such accounts can be
        self._told: dict[str, float] = {}  # accounts → when their offices were last told

    async def find_due(self, _: str) -> None:
        """Wake each account for which something is due; the handler of `due`."""
        province = self._province
        now = province.clock.now()
        loop = asyncio.get_running_loop()
        if loop.time() >= self._looks_at:
            self._looks_at = loop.time() + REST
            await province.do(self._note_set_up)
        due = await province.do(lambda: self._accounts.due_accounts(now))
        free = [one for one in due if one not in self._busy and not self._is_resting(one)]
        await province.engine.wake(SEND, *free)

    def _is_resting(self, account: str) -> bool:
        return self._rests.get(account, 0.0) > asyncio.get_running_loop().time()

    def _note_set_up(self) -> None:
        """Note that accounts which could not be set up can be now, even if nothing is due."""
        for account in self._province.stores.accounts():
            if account.down_reason.startswith(NOT_SET_UP):
                with suppress(ReminderError):
                    self._connected(account)
                    if self._accounts.up(account.id):
                        log.info("account %s can be used again", account.id)

    async def send(self, account_id: str) -> None:
        """Send what is due by an account, for some seconds; the handler of `send`."""
        if self._is_resting(account_id) or self._province.worker.stop.is_set():
            return
        self._busy.add(account_id)
        try:
            await self._send(account_id)
        finally:
            self._busy.discard(account_id)

    async def _send(self, account_id: str) -> None:
        province, loop = self._province, asyncio.get_running_loop()
        looked = loop.time()
        taken = await province.do(partial(self._take, account_id))
        if taken is None:
            return
        taken_at = loop.time()
        account, hold = taken
        rows = AccountRows(
            account,
            hold.fence,
            self._accounts,
            province.cache,
            province.worker.troubles,
            loop.time,
            seen=looked,
            down=account.down_since is not None,
            told=account.down_reason,
        )
        try:
            connected = await province.do(partial(self._connected, account))
        except StoreBusyError:
            raise
        except ReminderError as error:
            words = NOT_SET_UP + " ".join(str(error).split())
            self._rests[account_id] = loop.time() + REST
            await province.do(partial(rows.note_down, words, province.clock.now()))
            await self._tell(rows)
            return
        if hold.repeats:
            log.warning(
                "account %s was not let go of: the outcome of %d messages is unknown, they are "
                "sent once more, marked", account_id, hold.repeats,
            )  # fmt: skip
        await self._follow(connected, hold, taken_at)
        connected.fence = hold.fence
        left = await self._stint(rows, connected.channel)
        await self._tell(rows)
        if not rows.taken:
            pace = json.dumps(connected.channel.pace())
            free = partial(self._accounts.free, account_id, hold.fence, pace)
            await province.worker.retry("the end of a stint", free)
        if left and not rows.taken:
            await province.engine.wake(SEND, account_id)

    def _take(self, account_id: str) -> tuple[Account, Hold] | None:
        account = self._province.stores.account(account_id)
        hold = self._accounts.seize(account_id) if account else None
        return (account, hold) if account and hold else None

    async def _follow(self, connected: _Connected, hold: Hold, taken_at: float) -> None:
        """Keep the account's rate over the change of its holder, which was at `taken_at`."""
        channel = connected.channel
        if connected.fence == hold.fence - 1 or hold.fence == 1:
            return  # nobody else has sent by it since
        if hold.free is None:
            # On a server whose disk is full it could read that the account was its own until now.
            until = taken_at + SURE + channel.gap
            passed = asyncio.get_running_loop().time()
            await pause_until(self._province.worker.stop, max(0.0, until - passed))
        elif hold.pace:
            channel.resume(json.loads(hold.pace), hold.free / timedelta(seconds=1))

    async def _stint(self, rows: AccountRows, channel: Paced) -> bool:
        """Send until nothing is due or the time is over; return whether the time was over."""
        province, ends = self._province, asyncio.Event()
        dispatcher = Dispatcher(
            rows,
            {channel.name: channel},
            province.clock,
            province.worker,
            in_flight=province.settings.delivery.in_flight,
            on_sent=province.metrics.sent,
            until_empty=True,
            stop=ends,
            leasing=lambda: self.turn(again=rows.begun),
        )

        channel.ours = partial(self._is_ours, rows)
        self._stints[rows.account.id] = rows
        ending = asyncio.create_task(self._end(ends, dispatcher))
        stopped = asyncio.create_task(province.worker.stop.wait())
        try:
            await dispatcher.run()
            is_over = ends.is_set()
            settled = asyncio.create_task(dispatcher.settle())
            await asyncio.wait({settled, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not settled.done():
                await dispatcher.drain()
            await settled
        except asyncio.CancelledError:  # the engine has given the account to another process
            rows.taken = True
            raise
        finally:
            if self._stints.get(rows.account.id) is rows:
                del self._stints[rows.account.id]
            ends.set()
            ending.cancel()
            stopped.cancel()
            if rows.taken:
                self._channels.pop(rows.account.id, None)
                await dispatcher.drain()  # what has not begun is not sent any more
                await channel.stop()
        return is_over

    @asynccontextmanager
    async def turn(self, *, again: bool) -> AsyncIterator[None]:
        """Hold the lock of leasing: whose account was silent goes before all that lease again."""
        async with self._again if again else nullcontext(), self._leasing:
            yield

    async def _end(self, ends: asyncio.Event, dispatcher: Dispatcher) -> None:
        """End a stint after its time, or with the program."""
        await pause_until(self._province.worker.stop, STINT)
        ends.set()
        dispatcher.wake()

    async def _is_ours(self, rows: AccountRows) -> bool:
        """Return whether an account that sends still is ours, or was a moment ago."""
        since = asyncio.get_running_loop().time() - SURE
        while not rows.taken and self._stints.get(rows.account.id) is rows:
            if rows.seen >= since:
                return True
            await self._look()
        return False

    async def _look(self) -> None:
        """Ask whether the accounts still are ours, unless somebody does: one asks for all."""
        if self._asking.locked():
            async with self._asking:
                return
        async with self._asking:
            looked = asyncio.get_running_loop().time()
            asked = dict(self._stints)
            fences = partial(self._accounts.fences, list(asked))
            found = await self._province.worker.retry("the accounts' fences", fences)
        for account, rows in asked.items():
            if found is not None and found.get(account) == rows.fence:
                rows.seen = max(rows.seen, looked)
            else:
                rows.taken = True

    async def _tell(self, rows: AccountRows) -> None:
        """Have the offices told of the account's trouble, if it lasts."""
        loop, account = asyncio.get_running_loop(), rows.account.id
        if not rows.down or self._told.get(account, -TELL) > loop.time() - TELL:
            return
        self._told[account] = loop.time()
        now = self._province.clock.now()
        if await self._province.worker.attempt(
            "an account's trouble", lambda: rows.tell_trouble(now)
        ):
            await self.find_due("")

    def _connected(self, account: Account) -> _Connected:
        """Return the account's channel; ReminderError if it can't be set up."""
        secret = secret_of(account.secret, environment())
        made_of = (account.kind, account.settings, account.rate, secret)
        found = self._channels.pop(account.id, None)
        if found is None or found.made_of != made_of:
            found = _Connected(self._connect(account, secret), made_of)
        self._channels[account.id] = found
        return found

    def _connect(self, account: Account, secret: str) -> Paced:
        province = self._province
        wiring = next((each for each in CHANNELS if each.traits.name == account.kind), None)
        where = f"tài khoản {account.id}"
        if wiring is None:
            raise ReminderError(f"{where}: không gửi được bằng “{account.kind}”")
        section = account_section(account.kind, json.loads(account.settings), secret, where)
        settings = replace(province.settings, **{account.kind: section})
        channel = wiring.connect(settings, province.stores.of(""), province.clock.now)
        if not isinstance(channel, Paced):
            raise ReminderError(f"{where}: “{account.kind}” không dùng chung cho nhiều phường được")
        if account.rate:
            channel.limit(account.rate)
        return channel

    async def forget_idle(self) -> None:
        """Close the channels that were not used for longest, beyond those that are kept."""
        for account in list(self._channels)[: max(0, len(self._channels) - KEPT)]:
            if account not in self._busy and (idle := self._channels.pop(account, None)):
                await idle.channel.stop()

    async def end(self) -> None:
        """Close all channels."""
        for connected in self._channels.values():
            await connected.channel.stop()


def part(province: Province) -> Part:
    """Return what the role worker does to send."""
    sender = Sender(province)

    async def send(account: str) -> None:
        await sender.send(account)
        await sender.forget_idle()

    return Part(
        handlers={SEND: send, DUE: sender.find_due},
        every=((SWEEP, DUE, ""),),
        end=sender.end,
    )
