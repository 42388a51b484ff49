"""The tables, and how values stand in them; what the migrations add up to.

Each index is for a query that is asked.

Times are text, ISO 8601 in UTC to the microsecond (records.stamp): they sort as they read, the same
in every database, and a person who opens the file can read them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from functools import lru_cache
from operator import attrgetter
from sys import intern
from typing import Any, Generic, TypeVar, get_args, get_type_hints

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    func,
    literal_column,
    true,
)

from reminder.domain.ledger import Event
from reminder.domain.outbox import ACCEPTED, Draft, Row, RowState
from reminder.domain.payloads import decode, encode
from reminder.domain.people import Address
from reminder.domain.plan import Key
from reminder.store.records import (
    Invitation,
    Seen,
    Spoken,
    UnreadableRowError,
    moment,
    stamp,
    words,
)

T = TypeVar("T")
metadata = MetaData()


def _office(*, primary: bool = True) -> Column[Any]:
    """Return the column that says whose a row is; “” where the database has one office."""
    return Column("office", Text, primary_key=primary, nullable=False, server_default="")


def _key(*, primary: bool) -> list[Column[Any]]:
    """Return the columns that name an occurrence."""
    return [
        Column("plan", Text, primary_key=primary, nullable=False),
        Column("task", Text, primary_key=primary, nullable=False),
        Column("deliverable", Integer, primary_key=primary, autoincrement=False, nullable=False),
        Column("period", Text, primary_key=primary, nullable=False),
    ]


event = Table(
    "event",
    metadata,
    _office(),
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 1, without gaps
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    *_key(primary=False),
    Column("unit", Text, nullable=False),
    Column("unit_name", Text, nullable=False),
    Column("person", Text, nullable=False),  # Event.by: a reserved word in SQL
    Column("channel", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("until", Text),  # a day
    Column("hash", Text, nullable=False),
)

# A row an office: the chain's end, apart from the chain, so that a row cut off its end is missed.
head = Table(
    "head",
    metadata,
    _office(),
    Column("number", Integer, nullable=False),
    Column("hash", Text, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    # Only an INTEGER key is SQLite's own rowid.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    _office(primary=False),
    Column("slot", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("payload", Text, nullable=False),  # JSON
    Column("drafted_due", Text, nullable=False),  # Draft.due_at
    Column("state", Text, nullable=False),
    Column("due_at", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", Text),
    Column("repeat", Boolean, nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("ended_at", Text),  # sent, given up or superseded
    Column("address", Text, nullable=False, server_default=""),  # where it was sent; "": unknown
    # Of its account, when it was leased; a row under an older one is nobody's.
    Column("fence", Integer, nullable=False, server_default="0"),
    UniqueConstraint(
        *("office", "slot", "recipient", "kind", "subject", "channel"), name="outbox_once"
    ),
)
# Partial on PostgreSQL too, as the migrations say; said here, each start would load its dialect.
PENDING: ColumnElement[str] = literal_column(
    "'pending'"
)  # a partial index serves only what is spelt as it is
_O = outbox.c.office
Index("outbox_state", _O, outbox.c.state, outbox.c.slot, outbox.c.id)  # lease, sweep, rows, counts
Index("outbox_kind", _O, outbox.c.kind, outbox.c.recipient, outbox.c.slot, outbox.c.id)  # rows
Index("outbox_recipient", _O, outbox.c.recipient, outbox.c.slot, outbox.c.id)  # rows
ANSWER: ColumnElement[str] = literal_column("'reply'")
_IS_ANSWER = and_(outbox.c.state == PENDING, outbox.c.kind == ANSWER)
Index(
    "outbox_answer",  # lease; state and kind first, or SQLite takes outbox_state
    _O,
    outbox.c.state,
    outbox.c.kind,
    outbox.c.slot,
    outbox.c.id,
    sqlite_where=_IS_ANSWER,
)
Index(
    "outbox_due",  # next_due
    _O,
    outbox.c.due_at,
    sqlite_where=outbox.c.state == PENDING,
)
Index(
    "outbox_repeat",  # counts
    _O,
    outbox.c.id,
    sqlite_where=outbox.c.repeat.is_(true()),
)

# Which occurrences a row names, so that what was said of one is found by them.
naming = Table(
    "naming",
    metadata,
    _office(),
    *_key(primary=True),
    Column("outbox_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    sqlite_with_rowid=False,
)

spoken = Table(
    "spoken",
    metadata,
    _office(),
    *_key(primary=True),
    Column("unit", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("due", Text, primary_key=True),
    Column("at", Text, nullable=False),
    Column("skipped", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

seen = Table(
    "seen",
    metadata,
    _office(),
    Column("channel", Text, primary_key=True),
    Column("update_id", Text, primary_key=True),
    Column("at", Text, nullable=False),
    sqlite_with_rowid=False,
)

address = Table(
    "address",
    metadata,
    _office(),
    Column("recipient", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("bound_at", Text, nullable=False),
    Column("dead_since", Text),
    Column("dead_reason", Text, nullable=False),
    sqlite_with_rowid=False,
)
Index(
    "address_value", address.c.office, address.c.channel, address.c.value
)  # mark_address_dead, move_address
Index("address_mail", func.lower(address.c.value), address.c.office)  # served_by, Senders.owners

invitation = Table(
    "invitation",
    metadata,
    _office(),
    Column("code_hash", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("used_at", Text),
    Column("channel", Text, nullable=False, server_default=""),
    sqlite_with_rowid=False,
)

Index("invitation_code", invitation.c.code_hash)  # Senders.invited
Index("invitation_open", invitation.c.channel, invitation.c.expires_at)  # Senders.inviting

meta = Table(
    "meta",
    metadata,
    _office(),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

# Each version of the text of a plan (by its id) and of the people's list; nothing is changed.
document = Table(
    "document",
    metadata,
    _office(),
    Column("name", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),  # from 1, without gaps
    Column("text", Text, nullable=False),  # empty: withdrawn
    Column("sha256", Text, nullable=False),
    Column("person", Text, nullable=False),  # Version.by; empty: the terminal
    Column("at", Text, nullable=False),
    Column("why", Text, nullable=False),
    sqlite_with_rowid=False,
)

# ---- of the page: who is signed in, by which link, and how often somebody tried. Secrets are kept
# as hashes, or made anew from the store's own secret.

web_login = Table(
    "web_login",
    metadata,
    _office(),
    Column("id", Text, primary_key=True),  # a link's and a code's; both are made from it
    Column("person", Text, nullable=False),
    Column("browser", Text, nullable=False),  # hash of the cookie of who asked; "": the terminal
    Column("expires_at", Text, nullable=False),
    Column("used_at", Text),
    Column("tries", Integer, nullable=False),  # wrong codes
    sqlite_with_rowid=False,
)
web_session = Table(
    "web_session",
    metadata,
    _office(),
    Column("hash", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("seen_at", Text, nullable=False),
    Column("kept", Boolean, nullable=False),  # on a device of one's own
    Column("agent", Text, nullable=False),
    Column("proved_at", Text),  # when a code was typed again
    sqlite_with_rowid=False,
)
web_token = Table(
    "web_token",
    metadata,
    _office(),
    Column("hash", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("acts", Boolean, nullable=False),  # False: it reads only
    Column("expires_at", Text, nullable=False),
    sqlite_with_rowid=False,
)
web_spent = Table(
    "web_spent",
    metadata,
    _office(),
    Column("link", Text, primary_key=True),
    Column("at", Text, nullable=False),
    sqlite_with_rowid=False,
)
web_try = Table(
    "web_try",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    _office(primary=False),
    Column("what", Text, nullable=False),
    Column("at", Text, nullable=False),
)
Index("web_try_what", web_try.c.office, web_try.c.what, web_try.c.at)
web_log = Table(
    "web_log",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    _office(primary=False),
    Column("at", Text, nullable=False),
    Column("person", Text, nullable=False),  # "": nobody who is known
    Column("session", Text, nullable=False),  # the beginning of its hash
    Column("what", Text, nullable=False),
    Column("detail", Text, nullable=False),
)
Index("web_log_at", web_log.c.office, web_log.c.at)

# Documents brought in on the page, each with its draft and the answers in it.
plan_import = Table(
    "plan_import",
    metadata,
    _office(),
    Column("id", Text, primary_key=True),
    Column("person", Text, nullable=False),  # who brought it in
    Column("name", Text, nullable=False),  # of the document
    Column("state", Text, nullable=False),
    Column("asked", Text, nullable=False),  # how it is to be read, as JSON
    Column("said", Text, nullable=False),  # why it was refused; which plan it became
    Column("draft", Text, nullable=False),  # TOML
    Column("lines", Text, nullable=False),  # the document's text, as JSON
    Column("revision", Integer, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("changed_at", Text, nullable=False),
    sqlite_with_rowid=False,
)


# ---- what spans offices: no column `office` but where a row is one office's

office = Table(
    "office",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("province", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("next_at", Text),  # when it can speak next; NULL: look at once
    Column("fault", Text, nullable=False),  # why it is not ticked, in a sentence
    Column("fault_since", Text),
    Column("made_at", Text, nullable=False),
    Column("retired_at", Text),
    sqlite_with_rowid=False,
)
Index("office_next", office.c.state, office.c.next_at)  # due_offices
account = Table(
    "account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # a channel's name, or `inbox`
    Column("secret", Text, nullable=False),  # where it is: env:NAME or file:PATH
    Column("settings", Text, nullable=False),  # JSON: the values of the section of that name
    Column("rate", Integer, nullable=False),  # messages a second; 0: the channel's own limits
    Column("fence", Integer, nullable=False),  # raised by each process that takes the account
    Column("down_since", Text),
    Column("down_reason", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("freed_at", Text),  # by the database's clock; NULL: some process has it, or has died
    Column("pace", Text, nullable=False, server_default=""),  # what the next one must know; JSON
    sqlite_with_rowid=False,
)
office_account = Table(
    "office_account",
    metadata,
    _office(),
    Column("channel", Text, primary_key=True),
    Column("account", Text, nullable=False),
    # The number of its latest turn among the offices of the account; the lowest is next.
    Column("served", BigInteger, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)
Index("office_account_account", office_account.c.account, office_account.c.office)

office_figures = Table(
    "office_figures",
    metadata,
    _office(),
    Column("at", Text, nullable=False),
    Column("open", Integer, nullable=False),
    Column("late", Integer, nullable=False),
    Column("long_late", Integer, nullable=False),
    Column("undated", Integer, nullable=False),
    Column("people", Integer, nullable=False),
    Column("reached", Integer, nullable=False),  # of them, by any channel
    Column("late_work", Text, nullable=False),  # JSON: the latest, a list of values
    sqlite_with_rowid=False,
)

# Those of one office's rows; PostgreSQL shows a transaction those of its own office only.
OF_OFFICE = tuple(table for table in metadata.sorted_tables if "office" in table.c)
OFFICE = bindparam("of_office", type_=Text)


def mine(table: Table) -> ColumnElement[bool]:
    """Return the condition for the rows of the office that asks."""
    return table.c.office == OFFICE


# ---- values as rows


class Shape(Generic[T]):
    """How the values of a dataclass stand in the rows of a table.

    Times, days and enumerations are text, a Key is four columns. `elsewhere`: the fields that the
    caller reads. `named`: the columns that are not called like their field. `shared`: texts of
    which many values have the same one.
    """

    def __init__(
        self,
        table: Table,
        made: type[T],
        *elsewhere: str,
        shared: Collection[str] = (),
        **named: str,
    ) -> None:
        self.table, self._made = table, made
        self.places = {column.name: n for n, column in enumerate(table.columns)}
        hints = {name: kind for name, kind in get_type_hints(made).items() if name not in elsewhere}
        self._has_key = hints.pop("key", None) is not None
        columns = {name: named.get(name, name) for name in hints}
        self._readers = [
            (name, self.places[columns[name]], _shared if name in shared else _reader(hints[name]))
            for name in hints
        ]
        self._writers = [(columns[name], _writer(hints[name])) for name in hints]
        self._values = attrgetter(*hints)

    def columns(self, value: T) -> dict[str, Any]:
        """Return the columns of `value`."""
        pairs = zip(self._writers, self._values(value), strict=True)
        found = {column: part if kept is None else kept(part) for (column, kept), part in pairs}
        return found | value.key._asdict() if self._has_key else found  # type: ignore[attr-defined]

    def read(self, columns: Sequence[Any], **elsewhere: Any) -> T:
        """Return the value of a whole row; UnreadableRowError if the program never wrote that."""
        try:
            if self._has_key:
                elsewhere["key"] = _key_of(*columns[(at := self.places["plan"]) : at + 4])
            found = {name: of(columns[place]) for name, place, of in self._readers}
            return self._made(**found, **elsewhere)
        except (TypeError, ValueError) as error:
            raise self.fault(columns, error) from error

    def fault(self, columns: Sequence[Any], error: Exception) -> UnreadableRowError:
        """Return the error that names the table, the row, the field where known, and a remedy."""
        what = str(error)
        for name, place, of in self._readers:
            try:
                of(columns[place])
            except (TypeError, ValueError):
                what = f"{name} is {columns[place]!r:.40}"
                break
        names = [c.name for c in self.table.primary_key.columns]
        parts = [str(columns[self.places[name]]) for name in names]
        row = "/".join(parts[1:] if names[0] == "office" and not parts[0] else parts)
        return UnreadableRowError(self.table.name, row, what)


def _reader(kind: Any) -> Callable[[Any], Any]:
    """Return what makes a field of the type `kind` of its column."""
    of, *none = get_args(kind) or (kind,)
    read = _READERS.get(of, of)  # an enumeration reads itself
    return (lambda value: None if value is None else read(value)) if none else read


def _a(kind: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"it is no {kind.__name__}")
        return value

    return read


def _shared(value: Any) -> str:
    return intern(_text(value))


_text = _a(str)
_READERS: dict[Any, Callable[[Any], Any]] = {
    str: _text,
    int: _a(int),
    bool: _a(bool),
    datetime: moment,
    date: lru_cache(maxsize=1024)(date.fromisoformat),
}


@lru_cache(maxsize=4096, typed=True)  # the same ones in all offices with the same plan
def _key_of(plan: Any, task: Any, deliverable: Any, period: Any) -> Key:
    if [type(each) for each in (plan, task, deliverable, period)] != [str, str, int, str]:
        raise TypeError("the occurrence that it names is none")
    return Key(plan, task, deliverable, period)


_WRITERS: dict[Any, Callable[[Any], Any] | None] = {
    str: words,
    int: None,
    bool: None,
    datetime: stamp,
    date: date.isoformat,
}


def _writer(kind: Any) -> Callable[[Any], Any] | None:
    """Return what makes a column of a field of the type `kind`; None: it is the same."""
    of, *none = get_args(kind) or (kind,)
    write = _WRITERS.get(of, attrgetter("value"))  # an enumeration
    return write and ((lambda value: None if value is None else write(value)) if none else write)


EVENT = Shape(event, Event, by="person", shared=("unit", "by", "channel"))
SPOKEN = Shape(spoken, Spoken)
ADDRESS = Shape(address, Address)
SEEN = Shape(seen, Seen)
INVITATION = Shape(invitation, Invitation)
_DRAFT = Shape(outbox, Draft, "payload", "envelope", due_at="drafted_due")
_ROW = Shape(outbox, Row, "draft", "sent_at")
_NEW = {"state": RowState.PENDING.value, "attempts": 0, "repeat": False}
_compact = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make one each time


def from_draft(draft: Draft, at: datetime) -> dict[str, Any]:
    """Return the columns of a new row of the outbox, written at `at`."""
    return {
        **_DRAFT.columns(draft),
        **_NEW,
        "payload": _compact(encode(draft.payload, draft.envelope)),
        "due_at": stamp(draft.due_at),
        "provider_id": "",
        "error": "",
        "address": "",
        "created_at": stamp(at),
    }


def to_row(columns: Sequence[Any]) -> Row:
    """Return a row of the outbox; raise UnreadableRowError if the program never wrote that."""
    at = _ROW.places
    try:
        payload, envelope = decode(columns[at["kind"]], json.loads(columns[at["payload"]]))
        ended = columns[at["ended_at"]]
        sent = moment(ended) if columns[at["state"]] in ACCEPTED else None
    except (TypeError, ValueError, RecursionError) as error:
        raise _ROW.fault(columns, error) from error
    draft = _DRAFT.read(columns, payload=payload, envelope=envelope)
    return _ROW.read(columns, draft=draft, sent_at=sent)
