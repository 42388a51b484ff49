"""What the fake Telegram remembers and answers: plain values, no behaviour of the server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]


class ApiError(Exception):
    """A refusal in the server's own words; the HTTP status is the code."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


def bad_request(words: str) -> ApiError:
    """400: the request is wrong and stays wrong."""
    return ApiError(400, f"Bad Request: {words}")


def forbidden(words: str) -> ApiError:
    """403: the person or the group doesn't let the bot write."""
    return ApiError(403, f"Forbidden: {words}")


def utf16(text: str) -> int:
    """The length in UTF-16 units: offsets and lengths of entities count these, not characters."""
    return len(text.encode("utf-16-le")) // 2


@dataclass(frozen=True)
class Entity:
    """A span of a text that is bold, a link, a command...; offset and length in UTF-16 units."""

    type: str
    offset: int
    length: int
    url: str | None = None
    language: str | None = None

    @property
    def stop(self) -> int:
        """The first UTF-16 unit after the span."""
        return self.offset + self.length

    def json(self) -> JSON:
        """The entity as the Bot API writes it, without the fields that it doesn't have."""
        known = {"url": self.url, "language": self.language}
        span = {"type": self.type, "offset": self.offset, "length": self.length}
        return span | {name: value for name, value in known.items() if value}


@dataclass(frozen=True)
class Button:
    """A button under a message: a press sends `data`, or opens `url`."""

    text: str
    data: str | None = None
    url: str | None = None

    def json(self) -> JSON:
        """The button as the Bot API writes it."""
        known = {"callback_data": self.data, "url": self.url}
        return {"text": self.text} | {name: value for name, value in known.items() if value}


Keyboard = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True)
class File:
    """A file as it was uploaded."""

    name: str
    content: bytes
    mime: str = "application/octet-stream"


@dataclass(frozen=True)
class Formatted:
    """A text as a person sees it, after parsing."""

    text: str
    entities: tuple[Entity, ...] = ()


@dataclass
class Message:
    """One message in one chat as a person sees it now; `history` holds the texts before edits."""

    chat_id: int
    message_id: int
    text: str
    entities: tuple[Entity, ...] = ()
    buttons: Keyboard = ()
    reply_to: int | None = None
    document: File | None = None
    silent: bool = False
    preview: bool = True
    deleted: bool = False
    history: list[str] = field(default_factory=list)
    sender: int | None = None  # a person's id; None is the bot itself
    forwarded: bool = False
    anonymous: bool = False  # written by an administrator in the group's name
    topic: int | None = None  # of a forum: the id of the message that made the topic
    more: JSON = field(default_factory=dict)  # a sticker, a photo, a contact …
    date: int = field(default=0, compare=False)
    edit_date: int | None = field(default=None, compare=False)
    offered: set[str] = field(default_factory=set, compare=False, repr=False)  # data ever shown

    def show(self, buttons: Keyboard) -> None:
        """Replace the buttons; an old client may still press one that it has on its screen."""
        self.buttons = buttons
        self.offered |= {b.data for row in buttons for b in row if b.data is not None}


@dataclass
class User:
    """A person; the bot may write to one who pressed Start, until it is blocked."""

    id: int
    first_name: str
    username: str | None = None
    started: bool = False
    blocked: bool = False
    deactivated: bool = False

    def json(self) -> JSON:
        """The person as the Bot API writes one."""
        named = {"username": self.username} if self.username else {}
        return {"id": self.id, "is_bot": False, "first_name": self.first_name} | named


@dataclass
class Group:
    """A group; ids from -100 followed by ten digits are supergroups."""

    id: int
    title: str
    kicked: bool = False
    topics: dict[int, bool] = field(default_factory=dict)  # id → whether it is open
    migrated_to: int | None = None

    @property
    def kind(self) -> str:
        """`group` or `supergroup`: the id alone tells them apart."""
        return "supergroup" if is_supergroup(self.id) else "group"


def is_supergroup(chat_id: int) -> bool:
    """Supergroup ids are -1000000000000 minus the group's own number."""
    return chat_id <= -1_000_000_000_000


@dataclass
class Call:
    """A request as it came in; the outcome is the HTTP status, or the name of a scripted fault."""

    method: str
    params: dict[str, str]
    outcome: int | str = "pending"


@dataclass(frozen=True)
class Answer:
    """What answerCallbackQuery showed to the person who pressed."""

    query_id: str
    text: str
    alert: bool = False
