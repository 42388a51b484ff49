"""The daemon as wired by its settings, on a Telegram and a mail server that speak for real."""

from __future__ import annotations

import asyncio
import email
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from email import policy
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from reminder.app.wiring import Program, program
from reminder.channels.telegram.receive import TelegramListener
from reminder.channels.zalo.receive import ZaloListener
from reminder.domain.tokens import INVITATION_LIFETIME, hash_code
from tests.conftest import ROOT
from tests.fakes.blank import lay_blank
from tests.fakes.telegram import FakeTelegram
from tests.people import officer, officers
from tests.waiting import within

PEOPLE = officers("an") + officer("binh", "email") + officers("chi")
REPEAT = "(có thể là tin gửi lại)"
CHATS = {"an": 11, "binh": 12, "chi": 13}


class SetClock:
    """A clock that shows what the test sets."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


class Mailbox:
    """Takes every mail; `mails` holds (recipient, text). `hold` delays the answer to one."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []
        self.hold: Callable[[str], Awaitable[object]] | None = None

    async def handle_DATA(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        del server, session
        content = envelope.content
        assert isinstance(content, bytes)
        body = email.message_from_bytes(content, policy=policy.default).get_body(("plain",))
        assert body is not None
        self.mails.append((envelope.rcpt_tos[0], body.get_content()))
        if self.hold:
            await self.hold(envelope.rcpt_tos[0])
        return "250 OK"

    def to(self, person: str) -> list[str]:
        """What `person` has got, oldest first."""
        return [text for address, text in self.mails if address == f"{person}@example.vn"]


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port on which a server may listen meanwhile, and which nobody gets who asks for any."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        yield port


@asynccontextmanager
async def mail_server(mailbox: Mailbox) -> AsyncIterator[int]:
    """Serves `mailbox`; its port."""
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(lambda: SMTP(mailbox, hostname="mail"), "127.0.0.1", 0)
    try:
        yield smtp.sockets[0].getsockname()[1]
    finally:
        smtp.close()


def settings(
    folder: Path,
    telegram: FakeTelegram | None,
    smtp_port: int,
    *,
    token: str = "",
    people: str = PEOPLE,
    more: str = "",
    url: str = "",
) -> Path:
    """Writes the files of an office; without `telegram` it has mail alone, without `url` a file."""
    if not url:
        lay_blank(folder / "r.db")
    (folder / "people.toml").write_text(people, encoding="utf-8")
    path = folder / "reminder.toml"
    section = (
        f'[telegram]\ntoken = "{token or telegram.token}"\nbase_url = "{telegram.base_url}"'
        if telegram
        else ""
    )
    path.write_text(
        f"""
[plan]
files = ["{(ROOT / "data/plan2024.toml").as_posix()}"]
people = "people.toml"
calendar = "{(ROOT / "config/calendar.toml").as_posix()}"
[store]
url = "{url or f"sqlite:///{(folder / 'r.db').as_posix()}"}"
{section}
[email]
host = "127.0.0.1"
port = {smtp_port}
security = "none"
sender = "nhac@example.vn"
{more}
""",
        encoding="utf-8",
    )
    return path


def wired_fast(config: Path, clock: SetClock, tick_seconds: float = 0.05) -> Program:
    """The program, with the pauses of its daemon cut short."""
    wired = program(config, clock, tick_seconds=tick_seconds)
    daemon = wired.daemon
    daemon.watch_seconds = daemon.reload_seconds = daemon.sweep_seconds = 0.05
    daemon.worker.busy_pause, daemon.restart_pause = 0.05, 0.01
    for listener in daemon.listeners:
        if isinstance(listener, TelegramListener | ZaloListener):
            listener._sleep = lambda seconds: asyncio.sleep(min(seconds, 0.02))
    return wired


@asynccontextmanager
async def runs(wired: Program) -> AsyncIterator[Program]:
    """Runs it until the test is through."""
    task = asyncio.create_task(wired.run())
    try:
        yield wired
    finally:
        wired.daemon.stop()
        await within(task, "the daemon's end")


@asynccontextmanager
async def running(
    folder: Path,
    clock: SetClock,
    telegram: FakeTelegram | None,
    mailbox: Mailbox,
    *,
    people: str = PEOPLE,
    more: str = "",
    url: str = "",
    tick_seconds: float = 0.05,
) -> AsyncIterator[Program]:
    """The daemon, on the fakes, until the test is through with it."""
    async with mail_server(mailbox) as port:
        config = settings(folder, telegram, port, people=people, more=more, url=url)
        async with runs(wired_fast(config, clock, tick_seconds)) as wired:
            yield wired


async def invited(wired: Program, clock: SetClock, person: str) -> str:
    """The code of an invitation for `person`."""
    code = person.ljust(22, "_")
    expires = clock.now() + INVITATION_LIFETIME
    await wired.daemon.do(lambda: wired.store.invite(person, hash_code(code), expires))
    return code


def enrolled(wired: Program, telegram: FakeTelegram, clock: SetClock, *people: str) -> None:
    """These people are reached by Telegram, before the program runs."""
    for person in people:
        telegram.start(CHATS[person])
        wired.store.bind(person, "telegram", str(CHATS[person]), clock.now())


def quiet(wired: Program) -> bool:
    """Whether nothing is on its way."""
    counts = wired.store.counts()
    return counts["pending"] == counts["leased"] == 0


def logged(caplog: pytest.LogCaptureFixture, *words: str) -> list[str]:
    """The lines so far that hold all of `words`."""
    lines = [record.getMessage() for record in caplog.records]
    return [line for line in lines if all(word in line for word in words)]
