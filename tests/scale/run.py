"""One run: a province from an empty database to the verdict, with its faults in the middle."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import aiohttp

from reminder.store.offices import Stores
from reminder.store.store import open_store
from tests.postgres import Server
from tests.scale.database import Base
from tests.scale.people import STRANGER, People
from tests.scale.processes import Process, Processes, processes
from tests.scale.providers import Arrival, read_log
from tests.scale.province import BIG, Province, office_id, seed, settings_text
from tests.scale.verdict import ANSWER, Tally, judged
from tests.waiting import until, within

FROZEN = 10.0  # seconds: longer than the engine waits for a sign of life
STUCK = 75.0  # seconds without any arrival after which a run is over
ON_THE_LINE = 0.5  # seconds in which a provider takes what a process had written at its death
_LOOK = 0.2  # seconds between two looks at the providers' log


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What happens in the middle of a run."""

    kill: bool = True
    freeze: bool = True
    cut: bool = True
    from_share: float = 0.15  # of the messages, after which the first happens
    frozen: float = FROZEN
    pause: float = 2.0  # seconds between two of them


@dataclass
class Figures:
    """What a run took beside the verdict."""

    seeded: float = 0.0  # seconds
    ticked: float = 0.0  # seconds from the start of the tick until each office was ticked
    memory: dict[str, int] = field(default_factory=dict)  # MB by process
    seconds: dict[str, float] = field(default_factory=dict)  # processor time by process


@dataclass
class Run:
    """The parts of a run while it goes on."""

    folder: Path
    province: Province
    base: Base
    processes: Processes
    people: People
    figures: Figures
    log: Path
    arrivals: list[Arrival] = field(default_factory=list)
    unknown: set[tuple[str, str]] = field(default_factory=set)  # under way when something was hit
    begun: float = 0.0  # Unix time of the first tick
    _offset: int = 0

    def look(self) -> bool:
        """Read what the providers noted since the last look; whether there was anything."""
        new = read_log(self.log, self._offset)
        self._offset += new.length
        self.arrivals += new.arrivals
        self.people.hear(new.arrivals)
        return bool(new.arrivals)

    async def hit(self, process: Process, number: signal.Signals) -> None:
        """Kill or freeze a process in the middle of its work."""
        process.signal(number)
        self.note_unknown()
        await asyncio.sleep(ON_THE_LINE)
        self.note_unknown()
        process.killed = process.killed or number is signal.SIGKILL
        self.say(f"{number.name} to {process.name}")

    def note_unknown(self) -> None:
        """Note which messages the providers have taken and nobody has on record."""
        self.look()
        known = self.base.sent()
        taken = ((each.account, each.id) for each in self.arrivals if each.taken)
        self.unknown |= {message for message in taken if message not in known}

    def all_ticked(self) -> bool:
        """Whether every office has been ticked."""
        return self.base.ticked() == self.province.offices

    def say(self, what: str) -> None:
        """Tell the terminal what happens, and when."""
        sys.stderr.write(f"{time.time() - self.begun:5.1f} s: {what}\n")


async def played(
    folder: Path,
    server: Server,
    province: Province,
    faults: Faults,
    *,
    workers: int = 3,
    ahead: bool = False,
    clocks: Mapping[str, int] = MappingProxyType({}),
) -> tuple[Tally, Figures]:
    """Play a run; return the verdict and the figures.

    `ahead`: all is ticked before the workers start, so that they alone make the pace. `clocks`:
    seconds by which the clocks of processes are ahead, by name.
    """
    figures, log = Figures(), folder / "arrivals.jsonl"
    base = Base(server, server.make())
    async with processes(folder) as started, aiohttp.ClientSession() as session:
        http, smtp = await started.providers(log, refuse=25)
        config, place = _configured(folder, server.url(base.name), province)
        began = time.monotonic()
        _seed(server.url(base.name), province, folder, http, smtp)
        figures.seeded = time.monotonic() - began
        run = Run(folder, province, base, started, People(province, place, session), figures, log)
        start = _Start(started, config, clocks)
        tally = await _play(run, start, faults, workers, ahead=ahead)
    server.drop(base.name)
    return tally, figures


def _configured(folder: Path, url: str, province: Province) -> tuple[Path, str]:
    """Write the settings; return their path, and where the web process listens."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    config = folder / "reminder.toml"
    config.write_text(settings_text(province, folder, url, port), "utf-8")
    return config, f"http://127.0.0.1:{port}"


def _seed(url: str, province: Province, folder: Path, http: int, smtp: int) -> None:
    store = open_store(url, exclusive=False, sleep=time.sleep)
    with closing(Stores(store)) as stores:
        seed(stores, province, folder, http, smtp)


@dataclass(frozen=True)
class _Start:
    """Starts `reminder run`, each process with its clock."""

    processes: Processes
    config: Path
    clocks: Mapping[str, int]

    async def __call__(self, name: str, role: str) -> Process:
        return await self.processes.reminder(name, self.config, role, self.clocks.get(name, 0))


async def _play(run: Run, start: _Start, faults: Faults, workers: int, *, ahead: bool) -> Tally:
    await start("web", "web")
    if ahead:
        await start("tick", "tick")
        await until(run.all_ticked, pause=_LOOK, moves=run.base.ticked)
    working = [await start(f"worker-{n + 1}", "worker") for n in range(workers)]
    for each in working:
        await within(each.says("does the work of"), f"the start of {each.name}")
    await _until_hooked(run)
    run.begun, began = time.time(), time.monotonic()
    if not ahead:
        await start("tick", "tick")
    happening = asyncio.create_task(_happen(run, working, faults))
    last = time.monotonic()
    while time.monotonic() - last < STUCK:
        if run.look():
            last = time.monotonic()
        if not run.figures.ticked and run.all_ticked():
            run.figures.ticked = time.monotonic() - began
            run.say("every office is ticked")
        whole = run.figures.ticked and happening.done() and not run.people.busy
        if whole and not run.base.open_rows():
            break
        await asyncio.sleep(_LOOK)
    await happening
    for each in run.processes.all:
        run.figures.memory[each.name] = each.memory
        run.figures.seconds[each.name] = each.seconds
    codes = await run.processes.end()
    run.look()
    tally = _judge(run)
    tally.why += [f"{name} ended with {code}" for name, code in codes.items() if code]
    return tally


async def _until_hooked(run: Run) -> None:
    """Until each bot by which somebody answers has set its webhook."""
    wanted = {answer.reader.account for answer in run.province.asked}
    end = time.monotonic() + STUCK
    while not wanted <= run.people.hooks.keys() and time.monotonic() < end:
        run.look()
        await asyncio.sleep(_LOOK)


async def _happen(run: Run, workers: list[Process], faults: Faults) -> None:
    """One worker is killed, another frozen and woken, all connections cut, one after the other."""
    some = len(run.province.readers) * faults.from_share

    def under_way() -> bool:
        return sum(each.taken and each.at > run.begun for each in run.arrivals) >= some

    await until(under_way, STUCK, pause=_LOOK, moves=lambda: len(run.arrivals))
    if faults.kill:
        await run.hit(workers[0], signal.SIGKILL)
        await asyncio.sleep(faults.pause)
    if faults.freeze:
        await run.hit(workers[1], signal.SIGSTOP)
        await asyncio.sleep(faults.frozen)
        workers[1].signal(signal.SIGCONT)
        run.say(f"SIGCONT to {workers[1].name}")
        await asyncio.sleep(faults.pause)
    if faults.cut:
        run.note_unknown()
        run.say(f"{run.base.server.cut(run.base.name)} connections cut")


def _judge(run: Run) -> Tally:
    rows = [
        replace(row, ready=max(row.ready, run.begun))
        for row in run.base.rows()
        if not row.recipient.startswith("stranger:")
    ]
    strangers = set(STRANGER.values())
    tally = judged(
        [arrival for arrival in run.arrivals if arrival.chat not in strangers],
        rows,
        run.base.events(),
        readers=run.province.readers,
        answers=run.province.asked,
        big=office_id(BIG),
        in_flight=len(run.unknown),
        begun=run.begun,
    )
    tally.why += run.people.failed
    for office, fault in run.base.faults():
        tally.wrong(f"office {office} is at fault: {fault}")
    for reader, at in run.people.asked.items():
        mine = [
            row for row in rows if (row.office, row.recipient) == (reader.office, reader.person)
        ]
        replies = {row.provider_id for row in mine if row.kind == ANSWER}
        came = [
            a.at for a in run.arrivals if (a.account, a.chat) == (reader.account, reader.chat)
            and a.id in replies
        ]  # fmt: skip
        tally.answered = max([tally.answered, *(each - at for each in came)])
    offices = [office_id(number) for number in (BIG, 2, run.province.offices)]
    across = run.base.across(offices)
    tally.across = len(across)
    tally.why += [f"RLS: {each}" for each in across]
    return tally
