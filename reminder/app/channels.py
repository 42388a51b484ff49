"""The channels that the program has. To add one is to add a line to CHANNELS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from reminder.channels import Channel, email, telegram
from reminder.domain.channels import ChannelTraits

if TYPE_CHECKING:
    from reminder.app.daemon import Daemon, Listener
    from reminder.files.settings import Settings
    from reminder.store.store import Store


@dataclass(frozen=True, kw_only=True)
class ChannelWiring:
    """How a channel is made from its settings: the section that has the channel's name."""

    traits: ChannelTraits
    connect: Callable[[Settings, Store, Callable[[], datetime]], Channel]
    listen: Callable[[Settings, Channel, Daemon], Sequence[Listener]] = lambda *_: ()
    live: bool = False  # a changed section is taken up at once, by a new channel
    polls: bool = False  # its listener marks each poll


def _telegram(settings: Settings, *_: object) -> Channel:
    from reminder.app.telegram import telegram_channel

    return telegram_channel(settings)


def _telegram_listeners(settings: Settings, channel: Channel, daemon: Daemon) -> Sequence[Listener]:
    from reminder.app.telegram import listeners

    return listeners(settings, channel, daemon)


def _email(settings: Settings, store: Store, now: Callable[[], datetime]) -> Channel:
    from reminder.app.mail import mail_channel

    return mail_channel(settings, store, now)


def _email_listeners(settings: Settings, _: Channel, daemon: Daemon) -> Sequence[Listener]:
    from reminder.app.mail import listeners

    return listeners(settings, daemon.service.store, daemon, daemon.clock.now)


CHANNELS = (  # in the order in which they are tried
    ChannelWiring(
        traits=telegram.TRAITS, connect=_telegram, listen=_telegram_listeners, polls=True
    ),
    ChannelWiring(traits=email.TRAITS, connect=_email, listen=_email_listeners, live=True),
)


def known_channels() -> tuple[ChannelTraits, ...]:
    """Return the traits of all channels, the terminal's last."""
    from reminder.channels import console  # rich takes 50 ms to import

    return (*(wiring.traits for wiring in CHANNELS), console.TRAITS)


def channel_names(settings: Settings) -> tuple[str, ...]:
    """Return the channels that are set up; the terminal where none is."""
    *others, terminal = (traits.name for traits in known_channels())
    return tuple(name for name in others if getattr(settings, name).is_on) or (terminal,)
