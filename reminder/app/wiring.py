"""Wires the daemon: settings → store, channels, service, listeners, reload."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reminder.app import bootstrap, logs
from reminder.app.channels import CHANNELS, known_channels
from reminder.app.daemon import Daemon
from reminder.app.reload import Reloader
from reminder.channels import Channel
from reminder.channels.console import ConsoleChannel
from reminder.files.calendar import holiday_name
from reminder.files.settings import Settings, environment
from reminder.messages.rows import RowRenderer
from reminder.ops.liveness import Heartbeat, Liveness, Monitor, Notifier
from reminder.ops.supervisor import Clock
from reminder.services.office import Files, Office
from reminder.services.service import Service
from reminder.services.status import StatusSnapshot, snapshot
from reminder.store.database import file_of
from reminder.store.store import Store, open_store

log = logging.getLogger(__name__)


def service_for(settings: Settings, files: Files, store: Store, channels: Sequence[str]) -> Service:
    """The service on a store, with its renderer."""
    return Service(
        store=store,
        renderer=RowRenderer(holiday_name).render,
        office=Office(
            files=files,
            id=store.office,
            channels=tuple(channels),
            known=known_channels(),
        ),
        patience=settings.delivery.patience,
    )


@dataclass
class Program:
    """A wired daemon, and what is closed after it."""

    daemon: Daemon
    store: Store
    monitor: Monitor

    async def run(self) -> None:
        """Start the channels, run until SIGTERM, Ctrl-C or `stop`, and close everything."""
        _on_signals(self._end)
        try:
            for listener in self.daemon.listeners:
                await listener.begin()
            log.info("reminder runs: %s", ", ".join(self.daemon.channels))
            await self.monitor.start()
            await self.daemon.run()
        finally:
            await self.monitor.stop()
            for channel in self.daemon.channels.values():
                await channel.stop()
            self.store.close()

    def _end(self) -> None:
        self.monitor.notifier.say("STOPPING=1")
        self.daemon.stop()


def program(config: Path | None, clock: Clock, *, tick_seconds: float | None = None) -> Program:
    """Wire the daemon from the settings; ReminderError if it can't start."""
    settings = bootstrap.load_settings(config)
    files = bootstrap.read_files(settings, clock.now())
    office = bootstrap.office_id(settings, files)
    store = open_store(settings.store.url, office=office, exclusive=True, sleep=bootstrap.pause)
    channels = _channels(settings, store, clock, files)
    service = service_for(settings, files, store, tuple(channels))

    def apply(old: Settings, new: Settings) -> list[str]:
        daemon.dispatcher.in_flight = new.delivery.in_flight
        if (new.log, logs.secrets_of(new)) != (old.log, logs.secrets_of(old)):
            logs.follow(new, logs.secrets_of(old))
        waits = ["office", "store", "inbox", "backup", "watch"]  # for the next start
        waits += [wiring.traits.name for wiring in CHANNELS if not wiring.live]
        kept = {section: getattr(settings, section) for section in waits}
        changed = [section for section in waits if getattr(new, section) != kept[section]]
        for wiring in (wiring for wiring in CHANNELS if wiring.live):
            name = wiring.traits.name
            section = getattr(new, name)
            if section.is_on != (name in channels):
                changed.append(name)
            elif section.is_on and section != getattr(old, name):
                channels[name] = wiring.connect(replace(new, **kept), store, clock.now)
        return [f"[{section}]" for section in changed]

    copies = bootstrap.backups(settings)

    def copy() -> None:
        if copies is not None:
            try:
                copies.look(store, clock.now())
            finally:
                service.watch_copies(copies.marks, clock.now())

    reloader = Reloader(service, settings, config, clock, apply)
    daemon = Daemon(
        service=service,
        channels=channels,
        clock=clock,
        reload=reloader.check,
        backup=copy if copies else None,
        tick_seconds=tick_seconds,
    )
    daemon.dispatcher.in_flight = settings.delivery.in_flight
    monitor = _monitor(settings, daemon)
    reloader.notify = monitor.notifier.say
    daemon.listeners = tuple(
        listener
        for wiring in CHANNELS
        if (channel := channels.get(wiring.traits.name))
        for listener in wiring.listen(settings, channel, daemon)
    )
    return Program(daemon, store, monitor)


def _monitor(settings: Settings, daemon: Daemon) -> Monitor:
    polls = any(wiring.polls and wiring.traits.name in daemon.channels for wiring in CHANNELS)

    def status() -> StatusSnapshot:
        return snapshot(daemon.service.refresh(), daemon.service.store, daemon.clock.now())

    monitor = Monitor(
        liveness=Liveness(_monotonic, polls),
        notifier=Notifier.of(environment()),
        heartbeat=Heartbeat(settings.watch.heartbeat_url.value),
        status=lambda: daemon.do(status),
        database=file_of(settings.store.url),
        listen=settings.watch.place,
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
    log.warning("neither [telegram] token nor [email] host is set: messages go to the console")
    names = {person.id: person.name for person in files.people}
    channel = ConsoleChannel(sys.stdout, now=clock.now, label=lambda who: names.get(who, who))
    return {channel.name: channel}


def _monotonic() -> float:
    return asyncio.get_running_loop().time()


def run(config: Path | None) -> None:
    """Run the daemon until SIGTERM or Ctrl-C."""
    asyncio.run(_run(config))


async def _run(config: Path | None) -> None:
    wired = program(config, bootstrap.SystemClock())
    gc.enable()
    gc.freeze()  # what is there by now stays: no collection need look at it again
    await wired.run()
    log.info("reminder has ended")


def _on_signals(stop: Callable[[], None]) -> None:
    """Call `stop` on SIGTERM and SIGINT."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows: its loop takes no handlers
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
