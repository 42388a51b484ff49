"""The dispatcher: leases rows that are due, sends them concurrently, and records the results.

While sends wait for the provider the next rows are leased and rendered. Results that arrive while
the store's thread is busy are recorded by one commit. After a crash at most the messages in flight
or not yet recorded are sent again, marked as possible repeats.

Each channel has its own places in flight, and a message takes one when its chat's turn has come; of
one recipient few are leased ahead. So neither a silent server nor a flood of one person's messages
delays what others wait for.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol

from reminder.channels import Channel
from reminder.domain.calendar import local_day
from reminder.domain.outbox import Draft, SendError, chat_of
from reminder.ops.supervisor import Clock, Worker, pause_until
from reminder.services.deliver import Accepted, Rendered, Whose
from reminder.store.records import LockLostError

if TYPE_CHECKING:
    from reminder.services.handle import Outcome

log = logging.getLogger(__name__)

DRAIN = 8.0  # seconds that sends under way get at the end; systemd and Docker wait for 10
STEPS = 3  # event-loop turns to yield so that an answer is sent before the next poll
ANSWERS = 2  # messages leased at once while their senders wait for them
AHEAD = 8  # messages of a channel leased ahead of the sends, at least
SHARE = 2  # messages leased for one recipient: one being sent, one prepared
MOST = 64  # messages leased at most, beyond which only answers are
IDLE = 30.0  # seconds that the dispatcher sleeps at most


class Sending(Protocol):
    """What leases and records messages, in the store's thread."""

    def lease_due(
        self, now: datetime, limit: int, full: Iterable[str], crowded: Collection[Whose]
    ) -> tuple[list[Rendered], datetime | None]:
        """Lease and render messages; return with them when the first of all is due."""
        ...

    def give_back(self, outgoing: Iterable[Rendered]) -> None:
        """Release rows that were leased and not attempted."""
        ...

    def sent_together(self, accepted: Sequence[Accepted]) -> bool:
        """Record accepted messages; return whether that made anything to send."""
        ...

    def failed(self, rendered: Rendered, error: SendError, now: datetime) -> None:
        """Record a message that was not accepted."""
        ...


Take = Callable[[datetime, int, Collection[Whose]], tuple["Outcome", list[Rendered]]]


@dataclass
class Dispatcher:
    """All sends of one daemon, or of one account while a process has it."""

    service: Sending
    channels: Mapping[str, Channel]
    clock: Clock
    worker: Worker
    in_flight: int = 8  # a channel
    until_empty: bool = False  # it ends when nothing is due
    stop: asyncio.Event | None = None  # ends it alone; None: it ends with the program
    # Held while it leases and renders, which takes the store's thread for longest: what is short
    # then waits for one dispatcher, and not for all that share the thread.
    leasing: Callable[[], AbstractAsyncContextManager[object]] = nullcontext
    term: Callable[[], int | None] = lambda: 0  # Store.term of the store that is leased from
    mark: Callable[[], None] = lambda: None  # notes that it looked for messages
    on_sent: Callable[[Draft, datetime], None] = lambda _, __: None  # takes what was accepted
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _ready: list[Rendered] = field(default_factory=list)  # leased, and not yet on their way
    _answers: deque[Rendered] = field(default_factory=deque)  # the same, from the store's thread
    _sends: set[asyncio.Task[None]] = field(default_factory=set)
    _flying: Counter[str] = field(default_factory=Counter)  # sends, by channel
    _turns: set[asyncio.Task[None]] = field(default_factory=set)  # that wait for a chat's turn
    _chats: set[tuple[str, str]] = field(default_factory=set)  # with a send under way or waiting
    # Rows from their lease to their record.
    _held: dict[int, Whose] = field(default_factory=dict)
    _terms: dict[int, int | None] = field(default_factory=dict)  # in which each was leased
    _accepted: list[tuple[Accepted, asyncio.Future[None]]] = field(default_factory=list)
    _recording: asyncio.Task[None] | None = None

    @property
    def held(self) -> frozenset[int]:
        """The rows that are being sent, whose leases must not be swept."""
        return frozenset(self._held)

    @property
    def _stop(self) -> asyncio.Event:
        return self.stop or self.worker.stop

    @property
    def _ahead(self) -> int:
        return max(AHEAD, self.in_flight)

    def take(self, take: Take) -> bool:
        """Have `take` handle one message and lease its answer, in the store's thread."""
        most = 0 if self._stop.is_set() else ANSWERS
        outcome, outgoing = take(self.clock.now(), most, self._crowded())
        self._hold(outgoing)
        self._answers.extend(outgoing)
        return outcome.taken

    async def taken(self) -> None:
        """Send what `take` has leased, then look for more."""
        if self._answers:
            self._start_sends()
            for _ in range(STEPS):
                await asyncio.sleep(0)
        else:
            self._wake.set()

    def wake(self) -> None:
        """Wake the dispatcher."""
        self._wake.set()

    async def run(self) -> None:
        """Lease rows slightly ahead of the sends, and sleep until more are due.

        Half of the sends are prepared while the other half is under way, and leased together.
        """
        while not self._stop.is_set():
            self._wake.clear()
            self.mark()
            self._start_sends()
            room = self._room()
            if not any(room.values()) or len(self._held) > MOST:
                await self._woken(IDLE)
                continue
            full = [channel for channel, places in room.items() if not places]
            async with self.leasing():
                if self._stop.is_set():
                    break
                found = await self.worker.attempt(
                    "lease", partial(self._lease, max(room.values()), full)
                )
            if found is None:
                await pause_until(self._stop, self.worker.busy_pause)
                continue
            outgoing, due = found
            self._queue(outgoing)
            if outgoing:
                continue
            if self.until_empty and not self._held and (due is None or due > self.clock.now()):
                break
            await self._rest(due)
        await self.worker.retry("giving rows back", self._give_back)

    def _room(self) -> dict[str, int]:
        """Return how many messages more may be leased for each channel."""
        ready = Counter(
            rendered.row.draft.channel
            for rendered in self._ready
            if _chat(rendered) not in self._chats
        )
        room = {}
        for channel in self.channels:
            free = max(0, self.in_flight - self._flying[channel])
            enough = ready[channel] > self._ahead // 2
            room[channel] = 0 if enough else self._ahead - ready[channel] + free
        return room

    def _crowded(self) -> list[Whose]:
        """Return the recipients, by office and channel, of whom enough is leased."""
        held = Counter(list(self._held.values()))
        return [who for who, rows in held.items() if rows >= SHARE]

    def _hold(self, outgoing: Iterable[Rendered]) -> None:
        """Note leased rows, in the store's thread, before any sweep can come."""
        for rendered in outgoing:
            row, draft = rendered.row, rendered.row.draft
            self._held[row.id] = (row.office, draft.channel, draft.recipient)
            self._terms[row.id] = self.term()

    def _let_go(self, rows: Iterable[int]) -> None:
        for row in rows:
            self._held.pop(row, None)
            self._terms.pop(row, None)

    async def settle(self, seconds: float | None = None) -> None:
        """Finish and record the sends under way; end those that take longer. None: no limit."""
        for turn in self._turns:
            turn.cancel()
        if self._sends:
            await asyncio.wait(self._sends, timeout=seconds)
        for send in list(self._sends):
            send.cancel()
        await asyncio.gather(*self._sends, return_exceptions=True)

    async def drain(self) -> None:
        """Finish and record the sends under way, as the program ends."""
        for channel in self.channels.values():
            channel.halt()  # what has not begun is no possible repeat of the next run
        if self._sends:
            log.info("waiting for %d sends under way", len(self._sends))
        await self.settle(DRAIN)

    def _start_sends(self) -> None:
        """Begin the sends whose chat's turn has come, as many a channel as may be in flight."""
        if self._stop.is_set():
            return  # what is ready is given back, in the store's thread
        self._queue(self._leased_answers())
        for rendered in list(self._ready):
            channel, chat = rendered.row.draft.channel, _chat(rendered)
            if chat in self._chats or self._flying[channel] >= self.in_flight:
                continue
            turn = self._turn(rendered)
            self._chats.add(chat)
            if turn is not None:
                waiting = asyncio.create_task(self._await_turn(chat, turn))
                self._turns.add(waiting)
                waiting.add_done_callback(self._turns.discard)
                continue
            self._ready.remove(rendered)
            self._flying[channel] += 1
            send = asyncio.create_task(self._send(rendered))
            self._sends.add(send)
            send.add_done_callback(partial(self._finished, rendered.row.id))

    def _turn(self, rendered: Rendered) -> Awaitable[object] | None:
        """Return the wait for the chat's turn; None if there is none."""
        try:
            return self.channels[rendered.row.draft.channel].turn(rendered.address)
        except Exception as error:  # noqa: BLE001  a fault of ours must not hold up all others
            log.error("the turn of row %d: %s", rendered.row.id, type(error).__name__)
            return None

    async def _await_turn(self, chat: tuple[str, str], turn: Awaitable[object]) -> None:
        """Wait for a chat's turn, which takes no place in flight."""
        try:
            await turn
        finally:
            self._chats.discard(chat)
            self._start_sends()

    def _queue(self, outgoing: Sequence[Rendered]) -> None:
        """Queue prepared messages, answers first."""
        if outgoing:
            self._ready = in_order([*self._ready, *outgoing])

    def _leased_answers(self) -> list[Rendered]:
        return [self._answers.popleft() for _ in range(len(self._answers))]

    def _finished(self, row: int, send: asyncio.Task[None]) -> None:
        self._sends.discard(send)
        if send.cancelled():
            self._let_go([row])
        elif (error := send.exception()) is not None:
            self._let_go([row])
            log.error("sending row %d was interrupted: %s: %s", row, type(error).__name__, error)

    def _lease(
        self, limit: int, full: Iterable[str] = ()
    ) -> tuple[list[Rendered], datetime | None]:
        """Lease up to `limit` messages; return them, or when the next one is due."""
        now = self.clock.now()
        outgoing, due = self.service.lease_due(now, limit, full, self._crowded())
        self._hold(outgoing)
        return outgoing, due

    def _give_back(self) -> None:
        """Release rows that were leased and not sent: they are no possible repeats."""
        self._ready += self._leased_answers()
        self.service.give_back(self._ready)
        self._let_go(rendered.row.id for rendered in self._ready)
        self._ready = []

    async def _rest(self, due: datetime | None) -> None:
        """Sleep until the next message is due, or `wake` is called."""
        wait = IDLE
        if due is not None:
            # What is due and was not leased just now waits for something else than its hour.
            ahead = (due - self.clock.now()) / timedelta(seconds=1)
            wait = min(IDLE, ahead if ahead > 0 else 1.0)
        await self._woken(wait)

    async def _woken(self, seconds: float) -> None:
        """Wait for `wake`, or for a time-out."""
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return

    async def _send(self, rendered: Rendered) -> None:
        row = rendered.row.id
        try:
            late = rendered.day != local_day(self.clock.now())
            if late or self._is_lost(row):
                # It waited beyond midnight, or the machine slept: “hôm nay” is another day now,
                # and another daemon may have taken the database.
                await self._record_result(partial(self.service.give_back, [rendered]), [row])
                return
            outcome = await self._try_channel(rendered)
        finally:
            self._flying[rendered.row.draft.channel] -= 1
            self._chats.discard(_chat(rendered))
            self._start_sends()
            self._wake.set()
        at = self.clock.now()
        if isinstance(outcome, SendError) and not outcome.begun:
            await self._record_result(partial(self.service.give_back, [rendered]), [row])
        elif isinstance(outcome, SendError):
            failed = partial(self.service.failed, rendered, outcome, at)
            await self._record_result(failed, [row])
            self._wake.set()
        else:
            self.on_sent(rendered.row.draft, at)
            await self._record(Accepted(rendered=rendered, provider_id=outcome, at=at))

    def _is_lost(self, row: int) -> bool:
        """Return whether another daemon may have had the database since the row was leased."""
        term = self.term()
        return term is None or term != self._terms.get(row)

    async def _try_channel(self, rendered: Rendered) -> str | SendError:
        """Send one message; return the provider's id, or the error."""
        try:
            channel = self.channels[rendered.row.draft.channel]
            return await channel.send(rendered.address, rendered.message, rendered.key)
        except SendError as error:
            return error
        except Exception as error:  # noqa: BLE001  a fault of ours must not lose the row
            log.error("sending row %d failed: %s", rendered.row.id, type(error).__name__)
            return SendError(type(error).__name__, retry=True, unknown=True)

    async def _record(self, accepted: Accepted) -> None:
        """Record an accepted message, with those accepted while the thread was busy."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._accepted.append((accepted, done))
        if self._recording is None:
            self._recording = asyncio.create_task(self._record_all())
        await done

    async def _record_all(self) -> None:
        while self._accepted:
            batch, self._accepted = self._accepted, []
            rows = [accepted.rendered.row.id for accepted, _ in batch]
            work = partial(self.service.sent_together, [accepted for accepted, _ in batch])
            await self._record_result(work, rows)
            for _, done in batch:
                if not done.done():  # cancelled, when the drain was over
                    done.set_result(None)
        self._recording = None

    async def _record_result(self, work: Callable[[], object], rows: list[int]) -> None:
        """Record what became of sends, however long the database refuses.

        Should that fail, or the daemon end before it, the leases say so: the rows are sent once
        more, marked.
        """

        def recorded() -> object:
            told = work()
            self._let_go(rows)  # here: the thread may lease one anew at once
            return told

        try:
            if await self.worker.retry("the record of what was sent", recorded) or self.until_empty:
                self._wake.set()
        except LockLostError:  # the daemon ends; the one that took over has released the rows
            self._let_go(rows)
        except Exception as error:  # noqa: BLE001  the sends after it have a record of their own
            log.error(
                "what became of row %s can't be recorded (%s: %s): it is sent once more, "
                "marked, when its lease has ended",
                ", ".join(map(str, rows)), type(error).__name__, error,
            )  # fmt: skip
            self._let_go(rows)


def in_order(leased: Iterable[Rendered]) -> list[Rendered]:
    """Return messages with answers first, and those of one chat in the order they were queued in.

    One that is tried again is leased after those that have waited behind it meanwhile.
    """
    found = sorted(leased, key=lambda each: not _is_answer(each))
    lines: dict[tuple[object, ...], list[Rendered]] = defaultdict(list)
    for each in found:
        lines[_chat(each), _is_answer(each)].append(each)
    for line in lines.values():
        line.sort(key=lambda each: (each.row.draft.slot, each.row.id), reverse=True)
    return [lines[_chat(each), _is_answer(each)].pop() for each in found]


def _is_answer(rendered: Rendered) -> bool:
    return rendered.row.draft.kind == "reply"


def _chat(rendered: Rendered) -> tuple[str, str]:
    """Return the channel and the chat; the topics of a group are one."""
    return rendered.row.draft.channel, chat_of(rendered.address)
