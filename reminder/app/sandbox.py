"""The sandbox: the program on a made-up office, with a clock that jumps to the next message.

Service, store, outbox and commands are those of the daemon; the clock is virtual, and the console
is the only channel. Nothing is sent.
"""

from __future__ import annotations

import asyncio
import socket
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import gettempdir
from threading import Event, Lock, Thread
from typing import Any, TextIO

from reminder.app import bootstrap
from reminder.app.channels import known_channels
from reminder.channels.console import ConsoleChannel
from reminder.domain.calendar import instant, local, local_day, vn_date, vn_day, vn_weekday
from reminder.domain.context import Inbound
from reminder.domain.ledger import by_key
from reminder.domain.people import Person
from reminder.domain.plan import Plan
from reminder.domain.text import fold
from reminder.domain.weblinks import WebLinks
from reminder.files.calendar import holiday_name
from reminder.files.documents import Documents, Sources
from reminder.files.people import load_people, people_text
from reminder.files.toml import Text
from reminder.importing.people import UnitNames
from reminder.messages.rows import RowRenderer
from reminder.services.office import CONSOLE, Files, Office
from reminder.services.service import Service
from reminder.store.store import Store, discard, open_store

START = (date(2024, 1, 22), time(7, 0))  # the Monday on which the story begins
DATABASE = Path("var/sandbox.db")
LOCK_WAIT = 1.0  # seconds to wait for another sandbox to end
BATCH = 50  # messages that are shown in one go
WIDEST = 79  # columns of a line of text, so that no terminal breaks it within a word
TRIAL = timedelta(weeks=3)  # of an office's own plan, where nobody types


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


def service_with(
    store: Store,
    plan: Plan,
    channel: str,
    people: Sequence[Person],
    calendar: Path | None = None,
    days: Sequence[date] = (),
) -> Service:
    """Return the service of an office with these people, reached on `channel` alone."""
    reached = tuple(replace(person, channels=(channel,)) for person in people)
    scheduler = bootstrap.scheduler_for([plan], days, calendar=calendar)
    files = Files(plans=(plan,), people=reached, scheduler=scheduler)
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
    shown: int = 0  # messages so far
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
                self.shown += 1

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

    def on(self) -> bool:
        """Move on until something is said; return whether anything is."""
        before, until = self.shown, self.now + timedelta(days=400)
        while self.jump(until):
            if self.shown > before:
                return True
        return False

    def advance(self, until: datetime) -> None:
        """Play all messages before `until`."""
        while self.jump(until):
            pass

    def say(self, person: str, text: str) -> None:
        """The officer types `text`."""
        self.typed += 1
        inbound = Inbound(
            channel=CONSOLE,
            update=f"{self.typed}",
            sender=person,
            chat=person,
            private=True,
            text=text,
            message=f"{self.typed}",
        )
        self.service.receive(inbound, self.now)
        self.show()


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What is tried: the plan of 2024 with made-up people, unless told otherwise."""

    plan: Path | None = None
    people: Path | None = None
    start: date | None = None


def open_sandbox(
    stream: TextIO,
    database: Path = DATABASE,
    trial: Trial = Trial(),
    today: date | None = None,
) -> Sandbox:
    """Return a new sandbox; the database of an older one is removed.

    An office's own plan begins on `today` where that lies in its year, else with the year.
    """
    plan = bootstrap.load_plans([trial.plan or bootstrap.shipped("data/plan2024.toml")])[0]
    day, clock = START
    if trial.plan is not None:
        inside = today is not None and plan.first_day <= today <= plan.last_day
        day = today if today and inside else plan.first_day
    start = instant(trial.start or day, clock)
    if trial.people is not None:
        units = plan.by_unit
        people: Sequence[Person] = load_people(trial.people, units, known_channels())
    else:
        people = [
            Person(
                id=unit.id,
                name=unit.name if unit.id == plan.leaders else f"Công chức {unit.name}",
                units=(unit.id,),
                channels=(),
            )
            for unit in plan.units
        ]
    names = {person.id: person.name for person in people}
    discard(database, sleep=bootstrap.pause, wait=LOCK_WAIT)
    url = f"sqlite:///{database}"
    store = open_store(url, exclusive=True, sleep=bootstrap.pause, wait=LOCK_WAIT)
    sandbox = Sandbox(
        service=service_with(store, plan, CONSOLE, people, days=[local_day(start)]),
        console=ConsoleChannel(
            stream, now=lambda: sandbox.now, label=lambda who: names.get(who, who)
        ),
        now=start,
    )
    sandbox.service.begin(sandbox.now)
    return sandbox


def _opening(sandbox: Sandbox) -> str:
    [plan] = sandbox.service.office.plans
    day = local_day(sandbox.now)
    start = f"{vn_weekday(day)} {vn_date(day, year=True)}"
    return f"Chạy thử: {plan.title}, đồng hồ ảo từ {start}."


def play(
    stream: TextIO,
    database: Path = DATABASE,
    trial: Trial = Trial(),
    today: date | None = None,
) -> None:
    """Play the story, up to the digest of 05/02; of an office's own plan three weeks."""
    sandbox = open_sandbox(stream, database, trial, today)
    try:
        _tell(stream, _opening(sandbox))
        _tell(stream, "Không có gì được gửi đi thật; mọi tin hiện ra ở đây.")
        if trial == Trial():
            _tell_story(sandbox, stream)
        else:
            sandbox.tick()
            sandbox.advance(sandbox.now + TRIAL)
            print(file=stream)
            _tell(stream, f"Hết ba tuần, đến {_when(sandbox)}. Tự gõ thử ở cửa sổ lệnh.")
    finally:
        sandbox.service.store.close()


def _tell_story(sandbox: Sandbox, stream: TextIO) -> None:
    for day, clock, unit, text in STORY:
        sandbox.advance(instant(day, clock))
        print(f"\n{_when(sandbox)}  {unit}> {text}", file=stream)
        sandbox.say(unit, text)
    sandbox.advance(instant(STORY_END, time(9)))
    sandbox.console.frame("Bản tổng hợp ấy, đầy đủ như trong thư", sandbox.digest)
    print("\nHết chuyện. Tự gõ thử ở cửa sổ lệnh: .venv/bin/reminder sandbox", file=stream)


def converse(
    read: Callable[[str], str | None],
    stream: TextIO,
    database: Path = DATABASE,
    trial: Trial = Trial(),
    today: date | None = None,
) -> None:
    """Obey lines: what an officer types, and what moves the clock. `read` gives None at the end.

    The office's page is served beside it, on the same clock; one of the two acts at a time.
    """
    sandbox = open_sandbox(stream, database, trial, today)
    role, turn = _first_role(sandbox), Lock()
    try:
        with _page(sandbox, turn, _documents(sandbox, trial)) as address:
            _help(sandbox, stream)
            if address:
                _tell(stream, f"Trang theo dõi của văn phòng, mở bằng trình duyệt: {address}")
            with turn:
                sandbox.tick()
            while True:
                print(file=stream, flush=True)
                text = read(f"{_when(sandbox)}  {role}> ")
                if text is None or fold(text.strip()) in ("quit", "exit", "thoat"):
                    break
                with turn:
                    role = _obey(sandbox, stream, role, text.strip())
    finally:
        sandbox.service.store.close()


def _documents(sandbox: Sandbox, trial: Trial) -> Documents:
    """Return the office's plan and people as texts of its database, to be changed on the page."""
    service = sandbox.service

    def make(texts: Sources) -> Files:
        plans = bootstrap.load_plans(texts.plans)
        units = {unit.id: unit for plan in plans for unit in plan.units}
        people = load_people(texts.people, units, known_channels()) if texts.people else ()
        scheduler = bootstrap.scheduler_for(plans, [local_day(sandbox.now)])
        return Files(plans=tuple(plans), people=people, scheduler=scheduler)

    found = Documents(service.store, make)
    people = trial.people or Text("people.toml", people_text(service.office.files.people))
    plan = trial.plan or bootstrap.shipped("data/plan2024.toml")
    found.take_up(Sources([plan], people), sandbox.now)
    return found


@contextmanager
def _page(sandbox: Sandbox, turn: Lock, documents: Documents) -> Iterator[str]:
    """Serve the page, open to the office's first officer, from a thread; yield its address.

    Empty where there is nobody to open it to, or no port.
    """
    from reminder.web.app import make_app
    from reminder.web.server import PageServer
    from reminder.web.site import Site
    from reminder.web.uploads import Reader

    office = sandbox.service.office
    reader = next((p.id for unit in sorted(office.offices) for p in office.members(unit)), "")
    if not reader:
        yield ""
        return
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]

    def locked(work: Callable[[], Any]) -> Any:
        with turn:
            return work()

    async def do(work: Callable[[], Any]) -> Any:
        return await asyncio.to_thread(locked, work)

    links = WebLinks(base_url=f"http://127.0.0.1:{port}", secret=b"sandbox")
    site = Site(
        service=sandbox.service,
        do=do,
        wake=lambda: Thread(target=locked, args=(sandbox.show,)).start(),
        now=lambda: sandbox.now,
        links=links,
        reader=Reader(Path(gettempdir())),
        holiday=holiday_name,
        editors=frozenset([reader]),
        documents=lambda: documents,
        open_to=reader,
    )
    server, ended, begun = PageServer(make_app(site), "127.0.0.1", port), Event(), Event()
    listens: list[bool] = []

    async def serve() -> None:
        listens.append(await server.start())
        begun.set()
        await asyncio.to_thread(ended.wait)
        await server.stop()

    thread = Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    begun.wait()
    try:
        yield links.base_url if listens[0] else ""
    finally:
        ended.set()
        thread.join()


HELP = (  # what is typed, in Vietnamese or English, and what it does
    ("tiếp", "next", "tới lúc máy nói tiếp"),
    ("tuần sau", "next week", "qua bảy ngày"),
    ("vai AI", "as AI", "gõ thay bộ phận hoặc người khác"),
    ("giúp", "help", "hiện lại phần này"),
    ("thoát", "quit", "thôi"),
)


def _help(sandbox: Sandbox, stream: TextIO) -> None:
    _tell(stream, f"{_opening(sandbox)} Không gửi gì đi thật.")
    for typed, english, does in HELP:
        print(f"  {typed:<10} ({english})".ljust(27) + does, file=stream)
    people = sandbox.service.office.people
    _tell(stream, f"Vai: {', '.join(people) or 'chưa có ai'}.")
    _tell(stream, "Còn lại gõ như công chức: /viec, /done 1c, 1c xong chưa?, gia hạn 1c 05/02 …")


def _tell(stream: TextIO, text: str) -> None:
    """Write `text`, broken between words alone; a unit's id has hyphens, and is one word."""
    lines = textwrap.wrap(text, WIDEST, break_long_words=False, break_on_hyphens=False)
    print("\n".join(lines), file=stream)


def _first_role(sandbox: Sandbox) -> str:
    """Return who types first: an officer who has work, before those who only follow it."""
    office = sandbox.service.office
    [plan] = office.plans
    leads = [unit for task in plan.tasks for unit in task.lead]
    units = [unit for unit in leads if unit not in (plan.office, plan.leaders)]
    staff = [person.id for unit in [*units, plan.office] for person in office.members(unit)]
    return next(iter([*staff, *office.people]), "")


def _obey(sandbox: Sandbox, stream: TextIO, role: str, text: str) -> str:
    """Do what one line says; return who types the next one."""
    match fold(text).split():
        case []:
            pass
        case ["next"] | ["tiep"]:
            if not sandbox.on():
                _tell(stream, "Kế hoạch đã hết, máy không nói gì nữa.")
        case ["next", "week"] | ["tuan", "sau"]:
            sandbox.advance(sandbox.now + timedelta(days=7))
        case ["help"] | ["giup"] | ["?"]:
            _help(sandbox, stream)
        case ["as" | "vai", _, *_]:
            wished = text.split(maxsplit=1)[1]
            found = _role(sandbox.service.office, wished)
            if found is not None:
                return found
            known = ", ".join(sandbox.service.office.people)
            _tell(stream, f"Không có bộ phận hay người “{wished}”. Có: {known}")
        case _ if role:
            sandbox.say(role, text)
        case _:
            _tell(stream, "Danh sách người chưa có ai: chưa gõ thay ai được.")
    return role


def _role(office: Office, wished: str) -> str | None:
    """Return a person by id or name, or the first one of a unit by any of its names."""
    for person in office.people.values():
        if fold(wished) in (person.id, fold(person.name)):
            return person.id
    unit = UnitNames(list(office.units.values())).one(wished)
    return next((person.id for person in office.members(unit)), None) if unit else None


def _when(sandbox: Sandbox) -> str:
    at = local(sandbox.now)
    return f"{at:%H:%M} {vn_day(at.date())}"
