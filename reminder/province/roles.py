"""A process of a province: which work it does by its roles, its health, and its end.

Any number of processes of each role serve one database on PostgreSQL; the engine gives each key of
work to one of them. On SQLite one process has all roles.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import platform
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from reminder.app import bootstrap
from reminder.app.logs import bound
from reminder.app.offices import OF_ONE
from reminder.app.wiring import on_signals
from reminder.domain.errors import ReminderError
from reminder.engine import open_engine
from reminder.files.settings import Settings, environment
from reminder.ops.liveness import Notifier
from reminder.ops.metrics import WORDS, gauge
from reminder.ops.supervisor import (
    Clock,
    SharedClock,
    Troubles,
    Worker,
    apart,
    pause_until,
    supervise,
)
from reminder.province import incoming, operators, sending, ticking
from reminder.province.cache import ROOM, TICK_ROOM, OfficeCache
from reminder.province.process import Part, Province
from reminder.services.status import marks
from reminder.store.accounts import Accounts
from reminder.store.offices import Stores
from reminder.store.records import StoreBusyError, StoreRefusedError
from reminder.store.store import SHIPPED, is_current, open_store

if TYPE_CHECKING:
    from prometheus_client import Metric
    from starlette.types import ASGIApp

    from reminder.engine.port import Handler
    from reminder.ops.liveness import Probe
    from reminder.web.server import PageServer

log = logging.getLogger(__name__)


def _pages(province: Province) -> Part:
    from reminder.province.pages import part  # its libraries are loaded by the role web alone

    return part(province)


def figures(province: Province) -> Part:
    """Return the figures of the whole province: each process of the role tick says them."""
    from prometheus_client.core import GaugeMetricFamily

    accounts = Accounts(province.stores.database)

    def by_account(name: str, words: str, found: Mapping[str, float]) -> Metric:
        family = GaugeMetricFamily(f"reminder_{name}", words, labels=("account",))
        for account, value in found.items():
            family.add_metric((account,), value)
        return family

    def read() -> list[Metric]:
        now, stores = province.clock.now(), province.stores
        queues = {queue.account: queue for queue in accounts.queues(now)}
        down = {each.id: float(each.down_since is not None) for each in stores.accounts()}
        due = {name: float(queues[name].due) if name in queues else 0.0 for name in down}
        heard = stores.heard()
        deaf = {name: float(it.deaf_since is not None) for name, it in heard.items()}
        last = {name: it.at.timestamp() for name, it in heard.items() if it.at}
        age = {
            name: max(0.0, (now - queues[name].since) / SECOND) if name in queues else 0.0
            for name in down
        }
        noted = marks(stores.of(""), ())
        copied = [
            gauge(f"{name}_timestamp_seconds", WORDS[name], at.timestamp())
            for name in ("last_backup", "last_backup_away")
            if (at := getattr(noted, name)) is not None
        ]
        return [
            *copied,
            by_account("queue_messages", "Messages of an account that are due.", due),
            by_account("queue_age_seconds", "Since the first of them was due.", age),
            by_account("account_down", "1: nothing gets through by the account.", down),
            by_account("account_deaf", "1: nothing comes in by the account.", deaf),
            by_account(
                "account_last_poll_timestamp_seconds",
                "When an account was last polled or looked at, or delivered something.",
                last,
            ),
            gauge("offices_faulty", "Offices that can't be ticked.", stores.faulty()),
            gauge("tick_lag_seconds", "By which the ticks are late.", stores.lag(now) / SECOND),
        ]

    async def all_of_them() -> list[Metric]:
        jobs = GaugeMetricFamily("reminder_jobs", "Keys of work.", labels=("role", "state"))
        for role, found in (await province.engine.jobs()).items():
            jobs.add_metric((role, "waiting"), found.waiting)
            jobs.add_metric((role, "running"), found.running)
        return [*await province.do(read), jobs]

    return Part(figures=all_of_them)


def copies(province: Province) -> Part:
    """Return the daily copies: made by one process of all, in a thread of its own."""
    made = bootstrap.backups(province.settings)
    if made is None:
        return Part()
    troubles = province.worker.troubles

    def make() -> None:
        with bootstrap.all_offices(province.settings) as store:
            made.look(store, province.clock.now())

    async def copy(_: str) -> None:
        store, now = province.stores.of(""), province.clock.now()
        if not await province.do(partial(made.due, store, now)):
            return
        try:
            await apart(make)
        except ReminderError as error:
            troubles.fails("backup", error)
        else:
            troubles.over("backup")

    return Part(handlers={COPIES: copy}, every=((60.0, COPIES, ""),))


# What a role does; `reminder run` without --role does all of it.
ROLES: dict[str, tuple[Callable[[Province], Part], ...]] = {
    "worker": (sending.part, incoming.worker_part),
    "tick": (ticking.part, figures, copies, operators.part),
    "web": (incoming.web_part, _pages),
}
BY_ACCOUNT = (sending.SEND, incoming.POLL, incoming.HOOK, incoming.MAILBOX_ROLE)  # their keys
COPIES = "copies"  # the engine's role
ANSWER = 5.0  # seconds that the database may take before a process counts as unhealthy
SECOND = timedelta(seconds=1)
# A transaction in which a process does nothing for so long is ended: whoever takes its work over
# waits for what it has locked.
IDLE = 4.0
END = 9.0  # seconds that work gets at the end; Docker and Kubernetes are told to wait for longer
LOOK_AT_DATABASE = 5.0  # seconds between two looks at its schema and its clock
NOTE_CLOCK = timedelta(minutes=1)  # a clock that is wrong is noted no more often
# Seconds after which the loop lets the store's thread go on, which asks for that after each answer
# of the database. By Python's own 5 ms a lease of ten statements may wait for 50.
TURN = 0.0005
AGAIN = 2.0  # seconds before a database that has cut connections is tried again
RESTART = 1.0  # seconds before an engine that has ended is started anew, at first


class Process:
    """One process of a province."""

    def __init__(self, province: Province, roles: Iterable[str]) -> None:
        self.province, self.roles = province, tuple(roles)
        made = {make: make(province) for role in self.roles for make in ROLES[role]}
        self.parts = tuple(made.values())
        self._accounts = Accounts(province.stores.database)
        self.servers: list[PageServer] = []  # as long as it runs
        self._refused: StoreRefusedError | None = None  # why it must not go on, if so
        self._clock_noted: datetime | None = None  # when it was noted that it is wrong, if it is

    @property
    def stop(self) -> asyncio.Event:
        """Set: the process ends."""
        return self.province.worker.stop

    async def run(self) -> None:
        """Do the work of the roles until SIGTERM, Ctrl-C or `stop`, then end in order."""
        notifier = Notifier.of(environment())
        on_signals(dict.fromkeys(("SIGTERM", "SIGINT"), self.stop.set))
        on_signals(dict.fromkeys(("SIGHUP", "SIGUSR1", "SIGUSR2"), lambda: None))
        engine, self.servers = self.province.engine, self._servers()
        handlers = {
            role: _named(handler) if role in BY_ACCOUNT else handler
            for part in self.parts
            for role, handler in part.handlers.items()
        }
        for period, role, key in chain.from_iterable(part.every for part in self.parts):
            engine.every(period, role, key)
        watching = asyncio.create_task(notifier.watch(lambda: True, lambda: "runs"))
        guarding = asyncio.create_task(self._guard())
        try:
            for server in self.servers:
                if not await server.start():
                    raise ReminderError(
                        "không mở được cổng của tiến trình này (dòng trên): mỗi tiến trình trên "
                        "một máy một địa chỉ, đặt bằng REMINDER_WATCH__LISTEN, REMINDER_WEB__LISTEN"
                    )
            notifier.say("READY=1")
            log.info("this process does the work of: %s", ", ".join(self.roles))
            await self._work(partial(engine.run, handlers, self.stop))
        finally:
            notifier.say("STOPPING=1")
            watching.cancel()
            guarding.cancel()
            for part in self.parts:
                await part.end()
            for server in self.servers:
                await server.stop()
            self.province.worker.end()
            self.province.stores.close()
        if self._refused is not None:
            raise self._refused

    async def _guard(self) -> None:
        """Compare the clock with the database's, and end once a newer program has changed it."""
        while not self.stop.is_set():
            await pause_until(self.stop, LOOK_AT_DATABASE)
            try:
                await self.province.do(self._look)
            except StoreRefusedError as error:  # this program misreads the newer tables
                self._refused = error
                self.stop.set()
            except StoreBusyError:
                continue  # it is looked at again

    def _look(self) -> None:
        is_current(self.province.stores.database, SHIPPED)
        clock, stores = self.province.clock, self.province.stores
        if not isinstance(clock, SharedClock):
            return
        clock.look()
        now, before = clock.now(), self._clock_noted
        if clock.is_wrong and (before is None or now - before >= NOTE_CLOCK):
            stores.note_clock(platform.node(), clock.ahead, now)
            self._clock_noted = now
        elif before is not None and not clock.is_wrong:
            stores.note_clock(platform.node(), timedelta(0), now)
            self._clock_noted = None

    async def _work(self, run: Callable[[], Awaitable[None]]) -> None:
        """Run the engine until `stop`, and break off what has not ended in time after it.

        What was being sent then is sent once more by another process, marked.
        """
        working = asyncio.create_task(supervise("the engine", run, self.stop, RESTART))
        stopping = asyncio.create_task(self.stop.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            _, late = await asyncio.wait({working}, timeout=END)
            if late:
                log.warning("the end: what is still at work after %g s is broken off", END)
        finally:
            stopping.cancel()
            if not working.done():
                working.cancel()
        await asyncio.wait({working}, timeout=END)
        if working.done() and not working.cancelled():
            working.result()

    def _servers(self) -> list[PageServer]:
        """Return the servers of /healthz and /metrics, and for the role web those of the pages."""
        from reminder.web.app import make_watch
        from reminder.web.server import PageServer

        settings = self.province.settings
        probes = {"/healthz": self._health, "/metrics": self._measures}
        found, otherwise = [], "this process ends"
        if settings.watch.place is not None:
            watch = settings.watch.place
            found.append(PageServer(make_watch(probes), *watch, of="watch", otherwise=otherwise))
        if "web" in self.roles and settings.web.place is not None:
            proxies = settings.web.behind
            app = self._pages(probes)
            found.append(PageServer(app, *settings.web.place, proxies, otherwise=otherwise))
        elif self.roles == ("web",):
            raise ReminderError(
                'vai trò web cần địa chỉ: ghi listen = "0.0.0.0:8080" dưới [web], hoặc đặt '
                "REMINDER_WEB__LISTEN"
            )
        return found

    def _pages(self, probes: Mapping[str, Probe]) -> ASGIApp:
        """Return the app of the role web: probes and hooks, then the pages."""
        from reminder.web.app import make_front

        hooks = dict(chain.from_iterable(part.hooks.items() for part in self.parts))
        pages = next((part.app for part in self.parts if part.app is not None), None)
        return make_front(probes, hooks, pages)

    async def _health(self) -> tuple[int, str, bytes]:
        """Answer 200 where the database answers in time, and with it the store's thread."""
        try:
            async with asyncio.timeout(ANSWER):
                await self.province.do(self._accounts.time)
        except (ReminderError, TimeoutError) as error:
            why = str(error) or f"the database has not answered for {ANSWER:g} s"
            log.warning("unhealthy: %s", why)
            return 503, "application/json", b'{"status": "fault"}'
        return 200, "application/json", b'{"status": "ok"}'

    async def _measures(self) -> tuple[int, str, bytes]:
        from reminder.ops.metrics import CONTENT_TYPE

        families: list[Metric] = []
        if isinstance(clock := self.province.clock, SharedClock):
            words, ahead = "This machine's clock, of the database's.", clock.ahead / SECOND
            families.append(gauge("clock_ahead_seconds", words, ahead))
        status, _, _ = await self._health()
        for part in self.parts:
            if part.figures is not None and status == 200:
                families += list(await part.figures())
        page = self.province.metrics.page(None, None, healthy=status == 200, more=families)
        return 200, CONTENT_TYPE, page


def _named(handler: Handler) -> Handler:
    """Return the handler of an account's key, whose log lines name the account."""

    async def handle(account: str) -> None:
        with bound(account=account):
            await handler(account)

    return handle


def open_province(settings: Settings, clock: Clock, roles: Sequence[str] = ()) -> Province:
    """Open the database of a province; ReminderError if it can't be used."""
    sqlite = settings.store.url.startswith("sqlite")
    store = open_store(settings.store.url, exclusive=sqlite, sleep=bootstrap.pause)
    stores = Stores(store)
    stores.database.limit_idle(IDLE)
    if not sqlite:  # whose clock is this machine's
        clock = SharedClock(clock, Accounts(stores.database).time)
    troubles = Troubles(clock.now)
    room = TICK_ROOM if tuple(roles) == ("tick",) else ROOM
    return Province(
        settings=settings,
        stores=stores,
        cache=OfficeCache(stores, settings, clock.now, room=room),
        engine=open_engine(settings.store.url, clock, troubles),
        clock=clock,
        worker=Worker(busy_pause=AGAIN, troubles=troubles),
    )


def run(config: Path | None, roles: Sequence[str] = ()) -> None:
    """Do the work of these roles, or of all, until SIGTERM or Ctrl-C."""
    settings = bootstrap.load_settings(config)
    if roles and set(roles) != set(ROLES) and settings.store.url.startswith("sqlite"):
        raise ReminderError(
            "--role chia việc cho nhiều tiến trình, cần [store] url là PostgreSQL; với SQLite một "
            "tiến trình làm cả: reminder run"
        )
    asyncio.run(_run(settings, tuple(dict.fromkeys(roles)) or tuple(ROLES)))


async def _run(settings: Settings, roles: Sequence[str]) -> None:
    province = open_province(settings, bootstrap.SystemClock(), roles)
    if province.stores.is_one():
        province.stores.close()
        raise ReminderError(OF_ONE)
    if not province.stores.is_many():
        log.info("there is no office yet; each is served from when it is added: office add")
    if isinstance(province.clock, SharedClock):
        province.clock.look()
    process = Process(province, roles)
    sys.setswitchinterval(TURN)
    gc.enable()
    gc.freeze()  # exclude start-up objects from garbage collection
    await process.run()
    log.info("this process has ended")
