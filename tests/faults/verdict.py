"""What a month came to: the pure schedule against what the two servers have really taken."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from datetime import datetime

from reminder.domain.ledger import Event, by_key
from reminder.domain.outbox import Draft, Row, RowState
from reminder.domain.payloads import Items
from reminder.domain.schedule import MessageKind, Scheduler
from reminder.files.calendar import load_calendar
from reminder.files.plan import load_plan
from reminder.store.store import Store, open_store
from tests.conftest import ROOT
from tests.faults.month import Month
from tests.faults.office import BY_ZALO, recipients
from tests.store.samples import spoken

REPEAT = "(có thể là tin gửi lại)"
TAKEN = (200, "timeout-after", "reset-after")
_ENDS = (RowState.DEAD, RowState.SUPERSEDED, RowState.DROPPED)


@dataclass
class Tally:
    """A line of the table; all are counts."""

    runs: int = 0
    survived: int = 0
    said: int = 0
    due: int = 0  # things that the pure schedule had to say, to each of their recipients
    on_record: int = 0  # of these: not said, or given up, with the reason in the database
    lost: int = 0
    twice: int = 0
    marked: int = 0
    in_flight: int = 0  # sends whose outcome a fault took; no more may come twice
    answers: int = 0
    answers_lost: int = 0  # or recorded twice
    rights_broken: int = 0
    why: list[str] = field(default_factory=list)  # of all that is not as promised

    def add(self, other: Tally) -> None:
        """Both together."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    @property
    def broken(self) -> bool:
        """Whether a promise was not kept."""
        return bool(
            self.why or self.lost or self.answers_lost or self.rights_broken
            or self.survived < self.runs
        )  # fmt: skip


def judged(month: Month, began: datetime, tally: Tally) -> None:
    """Adds what became of the month's messages, answers and rights. The daemon has ended."""
    url = f"sqlite:///{(month.folder / 'r.db').as_posix()}"
    store = open_store(url, exclusive=False, sleep=lambda _: None)
    try:
        events = [recorded.event for recorded in store.events()]
        if broken := store.verify():
            tally.why.append(f"the ledger's chain is broken: {broken}")
        _messages(month, store, events, began, tally)
        _repeats(month, tally)
        _answers(month, events, tally)
        _claims(month, events, tally)
    finally:
        store.close()


def _messages(
    month: Month, store: Store, events: list[Event], began: datetime, tally: Tally
) -> None:
    plan = load_plan(ROOT / "data/plan2024.toml")
    scheduler = Scheduler(load_calendar(ROOT / "config/calendar.toml", [2023, 2024, 2025]))
    due = scheduler.messages([plan], by_key(events), began, month.now)
    stages = {(s.key, s.unit, s.kind, s.stage, s.due): s for s in spoken(store, plan.id)}
    places: dict[tuple[object, ...], list[Row]] = {}
    for row in store.rows(limit=100_000):
        if row.state in (RowState.PENDING, RowState.LEASED):
            tally.lost += 1
            tally.why.append(f"never ended: {row}")
        items = row.draft.payload.items if isinstance(row.draft.payload, Items) else ()
        for unit, item in items:
            place = (unit, row.draft.kind, item.key, str(item.stage), str(item.due))
            places.setdefault((row.draft.recipient, *place), []).append(row)
    taken = _taken(month)
    mails = {identity for _, identity, _ in month.mail.mails}
    for message in due:
        if message.kind is MessageKind.DIGEST:
            continue
        for item in message.items:
            said = stages.get(
                (item.key, message.unit, message.kind.value, str(item.stage), str(item.due))
            )
            people = recipients(message.unit, message.kind.value)
            tally.due += len(people)
            if said is not None and said.skipped:
                tally.on_record += len(people)
                continue
            for person in sorted(people):
                place = (message.unit, message.kind.value, item.key, str(item.stage), str(item.due))
                rows = places.get((person, *place), [])
                if any(row_key(row.draft) in taken or row.provider_id in mails for row in rows):
                    continue
                if said is not None and _excused(rows):
                    tally.on_record += 1
                else:
                    tally.lost += 1
                    tally.why.append(f"lost: {message.at} {person} {place} {said} {rows}")


def _excused(rows: list[Row]) -> bool:
    """Whether each of `rows`, of which no server has any, has its reason on record."""
    return bool(rows) and all(row.state in _ENDS and row.error for row in rows)


def row_key(draft: Draft) -> str:
    """The key that the program gives a channel with the row's message."""
    return "/".join((draft.slot.isoformat(), draft.kind, draft.subject, draft.recipient))


def _taken(month: Month) -> Counter[str]:
    """How often Telegram or Zalo has taken a message of each row, by its key."""
    by_telegram = Counter(
        call.params["row"]
        for call in month.telegram.calls
        if call.method in ("sendMessage", "sendDocument") and call.outcome in TAKEN
    )
    return by_telegram + Counter(sent.row for sent in month.zalo.sent)


def _claims(month: Month, events: list[Event], tally: Tally) -> None:
    """By Zalo nobody is told of more records than there are."""
    recorded = Counter(e.by for e in events if e.channel == "zalo")
    for who in BY_ZALO:
        told = [text for text in month.zalo.sent_to(who) if text.startswith("✅ Đã ghi")]
        claimed = sum(REPEAT not in text for text in told)
        if claimed > recorded[who]:
            tally.rights_broken += 1
            tally.why.append(f"told {claimed} of {recorded[who]} records: {who}")


def _repeats(month: Month, tally: Tally) -> None:
    """How many messages came more than once, and how many of the later ones say so."""
    copies: dict[tuple[str, str], list[str]] = {}
    for call in month.telegram.calls:
        if call.method in ("sendMessage", "sendDocument") and call.outcome in TAKEN:
            text = call.params.get("text", call.params.get("caption", ""))
            copies.setdefault((call.method, call.params["row"]), []).append(text)
    for _, identity, text in month.mail.mails:
        copies.setdefault(("mail", identity), []).append(text)
    for sent in month.zalo.sent:
        copies.setdefault(("zalo", sent.row), []).append(sent.text)
    for place, texts in copies.items():
        later = texts[1:]
        marked = sum(REPEAT in text for text in later)
        tally.twice += len(later)
        tally.marked += marked
        if marked < len(later):
            tally.why.append(f"came {len(texts)} times, unmarked: {place} {texts[-1][:60]!r}")


def _answers(month: Month, events: list[Event], tally: Tally) -> None:
    """Each answer stands in the ledger once, and nothing else does but the program's own holds."""
    found = Counter((e.by, e.key.task) for e in events if e.kind.value in ("done", "updated"))
    expected = Counter(month.due_answers)
    tally.answers += expected.total()
    for answer in expected:
        if found[answer] != 1:
            tally.answers_lost += 1
            tally.why.append(f"recorded {found[answer]} times: {answer}")
    notes = Counter((e.message, e.by) for e in events if e.kind.value == "noted")
    tally.answers += len(month.due_notes)
    for note in month.due_notes.items():
        if notes[note] != 1:
            tally.answers_lost += 1
            tally.why.append(f"recorded {notes[note]} times: {note}")
    for event in events:
        by_right = (
            (event.by, event.key.task) in expected
            or event.kind.value == "held"
            or (event.kind.value == "noted" and month.due_notes.get(event.message) == event.by)
        )
        if not by_right:
            tally.rights_broken += 1
            tally.why.append(f"without a right: {event}")


def unknown_sends(log: list[str]) -> int:
    """How many sends had an outcome that nobody knows, as the log tells."""
    found = (line.partition("the outcome of ")[2] for line in log)
    died = sum(int(words.split()[0]) for words in found if words)
    return died + sum("it may have arrived" in line or "it may come twice" in line for line in log)
