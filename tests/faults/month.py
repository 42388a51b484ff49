"""A month of the office, played on the wire: the daemon as a process, the clock in a file."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import struct
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.channels.email import replies
from tests.fakes.telegram import FakeTelegram
from tests.fakes.zalo import FakeZalo, Mode
from tests.faults.mailroom import Mailroom
from tests.faults.nursery import Nursery, nursery
from tests.faults.office import (
    ANSWERS,
    BY_MAIL,
    BY_ZALO,
    CHATS,
    FORGED,
    INTRUDERS,
    NOTES,
    STRANGER,
    enrolled,
    prepared,
)
from tests.faults.post import MailServer
from tests.faults.process import HURRY
from tests.services.world import at

HOURS = ("07:30", "08:00", "08:10", "09:30", "15:00")  # at which something can happen
LONGEST = 120.0  # real seconds after which a daemon that does not come to rest counts as stuck
STEP = timedelta(seconds=45)  # a longer jump than that of a clock which is set right by itself


class StuckError(Exception):
    """The daemon did not come to rest: it is dead, or waits for nothing."""


@dataclass
class Month:
    """One office, its daemon and both servers; `rng` decides all that is left to chance."""

    folder: Path
    telegram: FakeTelegram
    zalo: FakeZalo
    mail: MailServer
    mailroom: Mailroom
    nursery: Nursery
    rng: random.Random
    clock: list[datetime]  # one value: what the daemon's clock shows
    config: Path
    daemon: int = 0
    away: bool = False  # Telegram is out of reach
    due_answers: list[tuple[str, str]] = field(default_factory=list)  # who, task: sent so far
    due_notes: dict[str, str] = field(default_factory=dict)  # Message-ID → who: sent so far
    written: dict[str, tuple[str, str]] = field(default_factory=dict)  # by Zalo: id → who, text
    mailed: int = 0  # mails that must be acted on
    enrolled: bool = False

    @property
    def now(self) -> datetime:
        return self.clock[0]

    def show(self, moment: datetime) -> None:
        """The office's clock shows `moment`."""
        self.clock[0] = moment
        write_clock(self.folder, moment)

    async def start(self) -> None:
        """A daemon begins; it is not waited for."""
        self.daemon = await self.nursery.start(self.config, self.folder / "clock")

    async def end(self) -> int:
        """SIGTERM, and the exit code."""
        os.kill(self.daemon, signal.SIGTERM)
        return await self.nursery.wait(self.daemon)

    async def settle(self, until: datetime | None = None) -> None:
        """Until nothing that is due waits; retries before `until` have the clock moved on.

        StuckError if that does not come about.
        """
        end = time.monotonic() + LONGEST
        while True:
            following = self._unrest()
            if following is None or (following > self.now and not (until and following < until)):
                return
            if following > self.now:
                self.show(max(following, self.now + STEP))
                end = time.monotonic() + LONGEST
            if time.monotonic() > end:
                last = "\n".join(self.nursery.log[-12:])
                raise StuckError(f"at {self.now}: {self.telegram.calls[-3:]}\n{last}")
            await asyncio.sleep(0.01)

    def _unrest(self) -> datetime | None:
        """When the next message is due; the present if something is under way; None: at rest."""
        if (self.telegram.pending and not self.away) or self.zalo.busy:
            return self.now
        try:
            last, leased, due, acted = self.query(
                "SELECT (SELECT value FROM meta WHERE name = 'last_tick'), "
                "(SELECT count(*) FROM outbox WHERE state = 'leased'), "
                "(SELECT min(due_at) FROM outbox WHERE state = 'pending'), "
                "(SELECT count(*) FROM seen WHERE channel = 'email')"
            )[0]
            heard = self._heard()
        except sqlite3.Error:  # it is being made, or locked
            return self.now
        if last is None or datetime.fromisoformat(last) != self.now or leased:
            return self.now
        if acted != self.mailed or not (self.zalo.coming & self.written.keys()) <= heard:
            return self.now
        return datetime.fromisoformat(due) if due else None

    def query(self, words: str) -> list[tuple[Any, ...]]:
        """Reads the database beside the daemon."""
        where = f"file:{(self.folder / 'r.db').as_posix()}?mode=ro"
        with closing(sqlite3.connect(where, uri=True, timeout=1)) as database:
            return database.execute(words).fetchall()

    def people_write(self, day: str, hour: str) -> None:
        """Who answers at this hour does, and so do those who have no right to."""
        for answer in ANSWERS:
            if (answer.day, answer.hour) == (day, hour):
                if answer.who in BY_ZALO:
                    self.zalo_says(answer.who, answer.text)
                elif answer.who not in BY_MAIL:
                    self.telegram.user_sends(CHATS[answer.who], answer.text)
                elif not self.mails_in(answer.who, answer.text):
                    continue
                self.due_answers.append((answer.who, answer.task))
        if hour == "09:30":
            who, text = self.rng.choice(INTRUDERS)
            self.telegram.user_sends(CHATS.get(who, STRANGER), text)

    def mails_in(self, who: str, text: str) -> str:
        """`who` answers the newest mail to them; its Message-ID, or nothing if there is none yet.

        Before it comes the same from somebody who only claims to be `who`.
        """
        address = f"{who}@example.vn"
        told = self.mail.newest.get(address)
        if told is None:
            return ""
        self.mailroom.hand_in(replies.gmail(told, "xong 1c", address, results=FORGED))
        mail = replies.gmail(told, text, address)
        self.mailroom.hand_in(mail)
        self.mailed += 1
        return str(mail["Message-ID"])

    def zalo_says(self, who: str, text: str) -> str:
        """`who` writes by Zalo; the message's id."""
        identity = self.zalo.says(who, text)
        self.written[identity] = (who, text)
        return identity

    def note_by_zalo(self) -> None:
        """Somebody writes a note by Zalo, which has to be recorded."""
        identity = self.zalo_says("cuc", f"ghi chú 1d quyết định chờ bản số z{len(self.written)}")
        self.due_notes[identity] = "cuc"

    def _heard(self) -> set[str]:
        """The ids of Zalo's messages that are on record."""
        return {row[0] for row in self.query("SELECT update_id FROM seen WHERE channel = 'zalo'")}

    def write_again(self) -> None:
        """Whoever was not heard by Zalo gets no receipt, and writes again.

        Zalo keeps nothing that it handed out: what the daemon had not recorded when it died is
        lost, as is what came while nobody polled, where Zalo is said to lose that.
        """
        for identity in sorted(self.written.keys() - self._heard() - self.zalo.coming):
            again = self.zalo_says(*self.written.pop(identity))
            if identity in self.due_notes:
                self.due_notes[again] = self.due_notes.pop(identity)

    def note_by_mail(self) -> bool:
        """Somebody mails a note on their work; False if nobody has a mail to answer yet."""
        who = self.rng.choice([who for who in NOTES if f"{who}@example.vn" in self.mail.newest]
                              or [next(iter(NOTES))])  # fmt: skip
        identity = self.mails_in(who, f"ghi chú {NOTES[who]} chờ bản số {self.mailed}")
        if identity:
            self.due_notes[identity] = who
        return bool(identity)

    async def enrol(self) -> None:
        """Once there is a database, everybody is enrolled."""
        await self.settle()
        enrolled(self.folder, self.telegram, self.zalo, self.now)
        self.enrolled = True


def write_clock(folder: Path, moment: datetime) -> None:
    """Eight bytes at once: whoever reads them sees the old hour or the new one."""
    shown = struct.pack("<q", int(moment.timestamp()) * 1_000_000)
    with (folder / "clock").open("r+b" if (folder / "clock").exists() else "wb") as file:
        file.write(shown)


def hours_of(days: Sequence[str]) -> list[tuple[str, str]]:
    """The moments of these days, in their order; of a weekend only one."""
    return [(day, hour) for day in days for hour in (HOURS if at(day).weekday() < 5 else HOURS[:1])]


@asynccontextmanager
async def month(folder: Path, seed: str, day: str) -> AsyncIterator[Month]:
    """An office on the morning of `day`; its daemon is not begun yet."""
    clock, began = [at(day, "07:00")], time.monotonic()
    mail, mailroom = MailServer(), Mailroom()
    telegram = FakeTelegram(
        clock=lambda: (time.monotonic() - began) * HURRY,
        now=lambda: clock[0].astimezone(UTC).timestamp(),
    )
    rng = random.Random(seed)
    zalo = FakeZalo(
        mode=rng.choice(list(Mode)),
        clock=lambda: (time.monotonic() - began) * HURRY,
        now=lambda: clock[0].astimezone(UTC).timestamp(),
    )
    async with (
        mail.served() as port,
        mailroom.served() as line,
        telegram,
        zalo,
        nursery() as nursed,
    ):
        config = prepared(folder, telegram, zalo, port, line)
        write_clock(folder, clock[0])
        yield Month(folder, telegram, zalo, mail, mailroom, nursed, rng, clock, config)
