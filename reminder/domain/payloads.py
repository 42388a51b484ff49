"""What a message says, as values, and their JSON; `messages/` makes the words at sending."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import date, datetime
from functools import cache, partial
from types import UnionType
from typing import (
    Any,
    ClassVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from reminder.domain.ledger import Event, EventKind
from reminder.domain.plan import Key
from reminder.domain.schedule import Item, Stage


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Payload:
    """What one message says; each subclass is a frozen dataclass with keywords only."""

    view: ClassVar[str] = ""  # its name in the outbox: the class's own in kebab case, or as given
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init_subclass__(cls, *, view: str = "") -> None:
        cls.view = view or re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()
        VIEWS[cls.view] = cls
        # Of what a dataclass makes each part takes a tenth of a millisecond, in a hundred classes.
        dataclass(frozen=True, kw_only=True, repr=False, eq=False)(cls)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({shown})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def occurrences(self) -> tuple[Key, ...]:
        """Return the occurrences that the message names, each once."""
        return tuple(dict.fromkeys(_named([getattr(self, each.name) for each in fields(self)])))


def _named(values: Iterable[Any]) -> Iterator[Key]:
    for value in values:
        match value:
            case Key():
                yield value
            case Event() | Item():
                yield value.key
            case Payload():
                yield from value.occurrences()
            case tuple():
                yield from _named(value)


VIEWS: dict[str, type[Payload]] = {}  # the classes below, by their names in the outbox
ByUnit = dict[str, list[Item]]


class Items(Payload):
    """What the schedule says to units."""

    items: tuple[tuple[str, Item], ...]  # each with its unit

    def by_unit(self) -> ByUnit:
        """Return the items of each unit, in their order."""
        found: ByUnit = {}
        for unit, item in self.items:
            found.setdefault(unit, []).append(item)
        return found


class Nudge(Items):
    """Work that is due, late or coming."""

    insist: str | None = None  # who of the office asked for it now; "": not on record


class Escalation(Items):
    """Late work, to the office and the leaders."""


class Request(Items):
    """Extensions that the office has not decided."""


class Digest(Payload):
    """The weekly digest; also as an answer."""

    head: tuple[int, str] | None = None  # the ledger's number and hash when it was queued


class Zalo(Payload):
    """The digest as plain lines to paste into a group."""


# Answers about work.


class Done(Payload):
    events: tuple[Event, ...]
    unit: str  # whose remaining work is told
    instead: Key | None = None  # what a bare ASCII code may have meant


class Updated(Payload):
    events: tuple[Event, ...]
    units: tuple[str, ...]  # whose missing answers are told
    steady: bool = False  # the answer was that the work goes on as always


class AlreadyDone(Payload):
    key: Key
    event: Event
    following: Key | None = field(default=None, metadata={"json": "next"})
    instead: Key | None = None
    denied: bool = False  # the message said that it is not done


class NotYourUnit(Payload):
    key: Key
    instead: Key | None = None
    verb: str = "done"


class NotDone(Payload):
    """“chưa xong” was said: the work stays open."""

    key: Key
    noted: str = ""


class StatusAsked(Payload, view="asked"):
    """“xong chưa?”: how it stands."""

    key: Key


class Seen(Payload):
    """“ok” was said of these: they were read."""

    keys: tuple[Key, ...]


class Heard(Payload):
    """“ok” or “chưa” that answers no particular work."""

    still_open: bool = field(metadata={"json": "open"})


class Evidence(Payload):
    event: Event
    before: str = ""  # what they replace


class Noted(Payload):
    event: Event
    added: bool = False  # to a check-in that was answered before


class Submitted(Payload):
    """It waits for a signature."""

    event: Event
    again: bool = False


class Returned(Payload):
    key: Key


class Undone(Payload):
    event: Event


class Disowned(Payload):
    """To whoever says that somebody else sent what was recorded; `events` are taken back."""

    events: tuple[Event, ...]
    left: tuple[Event, ...] = ()  # what can't be taken back


class DisownedNotice(Payload, view="disowned-word"):
    """To the office: somebody answered in the name of `person`."""

    person: str
    channel: str
    at: datetime
    events: tuple[Event, ...]
    left: tuple[Event, ...] = ()


class Reopened(Payload):
    """The office reopened it."""

    event: Event


class ReopenedNotice(Payload, view="reopened-word"):
    """To whoever was told that it is done: it is open again."""

    event: Event
    leaders: bool


class ClosedNotice(Payload, view="closed-word"):
    """To whoever was told that it is late: it is done."""

    keys: tuple[Key, ...]
    leaders: bool


class DateSet(Payload):
    event: Event
    before: date | None = None
    ask: bool = False  # for the reason


class EventNamed(Payload):
    """The day of an event, and the due day that is counted from it."""

    event: Event
    before: date | None = None  # the due day until now
    own: bool = False  # to who named it
    again: bool = False  # it was named so before


class EventWithdrawn(Payload):
    """To the units: that day no longer counts."""

    event: Event


class Snoozed(Payload):
    key: Key
    until: date
    capped: bool  # by the due day


class Confirmed(Payload):
    keys: tuple[Key, ...]


class Reminded(Payload):
    """Units are nudged now."""

    key: Key
    units: tuple[str, ...]
    before: tuple[tuple[str, datetime, str], ...] = ()  # unit, when and by whom it was today
    nobody: tuple[str, ...] = ()  # units without anybody


# Requests for more time.


class ExtensionRequested(Payload):
    """To the person who asked: the request went to the office."""

    event: Event
    again: bool
    nobody: bool = False  # the office has no one
    before: date | None = None  # the day of the request that it replaces


class ExtensionAsked(Payload):
    """To the office, with two buttons."""

    key: Key
    before: date | None = None


class ExtensionDecided(Payload):
    """To both sides."""

    key: Key
    granted: bool
    note: str = ""


class ExtensionWithdrawn(Payload):
    event: Event


class ReopenRequested(Payload):
    """To the person who takes back too late; `event` is what stands."""

    event: Event


class ReopenAsked(Payload):
    """To the office; `event` is the act that came too late, with its words as the note."""

    event: Event


class NoRequest(Payload):
    """There is none to decide; `event` ended the last one."""

    key: Key
    event: Event | None = None


# Questions, and what was not understood.


class WhichOccurrence(Payload, view="which"):
    """Which of these is done?"""

    keys: tuple[Key, ...]
    unit: str
    instead: Key | None = None
    closed: Key | None = None  # the task's other product, done already
    words: str = ""  # of the message that was not quite understood


class Claimed(Payload):
    """Is it done? Asked after a message that was not quite understood."""

    keys: tuple[Key, ...]
    unit: str
    words: str = ""  # of the message


class WhichOfNudge(Payload):
    """Which work of the last nudge does a text without a code mean? Answered by numbers."""

    keys: tuple[Key, ...]
    words: str  # of the message, which is read again for what is chosen


OFFICE_BUTTON = "office:"  # and the number of one of `offices`: the data of a button


class WhichOffice(Payload):
    """Which of several offices that share a bot does a message mean? A button or a number says."""

    offices: tuple[tuple[str, str], ...]  # id and name
    words: str  # of the message, which is handed to the office that is chosen
    update: str  # the provider's id of it


class SetDueAsked(Payload):
    """Shall the office set this date itself, which it asked for as others do?"""

    key: Key
    until: date
    words: str = ""  # the reason that was given


class WhichPart(Payload):
    """Which of these does another command mean?"""

    keys: tuple[Key, ...]
    head: str  # the words of the command before the code
    tail: str  # and behind it
    unit: str = ""  # whose not done one tap may tell
    words: str = ""  # of the message, which are kept then


class WhichPlan(Payload):
    """Two plans have this code open."""

    code: str
    typed: tuple[str, ...]


class WhichUnit(Payload):
    key: Key
    units: tuple[str, ...]


class ListedBack(Payload):
    """What a range of codes covers; nothing is recorded yet."""

    keys: tuple[Key, ...]
    typed: str


class NotUnderstood(Payload, view="error"):
    """A text that can't be acted on, with buttons for what it may have meant."""

    say: str
    reason: str
    keys: tuple[Key, ...] = ()


class Several(Payload):
    """The outcomes of one text."""

    parts: tuple[Payload, ...]


def parts_of(payload: Payload) -> tuple[Payload, ...]:
    """Return the outcomes that one message tells."""
    return payload.parts if isinstance(payload, Several) else (payload,)


# Refusals.


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


class NotOpenYet(Payload, view="not-open"):
    """It is not open yet; naming its period closes it all the same."""

    key: Key


class OfficeOnly(Payload):
    verb: str
    codes: tuple[str, ...] = ()


class NeedsProof(Payload):
    """The channel proves no more than the sender's domain."""

    verb: str


class Unhandled(Payload):
    """The service answers this command itself."""

    verb: str
    later: bool = False  # earlier releases: the command did not work yet


# Lists.


class OpenTasks(Payload, view="tasks"):
    units: tuple[str, ...]
    every: bool = field(metadata={"json": "all"})
    asked: str = ""  # another unit, of which the sender may not see this


class TaskDetails(Payload, view="task"):
    """Who leads a task, by when, how far it is."""

    tasks: tuple[tuple[str, str], ...]  # plan and code


class DueDates(Payload, view="due"):
    """The dates of tasks; without tasks those that come."""

    tasks: tuple[tuple[str, str], ...] = ()
    others: tuple[tuple[str, str], ...] = ()  # of `tasks`: those of which only the dates are said
    units: tuple[str, ...] = ()
    every: bool = field(default=False, metadata={"json": "all"})


class History(Payload):
    """Who said what of a task."""

    tasks: tuple[tuple[str, str], ...]
    events: tuple[Event, ...]
    befores: tuple[date | None, ...] = ()  # of each event that moved a date, the one before
    more: int = 0


class ReportDraft(Payload):
    plan: str
    period: str


class Help(Payload):
    """What one can type."""

    office: bool
    leader: bool


# Absence.


class Back(Payload):
    """The absence ended; to that person, or to the office that recorded it."""

    person: str
    name: str
    own: bool


class BackNotice(Back, view="back-word"):
    """To the others who have to know that somebody is back."""


class AwayNotice(Back, view="away-word"):
    """To the others who have to know that somebody is away."""

    since: date
    until: date
    others: tuple[tuple[str, tuple[str, ...]], ...]  # unit, and who of it is there on the first day
    varies: bool = False  # later somebody else is


class Away(AwayNotice):
    """To the person who is away, or to the office that recorded it."""

    again: bool = False


# Enrolment and senders.


class Stranger(Payload):
    """To an account that nobody enrolled."""


class TooFast(Payload):
    """To a sender of too many messages a minute."""


class NotTaken(Payload):
    """To a sender whose message the program failed to record."""


class Unworded(Payload):
    """What stands in for an answer that can't be rendered."""


class ToldTooOften(Payload):
    """To a sender whose messages went to others too often this hour."""


class EditedOrForwarded(Payload):
    """To the sender of an edited or forwarded message, which acts on nothing."""


class Wordless(Payload):
    """A photo, a sticker, a voice message: the program reads text only."""


class Anonymous(Payload):
    """To an administrator who writes in the group's name."""


class OldButton(Payload):
    """A button whose work is gone."""


class Welcome(Payload):
    person: str
    code: str = ""  # the hash of the code that is used up once this was accepted


class SignIn(Payload):
    """The link and the code that sign in; both are made from `login` when it is sent."""

    login: str
    province: bool = False  # to the page of the province, not to the office's own


class PageLink(Payload):
    """To who asks the bot for the page: a link that signs in, made from `login` when it is sent."""

    login: str  # empty: it was asked for where others read too


class InvitationFault(Payload):
    """Why a code was not taken: used, expired or unknown."""

    fault: str


class Bound(Payload):
    """This group is the unit's now."""

    unit: str


class BindInGroup(Payload):
    """/bind works in a group only."""


class BindByOffice(Payload):
    """/bind is the office's."""


class BindUnknown(Payload):
    unit: str
    known: tuple[tuple[str, str], ...]  # id and label


class HowSetDue(Payload):
    """To which day? Asked by a button."""

    key: Key


class HowNote(Payload):
    key: Key


class HowNo(Payload):
    """The answer to “Không, tôi chỉ báo lại”."""

    key: Key


# The program about itself.


class PlanStarted(Payload):
    """What a plan starts with."""

    plan: str
    late: tuple[Key, ...]
    held: date  # until when the late work is not spoken of


class PlanOver(Payload):
    plan: str
    year: str = ""  # one of several years of it; empty: the whole


class UnitEmpty(Payload):
    unit: str


class OfficeEmpty(Payload):
    """To the leaders: the office has nobody."""

    unit: str


class AddressDead(Payload):
    """An address takes nothing any more."""

    recipient: str
    channel: str
    reason: str
    at: datetime
    fallback: str = ""  # the channel that takes over


class MailReturned(Payload):
    """A mail bounced; the address is alive until a later one does too."""

    recipient: str
    address: str
    channel: str
    kind: str
    reason: str
    claimed_by: str  # the sender of the bounce; empty: it names none
    at: datetime
    hard: bool  # the next mail that bounces ends the address
    fallback: str = ""  # the channel by which the message went on


class ChannelDown(Payload):
    channel: str  # or deliver.MAILBOX
    reason: str
    since: datetime
    receiving: bool = False  # it sends, and nothing comes in


class QuotaUsed(Payload):
    """A channel has carried most of what it may carry in this month, or all."""

    channel: str
    received: int
    sent: int
    limit: int
    full: bool
    until: date  # the last day on which it takes nothing


class ChannelUp(Payload):
    """To the people who were told that the channel was down."""

    channel: str
    since: datetime
    until: datetime
    receiving: bool = False


class Forged(Payload):
    """Mails that pretended to be an officer's."""

    number: int


class DeadLetter(Payload):
    """A message reached nobody."""

    row: int
    recipient: str
    kind: str
    channel: str
    reason: str
    slot: datetime


class Unreached(Payload):
    """All whom no channel reaches."""


class MailPutAside(Payload):
    """A mail that could not be read was put aside."""

    folder: str  # empty: it could not be moved


class FilesRefused(Payload):
    problems: tuple[str, ...]


class CopiesOverdue(Payload):
    """No copy of the database was made for days."""

    away: bool  # in the second folder
    since: datetime
    ever: bool


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
    disowns: bool = False  # it confirms what somebody else may have sent
    asked: datetime | None = None  # when that message, which asked something, was queued


PLAIN = Envelope()
# Earlier releases wrote these kinds without the payload's name.
_BY_KIND = {"nudge": Nudge, "escalation": Escalation, "request": Request, "digest": Digest}


def encode(payload: Payload, envelope: Envelope = PLAIN) -> dict[str, Any]:
    """Return the JSON object of a row of the outbox."""
    if isinstance(payload, Unreadable):
        return dict(payload.raw)
    return {"view": payload.view, "data": _object(payload), **_object(envelope)}


def decode(kind: str, raw: Mapping[str, Any]) -> tuple[Payload, Envelope]:
    """Return what `encode` was given, also in an earlier release; Unreadable of another object."""
    if not isinstance(raw, Mapping):
        raise TypeError("payload is no object")
    envelope = PLAIN
    try:
        envelope = _read(Envelope, raw)
        if view := raw.get("view"):
            return _read(VIEWS[view], raw.get("data", {})), envelope
        if raw.get("insist") is True:  # an earlier release's “not on record”
            raw = {**raw, "insist": ""}
        if kind == "edit":
            kind = "request" if "asked" in raw else "nudge"
        return _read(_BY_KIND[kind], raw), envelope
    except (AttributeError, KeyError, TypeError, ValueError):
        return Unreadable(raw=raw), envelope


@cache
def _fields(cls: Any) -> tuple[tuple[str, str, Any, Callable[[Any], Any]], ...]:
    """Return the name, the name in JSON, the default and the reader of each field."""
    hints = get_type_hints(cls)
    return tuple(
        (each.name, each.metadata.get("json", each.name), each.default, _reader(hints[each.name]))
        for each in fields(cls)
    )


def _object(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass as JSON, without those at their default."""
    own: Any = type(value)
    return {
        json: _json(found)
        for name, json, default, _ in _fields(own)
        if (found := getattr(value, name)) != default
    }


def _json(value: Any) -> Any:
    match value:
        case str() | int() | None:
            return value
        case tuple():
            if len(value) == 2 and isinstance(item := value[1], Item):
                return [value[0], *item.key, item.due.isoformat(), str(item.stage)]
            return [_json(each) for each in value]
        case date():
            return value.isoformat()
        case Event():
            return _object(value)
        case Payload():
            return [value.view, _object(value)]
    raise TypeError(f"no way to write {value!r} as JSON")


def _read(cls: Any, raw: Mapping[str, Any]) -> Any:
    """Return the dataclass; what is missing has its default, what is not known is ignored."""
    return cls(
        **{
            name: read(raw[json])
            for name, json, default, read in _fields(cls)
            if json in raw or default is MISSING
        }
    )


def _reader(hint: Any) -> Callable[[Any], Any]:
    """Return the function that reads what `_json` writes of a value of this type."""
    if hint in _LEAVES:
        return _LEAVES[hint]
    first, *others = get_args(hint)
    read = _reader(first)
    if get_origin(hint) in (Union, UnionType):  # X | None; an earlier release wrote "" for no date
        empty = (None, "") if first is date else (None,)
        return lambda raw: None if raw in empty else read(raw)
    if Ellipsis in others:
        return lambda raw: tuple([read(each) for each in raw])
    readers = [read, *map(_reader, others)]
    return lambda raw: tuple([read(each) for read, each in zip(readers, raw, strict=True)])


def _checked(kind: type, raw: Any) -> Any:
    if not isinstance(raw, kind):
        raise TypeError(f"no {kind.__name__}")
    return raw


def _key(raw: Any) -> Key:
    plan, task, deliverable, period = raw
    return Key(plan, task, int(deliverable), period)


def _item(raw: Any) -> tuple[str, Item]:
    unit, *key, due, stage = raw
    return unit, Item(_key(key), date.fromisoformat(due), Stage.parse(stage))


_LEAVES: Mapping[Any, Callable[[Any], Any]] = {
    str: partial(_checked, str),
    int: partial(_checked, int),
    bool: bool,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    EventKind: EventKind,
    Key: _key,
    Event: partial(_read, Event),
    Payload: lambda raw: _read(VIEWS[raw[0]], raw[1]),
    tuple[str, Item]: _item,
}
