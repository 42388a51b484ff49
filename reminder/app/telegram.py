"""Telegram from the settings: the channel that sends, and the listener that polls."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reminder.app.daemon import Daemon, Listener
from reminder.channels import Channel
from reminder.channels.telegram.pacer import Pacer
from reminder.channels.telegram.receive import Take, TelegramListener
from reminder.channels.telegram.send import TelegramChannel, make_bot
from reminder.domain.channels import SendError
from reminder.domain.errors import ReminderError
from reminder.files.settings import Settings

log = logging.getLogger(__name__)

UNREACHABLE = "Telegram is unreachable (%s); retrying"
PATIENCE = 5.0  # seconds that a send waits for its chat; one held longer leaves its place to others
START_PAUSE = 20.0  # seconds between two tries to reach Telegram at the start
LOG_EACH = 3  # of these tries are logged
POLL_MARK = timedelta(seconds=30)  # the last poll is noted no more often than this


def telegram_channel(settings: Settings) -> TelegramChannel:
    """The channel with the bot of the settings."""
    bot = make_bot(settings.telegram.token.get_secret_value(), settings.telegram.base_url)
    return TelegramChannel(bot, Pacer(_monotonic, patience=PATIENCE))


def listeners(settings: Settings, channel: Channel, daemon: Daemon) -> tuple[Listener, ...]:
    """The listener that polls for updates."""
    assert isinstance(channel, TelegramChannel)
    daemon.service.receiver.bot_name = settings.telegram.bot_name
    return (TelegramFront(channel, daemon),)


@dataclass
class TelegramFront:
    """Waits until Telegram can be reached, then polls."""

    channel: TelegramChannel
    daemon: Daemon
    started: bool = False
    pause: float = START_PAUSE
    _polled_at: datetime | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.name = self.channel.name
        self.listener = TelegramListener(
            self.channel.bot, polled=self._polled, refused=self._refused
        )

    async def begin(self) -> None:
        """Try once: a wrong token stops the start of the program, a missing network does not."""
        try:
            await self.channel.start()
        except SendError as error:
            if error.channel_down:
                raise ReminderError(
                    "[telegram] token: Telegram does not accept it; copy it again from @BotFather "
                    "into config/reminder.toml or REMINDER_TELEGRAM__TOKEN"
                ) from None
            log.warning(UNREACHABLE, error.reason)
        else:
            self.started = True

    async def run(self, take: Take) -> None:
        """Listen until cancelled; without a network, log that once a minute."""
        tries = 0
        while not self.started:
            await asyncio.sleep(self.pause)
            try:
                await self.channel.start()
            except SendError as error:
                tries += 1
                if tries % LOG_EACH == 0:
                    log.warning(UNREACHABLE, error.reason)
            else:
                log.info("Telegram is reached")
                self.started = True
        name = self.channel.bot.username
        await self.daemon.channel_accepted(self.name)
        self.daemon.service.receiver.bot_name = name
        await self.daemon.note("bot_name", name)
        await self.listener.run(take)

    def _polled(self) -> None:
        self.daemon.mark("polled")
        at = self.daemon.clock.now()
        if self._polled_at and timedelta(0) <= at - self._polled_at < POLL_MARK:
            return
        self._polled_at = at
        self._spawn(self.daemon.note("last_poll", at.isoformat()))

    def _refused(self, reason: str) -> None:
        self._spawn(self.daemon.channel_refused(self.name, reason))

    def _spawn(self, work: Awaitable[None]) -> None:
        self._tasks.add(task := asyncio.ensure_future(work))
        task.add_done_callback(self._tasks.discard)


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
