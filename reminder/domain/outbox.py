"""The outbox: what is queued, its rendered form, what a channel can do, and how sending fails."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from reminder.domain.payloads import PLAIN, Envelope, Items, Payload
from reminder.domain.schedule import Item
from reminder.domain.text import one_line
from reminder.domain.tokens import CODE_LENGTH, MailIdentity


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
    files: bool = True  # messages take attachments
    replies: bool = True  # an incoming message says which message it answers
    longest: int = 0  # UTF-16 units of one message, beyond which it becomes several; 0: any length
    typed_codes: bool = False  # invitation codes are typed by hand: short, and hard to misread
    confirms: bool = False  # an address holds once a message to it was accepted, not before

    def invite(self, person: str) -> str:
        """Return the command that invites `person` to the channel."""
        return f"reminder invite {person}" + (f" --channel {self.name}" if self.typed_codes else "")


def incoming(channel: str) -> str:
    """Return the name of what comes in by a channel, whose trouble is told apart."""
    return f"{channel}:in"


@dataclass(frozen=True, kw_only=True, slots=True)
class Invited:
    """An invitation as it is shown once to whoever passes it on."""

    channel: ChannelTraits
    code: str
    url: str  # of the invitation, or of the bot; empty where the bot's name is not known yet
    expires_at: datetime

    @property
    def typed(self) -> str:
        """What is typed to the bot."""
        if not self.channel.typed_codes:
            return f"/start {self.code}"
        return f"{self.code[: CODE_LENGTH // 2]} {self.code[CODE_LENGTH // 2 :]}"


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
    disowns: bool = False  # its reader may say that it answers somebody else
    attachments: tuple[tuple[str, str, bytes], ...] = ()  # file name, media type, content
    headers: tuple[tuple[str, str], ...] = ()  # of a mail
    identity: MailIdentity | None = None  # of a mail; None: its channel's
    automatic: bool = False  # of a mail: there is nothing in it to answer, and nobody to tell

    @property
    def chat_text(self) -> str:
        """The plain form for a chat or a terminal."""
        return self.short or self.text


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
        unreachable: bool = False,
        moved_to: str = "",
        recheck: bool = False,
        quota: bool = False,
        begun: bool = True,
    ) -> None:
        super().__init__(one_line(reason))
        self.reason = one_line(reason)
        self.said = one_line(
            said
        )  # the provider's own words, for the log; empty: the reason tells all
        self.retry = retry
        self.retry_after = retry_after  # seconds that the provider asked for
        self.unknown = unknown  # the provider may have taken it
        self.address_dead = address_dead  # this address will never take anything
        self.unreachable = unreachable  # the provider could not be reached, or takes nothing now
        self.channel_down = channel_down  # the fault is the channel's, not this message's
        self.moved_to = moved_to  # the address's new value
        self.recheck = recheck  # the dead address may take something again: once a week is tried
        self.quota = quota  # the channel takes nothing more this month
        self.begun = begun  # False: nothing was tried, and the row is as it was


# The error of a row whose lease ended without a result: after a first send, after a repeat.
LOST = "không rõ tin đã đi hay chưa"
LOST_AGAIN = "gửi lại rồi, vẫn không rõ tin đã đi hay chưa"


class RowState(StrEnum):
    """The state of a row."""

    PENDING = "pending"  # to be sent from `due_at` on; a retry is pending again
    LEASED = "leased"  # a dispatcher holds it until `lease_until`
    SENT = "sent"  # the provider accepted it
    RETURNED = "returned"  # the provider accepted it, and it bounced
    DEAD = "dead"  # given up on this channel
    SUPERSEDED = "superseded"  # its items have closed, or a newer nudge says it all
    DROPPED = "dropped"  # by the operator


ACCEPTED = (RowState.SENT, RowState.RETURNED)
STATE_WORDS = {  # and of “unknown”, as which rows that were sent twice are counted
    "pending": "chờ gửi",
    "leased": "đang gửi",
    "sent": "đã gửi",
    "returned": "bị trả lại",
    "dead": "không gửi được",
    "superseded": "không cần gửi nữa",
    "dropped": "đã bỏ",
    "unknown": "có thể đã đến hai lần",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A message to be queued; unique on (slot, recipient, kind, subject, channel)."""

    slot: datetime  # the time that it is for, UTC
    recipient: str  # a person's id, or “group:UNIT”
    kind: str  # nudge, escalation, digest, reply, notice, edit …
    subject: str = ""  # distinguishes rows of one slot and kind: an update's id, an address
    channel: str  # telegram, email, console
    payload: Payload  # what to say
    envelope: Envelope = PLAIN
    due_at: datetime  # not to be sent before, UTC

    @property
    def items(self) -> tuple[tuple[str, Item], ...]:
        """The occurrences that the message tells its recipient of, each with its unit."""
        return self.payload.items if isinstance(self.payload, Items) else ()

    def marked_again(self) -> Draft:
        """Return the draft with a mark that its reader may have it already."""
        return replace(self, envelope=replace(self.envelope, again=True))


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row of the outbox."""

    id: int
    draft: Draft
    state: RowState
    due_at: datetime
    attempts: int = 0  # leases so far; the holder of an older lease may no longer mark the row
    lease_until: datetime | None = None
    repeat: bool = False  # the result of an earlier attempt is unknown: it may have arrived
    provider_id: str = ""  # the provider's own id of what it accepted
    address: str = ""  # where it was sent: a provider's ids may begin anew in each chat
    error: str = ""
    sent_at: datetime | None = None
    office: str = ""  # whose it is; empty where the database has one office


def backoff(failures: int, first: float, longest: float, growth: float = 2.0) -> float:
    """Return the seconds to wait after the `failures`-th failure in a row, counted from 1."""
    if failures < 1:
        raise ValueError("failures are counted from 1")
    return min(longest, first * growth ** min(failures - 1, 60))  # a larger power overflows


@dataclass(frozen=True, kw_only=True, slots=True)
class Retries:
    """The wait between attempts: doubled at each failure, up to `longest`."""

    first: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(minutes=5)

    def wait(self, failures: int) -> timedelta:
        """Return the wait after the `failures`-th failure in a row, counted from 1."""
        second = timedelta(seconds=1)
        return second * backoff(failures, self.first / second, self.longest / second)

    def retry_at(self, failures: int, now: datetime, *, asked: timedelta | None = None) -> datetime:
        """Return the time of the next attempt; never before `asked`, the provider's own wait."""
        return now + max(self.wait(failures), asked or timedelta(0))
