"""What a message says, as values: its words are made from them when it is sent.

Each class is one kind of message. `encode` and `decode` are the one way to and from the JSON that
the outbox keeps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date, datetime
from functools import cache
from types import UnionType
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

from reminder.domain.ledger import Event, EventKind
from reminder.domain.occurrences import Key
from reminder.domain.schedule import Item, Stage


@dataclass(frozen=True, kw_only=True, slots=True)
class Payload:
    """What one message says."""

    view: ClassVar[str] = ""  # its name in the outbox: the class's own in kebab case, or as given

    def __init_subclass__(cls, *, view: str = "") -> None:
        if "view" not in cls.__dict__:  # slots make each class twice
            cls.view = view or re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()
        VIEWS[cls.view] = cls

    def occurrences(self) -> tuple[Key, ...]:
        """The occurrences that the message names, each once."""
        own: Any = type(self)
        found = (key for name, keys in _naming(own) for key in keys(getattr(self, name)))
        return tuple(dict.fromkeys(found))


VIEWS: dict[str, type[Payload]] = {}  # the classes below, by their names in the outbox
ByUnit = dict[str, list[Item]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Items(Payload):
    """What the schedule says to units."""

    items: tuple[tuple[str, Item], ...]  # each with its unit

    def by_unit(self) -> ByUnit:
        """The items of each unit, in their order."""
        found: ByUnit = {}
        for unit, item in self.items:
            found.setdefault(unit, []).append(item)
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Nudge(Items):
    """Work that is due, late or coming."""

    insist: str | None = None  # who of the office asked for it now; "": not on record


@dataclass(frozen=True, kw_only=True, slots=True)
class Escalation(Items):
    """Late work, to the office and the leaders."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request(Items):
    """Extensions that the office has not decided."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Digest(Payload):
    """The weekly digest; also as an answer."""

    head: tuple[int, str] | None = None  # the ledger's number and hash when it was queued


@dataclass(frozen=True, kw_only=True, slots=True)
class Zalo(Payload):
    """The digest as plain lines to paste into a group."""


# Answers about work.


@dataclass(frozen=True, kw_only=True, slots=True)
class Done(Payload):
    """These closed."""

    events: tuple[Event, ...]
    unit: str  # whose remaining work is told
    instead: Key | None = None  # what a bare ASCII code may have meant


@dataclass(frozen=True, kw_only=True, slots=True)
class Updated(Payload):
    """These check-ins are answered."""

    events: tuple[Event, ...]
    units: tuple[str, ...]  # whose missing answers are told
    steady: bool = False  # the answer was that the work goes on as always


@dataclass(frozen=True, kw_only=True, slots=True)
class AlreadyDone(Payload):
    """It closed before."""

    key: Key
    event: Event
    following: Key | None = field(default=None, metadata={"json": "next"})
    instead: Key | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NotYourUnit(Payload):
    """The sender's unit does not lead this task."""

    key: Key
    instead: Key | None = None
    verb: str = "done"


@dataclass(frozen=True, kw_only=True, slots=True)
class NotDone(Payload):
    """“chưa xong” was heard."""

    key: Key
    noted: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusAsked(Payload, view="asked"):
    """“xong chưa?”: how it stands."""

    key: Key


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen(Payload):
    """“ok” was heard, of these."""

    keys: tuple[Key, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard(Payload):
    """“ok” or “chưa”, to nothing in particular."""

    still_open: bool = field(metadata={"json": "open"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence(Payload):
    """The number and date of a closed product were recorded."""

    event: Event
    before: str = ""  # what they replace


@dataclass(frozen=True, kw_only=True, slots=True)
class Noted(Payload):
    """A note was recorded."""

    event: Event
    added: bool = False  # to a check-in that was answered before


@dataclass(frozen=True, kw_only=True, slots=True)
class Submitted(Payload):
    """It waits for a signature."""

    event: Event
    again: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Returned(Payload):
    """It came back unsigned."""

    key: Key


@dataclass(frozen=True, kw_only=True, slots=True)
class Undone(Payload):
    """The act of `event` was taken back."""

    event: Event


@dataclass(frozen=True, kw_only=True, slots=True)
class Reopened(Payload):
    """The office reopened it."""

    event: Event


@dataclass(frozen=True, kw_only=True, slots=True)
class ReopenedWord(Payload):
    """To whoever was told that it is done: it is open again."""

    event: Event
    leaders: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosedWord(Payload):
    """To whoever was told that it is late: it is done."""

    keys: tuple[Key, ...]
    leaders: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DateSet(Payload):
    """The office set a due day."""

    event: Event
    before: date | None = None
    ask: bool = False  # for the reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Snoozed(Payload):
    """The unit is reminded again on a later day."""

    key: Key
    until: date
    capped: bool  # by the due day


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirmed(Payload):
    """Assumed dates hold; what was held back is spoken of again."""

    keys: tuple[Key, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reminded(Payload):
    """Units are nudged now."""

    key: Key
    units: tuple[str, ...]
    before: tuple[tuple[str, datetime, str], ...] = ()  # unit, when and by whom it was today
    nobody: tuple[str, ...] = ()  # units without anybody


# Requests for more time.


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtensionRequested(Payload):
    """To who asked: it went to the office."""

    event: Event
    again: bool
    nobody: bool = False  # the office has no one
    before: date | None = None  # the day of the request that it replaces


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtensionAsked(Payload):
    """To the office, with two buttons."""

    key: Key
    before: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtensionDecided(Payload):
    """To both sides."""

    key: Key
    granted: bool
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtensionWithdrawn(Payload):
    """To the office."""

    event: Event


@dataclass(frozen=True, kw_only=True, slots=True)
class NoRequest(Payload):
    """There is none to decide; `event` ended the last one."""

    key: Key
    event: Event | None = None


# Questions, and what was not understood.


@dataclass(frozen=True, kw_only=True, slots=True)
class WhichOccurrence(Payload, view="which"):
    """Which of these is done?"""

    keys: tuple[Key, ...]
    unit: str
    instead: Key | None = None
    closed: Key | None = None  # the task's other product, done already
    words: str = ""  # of the message that was not quite understood


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed(Payload):
    """Is it done? Asked after a message that was not quite understood."""

    keys: tuple[Key, ...]
    unit: str
    words: str = ""  # of the message


@dataclass(frozen=True, kw_only=True, slots=True)
class WhichPart(Payload):
    """Which of these does another command mean?"""

    keys: tuple[Key, ...]
    head: str  # the words of the command before the code
    tail: str  # and behind it


@dataclass(frozen=True, kw_only=True, slots=True)
class WhichPlan(Payload):
    """Two plans have this code open."""

    code: str
    typed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class WhichUnit(Payload):
    """Of which unit's part does the office speak?"""

    key: Key
    units: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedBack(Payload):
    """What a range of codes covers; nothing is recorded yet."""

    keys: tuple[Key, ...]
    typed: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NotUnderstood(Payload, view="error"):
    """A text that can't be acted on, with buttons for what it may have meant."""

    say: str
    reason: str
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Several(Payload):
    """The outcomes of one text."""

    parts: tuple[Payload, ...]


def parts_of(payload: Payload) -> tuple[Payload, ...]:
    """The outcomes that one message tells."""
    return payload.parts if isinstance(payload, Several) else (payload,)


# Refusals.


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused(Payload):
    """Nothing was recorded. `reason` chooses the words; the rest is what they mention."""

    reason: str
    key: Key | None = None
    event: Event | None = None
    code: str = ""
    verb: str = ""
    text: str = ""
    say: str = ""
    head: str = ""
    tail: str = ""
    day: date | None = None
    until: date | None = None
    year: int = 0
    who: str = ""
    own: bool = False
    typed: str = ""
    days: str = ""
    known: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class NotOpenYet(Payload, view="not-open"):
    """Only its own period, named, closes it before it opens."""

    key: Key


@dataclass(frozen=True, kw_only=True, slots=True)
class OfficeOnly(Payload):
    """The command is the office's."""

    verb: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Unhandled(Payload):
    """The service answers this command itself."""

    verb: str
    later: bool = False  # earlier releases: the command did not work yet


# Lists.


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenTasks(Payload, view="tasks"):
    """Open work."""

    units: tuple[str, ...]
    every: bool = field(metadata={"json": "all"})
    asked: str = ""  # another unit, of which the sender may not see this


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskDetails(Payload, view="task"):
    """Who leads a task, by when, how far it is."""

    tasks: tuple[tuple[str, str], ...]  # plan and code


@dataclass(frozen=True, kw_only=True, slots=True)
class DueDates(Payload, view="due"):
    """The dates of tasks; without tasks those that come."""

    tasks: tuple[tuple[str, str], ...] = ()
    units: tuple[str, ...] = ()
    every: bool = field(default=False, metadata={"json": "all"})


@dataclass(frozen=True, kw_only=True, slots=True)
class History(Payload):
    """Who said what of a task."""

    tasks: tuple[tuple[str, str], ...]
    events: tuple[Event, ...]
    befores: tuple[date | None, ...] = ()  # of each event that moved a date, the one before
    more: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportDraft(Payload):
    """The office's report as a file."""

    plan: str
    period: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Help(Payload):
    """What one can type."""

    office: bool
    leader: bool


# Absence.


@dataclass(frozen=True, kw_only=True, slots=True)
class Away(Payload):
    """To who is away, or to the office that recorded it."""

    person: str
    name: str
    own: bool
    since: date
    until: date
    others: tuple[tuple[str, tuple[str, ...]], ...]  # unit, and who of it is there
    again: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AwayWord(Payload):
    """To the others who have to know."""

    person: str
    name: str
    own: bool
    since: date
    until: date
    others: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Back(Payload):
    """The absence ended."""

    person: str
    name: str
    own: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class BackWord(Payload):
    """To the others who have to know."""

    person: str
    name: str
    own: bool


# Enrolment and senders.


@dataclass(frozen=True, kw_only=True, slots=True)
class Stranger(Payload):
    """To an account that nobody enrolled."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TooFast(Payload):
    """To who sends too many messages a minute."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ToldTooOften(Payload):
    """To whose messages went to others too often this hour."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EditedOrForwarded(Payload):
    """Such a message acts on nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wordless(Payload):
    """A photo, a sticker, a voice message: the program reads text only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Anonymous(Payload):
    """To an administrator who writes in the group's name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OldButton(Payload):
    """A button whose work is gone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Welcome(Payload):
    """To who has just enrolled."""

    person: str


@dataclass(frozen=True, kw_only=True, slots=True)
class InvitationFault(Payload):
    """Why a code was not taken: used, expired or unknown."""

    fault: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Bound(Payload):
    """This group is the unit's now."""

    unit: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BindInGroup(Payload):
    """/bind works in a group only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BindByOffice(Payload):
    """/bind is the office's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BindUnknown(Payload):
    """/bind names no unit."""

    unit: str
    known: tuple[tuple[str, str], ...]  # id and label


@dataclass(frozen=True, kw_only=True, slots=True)
class HowSetDue(Payload):
    """To which day? Asked by a button."""

    key: Key


@dataclass(frozen=True, kw_only=True, slots=True)
class HowNote(Payload):
    """How a note is typed."""

    key: Key


@dataclass(frozen=True, kw_only=True, slots=True)
class HowNo(Payload):
    """“Không, tôi chỉ báo lại”."""

    key: Key


# The program about itself.


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanStarted(Payload):
    """What a plan starts with."""

    plan: str
    late: tuple[Key, ...]
    held: date  # until when the late work is not spoken of


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanOver(Payload):
    """A plan is spoken of no more."""

    plan: str


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitEmpty(Payload):
    """A unit with work has nobody."""

    unit: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OfficeEmpty(Payload):
    """To the leaders: the office has nobody."""

    unit: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressDead(Payload):
    """An address takes nothing any more."""

    recipient: str
    channel: str
    reason: str
    at: datetime
    fallback: str = ""  # the channel that takes over


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelDown(Payload):
    """A channel refuses everything."""

    channel: str
    reason: str
    since: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter(Payload):
    """A message reached nobody."""

    row: int
    recipient: str
    kind: str
    channel: str
    reason: str
    slot: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreached(Payload):
    """All whom no channel reaches."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FilesRefused(Payload):
    """A changed file has faults."""

    problems: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CopiesOverdue(Payload):
    """No copy of the database was made for days."""

    away: bool  # in the second folder
    since: datetime
    ever: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreadable(Payload):
    """JSON that this program can't have written; it is kept as it is, and not sent."""

    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """Where a message goes and what it answers, beside the recipient."""

    chat: str = ""  # the chat that asked; empty: the recipient's own address
    reply_to: str = ""  # the provider's id of the message that it answers
    subject: str = ""  # of the mail that it answers
    thread: tuple[str, ...] = ()  # the ids of the mails before that one
    again: bool = False  # it may have been said by a run that the restored copy does not know of
    edit: str = ""  # the provider's id of the message that it replaces
    asked: datetime | None = None  # when that message, which asked something, was queued


PLAIN = Envelope()
_BY_KIND: Mapping[str, type[Payload]] = {
    "nudge": Nudge,
    "escalation": Escalation,
    "request": Request,
    "digest": Digest,
}


def encode(kind: str, payload: Payload, envelope: Envelope = PLAIN) -> dict[str, Any]:
    """The JSON object of a row of this kind."""
    if isinstance(payload, Unreadable):
        return dict(payload.raw)
    if isinstance(payload, Items) or kind == "digest":
        content = _encode(payload)
        if kind == "digest":
            content["items"] = []
    else:
        content = {"view": payload.view, "data": _encode(payload)}
    return content | _encode(envelope)


def decode(kind: str, raw: Mapping[str, Any]) -> tuple[Payload, Envelope]:
    """What `encode` gave, also in an earlier release; Unreadable of anything else."""
    envelope = PLAIN
    try:
        envelope = _decode(Envelope, raw)
        if view := raw.get("view"):
            return _decode(VIEWS[view], raw.get("data", {})), envelope
        if kind == "edit":
            return _decode(Request if "asked" in raw else Nudge, raw), envelope
        return _decode(_BY_KIND[kind], raw), envelope
    except (AttributeError, KeyError, TypeError, ValueError):
        return Unreadable(raw=raw), envelope


def _event_to_json(event: Event) -> dict[str, Any]:
    """All of `event`; what is empty is left out."""
    values = {
        "at": event.at.isoformat(),
        "kind": event.kind.value,
        "key": list(event.key),
        "unit": event.unit,
        "by": event.by,
        "channel": event.channel,
        "message": event.message,
        "evidence": event.evidence,
        "note": event.note,
        "until": event.until.isoformat() if event.until else "",
    }
    return {name: value for name, value in values.items() if value}


def _event_from_json(raw: Mapping[str, Any]) -> Event:
    until = raw.get("until")
    return Event(
        at=datetime.fromisoformat(raw["at"]),
        kind=EventKind(raw["kind"]),
        key=_key_from_json(raw["key"]),
        unit=raw["unit"],
        by=raw.get("by", ""),
        channel=raw.get("channel", ""),
        message=raw.get("message", ""),
        evidence=raw.get("evidence", ""),
        note=raw.get("note", ""),
        until=date.fromisoformat(until) if until else None,
    )


def _key_from_json(raw: Any) -> Key:
    plan, task, deliverable, period = raw
    return Key(plan, task, int(deliverable), period)


def _item_to_json(pair: tuple[str, Item]) -> list[Any]:
    unit, item = pair
    return [unit, *item.key, item.due.isoformat(), str(item.stage)]


def _item_from_json(raw: Any) -> tuple[str, Item]:
    unit, plan, task, deliverable, period, due, stage = raw
    key = Key(plan, task, deliverable, period)
    return unit, Item(key, date.fromisoformat(due), Stage.parse(stage))


def _text_from_json(raw: Any) -> str:
    if not isinstance(raw, str):
        raise TypeError("no text")
    return raw


def _number_from_json(raw: Any) -> int:
    if not isinstance(raw, int):
        raise TypeError("no number")
    return raw


def _payload_to_json(payload: Payload) -> list[Any]:
    return [payload.view, _encode(payload)]


def _payload_from_json(raw: Any) -> Payload:
    view, data = raw
    found: Payload = _decode(VIEWS[view], data)
    return found


def _itself(value: Any) -> Any:
    return value


_Way = Callable[[Any], Any]
_PAIR = tuple[str, Item]
_LEAVES: Mapping[Any, tuple[_Way, _Way]] = {
    str: (_itself, _text_from_json),
    int: (_itself, _number_from_json),
    bool: (_itself, bool),
    date: (date.isoformat, date.fromisoformat),
    datetime: (datetime.isoformat, datetime.fromisoformat),
    Key: (list, _key_from_json),
    Event: (_event_to_json, _event_from_json),
    Payload: (_payload_to_json, _payload_from_json),
    _PAIR: (_item_to_json, _item_from_json),
}


def _ways(hint: Any) -> tuple[_Way, _Way]:
    """How a value of this type becomes JSON, and how it comes back."""
    if hint in _LEAVES:
        return _LEAVES[hint]
    inner = get_args(hint)
    if get_origin(hint) in (Union, UnionType):  # X | None
        to, back = _ways(inner[0])
        empty = (None, "") if inner[0] is date else (None,)  # an earlier release wrote "" for None
        return (
            lambda value: None if value is None else to(value),
            lambda raw: None if raw in empty else back(raw),
        )
    if get_origin(hint) is tuple and inner[-1] is Ellipsis:
        to, back = _ways(inner[0])
        return (
            lambda value: [to(each) for each in value],
            lambda raw: tuple([back(each) for each in raw]),
        )
    if get_origin(hint) is tuple:
        ways = [_ways(each) for each in inner]
        return (
            lambda value: [to(each) for (to, _), each in zip(ways, value, strict=True)],
            lambda raw: tuple([back(each) for (_, back), each in zip(ways, raw, strict=True)]),
        )
    raise TypeError(f"no way to write {hint!r} as JSON")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    json: str
    to: _Way
    back: _Way
    default: Any


@cache
def _fields(cls: Any) -> tuple[_Field, ...]:
    hints = get_type_hints(cls)
    found = []
    for each in fields(cls):
        to, back = _ways(hints[each.name])
        if each.name == "insist":  # an earlier release wrote true where it was not on record
            to, back = (lambda by: by or by is not None), (lambda raw: "" if raw is True else raw)
        json = each.metadata.get("json", each.name)
        found.append(_Field(each.name, json, to, back, each.default))
    return tuple(found)


def _encode(value: Any) -> dict[str, Any]:
    """Fields at their default are left out."""
    own: Any = type(value)
    return {
        each.json: each.to(found)
        for each in _fields(own)
        if (found := getattr(value, each.name)) != each.default
    }


def _decode(cls: Any, raw: Mapping[str, Any]) -> Any:
    """What is missing has its default; what is not known is passed over."""
    return cls(
        **{
            each.name: each.back(raw[each.json])
            for each in _fields(cls)
            if each.json in raw or each.default is MISSING
        }
    )


@cache
def _naming(cls: Any) -> tuple[tuple[str, Callable[[Any], tuple[Key, ...]]], ...]:
    """The fields of `cls` that name occurrences, and how each does."""
    hints = get_type_hints(cls)
    return tuple((e.name, _NAMING[h]) for e in fields(cls) if (h := hints[e.name]) in _NAMING)


_NAMING: Mapping[Any, Callable[[Any], tuple[Key, ...]]] = {
    Key: lambda key: (key,),
    Key | None: lambda key: (key,) if key else (),
    tuple[Key, ...]: tuple,
    Event: lambda event: (event.key,),
    Event | None: lambda event: (event.key,) if event else (),
    tuple[Event, ...]: lambda events: tuple(event.key for event in events),
    tuple[_PAIR, ...]: lambda pairs: tuple(item.key for _, item in pairs),
    tuple[Payload, ...]: lambda parts: tuple(k for part in parts for k in part.occurrences()),
}
