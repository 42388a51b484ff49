"""What the program knows of a channel, a message in every form that one needs, and a failure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AddressSource(StrEnum):
    """Where a person's address on a channel comes from."""

    INVITATION = "invitation"  # bound when the person sends a one-time code
    PEOPLE_FILE = "people-file"  # written in people.toml
    NONE = "none"  # nobody needs one: the terminal


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelTraits:
    """What a channel can do; decisions look at this, never at the channel's name."""

    name: str  # as in people.toml, the ledger and the outbox
    title: str  # as people read it
    addresses: AddressSource
    remedy: str = ""  # what an administrator does when the channel refuses everything
    groups: bool = False  # the group chat of a unit can be bound
    buttons: bool = False
    edits: bool = False  # a sent message can be replaced
    mail: bool = False  # messages are whole documents with a subject, and go into threads


def chat_of(address: str) -> str:
    """Return the chat of a group's address, which may name a topic within it: “-1001234/7”."""
    return address.partition("/")[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """Something a reader can do; where there are no buttons its typed form stands instead."""

    label: str  # on the button
    data: str  # what a press sends back: at most 64 bytes
    typed: str  # what one types for the same


@dataclass(frozen=True, kw_only=True, slots=True)
class Outbound:
    """A rendered message, in all the forms that a channel may need."""

    subject: str  # of a mail
    html: str  # Telegram's HTML: b, i, a, code
    text: str  # plain, actions in their typed form
    short: str = ""  # `text` in a few lines, where that is long: what a terminal shows
    mail_html: str = ""  # a whole document; empty: made from `text`
    actions: tuple[tuple[Action, ...], ...] = ()  # rows of buttons
    reply_to: str = ""  # the provider's id of the message it answers
    thread: tuple[str, ...] = ()  # of a mail: the ids of the messages before that one
    edit: str = ""  # the provider's id of the message that it replaces
    attachments: tuple[tuple[str, str, bytes], ...] = ()  # file name, media type, content
    headers: tuple[tuple[str, str], ...] = ()  # of a mail


class SendError(Exception):
    """A channel could not deliver; says whether to try again, and what is now known."""

    def __init__(
        self,
        reason: str,
        *,
        retry: bool,
        said: str = "",
        retry_after: float | None = None,
        unknown: bool = False,
        address_dead: bool = False,
        channel_down: bool = False,
        moved_to: str = "",
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.said = said  # the provider's own words, for the log; empty: the reason tells all
        self.retry = retry
        self.retry_after = retry_after  # seconds that the provider asked for
        self.unknown = unknown  # the provider may have taken it
        self.address_dead = address_dead  # this address will never take anything
        self.channel_down = channel_down  # the fault is the channel's, not this message's
        self.moved_to = moved_to  # the address's new value
