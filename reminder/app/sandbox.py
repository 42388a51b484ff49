"""The sandbox: the program on a made-up office, with a clock that jumps to the next message.

Service, store, outbox and commands are those of the daemon; the clock is virtual, and the console
is the only channel. Nothing is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TextIO

from reminder.app import bootstrap
from reminder.app.channels import known_channels
from reminder.channels.console import ConsoleChannel
from reminder.domain.calendar import instant, local, vn_day
from reminder.domain.context import Inbound
from reminder.domain.ledger import by_key
from reminder.domain.people import Person
from reminder.domain.plan import Plan
from reminder.files.calendar import holiday_name
from reminder.messages.rows import RowRenderer
from reminder.services.office import CONSOLE, Files, Office
from reminder.services.service import Service
from reminder.store.store import Store, discard, open_store

START = (date(2024, 1, 22), time(7, 0))  # the Monday on which the story begins
DATABASE = Path("var/sandbox.db")
LOCK_WAIT = 1.0  # seconds to wait for another sandbox to end
BATCH = 50  # messages that are shown in one go


# The story: at this time this unit's officer types this.
STORY = (
    (date(2024, 1, 26), time(8, 20), "tu-phap", "1c xong chưa?"),
    (date(2024, 1, 30), time(9, 12), "tu-phap", "/done 1c"),
    (date(2024, 1, 30), time(9, 14), "tu-phap", "1c số 12/QĐ-UBND ngày 30/01"),
    (date(2024, 1, 31), time(10, 4), "tu-phap", "dạ 2c tháng 1 em gom xong ạ"),
    (date(2024, 1, 31), time(10, 5), "tu-phap", "đúng ạ"),
    (date(2024, 1, 31), time(10, 30), "van-phong", "/done 2c tất cả"),
    (date(2024, 2, 2), time(9, 40), "tu-phap", "1a thẩm định 02 văn bản"),
    (date(2024, 2, 2), time(14, 30), "van-phong", "/done 4b QĐ 15/QĐ-UBND 02/02/2024"),
)
STORY_END = date(2024, 2, 5)


def made_up(
    store: Store, plan: Plan, channel: str, names: Mapping[str, str], calendar: Path | None = None
) -> Service:
    """The service of an office with one person for each unit, whose id is the unit's."""
    people = tuple(
        Person(id=unit, name=name, units=(unit,), channels=(channel,))
        for unit, name in names.items()
    )
    scheduler = bootstrap.scheduler_for([plan], calendar=calendar)
    files = Files(plans=(plan,), people=people, scheduler=scheduler)
    return Service(
        store=store,
        renderer=RowRenderer(holiday_name).render,
        office=Office(files=files, channels=(channel,), known=known_channels()),
    )


@dataclass
class Sandbox:
    """A service, a console and a virtual clock, which only moves forward."""

    service: Service
    console: ConsoleChannel
    now: datetime
    typed: int = 0
    digest: str = ""  # the last one in full, as the office's mail has it

    def tick(self) -> None:
        """Tick, and show what is due."""
        self.service.tick(self.now)
        self.show()

    def show(self) -> None:
        """Send the waiting messages to the console."""
        while outgoing := self.service.lease(self.now, BATCH):
            for rendered in outgoing:
                if rendered.row.draft.kind == "digest":
                    self.digest = rendered.message.text
                sent = asyncio.run(
                    self.console.send(rendered.address, rendered.message, rendered.key)
                )
                self.service.sent(rendered, sent, self.now)

    def jump(self, until: datetime) -> bool:
        """Move to the time of the next message, if that is before `until`, else to `until`."""
        office = self.service.refresh()
        moment = office.scheduler.next_wake(office.plans, by_key(office.events), self.now)
        if moment is None or moment >= until:
            self.now = max(self.now, until)
            return False
        self.now = moment
        self.tick()
        return True

    def advance(self, until: datetime) -> None:
        """Play all messages before `until`."""
        while self.jump(until):
            pass

    def say(self, unit: str, text: str) -> None:
        """The officer of `unit` types `text`."""
        self.typed += 1
        inbound = Inbound(
            channel=CONSOLE,
            update=f"{self.typed}",
            sender=unit,
            chat=unit,
            private=True,
            text=text,
            message=f"{self.typed}",
        )
        self.service.receive(inbound, self.now)
        self.show()


def open_sandbox(stream: TextIO, database: Path = DATABASE) -> Sandbox:
    """A new sandbox on `data/plan2024.toml`; the database of an older one is removed."""
    discard(database, sleep=bootstrap.pause, wait=LOCK_WAIT)
    plan = bootstrap.load_plans([bootstrap.shipped("data/plan2024.toml")])[0]
    names = {
        unit.id: unit.name if unit.id == plan.leaders else f"Công chức {unit.name}"
        for unit in plan.units
    }
    url = f"sqlite:///{database}"
    store = open_store(url, exclusive=True, sleep=bootstrap.pause, wait=LOCK_WAIT)
    sandbox = Sandbox(
        service=made_up(store, plan, CONSOLE, names),
        console=ConsoleChannel(
            stream, now=lambda: sandbox.now, label=lambda who: names.get(who, who)
        ),
        now=instant(*START),
    )
    sandbox.service.begin(sandbox.now)
    return sandbox


def play(stream: TextIO, database: Path = DATABASE) -> None:
    """Play the story, up to the digest of 05/02."""
    sandbox = open_sandbox(stream, database)
    try:
        print("Sandbox: kế hoạch năm 2024, đồng hồ ảo từ Thứ Hai 22/01/2024.", file=stream)
        print("Không có gì được gửi đi thật; mọi tin hiện ra ở đây.", file=stream)
        for day, clock, unit, text in STORY:
            sandbox.advance(instant(day, clock))
            print(f"\n{_when(sandbox)}  {unit}> {text}", file=stream)
            sandbox.say(unit, text)
        sandbox.advance(instant(STORY_END, time(9)))
        sandbox.console.frame("Bản tổng hợp ấy, đầy đủ như trong thư", sandbox.digest)
        print("\nHết chuyện. Tự gõ thử ở cửa sổ lệnh: .venv/bin/reminder sandbox", file=stream)
    finally:
        sandbox.service.store.close()


def converse(lines: Iterator[str], stream: TextIO, database: Path = DATABASE) -> None:
    """Read lines: what an officer types, and commands that move the clock."""
    sandbox = open_sandbox(stream, database)
    unit = "tu-phap"
    units = list(sandbox.service.office.units)
    try:
        print(HELP.format(units=", ".join(units)), file=stream)
        sandbox.tick()
        _prompt(stream, sandbox, unit)
        for line in lines:
            text = line.strip()
            if text in ("quit", "exit", "thoát"):
                break
            unit = _obey(sandbox, stream, units, unit, text)
            _prompt(stream, sandbox, unit)
    finally:
        sandbox.service.store.close()


HELP = """Sandbox: kế hoạch năm 2024, đồng hồ ảo từ Thứ Hai 22/01/2024. Không gửi gì đi thật.
  next          tới lúc máy nói tiếp        next week     qua bảy ngày
  as BỘ-PHẬN    gõ thay bộ phận khác: {units}
  quit          thôi
Còn lại gõ như công chức: /done 1c, /viec, 1c xong chưa?, gia hạn 1c 05/02 chờ số liệu"""


def _obey(sandbox: Sandbox, stream: TextIO, units: Sequence[str], unit: str, text: str) -> str:
    """Do what one line says; return the unit that types the next one."""
    if text == "next":
        if not sandbox.jump(sandbox.now + timedelta(days=400)):
            print("Kế hoạch đã hết, máy không nói gì nữa.", file=stream)
    elif text == "next week":
        sandbox.advance(sandbox.now + timedelta(days=7))
    elif text.startswith("as "):
        wished = text.removeprefix("as ").strip()
        if wished in units:
            return wished
        print(f"Không có bộ phận “{wished}”. Có: {', '.join(units)}", file=stream)
    elif text:
        sandbox.say(unit, text)
    return unit


def _when(sandbox: Sandbox) -> str:
    at = local(sandbox.now)
    return f"{at:%H:%M} {vn_day(at.date())}"


def _prompt(stream: TextIO, sandbox: Sandbox, unit: str) -> None:
    print(f"\n{_when(sandbox)}  {unit}> ", end="", file=stream, flush=True)
