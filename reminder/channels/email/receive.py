"""The mailbox: each new mail is classified, acted on, and then moved to the processed folder.

Whatever happens in between — kill -9, a database that can't be written, a line that is cut — the
mail is still in its folder, and is read again: its Message-ID is on record with the act, so that it
acts once. A mail that can't be understood stays where it is, unread, for a person. After an older
copy was restored, what was put away since is read again: the copy knows nothing of it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Protocol, TypeVar

from reminder.channels.email import TRAITS
from reminder.channels.email.classify import (
    Answer,
    Bounced,
    Fate,
    Kind,
    Left,
    Proved,
    PutAway,
    Rules,
    answer,
    judge,
    read,
)
from reminder.channels.email.mailbox import Box, BoxError, UnreadableError
from reminder.domain.context import Inbound
from reminder.domain.errors import ReminderError
from reminder.domain.tokens import TOKEN_LIFETIME
from reminder.services.deliver import Bounce
from reminder.services.limits import Allowance
from reminder.store.records import RESTORED

log = logging.getLogger(__name__)
T = TypeVar("T")
Take = Callable[[Inbound], Awaitable[bool]]

FIRST_WAIT, LONGEST_WAIT = 2.0, 120.0  # seconds between tries while the server is away
SAY_AGAIN = 600.0  # seconds of silence after which the same trouble is logged again
BREATH = 0.2  # seconds between two looks at least, should a server never let one wait
BATCH = 50  # mails after which it is noted how far the folder was read
TRIES = 5  # looks at a mail that the server does not give
LOOK_MARK = timedelta(seconds=30)  # the last look is noted no more often than this

UNKNOWN, FORGED, LOOK, MARK = "inbox:unknown", "inbox:forged", "inbox:last_look", "inbox:mark"
REREAD = "inbox:reread"  # the restore after which all that was put away has been read again
MARGIN = timedelta(days=2)  # before a copy's last look: servers search by the day, of any zone


class Back(Protocol):
    """What the listener needs of the daemon."""

    async def known(self) -> Mapping[str, str]:
        """The officers' addresses, folded → as they are bound."""
        ...

    async def text_of(self, address: str, message_id: str) -> str:
        """The text of a mail that went to `address`; empty if it is unknown."""
        ...

    async def was_seen(self, message_id: str) -> bool:
        """Whether an answer of this Message-ID was taken before Message-IDs stood with a digest."""
        ...

    async def bounced(self, bounce: Bounce) -> None:
        """A mail of ours came back."""
        ...

    async def recall(self, name: str) -> str:
        """A mark; empty if there is none."""
        ...

    async def note(self, name: str, value: str) -> None:
        """Keeps a mark."""
        ...


@dataclass
class MailListener:
    """Reads the mailbox until it is cancelled, through any failure of the server."""

    box: Box
    rules: Rules
    back: Back
    now: Callable[[], datetime]
    poll_seconds: float = 60.0
    name: str = "the mailbox"
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    # Below what the service takes of one sender a minute: the rest waits in the folder.
    pace: Allowance = field(default_factory=lambda: Allowance(20, timedelta(minutes=1)))
    said: Allowance = field(default_factory=lambda: Allowance(10, timedelta(minutes=1)))
    _unsaid: int = 0
    _waiting: set[int] = field(default_factory=set)  # UIDs for a later look
    _failed: dict[int, int] = field(default_factory=dict)  # UID → tries to read it that failed
    _folder: int = 0  # its UIDVALIDITY
    _trouble: str = ""
    _silent_for: float = 0.0
    _noted: dict[str, str] = field(default_factory=dict)
    _looked: datetime | None = None

    async def begin(self) -> None:
        """Nothing to do: a mailbox that can't be read now is tried again."""

    async def run(self, take: Take) -> None:
        """Looks, waits for new mail, looks again; says once what is wrong, and tries on."""
        wait = FIRST_WAIT
        try:
            while True:
                try:
                    await _in_thread(self.box.open)
                    await self.catch_up(take)
                    while True:
                        await self.look(take)
                        wait = FIRST_WAIT
                        await self.sleep(BREATH)
                        await _in_thread(lambda: self.box.wait(self.poll_seconds))
                except ReminderError as error:
                    self._say(str(error), wait)
                except Exception as error:  # noqa: BLE001  nothing may end the watch without a word
                    self._say(f"{type(error).__name__}: {error}", wait)
                self.box.shut()
                await self.sleep(wait)
                wait = min(LONGEST_WAIT, wait * 2)
        finally:
            self.box.shut()

    async def catch_up(self, take: Take) -> None:
        """After an older copy was restored: what was put away since its last look is read again.

        What the copy has on record acts no second time. A break-off begins it anew: until it is
        whole, the copy's last look stays what it was.
        """
        restored = await self.back.recall(RESTORED)
        if not restored or restored == await self.back.recall(REREAD):
            return
        looked, now = await self.back.recall(LOOK), self.now()
        last = min(now, datetime.fromisoformat(looked)) if looked else now - TOKEN_LIFETIME
        since = (last - MARGIN).date()
        if await _in_thread(self.box.turn_to_processed):
            uids = await _in_thread(lambda: self.box.newer(0, since))
            log.warning("inbox: an older copy was restored: %d mails since %s are read again",
                        len(uids), since)  # fmt: skip
            while uids:
                uids = [uid for uid in uids if not await self._handled(uid, take, again=True)]
                if uids:
                    await self.sleep(self.poll_seconds)
            self._failed.clear()  # the UIDs of another folder
            await _in_thread(self.box.open)
        await self.back.note(REREAD, restored)

    async def look(self, take: Take) -> None:
        """Handle all new mails, in the order of their arrival."""
        now = self.now()
        since = (now - TOKEN_LIFETIME - timedelta(days=1)).date()
        if self._folder != self.box.validity:
            self._folder = self.box.validity
            self._waiting.clear()
            self._failed.clear()
        mark = await self._mark()
        new = await _in_thread(lambda: self.box.newer(mark, since))
        # Those that would not be read come last: whatever breaks there, the others had their turn.
        mails = sorted({*new, *self._waiting}, key=lambda uid: (self._failed.get(uid, 0), uid))
        for number, uid in enumerate(mails, start=1):
            self._waiting.add(uid)
            if await self._handled(uid, take):
                self._waiting.discard(uid)
                self._failed.pop(uid, None)
            mark = max(mark, uid)
            if number % BATCH == 0 or number == len(mails):
                await self._keep_mark(mark)
        await self._report(since, mark, now)

    async def _handled(self, uid: int, take: Take, *, again: bool = False) -> bool:
        """Handle one mail; False if it has to wait for a later look.

        `again`: it was put away before, and stays where it is.
        """
        known = await self.back.known()
        try:
            fate = await _in_thread(lambda: self._fate(uid, known))
        except BoxError as error:
            self._failed[uid] = self._failed.get(uid, 0) + 1
            if not isinstance(error, UnreadableError):
                raise
            if self._failed[uid] < TRIES:
                return False
            self._tell(f"mail {uid} is left as it is: {error}")
            return True
        if fate is None:
            return True  # it was deleted, or moved, while we looked
        if isinstance(fate, Proved):
            fate = await self._answer(fate)
        return await self._act(uid, fate, take, again=again)

    async def _answer(self, proved: Proved) -> Fate:
        """The words of an officer's mail, apart from those of ours that it quotes."""
        inbound = proved.inbound
        said = await self.back.text_of(inbound.sender, inbound.reply_to)
        try:
            fate = await _in_thread(lambda: answer(proved, self.rules, said))
        except Exception as error:  # noqa: BLE001  as in _fate
            return Left(f"its words can't be read ({type(error).__name__})")
        if isinstance(fate, Answer) and await self.back.was_seen(inbound.message):
            return PutAway(f"an answer of {inbound.sender} that was taken before", Kind.ANSWER)
        return fate

    def _fate(self, uid: int, known: Mapping[str, str]) -> Fate | None:
        content = self.box.fetch(uid)
        if content is None:
            return None
        try:
            return judge(read(content), self.rules, known, self.now())
        except Exception as error:  # noqa: BLE001  one poisoned mail must not stop all others
            return Left(f"it can't be read ({type(error).__name__})")

    async def _act(self, uid: int, fate: Fate, take: Take, *, again: bool) -> bool:
        match fate:
            case Answer():
                return await self._take(uid, fate, take, again=again)
            case Bounced(recipient=address, message_id=message_id, failure=failure):
                await self.back.bounced(
                    Bounce(
                        channel=TRAITS.name,
                        address=address,
                        message_id=message_id,
                        reason=failure.reason,
                        hard=failure.hard,
                        final=failure.final,
                    )
                )
            case PutAway() | Left() if again:
                return True
            case PutAway(why=why):
                log.info("mail %d is no answer: %s", uid, why)
            case Left(why=why, forged=forged, own=own):
                if not own:
                    self._tell(f"mail {uid} is left unread: {why}")
                if forged:
                    before = await self.back.recall(FORGED)
                    await self.back.note(FORGED, str(int(before or 0) + 1))
                return True
        return again or await self._put_away(uid)

    async def _take(self, uid: int, answer: Answer, take: Take, *, again: bool) -> bool:
        """Hands an answer over; False if its sender has said too much for now."""
        inbound = answer.inbound
        if not self.pace.take(inbound.sender, self.now()):
            return False
        try:
            await take(replace(inbound, again=again))
        except Exception as error:  # noqa: BLE001  one poisoned mail must not stop all others
            log.error("mail %d failed: %s: %s", uid, type(error).__name__, error)
            return True  # it stays for a person
        if answer.is_garbled:
            self._tell(f"mail {uid} stays unread: some of its words can't be made out")
            return True
        return again or await self._put_away(uid)

    async def _put_away(self, uid: int) -> bool:
        if not await _in_thread(lambda: self.box.put_away(uid)):
            folder = self.box.server.processed
            self._tell(f"mail {uid} could not be moved to “{folder}”: it stays, marked as read")
        return True

    async def _mark(self) -> int:
        """Up to which UID this folder was read; 0 if it is another folder than last time."""
        account, _, uid = (await self.back.recall(MARK)).rpartition("#")
        same = account == f"{self.box.server.account}#{self.box.validity}"
        return int(uid) if same and uid.isdigit() else 0

    async def _keep_mark(self, uid: int) -> None:
        """All up to here is dealt with, but what waits: after a restart that is read again."""
        done = min([uid, *(one - 1 for one in self._waiting)])
        await self._note(MARK, f"{self.box.server.account}#{self.box.validity}#{done}")

    async def _report(self, since: date, mark: int, now: datetime) -> None:
        """What `reminder status` shows."""
        unread = await _in_thread(lambda: self.box.unread(since))
        left = [uid for uid in unread if uid <= mark and uid not in self._waiting]
        await self._note(UNKNOWN, str(len(left)))
        if self._looked is None or not timedelta(0) <= now - self._looked < LOOK_MARK:
            self._looked = now
            await self._note(LOOK, now.isoformat())
        if self._trouble:
            log.info("the mailbox can be read again")
        self._trouble, self._silent_for = "", 0.0
        if self._unsaid and self.said.take("", now):
            log.warning("inbox: %d more mails were left unread", self._unsaid)
            self._unsaid = 0

    async def _note(self, name: str, value: str) -> None:
        """Write a mark only if it has changed."""
        if self._noted.get(name) != value:
            await self.back.note(name, value)
            self._noted[name] = value

    def _tell(self, words: str) -> None:
        """A line in the log; of a flood of mails only the first, and how many more."""
        if self.said.take("", self.now()):
            log.warning("inbox: %s", words)
        else:
            self._unsaid += 1

    def _say(self, words: str, wait: float) -> None:
        if words != self._trouble or self._silent_for >= SAY_AGAIN:
            log.warning("inbox: %s; retrying", words)
            self._trouble, self._silent_for = words, 0.0
        self._silent_for += wait


async def _in_thread(work: Callable[[], T]) -> T:
    """`work` in a thread of its own, which the end of the program does not wait for."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: T | None = None
        failure: BaseException | None = None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001  it is raised where it is waited for
            failure = error
        try:
            loop.call_soon_threadsafe(tell, result, failure)
        except RuntimeError:
            return  # the loop has ended meanwhile

    threading.Thread(target=run, name="inbox", daemon=True).start()
    return await done
