"""The daemon put together: settings → store, channels, service, listeners, watch on the files."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from reminder.app import bootstrap, logs, mail
from reminder.app.daemon import Daemon
from reminder.app.reload import Watch
from reminder.channels import Channel
from reminder.channels.console import ConsoleChannel
from reminder.channels.telegram.pacer import Pacer
from reminder.channels.telegram.receive import Take, TelegramListener
from reminder.channels.telegram.send import TelegramChannel, make_bot
from reminder.domain.channels import SendError
from reminder.domain.errors import ReminderError
from reminder.files.calendar import holiday_name
from reminder.files.settings import Settings
from reminder.messages.rows import RowRenderer
from reminder.ops.heartbeat import Heartbeat
from reminder.ops.liveness import Liveness, Monitor
from reminder.ops.systemd import Notifier
from reminder.services.deliver import Delivery
from reminder.services.handle import Receiver
from reminder.services.office import CONSOLE, EMAIL, TELEGRAM, Files, Office
from reminder.services.ports import Clock
from reminder.services.service import Service
from reminder.services.status import figures
from reminder.store.database import file_of
from reminder.store.store import Store, open_store

log = logging.getLogger(__name__)

OUT_OF_REACH = "Telegram is out of reach (%s): trying on"
PATIENCE = 5.0  # seconds that a send waits for its chat; one held longer leaves its place to others
GREET_PAUSE = 20.0  # seconds between two tries to reach Telegram at the start
SAY_EACH = 3  # of these tries are told
POLL_MARK = timedelta(seconds=30)  # the last poll is noted no more often than this


def service_for(settings: Settings, files: Files, store: Store, channels: Sequence[str]) -> Service:
    """The service on a store; its words are rendered when they are sent."""
    return Service(
        store=store,
        renderer=RowRenderer(holiday_name),
        office=Office(
            files=files,
            id=bootstrap.office_id(settings, files),
            channels=tuple(channels),
            known=bootstrap.known_channels(),
        ),
        receiver=Receiver(store, bot_name=settings.telegram.bot_name),
        delivery=Delivery(fall_through_after=settings.delivery.patience),
    )


@dataclass
class TelegramFront:
    """Reaches Telegram first, however long that takes, then listens."""

    channel: TelegramChannel
    listener: TelegramListener
    bot_name: Callable[[], str]
    known: Callable[[str], Awaitable[None]]
    started: bool = False
    pause: float = GREET_PAUSE
    name: str = TELEGRAM

    async def run(self, take: Take) -> None:
        """Never ends but by cancelling; without a network it says so once a minute."""
        tries = 0
        while not self.started:
            await asyncio.sleep(self.pause)  # the first word has been tried, and told
            try:
                await self.channel.start()
            except SendError as error:
                tries += 1
                if tries % SAY_EACH == 0:
                    log.warning(OUT_OF_REACH, error.reason)
            else:
                log.info("Telegram is reached")
                self.started = True
        await self.known(self.bot_name())
        await self.listener.run(take)


@dataclass
class Program:
    """A wired daemon, and what has to be closed after it."""

    daemon: Daemon
    store: Store
    channels: Mapping[str, Channel]
    fronts: Sequence[TelegramFront] = ()
    monitor: Monitor | None = None

    async def run(self) -> None:
        """Starts the channels, runs until SIGTERM, Ctrl-C or `stop`, and closes all."""
        _on_signals(self._end)
        try:
            for front in self.fronts:
                await _first_word(front)
            log.info("reminder runs: %s", ", ".join(self.channels))
            if self.monitor:
                await self.monitor.start()
            await self.daemon.run()
        finally:
            if self.monitor:
                await self.monitor.stop()
            for channel in self.channels.values():
                await channel.stop()
            self.store.close()

    def _end(self) -> None:
        if self.monitor:
            self.monitor.notifier.say("STOPPING=1")
        self.daemon.stop()


async def _first_word(front: TelegramFront) -> None:
    """A wrong token stops the start at once; a missing network does not."""
    try:
        await front.channel.start()
    except SendError as error:
        if error.channel_down:
            raise ReminderError(
                "[telegram] token: Telegram does not accept it; copy it again from @BotFather "
                "into config/reminder.toml or REMINDER_TELEGRAM__TOKEN"
            ) from None
        log.warning(OUT_OF_REACH, error.reason)
    else:
        front.started = True


def program(config: Path | None, clock: Clock, *, tick_seconds: float | None = None) -> Program:
    """All of it, as the settings say; ReminderError if it can't start."""
    settings = bootstrap.load_settings(config)
    files = bootstrap.read_files(settings, clock.now())
    store = open_store(settings.store.url, exclusive=True, sleep=bootstrap.pause)
    channels, bot_channel = _channels(settings, store, clock, files)
    service = service_for(settings, files, store, bootstrap.channel_names(settings))

    def apply(old: Settings, new: Settings) -> list[str]:
        daemon.dispatcher.in_flight = new.delivery.in_flight
        if (new.log, logs.secrets_of(new)) != (old.log, logs.secrets_of(old)):
            logs.follow(new, logs.secrets_of(old))
        if new.email != old.email and EMAIL in channels and new.email.is_on:
            mail_settings = new.model_copy(
                update={"inbox": settings.inbox}
            )  # as it is read until then
            channels[EMAIL] = mail.mail_channel(mail_settings, store, clock.now)
        needs_start = ("office", "store", "telegram", "inbox", "backup", "watch")
        changed = [s for s in needs_start if getattr(new, s) != getattr(settings, s)]
        switched = ["email"] if new.email.is_on != (EMAIL in channels) else []
        return [f"[{section}]" for section in changed + switched]

    copies = bootstrap.backups(settings)

    def copy() -> None:
        if copies is not None:
            try:
                copies.look(store, clock.now())
            finally:
                service.watch_copies(copies.marks, clock.now())

    watch = Watch(service, settings, config, clock, apply)
    daemon = Daemon(
        service=service,
        channels=channels,
        clock=clock,
        look=watch.look,
        backup=copy if copies else None,
        tick_seconds=tick_seconds,
        look_seconds=5.0,
    )
    daemon.dispatcher.in_flight = settings.delivery.in_flight
    monitor = _monitor(settings, daemon, service, clock, polls=bot_channel is not None)
    watch.said = monitor.notifier.say
    fronts = (_front(daemon, service, bot_channel, clock),) if bot_channel else ()
    daemon.listeners = (*fronts, *mail.listeners(settings, store, daemon, clock.now))
    return Program(daemon, store, channels, fronts, monitor)


def _monitor(
    settings: Settings, daemon: Daemon, service: Service, clock: Clock, *, polls: bool
) -> Monitor:
    monitor = Monitor(
        liveness=Liveness(_monotonic, polls),
        notifier=Notifier.of(bootstrap.environment()),
        heartbeat=Heartbeat(settings.watch.heartbeat_url.get_secret_value()),
        figures=lambda: daemon.do(lambda: figures(service.refresh(), service.store, clock.now())),
        database=file_of(settings.store.url),
        listen=settings.watch.place,
    )
    daemon.mark, daemon.dispatcher.on_sent = monitor.mark, monitor.sent
    return monitor


def _front(
    daemon: Daemon, service: Service, channel: TelegramChannel, clock: Clock
) -> TelegramFront:
    bot = channel.bot
    last: list[datetime] = []

    def polled() -> None:
        daemon.mark("polled")
        at = clock.now()
        if last and timedelta(0) <= at - last[0] < POLL_MARK:
            return
        last[:] = [at]
        mark = daemon.note("last_poll", at.isoformat())
        marks.add(task := asyncio.get_running_loop().create_task(mark))
        task.add_done_callback(marks.discard)

    def refused(reason: str) -> None:
        say = daemon.say_refused(TELEGRAM, reason)
        marks.add(task := asyncio.get_running_loop().create_task(say))
        task.add_done_callback(marks.discard)

    async def known(name: str) -> None:
        await daemon.say_accepted(TELEGRAM)
        service.receiver.bot_name = name
        await daemon.note("bot_name", name)

    marks: set[asyncio.Task[None]] = set()
    return TelegramFront(
        channel=channel,
        listener=TelegramListener(bot, polled=polled, refused=refused),
        bot_name=lambda: bot.username,
        known=known,
    )


def _channels(
    settings: Settings, store: Store, clock: Clock, files: Files
) -> tuple[dict[str, Channel], TelegramChannel | None]:
    found: dict[str, Channel] = {}
    telegram = None
    if settings.telegram.is_on:
        token = settings.telegram.token.get_secret_value()
        bot = make_bot(token, settings.telegram.base_url)
        telegram = TelegramChannel(bot, Pacer(_monotonic, patience=PATIENCE))
        found[TELEGRAM] = telegram
    if settings.email.is_on:
        found[EMAIL] = mail.mail_channel(settings, store, clock.now)
    if not found:
        log.warning("neither [telegram] token nor [email] host is set: messages go to the console")
        names = {person.id: person.name for person in files.people}
        found[CONSOLE] = ConsoleChannel(
            sys.stdout, now=clock.now, label=lambda who: names.get(who, who)
        )
    return found, telegram


def _monotonic() -> float:
    return asyncio.get_running_loop().time()


def run(config: Path | None) -> None:
    """Runs the daemon until SIGTERM or Ctrl-C."""
    asyncio.run(_run(config))


async def _run(config: Path | None) -> None:
    wired = program(config, bootstrap.SystemClock())
    gc.enable()
    gc.freeze()  # what is there by now stays: no collection need look at it again
    await wired.run()
    log.info("reminder has ended")


def _on_signals(stop: Callable[[], None]) -> None:
    """Has `stop` called when the process is asked to end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows: its loop takes no handlers
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
