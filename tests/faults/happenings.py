"""What goes wrong: each fault as one act upon a month, and the words by which it must be told."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import shutil
import signal
import sqlite3
import struct
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from tests.fakes.zalo import How
from tests.faults.mailroom import BEFORE_MOVED, DOWN, HELD, IN_A_MAIL
from tests.faults.month import Month
from tests.faults.office import PLAN, people_file
from tests.faults.post import REFUSALS

FULL, READ_ONLY, LOCKED = "disk full", "database read-only", "database locked"
AHEAD, BACK = "clock three days ahead", "clock two days back"
PLAN_SAVED, PEOPLE_SAVED = "plan saved in mid-slot", "people file half saved"
Happening = Callable[[Month], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """A kind of fault: how it happens, and what the log then says."""

    name: str
    happens: Happening
    said: str  # a regular expression
    hours: tuple[str, ...] = ("08:00",)  # at which it may begin


def a_moment(month: Month, longest: float = 0.35) -> float:
    """Real seconds until something happens; short ones are as likely as long ones."""
    return month.rng.choice((0.02, 0.08, longest)) * month.rng.random()


async def kill(month: Month) -> None:
    """kill -9 at some moment of its life: while it starts, migrates, ticks, sends, records."""
    if month.enrolled and month.rng.random() < 0.2 and month.note_by_mail():
        await a_mail_to_be_moved(month)
    elif month.telegram.pending and not month.away and month.rng.random() < 0.8:
        await a_confirmation(month)
    elif month.rng.random() < 0.5:
        await asyncio.sleep(a_moment(month))
    else:
        await some_sends(month)
    await month.nursery.kill(month.daemon)
    await again(month)


async def some_sends(month: Month) -> None:
    """Until a few messages have reached a server, and a blink longer; or half a second."""
    before, goal = arrived(month), month.rng.randint(1, 6)
    for _ in range(100):
        if arrived(month) >= before + goal:
            break
        await asyncio.sleep(0.005)
    await asyncio.sleep(month.rng.choice((0, 0.004, 0.02)) * month.rng.random())


async def a_confirmation(month: Month) -> None:
    """Until what people wrote is confirmed to Telegram: by then it must be on record."""
    for _ in range(2000):
        if not month.telegram.pending:
            break
        await asyncio.sleep(0.0005)


async def a_mail_to_be_moved(month: Month) -> None:
    """Until a mail was acted on and the daemon would put it away; or ten seconds."""
    month.mailroom.faults.insert(0, HELD)
    month.mailroom.held.clear()
    with suppress(TimeoutError):
        await asyncio.wait_for(month.mailroom.held.wait(), 10)


def mailbox_fails(how: str) -> Happening:
    """A mail comes, and the line to the mailbox is cut while it is read, or before it is moved."""

    async def happens(month: Month) -> None:
        if month.note_by_mail():
            month.mailroom.faults.append(how)

    return happens


async def mailbox_away(month: Month) -> None:
    """Nobody is let in at the mailbox; meanwhile a mail comes."""
    month.mailroom.go_down()
    month.note_by_mail()
    await is_noticed(month, f"IMAP: {DOWN}")
    month.mailroom.come_up()


def arrived(month: Month) -> int:
    """How many messages the servers have met."""
    return len(month.telegram.accepted) + len(month.mail.mails) + len(month.zalo.sent)


async def again(month: Month) -> None:
    """A new daemon, a minute later: the month waits for its first tick."""
    await month.start()
    month.show(month.now + timedelta(minutes=1))


def telegram_fails(status: int | str, **more: int) -> Happening:
    """The next sends are answered so."""

    async def happens(month: Month) -> None:
        times = month.rng.randint(1, 3)
        month.telegram.fail_next("sendMessage", status, times=times, **more)  # type: ignore[arg-type]

    return happens


def zalo_fails(how: How | int) -> Happening:
    """The next sends to Zalo go wrong so."""

    async def happens(month: Month) -> None:
        month.zalo.fail_next("sendMessage", how, times=month.rng.randint(1, 3))

    return happens


async def zalo_too_fast(month: Month) -> None:
    """The next poll is answered by a proxy's page with 429."""
    month.zalo.fail_next("getUpdates", "page-429")
    month.zalo.says_in_group("somebody", "xong 1c")  # ends the poll that waits
    await is_noticed(month, "Zalo: page-429")


async def zalo_away(month: Month) -> None:
    """Zalo's server is out of reach for a while."""
    month.zalo.happened["out of reach"] += 1
    month.zalo.go_offline()
    await is_noticed(month, "Zalo: out of reach")
    month.zalo.go_online()


async def zalo_refuses(month: Month) -> None:
    """The token is reset, and after a while it is the old one again."""
    month.zalo.happened["the token is refused"] += 1
    good, month.zalo.token = month.zalo.token, "1:another"
    await month.zalo.wake()
    await is_noticed(month, "Zalo: the token is refused")
    month.zalo.token = good


async def kill_at_a_hand_out(month: Month) -> None:
    """kill -9 while an answer is on its way from Zalo, which has forgotten it."""
    ended = asyncio.create_task(month.nursery.wait(month.daemon))
    month.zalo.on_hand_out = partial(os.kill, month.daemon, signal.SIGKILL)
    month.note_by_zalo()
    if (await asyncio.wait([ended], timeout=10))[1]:
        month.zalo.on_hand_out = None
        os.kill(month.daemon, signal.SIGKILL)
        await ended
    await again(month)


def mail_fails(how: str) -> Happening:
    """The next mails are refused, or their connection is cut."""

    async def happens(month: Month) -> None:
        month.mail.faults += [how] * month.rng.randint(1, 3)

    return happens


async def out_of_reach(month: Month) -> None:
    """Telegram is away for three days, which the month goes on with."""
    month.telegram.go_offline()
    month.away = True


async def is_noticed(month: Month, name: str) -> None:
    """Until the log tells of it, and a moment longer; a minute if it never does."""
    await is_told(month, BY_NAME[name], len(month.nursery.log))
    await asyncio.sleep(a_moment(month))


async def is_told(month: Month, fault: Fault, line: int) -> None:
    """Until the log tells of it, from its line `line` on; a minute if it never does."""
    for _ in range(3000):
        if is_said(fault, month.nursery.log[line:]):
            return
        await asyncio.sleep(0.02)


async def is_readable(month: Month, line: int) -> None:
    """Until the log tells, from its line `line` on, that the mailbox is; or five seconds."""
    for _ in range(250):
        if any("the mailbox can be read again" in said for said in month.nursery.log[line:]):
            return
        await asyncio.sleep(0.02)


async def is_over(month: Month) -> None:
    """Until the log tells that the trouble is over, as far as the daemon knows; or five seconds.

    No clock jumps meanwhile: each jump sets the daemon's timers anew, and what waits for them.
    """
    line = len(month.nursery.log)
    for _ in range(250):
        if any("works again" in said for said in month.nursery.log[line:]):
            break
        await asyncio.sleep(0.02)


async def disk_full(month: Month) -> None:
    """No file may grow, until somebody makes room."""
    resource.prlimit(month.daemon, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    month.show(month.now + timedelta(minutes=1))  # so that there is something to write
    await is_noticed(month, FULL)
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(month.daemon, resource.RLIMIT_FSIZE, unlimited)
    await is_over(month)


async def read_only(month: Month) -> None:
    """The database may not be written, until somebody gives the right back."""
    await asyncio.sleep(a_moment(month))
    os.kill(month.daemon, signal.SIGUSR1)
    month.show(month.now + timedelta(minutes=1))
    month.people_write("", "09:30")
    await is_noticed(month, READ_ONLY)
    os.kill(month.daemon, signal.SIGUSR2)
    await is_over(month)


async def locked(month: Month) -> None:
    """Another program holds the write lock."""
    path = month.folder / "r.db"
    with closing(sqlite3.connect(path, isolation_level=None, timeout=5)) as other:
        other.execute("BEGIN IMMEDIATE")
        month.show(month.now + timedelta(minutes=1))
        await is_noticed(month, LOCKED)
    await is_over(month)


def clock_set(days: int) -> Happening:
    """The clock shows another day for a while, and then the right one."""

    async def happens(month: Month) -> None:
        await asyncio.sleep(a_moment(month))
        true = month.now
        month.show(true + timedelta(days=days, hours=month.rng.randint(0, 3)))
        await is_noticed(month, AHEAD if days > 0 else BACK)
        await month.settle()
        month.show(true + timedelta(minutes=2))

    return happens


async def power_cut(month: Month) -> None:
    """The machine stops at once; the WAL's end is torn, in what no commit had ended."""
    await asyncio.sleep(a_moment(month))
    os.kill(month.daemon, signal.SIGSTOP)
    path, wal = month.folder / "r.db", month.folder / "r.db-wal"
    cut = month.folder / "cut.db"
    shutil.copyfile(path, cut)
    log = wal.read_bytes() if wal.exists() else b""
    await month.nursery.kill(month.daemon)
    for name in ("r.db-wal", "r.db-shm"):
        (month.folder / name).unlink(missing_ok=True)
    cut.replace(path)
    if log:
        wal.write_bytes(torn(log, month))
    await again(month)


def torn(log: bytes, month: Month) -> bytes:
    """The WAL up to its last commit, and behind it a piece of a transaction that came to no end.

    Such a piece is what the file holds behind that commit (left by the round before, or half
    written), or frames that were never ended, cut anywhere.
    """
    size = 24 + struct.unpack(">I", log[8:12])[0]
    salts, end = log[16:24], 32
    for start in range(32, len(log) - size + 1, size):
        head = log[start : start + 24]
        if head[8:16] != salts:
            break
        if head[4:8] != bytes(4):  # the size of the database after a commit
            end = start + size
    piece = log[end:] or log[32:end]
    if not piece or month.rng.random() < 0.3:
        piece = month.rng.randbytes(3 * size)
    return log[:end] + piece[: month.rng.randrange(len(piece))]


async def second_daemon(month: Month) -> None:
    """Another one is begun on the same database; it waits a little, says why, and ends."""
    await asyncio.sleep(a_moment(month))
    other = await month.nursery.start(month.config, month.folder / "clock")
    month.show(month.now + timedelta(minutes=1))
    if await month.nursery.wait(other) != 1:
        raise AssertionError("two daemons ran on one database")


async def plan_saved(month: Month) -> None:
    """The plan is written anew while the morning's messages go out; once with a fault in it."""
    path = month.folder / "plan2024.toml"
    await asyncio.sleep(a_moment(month))
    if month.rng.random() < 0.5:
        path.write_text(PLAN[: month.rng.randrange(2000, len(PLAN) - 400)], encoding="utf-8")
        await asyncio.sleep(0.25)
    title = f"văn hóa ({month.rng.randrange(10**6)})"
    path.write_text(PLAN.replace("Văn hóa", title, 1), encoding="utf-8")
    await is_noticed(month, PLAN_SAVED)


async def people_half_saved(month: Month) -> None:
    """An editor dies with the people file half written; it is mended afterwards."""
    path, whole = month.folder / "people.toml", people_file()
    await asyncio.sleep(a_moment(month))
    path.write_text(whole[: month.rng.randrange(len(whole) // 3, len(whole) - 20)], "utf-8")
    await is_noticed(month, PEOPLE_SAVED)
    path.write_text(whole, encoding="utf-8")
    await asyncio.sleep(0.3)


ENDED = "did not end cleanly"
_TRIED = r"\(\w[\w-]* to [\w:-]+ by {}\) (is tried again|was given up)"
_TELEGRAM, _MAIL = _TRIED.format("telegram"), _TRIED.format("email")
_SMTP = f"{_MAIL}|ended a kept session"  # over a new one it goes at once
_ZALO = _TRIED.format("zalo")
_ZALO_WAYS: tuple[How, ...] = ("cut-before", "cut-after", "hang-after", "page-502", "half")
_INBOX = "inbox: .*kết nối.*(trying on|retrying)"
AFTER_MAIL = ("08:10", "09:30", "15:00")
ANY_HOUR = ("07:30", "08:00", "08:10", "09:30", "15:00")
FAULTS = (
    Fault("kill -9", kill, ENDED, ANY_HOUR),
    *(
        Fault(f"Telegram: {status}", telegram_fails(status), _TELEGRAM)
        for status in (500, 502, "timeout", "timeout-after", "reset-before", "reset-after")
    ),
    Fault("Telegram: 429", telegram_fails(429, retry_after=2), _TELEGRAM),
    Fault("Telegram: three days out of reach", out_of_reach, "Telegram.* unreachable"),
    *(Fault(f"SMTP: {how}", mail_fails(how), _SMTP) for how in REFUSALS),
    Fault(f"IMAP: {DOWN}", mailbox_away, _INBOX, AFTER_MAIL),
    Fault(f"IMAP: {IN_A_MAIL}", mailbox_fails(IN_A_MAIL), _INBOX, AFTER_MAIL),
    Fault(f"IMAP: {BEFORE_MOVED}", mailbox_fails(BEFORE_MOVED), _INBOX, AFTER_MAIL),
    *(Fault(f"Zalo: {how}", zalo_fails(how), _ZALO) for how in _ZALO_WAYS),
    Fault("Zalo: 500", zalo_fails(500), _ZALO),
    Fault("Zalo: page-429", zalo_too_fast, "Zalo: asked to poll more slowly", ANY_HOUR),
    Fault("Zalo: out of reach", zalo_away, "Zalo: (unreachable|the connection)", ANY_HOUR),
    Fault("Zalo: the token is refused", zalo_refuses, "Zalo: the token is not accepted", ANY_HOUR),
    Fault("kill -9, an answer handed out", kill_at_a_hand_out, ENDED, AFTER_MAIL),
    Fault(FULL, disk_full, "the disk (reports an error|is full)", ANY_HOUR),
    Fault(READ_ONLY, read_only, "is read-only", ANY_HOUR),
    Fault(LOCKED, locked, "is locked by another program", ANY_HOUR),
    Fault(AHEAD, clock_set(3), "the clock went forward by 3 days", ANY_HOUR),
    Fault(BACK, clock_set(-2), "the clock was set back", ANY_HOUR),
    Fault("power cut, WAL torn", power_cut, ENDED, ANY_HOUR),
    Fault("second daemon", second_daemon, "another reminder", ANY_HOUR),
    Fault(PLAN_SAVED, plan_saved, "reloaded: "),
    Fault(PEOPLE_SAVED, people_half_saved, "refused, the old files go on|reloaded: "),
)
BY_NAME = {fault.name: fault for fault in FAULTS}


def is_said(fault: Fault, lines: list[str]) -> bool:
    """Whether the log has told of it."""
    return any(re.search(fault.said, line) for line in lines)
