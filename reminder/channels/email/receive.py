"""Watch the mailbox: classify each new mail, act on it, and only then move it away.

If anything fails in between (kill -9, a database that can't be written, a lost connection), the
mail is still in its folder and is read again. Its Message-ID is recorded in the transaction that
acts, so it acts once. A mail that is not understood stays unread for a person. After an older
backup is restored, mails moved away since are read again, because the backup does not know them.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from reminder.channels.email import TRAITS
from reminder.channels.email.classify import (
    Answer,
    Authenticated,
    Bounced,
    Disposition,
    InboxRules,
    Kind,
    LeftUnread,
    Mail,
    Processed,
    extract_answer,
    triage,
)
from reminder.channels.email.content import ANSWERABLE
from reminder.channels.email.errors import plain_reason
from reminder.channels.email.mailbox import Mailbox, UnreadableMailError
from reminder.channels.email.mime import html_text
from reminder.channels.email.reader import BrokenMailError, DeadlyMailError, MailReader
from reminder.channels.taking import Outage, Take
from reminder.domain.errors import ReminderError
from reminder.domain.tokens import TOKEN_LIFETIME, normal_address
from reminder.services.deliver import MAILBOX, Bounce
from reminder.services.limits import Allowance
from reminder.services.service import Service
from reminder.store.records import FORGED, RESTORED, StoreBusyError

log = logging.getLogger(__name__)
T = TypeVar("T")

FIRST_WAIT, LONGEST_WAIT = 2.0, 120.0  # seconds between retries
SAY_AGAIN = 600.0  # seconds until the same error is logged again
MIN_PAUSE = 0.2  # seconds between two looks, for a server that never blocks
BATCH = 50  # mails between two updates of the UID mark
TRIES = 5  # fetches of a mail that the server refuses
DEADLY = 2  # processes that may end on a mail
ASIDE = "Thu-khong-doc-duoc"  # the folder of mails that no process survives
LOOK_MARK = timedelta(seconds=30)  # the last look is recorded no more often

UNKNOWN, LOOK, MARK = "inbox:unknown", "inbox:last_look", "inbox:mark"
DISBELIEVED = "inbox:bounces"  # bounces that changed nothing
PUT_ASIDE = "inbox:put_aside"
REREAD = "inbox:reread"  # the restore after which processed mails were read again
MARGIN = timedelta(days=2)  # before a backup's last look: servers search by day, in any zone


class Do(Protocol):
    """Runs a use case in the store's thread."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


def mail_text(service: Service, address: str, message_id: str) -> str:
    """Return a mail that was sent, in both of its forms, to find a quote of it; "" if unknown."""
    message = service.rendered_again(TRAITS.name, address, message_id)
    if message is None:
        return ""
    return "\n".join((message.subject, message.text, html_text(message.mail_html), ANSWERABLE))


def known_addresses(service: Service) -> dict[str, str]:
    """Return the officers' addresses: normalized → as bound."""
    office = service.refresh()
    return {
        normal_address(address.value): address.value
        for address in office.addresses
        if address.channel == TRAITS.name and address.recipient in office.people
    }


class NotNowError(Exception):
    """A mail's office can't be served now: the mail waits, and the others go on."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a mail is, and whose."""

    fate: Disposition
    service: Service | None  # None: it belongs to no office
    rules: InboxRules


class MailOffices(Protocol):
    """Whose mail a mailbox gets; used in the store's thread."""

    def judged(self, mail: Mail, now: datetime) -> Judged:
        """Return what a mail is, its words not yet read, and whose."""
        ...

    def meta(self, name: str) -> str:
        """Return a mark of the mailbox; empty if there is none."""
        ...

    def set_meta(self, name: str, value: str) -> None:
        """Keep a mark of the mailbox."""
        ...

    def count(self, name: str, service: Service | None) -> None:
        """Count a mail of an office, or of none."""
        ...

    def put_aside(self, folder: str, now: datetime) -> None:
        """Tell that a mail can't be read; `folder`: where it is now."""
        ...

    def works(self, now: datetime) -> bool:
        """Note that the mailbox can be read; return whether that is news."""
        ...

    def in_trouble(self, why: str, now: datetime) -> None:
        """Note that the mailbox can't be read."""
        ...


@dataclass
class OneOffice:
    """MailOffices of the mailbox of a single office."""

    service: Service
    rules: InboxRules

    def judged(self, mail: Mail, now: datetime) -> Judged:
        """Return what a mail is."""
        fate = triage(mail, self.rules, known_addresses(self.service), now)
        return Judged(fate=fate, service=self.service, rules=self.rules)

    def meta(self, name: str) -> str:
        """Return a mark of the mailbox."""
        return self.service.store.meta(name) or ""

    def set_meta(self, name: str, value: str) -> None:
        """Keep a mark of the mailbox."""
        self.service.store.set_meta(name, value)

    def count(self, name: str, service: Service | None) -> None:
        """Count a mail."""
        del service
        self.service.store.count(name)

    def put_aside(self, folder: str, now: datetime) -> None:
        """Tell the office of a mail that can't be read."""
        self.service.mail_put_aside(folder, now)

    def works(self, now: datetime) -> bool:
        """Note that the mailbox can be read; return whether that is news."""
        return self.service.accepted(now, MAILBOX)

    def in_trouble(self, why: str, now: datetime) -> None:
        """Note that the mailbox can't be read."""
        self.service.in_trouble(MAILBOX, why, now)


@dataclass
class MailListener:
    """daemon.Listener: reads the mailbox until cancelled, whatever the server does."""

    box: Mailbox
    offices: MailOffices
    do: Do
    wake: Callable[[], None]  # the dispatcher
    now: Callable[[], datetime]
    reader: MailReader = field(default_factory=MailReader)
    poll_seconds: float = 60.0
    name: str = "the mailbox"
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    # Below the service's limit per sender and minute; the rest waits in the folder.
    sender_limit: Allowance = field(default_factory=lambda: Allowance(20, timedelta(minutes=1)))
    log_limit: Allowance = field(default_factory=lambda: Allowance(10, timedelta(minutes=1)))
    _suppressed: int = 0
    _waiting: set[int] = field(default_factory=set)  # UIDs for a later look
    _failed: dict[int, int] = field(default_factory=dict)  # UID → tries to read it that failed
    _folder: int = 0  # its UIDVALIDITY
    _outage: Outage = field(
        default_factory=lambda: Outage(FIRST_WAIT, LONGEST_WAIT, 2.0, SAY_AGAIN, why=None)
    )
    _written: dict[str, str] = field(default_factory=dict)
    _looked: datetime | None = None

    async def begin(self) -> None:
        """Nothing to do: a mailbox that can't be read now is tried again."""

    async def run(self, take: Take, until: Callable[[], bool] = lambda: False) -> None:
        """Look, wait for new mail, look again; log an error once and retry.

        Between two looks, `until` says whether that is enough.
        """
        try:
            while not until():
                try:
                    await _in_thread(self.box.open)
                    await self.catch_up(take)
                    while not until():
                        await self.look(take)
                        await self.sleep(MIN_PAUSE)
                        await _in_thread(lambda: self.box.wait(self.poll_seconds))
                except Exception as error:  # noqa: BLE001  the loop must not end silently
                    self._log_error(error)
                    await self.do(partial(self._in_trouble, error))
                self._end()
                if until():
                    return
                await self.sleep(self._outage.wait())
        finally:
            self._end()

    def _end(self) -> None:
        self.box.shut()
        self.reader.stop()

    async def catch_up(self, take: Take) -> None:
        """After a restore, read again the processed mails that came after the backup's last look.

        What the backup has on record does not act twice. If interrupted, it starts over.
        """
        restored = await self._meta(RESTORED)
        if not restored or restored == await self._meta(REREAD):
            return
        looked, now = await self._meta(LOOK), self.now()
        last = min(now, datetime.fromisoformat(looked)) if looked else now - TOKEN_LIFETIME
        since = (last - MARGIN).date()
        if await _in_thread(self.box.select_processed):
            uids = await _in_thread(lambda: self.box.newer(0, since))
            log.warning("inbox: an older copy was restored: %d mails since %s are read again",
                        len(uids), since)  # fmt: skip
            while uids:
                uids = [uid for uid in uids if not await self._handled(uid, take, again=True)]
                if uids:
                    await self.sleep(self.poll_seconds)
            self._failed.clear()  # the UIDs of another folder
            await _in_thread(self.box.open)
        await self._set_meta(REREAD, restored)

    async def look(self, take: Take) -> None:
        """Handle all new mails, in the order of arrival."""
        now = self.now()
        since = (now - TOKEN_LIFETIME - timedelta(days=1)).date()
        if self._folder != self.box.validity:
            self._folder = self.box.validity
            self._waiting.clear()
            self._failed.clear()
        mark = await self._mark()
        new = await _in_thread(lambda: self.box.newer(mark, since))
        # Mails that could not be read come last, so that they don't hold up the others.
        mails = sorted({*new, *self._waiting}, key=lambda uid: (self._failed.get(uid, 0), uid))
        for number, uid in enumerate(mails, start=1):
            self._waiting.add(uid)
            if await self._handled(uid, take):
                self._waiting.discard(uid)
                self._failed.pop(uid, None)
            mark = max(mark, uid)
            if number % BATCH == 0 or number == len(mails):
                await self._keep_mark(mark)
        if not mails:
            self.reader.stop()
        await self._report(since, mark, now)

    async def _handled(self, uid: int, take: Take, *, again: bool = False) -> bool:
        """Handle one mail; False if it has to wait for a later look.

        `again`: it was processed before, and stays where it is.
        """
        try:
            mail = await _in_thread(lambda: self._read(uid))
            if mail is None:
                return True  # deleted or moved meanwhile
            judged = await self.do(partial(self._judged, mail))
            if isinstance(judged.fate, Authenticated):
                judged = replace(judged, fate=await self._answer(judged, judged.fate))
        except NotNowError as error:
            self._warn(f"mail {uid} waits: {error}")
            return False
        except DeadlyMailError:
            if self._fails(uid) < DEADLY:  # what ended the process need not be the mail
                return False
            return again or await self._put_aside(uid)
        except UnreadableMailError as error:
            if self._fails(uid) < TRIES:
                return False
            self._warn(f"mail {uid} is left as it is: {error}")
            return True
        except ReminderError:
            self._fails(uid)
            raise
        except BrokenMailError as error:
            if not again:
                self._warn(f"mail {uid} is left unread: it can't be read ({error})")
            return True
        return await self._act(uid, judged, take, again=again)

    def _fails(self, uid: int) -> int:
        """Return how often this mail could not be read so far."""
        self._failed[uid] = self._failed.get(uid, 0) + 1
        return self._failed[uid]

    def _read(self, uid: int) -> Mail | None:
        content = self.box.fetch(uid)
        return None if content is None else self.reader.read(content)

    def _judged(self, mail: Mail) -> Judged:
        try:
            return self.offices.judged(mail, self.now())
        except (StoreBusyError, NotNowError):
            raise
        except Exception as error:  # noqa: BLE001  one poisoned mail must not stop all others
            raise BrokenMailError(type(error).__name__) from None

    async def _answer(self, judged: Judged, authenticated: Authenticated) -> Disposition:
        """Extract the words of an officer's mail."""
        assert judged.service is not None
        inbound, service, store = authenticated.inbound, judged.service, judged.service.store
        said = await self.do(lambda: mail_text(service, inbound.sender, inbound.reply_to))
        kind, words = await _in_thread(lambda: self.reader.own_words(judged.rules.marks(said)))
        fate = extract_answer(authenticated, kind, words)
        if not isinstance(fate, Answer):
            return fate
        # Earlier versions recorded a bare Message-ID.
        if await self.do(lambda: store.was_seen(TRAITS.name, inbound.message)):
            return Processed(f"an answer of {inbound.sender} that was taken before", Kind.ANSWER)
        return fate

    async def _act(self, uid: int, judged: Judged, take: Take, *, again: bool) -> bool:
        fate, service = judged.fate, judged.service
        match fate:
            case Answer():
                assert service is not None
                return await self._take(uid, service, fate, take, again=again)
            case Bounced(recipient=address, message_id=message_id, failure=failure):
                bounce = Bounce(
                    channel=TRAITS.name,
                    address=address,
                    message_id=message_id,
                    reason=plain_reason(failure.reason),
                    said=failure.reason,
                    claimed_by=fate.claimed_by,
                    hard=failure.hard,
                    final=failure.final,
                )
                assert service is not None
                if not await self.do(partial(service.bounced, bounce, self.now())):
                    await self._count(DISBELIEVED, service)
                self.wake()
            case Processed() | LeftUnread() if again:
                return True
            case Processed(why=why):
                log.info("mail %d is no answer: %s", uid, why)
            case LeftUnread(why=why, forged=forged, own=own):
                if not own:
                    self._warn(f"mail {uid} is left unread: {why}")
                if forged:
                    await self._count(FORGED, service)
                if fate.kind is Kind.BOUNCE:
                    await self._count(DISBELIEVED, service)
                return True
        return again or await self._put_away(uid)

    async def _take(
        self, uid: int, service: Service, answer: Answer, take: Take, *, again: bool
    ) -> bool:
        """Hand an answer to the service; False if its sender is over the limit for now."""
        inbound = answer.inbound
        if not self.sender_limit.take(inbound.sender, self.now()):
            return False
        try:
            await take(replace(inbound, again=again))
        except Exception as error:  # noqa: BLE001  one poisoned mail must not stop all others
            log.error("mail %d failed: %s: %s", uid, type(error).__name__, error)
            await self.do(partial(service.not_taken, inbound, self.now()))
            self.wake()
            return True  # it stays for a person
        if answer.is_garbled:
            self._warn(f"mail {uid} stays unread: some of its words can't be made out")
            return True
        return again or await self._put_away(uid)

    async def _put_away(self, uid: int) -> bool:
        if not await _in_thread(lambda: self.box.move_to_processed(uid)):
            folder = self.box.server.processed
            self._warn(f"mail {uid} could not be moved to “{folder}”: it stays, marked as read")
        return True

    async def _put_aside(self, uid: int) -> bool:
        """Move a mail that ends the process that reads it, and tell the office."""
        moved = await _in_thread(lambda: self.box.move(uid, ASIDE))
        now_in = f"it was moved to “{ASIDE}”" if moved else "it stays, and is not read again"
        log.error("mail %d ends the process that reads mails: %s", uid, now_in)
        await self._count(PUT_ASIDE, None)
        await self.do(lambda: self.offices.put_aside(ASIDE if moved else "", self.now()))
        self.wake()
        return True

    async def _mark(self) -> int:
        """Return the last UID handled; 0 if the folder is not that of the last run."""
        account, _, uid = (await self._meta(MARK)).rpartition("#")
        same = account == f"{self.box.server.account}#{self.box.validity}"
        return int(uid) if same and uid.isdigit() else 0

    async def _keep_mark(self, uid: int) -> None:
        """Record the last UID handled, less what waits: that is read again after a restart."""
        done = min([uid, *(one - 1 for one in self._waiting)])
        await self._note(MARK, f"{self.box.server.account}#{self.box.validity}#{done}")

    async def _report(self, since: date, mark: int, now: datetime) -> None:
        """Record what `reminder status` shows."""
        unread = await _in_thread(lambda: self.box.unread(since))
        left = [uid for uid in unread if uid <= mark and uid not in self._waiting]
        await self._note(UNKNOWN, str(len(left)))
        if self._looked is None or not timedelta(0) <= now - self._looked < LOOK_MARK:
            self._looked = now
            await self._note(LOOK, now.isoformat())
        was_well = self._outage.why == ""
        if not was_well and await self.do(lambda: self.offices.works(now)):
            self.wake()
        if self._outage.over():
            log.info("the mailbox can be read again")
        if self._suppressed and self.log_limit.take("", now):
            log.warning("inbox: %d more mails were left unread", self._suppressed)
            self._suppressed = 0

    async def _note(self, name: str, value: str) -> None:
        """Set a meta value if it has changed."""
        if self._written.get(name) != value:
            await self._set_meta(name, value)
            self._written[name] = value

    async def _count(self, name: str, service: Service | None) -> None:
        await self.do(lambda: self.offices.count(name, service))

    async def _meta(self, name: str) -> str:
        return await self.do(lambda: self.offices.meta(name))

    async def _set_meta(self, name: str, value: str) -> None:
        await self.do(lambda: self.offices.set_meta(name, value))

    def _warn(self, words: str) -> None:
        """Log a warning; of many only the first ones, and how many more."""
        if self.log_limit.take("", self.now()):
            log.warning("inbox: %s", words)
        else:
            self._suppressed += 1

    def _in_trouble(self, error: Exception) -> None:
        if isinstance(error, StoreBusyError):
            return  # the mailbox is not to blame
        why = str(error) if isinstance(error, ReminderError) else f"lỗi {type(error).__name__}"
        self.offices.in_trouble(why, self.now())

    def _log_error(self, error: Exception) -> None:
        kind = "" if isinstance(error, ReminderError) else f"{type(error).__name__}: "
        words = f"{kind}{error}"
        if self._outage.is_news(words):
            log.warning("inbox: %s; retrying", words)


async def _in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a daemon thread, which does not delay the program's end."""
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001  raised where it is awaited
            done.set_exception(error)

    threading.Thread(target=run, name="inbox", daemon=True).start()
    return await asyncio.wrap_future(done)
