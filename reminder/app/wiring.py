"""Wires the daemon: settings → store, channels, service, listeners; and anew when files change.

Faulty files are refused, and the office is told. A people file that lost many people at once is
refused too, since an editor that crashed may have left half of it; `reminder reload` accepts it.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import logging
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING

from reminder.app import bootstrap, logs
from reminder.app.channels import (
    CHANNELS,
    invite,
    known_channels,
    web_links,
)
from reminder.app.daemon import Daemon
from reminder.channels import Channel, Hooked
from reminder.channels.console import ConsoleChannel
from reminder.domain.errors import FileError, Problem, ReminderError
from reminder.domain.outbox import AddressSource, Invited
from reminder.domain.payloads import FilesRefused
from reminder.domain.people import Person
from reminder.domain.weblinks import WebLinks
from reminder.files.calendar import holiday_name
from reminder.files.settings import Settings, environment
from reminder.files.toml import read_bytes
from reminder.ops.liveness import Heartbeat, Liveness, Monitor, Notifier
from reminder.ops.supervisor import Clock, pause_until
from reminder.services.office import Files, to_offices
from reminder.services.status import StatusSnapshot, snapshot
from reminder.store.database import file_of
from reminder.store.records import StoreBusyError
from reminder.store.store import Store

if TYPE_CHECKING:
    from reminder.files.documents import Documents
    from reminder.web.app import Probe
    from reminder.web.server import PageServer

log = logging.getLogger(__name__)

Marks = tuple[tuple[Path, tuple[int, ...] | None], ...]  # of files: inode, size, times
READ_AGAIN = 12  # looks after which files are read that were not touched
FEW = 2  # people that may go at once from the smallest office
NAMED = 5  # of those who are gone
AT_START = (
    "office",
    "store",
    "inbox",
    "backup",
    "watch",
    "web",
)  # sections that wait for the next start


@dataclass
class Program:
    """A wired daemon, and what is closed after it."""

    daemon: Daemon
    store: Store
    monitor: Monitor
    servers: tuple[PageServer, ...] = ()  # of [web] and of [watch]
    _asked: bool = False  # for a reload, which has not begun
    _reloading: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Start the channels, run until SIGTERM, Ctrl-C or `stop`, and close everything.

        SIGHUP is `reminder reload`; other signals are not handled.
        """
        others = dict.fromkeys(("SIGUSR1", "SIGUSR2"), lambda: None)
        ends = dict.fromkeys(("SIGTERM", "SIGINT"), self._end)
        on_signals({**ends, "SIGHUP": self._reload, **others})
        try:
            for listener in self.daemon.listeners:
                await listener.begin()
            log.info("reminder runs: %s", ", ".join(self.daemon.channels))
            await self.monitor.start()
            for server in self.servers:
                await server.start()
            await self.daemon.run()
        finally:
            for server in self.servers:
                await server.stop()
            await self.monitor.stop()
            for channel in self.daemon.channels.values():
                await channel.stop()
            self.store.close()

    def _reload(self) -> None:
        """Begin a reload; signals that come meanwhile have it done once more."""
        self._asked = True
        if self._reloading is None or self._reloading.done():
            self._reloading = asyncio.create_task(self._reload_while_asked())

    async def _reload_while_asked(self) -> None:
        while self._asked:
            self._asked = False
            await self.daemon.reload_now()

    def _end(self) -> None:
        self.monitor.notifier.say("STOPPING=1")
        self.daemon.stop()


def program(config: Path | None, clock: Clock, *, tick_seconds: float | None = None) -> Program:
    """Wire the daemon from the settings; raise ReminderError if it can't start."""
    settings = bootstrap.load_settings(config)
    store, files = bootstrap.open_office(settings, clock.now(), exclusive=True)
    channels = _channels(settings, store, clock, files)
    links = web_links(settings, store)
    service = bootstrap.service_of(settings, store, files, links)
    daemon = Daemon(service, channels, clock, tick_seconds=tick_seconds)
    daemon.dispatcher.in_flight = settings.delivery.in_flight
    if (copies := bootstrap.backups(settings)) is not None:

        def back_up() -> None:
            try:
                copies.look(store, clock.now())
            finally:
                service.watch_copies(copies.marks, clock.now())

        daemon.backup = back_up
    monitor = _monitor(settings, daemon)
    reloader = Reloader(daemon, settings, config, monitor.notifier.say)
    daemon.reload = reloader.check
    daemon.listeners = tuple(
        listener
        for wiring in CHANNELS
        if (channel := channels.get(wiring.traits.name))
        for listener in wiring.listen(settings, channel, daemon)
    )
    served = settings.web.is_on or settings.watch.place
    probes = monitor.probes() if served else {}
    return Program(daemon, store, monitor, _servers(settings, reloader, probes, links))


@dataclass
class PageProgram:
    """The page in a process of its own, beside the daemon, which sends what is decided here."""

    daemon: Daemon  # never run: its worker and clock alone are used
    store: Store
    servers: tuple[PageServer, ...]
    reloader: Reloader

    async def run(self) -> None:
        """Serve until SIGTERM or Ctrl-C; raise ReminderError where there is no port."""
        stop = self.daemon.worker.stop
        on_signals(dict.fromkeys(("SIGTERM", "SIGINT"), stop.set))
        try:
            for server in self.servers:
                if not await server.start():
                    raise ReminderError("trang theo dõi không mở được: xem dòng trên")
            while not stop.is_set():
                await pause_until(stop, self.daemon.reload_seconds)
                await self.daemon.worker.attempt("reload", self.reloader.check)
        finally:
            for server in self.servers:
                await server.stop()
            self.store.close()


def page_program(config: Path | None, clock: Clock) -> PageProgram:
    """Wire the page alone; raise ReminderError where it is off, or can't start."""
    settings = bootstrap.load_settings(config)
    if not settings.web.is_on:
        raise ReminderError(
            'trang theo dõi chưa bật: ghi listen = "127.0.0.1:8080" dưới [web], hoặc đặt '
            "REMINDER_WEB__LISTEN"
        )
    settings = replace(settings, watch=replace(settings.watch, listen=""))  # the daemon's
    store, files = bootstrap.open_office(settings, clock.now(), exclusive=False)
    links = web_links(settings, store)
    service = bootstrap.service_of(settings, store, files, links)
    daemon = Daemon(service, {}, clock)
    reloader = PageReloader(daemon, settings, config, lambda _: None)

    async def alive() -> tuple[int, str, bytes]:
        await daemon.do(store.head)
        return 200, "application/json", b'{"status": "ok"}'

    servers = _servers(settings, reloader, {"/healthz": alive}, links)
    return PageProgram(daemon, store, servers, reloader)


def _servers(
    settings: Settings, reloader: Reloader, probes: Mapping[str, Probe], links: WebLinks | None
) -> tuple[PageServer, ...]:
    """Return the servers of one app, not begun: at the address of [web], and at that of [watch].

    Their libraries are loaded only where one of the two is on.
    """
    web, watch = settings.web.place, settings.watch.place
    if web is None and watch is None:
        return ()
    from reminder.web.app import make_app, make_watch
    from reminder.web.server import PageServer
    from reminder.web.site import Site
    from reminder.web.uploads import Reader

    if links is None:
        app = make_watch(probes)
        return (PageServer(app, *watch, of="watch"),) if watch else ()
    daemon = reloader.daemon
    database = file_of(settings.store.url)
    site = Site(
        service=daemon.service,
        do=daemon.do,
        wake=daemon.wake,
        now=daemon.clock.now,
        links=links,
        reader=Reader(database.parent if database else Path(gettempdir())),
        holiday=holiday_name,
        invite=_inviter(settings, daemon),
        is_heard=settings.web.is_heard,
        editors=frozenset(settings.web.editors),
        documents=reloader.documents,
        plan_folder=bootstrap.plan_folder(settings.plan.files),
        plan_paths=lambda: bootstrap.plan_paths(settings.plan.files),
    )
    hooked = [listener for listener in daemon.listeners if isinstance(listener, Hooked)]
    hooks = {path: hook for listener in hooked for path, hook in listener.hooks.items()}
    app = make_app(site, probes, hooks)
    found = [PageServer(app, *web, settings.web.behind)] if web else []
    return (*found, *((PageServer(app, *watch, of="watch"),) if watch else ()))


def _inviter(settings: Settings, daemon: Daemon) -> Callable[[Person], Invited] | None:
    """Return what makes invitations for the page; None where no channel has any."""
    if not any(known.addresses is AddressSource.INVITATION for known in known_channels()
               if known.name in daemon.service.office.channels):  # fmt: skip
        return None
    store, now = daemon.service.store, daemon.clock.now
    return lambda person: invite(settings, store, person, "", now())


def _monitor(settings: Settings, daemon: Daemon) -> Monitor:
    names = (wiring.traits.name for wiring in CHANNELS if wiring.polls)
    polls = [name for name in names if name in daemon.channels]

    def status() -> StatusSnapshot:
        return snapshot(daemon.service.refresh(), daemon.service.store, daemon.clock.now())

    monitor = Monitor(
        liveness=Liveness(lambda: asyncio.get_running_loop().time(), polls),
        notifier=Notifier.of(environment()),
        heartbeat=Heartbeat(settings.watch.heartbeat_url.value),
        status=lambda: daemon.do(status),
        database=file_of(settings.store.url),
    )
    daemon.mark, daemon.dispatcher.on_sent = monitor.mark, monitor.sent
    return monitor


def _channels(settings: Settings, store: Store, clock: Clock, files: Files) -> dict[str, Channel]:
    found = {
        wiring.traits.name: wiring.connect(settings, store, clock.now)
        for wiring in CHANNELS
        if getattr(settings, wiring.traits.name).is_on
    }
    if found:
        return found
    sections = ", ".join(f"[{wiring.traits.name}]" for wiring in CHANNELS)
    log.warning("none of %s is set up: messages go to the console", sections)
    names = {person.id: person.name for person in files.people}
    channel = ConsoleChannel(sys.stdout, now=clock.now, label=lambda who: names.get(who, who))
    return {channel.name: channel}


@dataclass
class Reloader:
    """Rereads the files when their content has changed, and refuses faulty ones."""

    daemon: Daemon
    settings: Settings
    config: Path | None
    notify: Callable[[str], None]  # takes systemd's words for a reload

    def __post_init__(self) -> None:
        self.begun = self.tried = self.settings  # tried: the newest ones that could be read
        self.service = self.daemon.service
        self.seen, self.refused = self._content(self.settings), ""
        self.asked = self.service.store.meta("reload") or ""
        file = file_of(self.settings.store.url)
        self._database = [file, file.with_name(f"{file.name}-wal")] if file else []
        self._marked: Marks | None = None  # at the last look
        self._settled: Marks | None = None  # at which nothing was found to do, twice
        self._passed_over = 0

    def check(self) -> bool:
        """Look for changes; return whether files were reread, or refused.

        Where no file was touched, that of the database included, its content is not read. What is
        written within one tick of a file system's clock looks untouched: so the look after a change
        reads once more, and each twelfth does anyhow.
        """
        before, self._marked = self._marked, self._marks()
        if self._marked is not None and self._marked == self._settled:
            self._passed_over += 1
            if self._passed_over < READ_AGAIN:
                return False
        self._passed_over, self._settled = 0, None
        if self._check():
            return True
        if self._marked == before:
            self._settled = before
        return False

    def _marks(self) -> Marks | None:
        """Return what changes when a watched file is written; None: the database is a server."""
        if not self._database:
            return None
        paths = [*self._database, *bootstrap.watched(self.tried, self.config)]
        return tuple((path, _mark(path)) for path in paths)

    def _check(self) -> bool:
        asked = self.service.store.meta("reload") or ""
        self.looked = content = self._content(self.tried)
        if content in (self.seen, self.refused) and asked == self.asked:
            return False
        before, self.asked = self.asked, asked
        self.notify("RELOADING=1")
        try:
            self._reload(meant=asked != before)
        except StoreBusyError:
            self.asked = before  # tried again at the next look
            raise
        except ReminderError as error:
            self._refuse(error, self.looked)
        finally:
            self.notify("READY=1")
        return True

    def documents(self) -> Documents | None:
        """Return the texts of plans and people in the database; None: they are files."""
        return bootstrap.documents(self.settings, self.service.store, self.daemon.clock.now())

    def _reread(self, now: datetime, *, meant: bool) -> tuple[Settings, Files]:
        """Return the settings and files as they are now, and note which they are in `looked`."""
        # Before all reading: what is saved while this reads is another change, for the next look.
        # Refused settings may name other files, in which the fault is mended.
        self.tried = bootstrap.load_settings(self.config)
        self.looked = self._content(self.tried)
        settings = bootstrap.load_settings(self.config)
        bootstrap.documents(settings, self.service.store, now)  # takes up the files at first
        files = bootstrap.read_files(settings, now, self.service.store)
        if not meant:
            _refuse_mass_removal(
                settings.plan.people, self.service.office.files.people, files.people
            )
        return settings, files

    def _reload(self, *, meant: bool) -> None:
        now = self.daemon.clock.now()
        settings, files = self._reread(now, meant=meant)
        self._take_up(settings, files, now)
        self.settings, self.seen, self.refused = settings, self.looked, ""

    def _take_up(self, settings: Settings, files: Files, now: datetime) -> None:
        lines = self.service.reload(files, now)
        self.service.patience = settings.delivery.patience
        self.service.tell_after = settings.delivery.tell_after
        later = self._apply(self.settings, settings)
        if later:
            log.warning("%s: changed, but applied at the next start only", ", ".join(later))
        answer = " ".join((self.asked, str(len(lines)), *later))
        self.service.store.set_meta("reloaded", answer)

    def _apply(self, old: Settings, new: Settings) -> list[str]:
        """Take up what can be; return the changed sections that need a new start."""
        daemon, channels = self.daemon, self.daemon.channels
        daemon.dispatcher.in_flight = new.delivery.in_flight
        if (new.log, logs.secrets_of(new)) != (old.log, logs.secrets_of(old)):
            logs.follow(new, logs.secrets_of(old))
        waits = [*AT_START, *(wiring.traits.name for wiring in CHANNELS if not wiring.live)]
        kept = {section: getattr(self.begun, section) for section in waits}
        changed = [section for section in waits if getattr(new, section) != kept[section]]
        for wiring in (wiring for wiring in CHANNELS if wiring.live):
            name = wiring.traits.name
            section = getattr(new, name)
            if section.is_on != (name in channels):
                changed.append(name)
            elif section.is_on and section != getattr(old, name):
                store, now = self.service.store, daemon.clock.now
                channels[name] = wiring.connect(replace(new, **kept), store, now)
        return [f"[{section}]" for section in changed]

    def _refuse(self, error: ReminderError, content: str) -> None:
        problems = str(error).splitlines()
        for line in problems:
            log.error("refused, the old files go on: %s", line)
        now, office = self.daemon.clock.now(), self.service.office
        digest = hashlib.sha256(content.encode()).hexdigest()[:12]
        drafts = to_offices(office, FilesRefused(problems=tuple(problems)), now, subject=digest)
        meta = {"reloaded": f"{self.asked} refused"}
        self.service.store.record([], unit_names={}, drafts=drafts, meta=meta, at=now)
        self.refused = content  # only now: if the database is busy the office must still be told

    def _content(self, settings: Settings) -> str:
        """Return a hash of all watched files; one that can't be read counts as empty."""
        found = hashlib.sha256()
        if settings.plan.source == "database":
            found.update(repr(self.service.store.document_marks()).encode())
        for path in bootstrap.watched(settings, self.config):
            try:
                found.update(read_bytes(path) + b"\0")
            except FileError:
                found.update(b"\1")
        return found.hexdigest()


class PageReloader(Reloader):
    """Takes up changed files in another process than the daemon's, which tells of faults."""

    def _take_up(self, settings: Settings, files: Files, now: datetime) -> None:
        del settings
        self.service.reload(files, now)

    def _refuse(self, error: ReminderError, content: str) -> None:
        log.warning("refused, the old files go on: %s", error)
        self.refused = content


def _mark(path: Path) -> tuple[int, ...] | None:
    """Return what changes when the file is written or replaced; None: there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _refuse_mass_removal(
    path: Path | None, before: Sequence[Person], after: Sequence[Person]
) -> None:
    """FileError if more than a third of the people, and more than a few, are gone."""
    there = {person.id for person in after}
    gone = [person.id for person in before if person.id not in there]
    if len(gone) <= max(FEW, len(before) // 3):
        return
    who = ", ".join(gone[:NAMED]) + (" …" if len(gone) > NAMED else "")
    words = (
        f"thiếu {len(gone)} trong {len(before)} người ({who}), như tệp mới lưu được một nửa: xin"
        " lưu lại cho đủ; nếu đúng là bỏ họ, gõ: reminder reload"
    )
    raise FileError([Problem(str(path or "people.toml"), None, words)])


def run(config: Path | None) -> None:
    """Run the daemon until SIGTERM or Ctrl-C."""
    asyncio.run(_run(config))


def run_page(config: Path | None) -> None:
    """Serve the page alone until SIGTERM or Ctrl-C."""
    asyncio.run(page_program(config, bootstrap.SystemClock()).run())


async def _run(config: Path | None) -> None:
    wired = program(config, bootstrap.SystemClock())
    gc.enable()
    gc.freeze()  # exclude start-up objects from garbage collection
    await wired.run()
    log.info("reminder has ended")


def on_signals(handlers: Mapping[str, Callable[[], object]]) -> None:
    """Call each handler on the signal of its name, where this system has it."""
    loop = asyncio.get_running_loop()
    for name, handler in handlers.items():
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, handler)
        except NotImplementedError:  # Windows: its loop takes no handlers
            signal.signal(number, lambda *_, handler=handler: loop.call_soon_threadsafe(handler))
