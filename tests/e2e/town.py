"""A ward office on the wired daemon: its people write and press, the test sets the hour.

Nothing inside is called but the tick, the look at the files and the invitation, which stand for
the minute, the editor and the command line; everything else goes over the wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from aiosmtpd.smtp import SMTP

from reminder.app.wiring import Program, program
from reminder.channels.telegram.pacer import Pacer
from reminder.channels.telegram.receive import TelegramListener
from reminder.channels.telegram.send import TelegramChannel
from reminder.domain.outbox import Row, RowState
from reminder.domain.tokens import INVITATION_LIFETIME, hash_code
from tests.app.kit import Mailbox, SetClock
from tests.conftest import ROOT
from tests.fakes.blank import lay_blank
from tests.fakes.telegram import FakeTelegram, Message
from tests.messages.ticking import Ticking
from tests.people import officer, officers
from tests.services.world import at
from tests.waiting import LONGEST, within

AN, CUC, CHI, LAN, DUNG, STRANGER = 11, 12, 13, 14, 15, 66
GROUP, SUPERGROUP = -70, -1_000_000_000_070
CHATS = {"an": AN, "cuc": CUC, "chi": CHI, "lan": LAN, "dung": DUNG}
PEOPLE = officers("an", "cuc") + officer("binh", "email") + officers("chi", "dung", "lan")


@dataclass
class Town:
    """The running daemon, its two servers, and the office's clock."""

    folder: Path
    clock: SetClock
    telegram: FakeTelegram
    mailbox: Mailbox
    config: Path
    pacer: Callable[[], Pacer] | None  # None: the daemon's own, on the real clock
    time: Ticking  # on which that pacer waits, and the server's limits count
    wired: Program = field(init=False)
    _running: asyncio.Task[None] = field(init=False)

    async def begin(self) -> None:
        """The daemon starts, and polls."""
        self.wired = program(self.config, self.clock)
        channel = self.wired.daemon.channels["telegram"]
        assert isinstance(channel, TelegramChannel)
        if self.pacer is not None:
            channel._pacer = self.pacer()
        self._running = asyncio.create_task(self.wired.run())
        await self.telegram.until(lambda: self.telegram.being_polled, LONGEST)

    async def end(self) -> None:
        """The daemon is asked to end, and does."""
        self.wired.daemon.stop()
        await within(self._running, "the daemon's end")

    async def restart(self) -> None:
        """Ends, and starts again on the same database."""
        await self.end()
        await self.begin()

    async def quiet(self) -> None:
        """Until every update is confirmed, and nothing that is due waits or is under way."""
        end = asyncio.get_running_loop().time() + LONGEST
        listeners = [
            one for one in self.wired.daemon.listeners if isinstance(one, TelegramListener)
        ]
        while (
            self.telegram.pending
            or any(listener._acknowledging for listener in listeners)
            or await self.wired.daemon.do(self._moving)
        ):
            if asyncio.get_running_loop().time() > end:
                raise TimeoutError(f"never quiet: {self.telegram.calls[-3:]}")
            await asyncio.sleep(0.002)

    def _moving(self) -> bool:
        due = self.wired.store.next_due()
        return bool(self.wired.store.counts()["leased"]) or (
            due is not None and due <= self.clock.now()
        )

    async def enrol(self, *people: str) -> None:
        """These people follow their invitations' links."""
        for person in people:
            self.telegram.user_sends(CHATS[person], f"/start {await self.invite(person)}")
        await self.quiet()

    async def invite(
        self, person: str, seed: str = "", holds: timedelta = INVITATION_LIFETIME
    ) -> str:
        """The code of an invitation, as the command line makes one."""
        code = (seed + person).ljust(22, "_")
        expires = self.clock.now() + holds
        store = self.wired.store
        await self.wired.daemon.do(lambda: store.invite(person, hash_code(code), expires))
        return code

    async def hour(self, day: str, clock: str = "08:00") -> None:
        """The office's clock moves on, and a minute begins."""
        self.clock.moment = at(day, clock)
        await self.wired.daemon.tick()
        await self.quiet()

    async def says(self, who: int, text: str, chat: int | None = None, **more: object) -> list[str]:
        """`who` writes; the texts that this brings into that chat."""
        place = who if chat is None else chat
        before = len(self.telegram.sent_to(place))
        self.telegram.user_sends(who, text, chat, **more)  # type: ignore[arg-type]
        await self.quiet()
        return [m.text for m in self.telegram.sent_to(place)[before:]]

    async def presses(
        self, who: int, label: str, message: Message, chat: int | None = None
    ) -> list[str]:
        """`who` presses the button whose label begins so; the texts that this brings there."""
        before = len(self.telegram.sent_to(message.chat_id))
        data = data_of(message, label)
        self.telegram.user_presses(who, message.message_id, chat or message.chat_id, data)
        await self.quiet()
        return [m.text for m in self.telegram.sent_to(message.chat_id)[before:]]

    def newest(self, chat: int, part: str = "") -> Message:
        """The newest message in the chat that holds `part`."""
        return [m for m in self.telegram.sent_to(chat) if part in m.text][-1]

    def mails_to(self, person: str) -> list[str]:
        return [text for to, text in self.mailbox.mails if to == f"{person}@example.vn"]

    async def events(self) -> list[str]:
        """The ledger as “kind task by”; what a plan's first start holds back left out."""
        recorded = await self.wired.daemon.do(self.wired.store.events)
        found = [r.event for r in recorded]
        return [
            f"{e.kind.value} {e.key.task} {e.by}".strip() for e in found if e.kind.value != "held"
        ]

    async def rows(self, *states: RowState, kind: str = "") -> list[Row]:
        store = self.wired.store
        return await self.wired.daemon.do(lambda: store.rows(states=states, kind=kind))

    async def edit_people(self, change: Callable[[str], str]) -> None:
        """Somebody saves the people file; the daemon has its look at it."""
        path = self.folder / "people.toml"
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
        await self.wired.daemon._reload()
        await self.quiet()


def data_of(message: Message, label: str) -> str:
    """What the button whose label begins so sends back."""
    found = [b.data for row in message.buttons for b in row if b.text.startswith(label)]
    assert found, f"no button {label!r} under: {message.text!r} {message.buttons}"
    assert found[0] is not None
    return found[0]


def labels(message: Message) -> list[str]:
    return [button.text for row in message.buttons for button in row]


def settings(folder: Path, telegram: FakeTelegram, port: int, people: str, plan: str) -> Path:
    """The files of the office, in `folder`."""
    lay_blank(folder / "r.db")
    (folder / "people.toml").write_text(people, encoding="utf-8")
    source = (ROOT / "data/plan2024.toml").read_text(encoding="utf-8")
    (folder / "plan2024.toml").write_text(plan or source, encoding="utf-8")
    path = folder / "reminder.toml"
    path.write_text(
        f"""
[plan]
files = ["plan2024.toml"]
people = "people.toml"
calendar = "{(ROOT / "config/calendar.toml").as_posix()}"
[store]
url = "sqlite:///{(folder / "r.db").as_posix()}"
[telegram]
token = "{telegram.token}"
base_url = "{telegram.base_url}"
[email]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "nhac@example.vn"
""",
        encoding="utf-8",
    )
    return path


@asynccontextmanager
async def town(
    folder: Path,
    day: str = "24/01",
    clock: str = "07:30",
    *,
    people: str = PEOPLE,
    plan: str = "",
    real_pace: bool = False,
    privacy_mode: bool = True,
) -> AsyncIterator[Town]:
    """The daemon as its settings wire it; the pacer waits on a clock that jumps, unless
    `real_pace`, and the server's limits count on the same clock."""
    time, shown, mailbox = Ticking(), SetClock(at(day, clock)), Mailbox()
    more = {} if real_pace else {"clock": time.clock}
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(lambda: SMTP(mailbox, hostname="mail"), "127.0.0.1", 0)
    async with FakeTelegram(privacy_mode=privacy_mode, **more) as telegram:  # type: ignore[arg-type]
        port = smtp.sockets[0].getsockname()[1]
        config = settings(folder, telegram, port, people, plan)
        pacer = None if real_pace else lambda: Pacer(time.clock, time.skip)
        place = Town(folder, shown, telegram, mailbox, config, pacer, time)
        await place.begin()
        try:
            yield place
        finally:
            await place.end()
            smtp.close()
        assert telegram.too_many == 0  # whatever the test was about
