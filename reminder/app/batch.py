"""Messages and mails tried on a made-up office in memory, for `reminder understand --batch`.

Each message is received, decided, recorded and rendered as in the daemon, on the shipped plan of
2024 with a tick at 08:00 of each day before it and no other answers. All of it is one transaction,
which is rolled back, so that messages don't affect each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from reminder.app import bootstrap
from reminder.app.sandbox import service_with
from reminder.channels import email, telegram
from reminder.channels.email.classify import (
    Answer,
    Authenticated,
    Bounced,
    Disposition,
    InboxRules,
    Kind,
    LeftUnread,
    Processed,
    extract_answer,
    own_words,
    read,
    triage,
)
from reminder.channels.email.receive import mail_text
from reminder.decisions import buttons
from reminder.domain import payloads
from reminder.domain.calendar import instant, local_day
from reminder.domain.charset import is_lost
from reminder.domain.context import Inbound
from reminder.domain.errors import FileError, ReminderError
from reminder.domain.ledger import Event, EventKind, State, absence_of
from reminder.domain.people import Person
from reminder.domain.schedule import Item, Message, MessageKind, Stage
from reminder.domain.tokens import MailIdentity, Marks, normal_address
from reminder.files.toml import read_bytes
from reminder.services.deliver import Rendered
from reminder.services.limits import Limits
from reminder.services.office import GROUP, Office, drafts_of
from reminder.store.store import open_in_memory
from reminder.understanding.model import Command

FIRST_DAY, HOUR = date(2024, 1, 2), time(8)  # the office's first tick, and the hour of all others
MOMENT = instant(date(2024, 3, 6), time(8, 30))  # of a row that names none
REMINDED_BEFORE = timedelta(minutes=3)  # the reminder that a message answers
SAID_BEFORE = timedelta(minutes=2)  # the sender's earlier messages
MAILBOX = "nhacviec@phuong.example.vn"
AUTHSERV_ID = "mx.phuong.example.vn"
OFFICERS = {
    "tu-phap": "an",
    "van-phong": "chi",
    "tai-chinh-ke-toan": "dung",
    "van-hoa-xa-hoi": "hai",
    "dia-chinh-xay-dung": "khoa",
    "van-hoa-thong-tin": "mai",
    "lanh-dao": "lan",
}
_SECRET = b"the office of a batch is nobody's"
LONGEST = 64_000_000  # bytes of a file of rows, or of a mail
_BATCH = 50  # messages that are sent in one go
# Replies to what was to be recorded nowhere; every other reply without an event refuses.
_ANSWERS = (
    payloads.OpenTasks, payloads.TaskDetails, payloads.DueDates, payloads.History, payloads.Help,
    payloads.Heard, payloads.Seen, payloads.StatusAsked, payloads.AlreadyDone, payloads.Digest,
    payloads.Zalo, payloads.ReportDraft, payloads.Welcome, payloads.Bound, payloads.NoRequest,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One message or mail, and its sender."""

    sender: str  # a unit's id
    text: str = ""
    mail: Path | None = None  # an .eml in place of the text
    reply_to: tuple[str, ...] = ()  # codes of the reminder that is answered: 1c, 1d#1
    at: datetime = MOMENT
    before: tuple[str, ...] = ()  # messages of the sender two minutes before
    group: bool = False  # typed in the group that is bound to the sender's unit


def read_rows(path: Path) -> list[Row | Exception]:
    """Return the rows of a TSV file, or the fault of each; ReminderError if it can't be read."""
    try:
        lines = read_bytes(path, LONGEST).decode("utf-8-sig").split("\n")
    except (FileError, UnicodeError) as error:
        raise ReminderError(f"không đọc được {path}: {error}") from error
    lines = [line.removesuffix("\r") for line in lines]
    names = lines[0].split("\t")
    if not {"text", "mail"} & set(names):
        raise ReminderError(f"{path}: dòng đầu phải có tên cột, trong đó có “text” hoặc “mail”")
    found: list[Row | Exception] = []
    for line in lines[1:]:
        if line:
            values = dict(zip(names, line.split("\t"), strict=False))
            try:
                found.append(_row(values, path.parent))
            except ValueError as error:
                found.append(error)
    return found


def _row(values: Mapping[str, str], folder: Path) -> Row:
    mail = values.get("mail", "")
    moment = datetime.fromisoformat(values.get("moment") or MOMENT.isoformat())
    return Row(
        sender=values.get("sender", ""),
        text="" if mail else values.get("text", "").replace("\\n", "\n"),
        mail=folder / mail if mail else None,
        reply_to=tuple(code.strip() for code in values.get("reply_to", "").split(",") if code),
        at=moment if moment.tzinfo else instant(moment.date(), moment.time()),
        before=tuple(said.strip() for said in values.get("before", "").split(" ;; ") if said),
        group=values.get("where") == "group",
    )


def answers(rows: Sequence[Row | Exception]) -> list[dict[str, Any]]:
    """Return the result of each row, in order."""
    found = [
        _line("", error=row) if isinstance(row, Exception) else _line(row.text) for row in rows
    ]
    ordered = [(row.at, number, row) for number, row in enumerate(rows) if isinstance(row, Row)]
    ordered.sort(key=lambda one: one[:2])
    for channel in (telegram.TRAITS.name, email.TRAITS.name):
        mine = [one for one in ordered if bool(one[2].mail) == (channel == email.TRAITS.name)]
        if mine:
            trial = _TrialOffice(channel)
            for at, number, row in mine:
                trial.advance(at)
                found[number] = trial.answer(row)
            trial.service.store.close()
    return found


def _line(text: str, *, error: Exception | None = None, **more: object) -> dict[str, Any]:
    """Return the line of a row of which nothing came, but for `more`."""
    line: dict[str, Any] = {"text": text, "outcome": "ignored", "events": [], "question": None}
    if error is not None:
        more["error"] = f"{type(error).__name__}: {error}"
    return line | {"reply": ""} | more


class _TakenBackError(Exception):
    """Rolls back the transaction of a row."""


class _TrialOffice:
    """The made-up office on one channel, at the time of its last tick."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.identity = MailIdentity(secret=_SECRET, inbox=MAILBOX)
        self.next_tick = FIRST_DAY
        self.updates = 0
        plan = bootstrap.load_plans([bootstrap.shipped("data/plan2024.toml", here=False)])[0]
        calendar = bootstrap.shipped("config/calendar.toml", here=False)
        people = [
            Person(id=unit.id, name=unit.name, units=(unit.id,), channels=(channel,))
            for unit in plan.units
        ]
        self.service = service_with(open_in_memory(), plan, channel, people, calendar)
        self.addresses = {
            unit.id: f"{OFFICERS[unit.id]}@phuong.example.vn"
            if channel == email.TRAITS.name
            else str(1000 + number)
            for number, unit in enumerate(plan.units)
        }
        for unit, address in self.addresses.items():
            self.service.store.bind(unit, channel, address, instant(FIRST_DAY, time(7)))

    def advance(self, until: datetime) -> None:
        """Tick at 08:00 of each day up to `until`, and send all that is due."""
        office = self.service.office
        last = max(office.scheduler.policy.last_day(plan) for plan in office.plans)
        while instant(self.next_tick, HOUR) <= until and self.next_tick <= last:
            at = instant(self.next_tick, HOUR)
            self.service.tick(at)
            self.send(at)
            self.next_tick += timedelta(days=1)
        self.service.refresh()

    def answer(self, row: Row) -> dict[str, Any]:
        """Return the result of `row`, whose changes are rolled back."""
        before, store = self.service, self.service.store
        line = _line(row.text)
        with suppress(_TakenBackError), store.together():
            self.service = replace(before, limits=Limits())
            try:
                line = self._answer(row)
            except Exception as error:  # noqa: BLE001  a line a row, whatever happens
                line = _line(row.text, error=error)
            raise _TakenBackError
        self.service = before
        return {"judged": "other"} | line if row.mail else line

    def send(self, at: datetime) -> list[tuple[Rendered, str]]:
        """Deliver all waiting messages, each with the id that its channel gives it."""
        delivered: list[tuple[Rendered, str]] = []
        while outgoing := self.service.lease(at, _BATCH):
            for rendered in outgoing:
                provider_id = f"m{rendered.row.id}"
                if self.channel == email.TRAITS.name:
                    provider_id = self._marks(rendered, at).message_id
                self.service.sent(rendered, provider_id, at)
                delivered.append((rendered, provider_id))
        return delivered

    def _marks(self, rendered: Rendered, at: datetime) -> Marks:
        return self.identity.marks(rendered.key, MAILBOX, rendered.address, at)

    def _answer(self, row: Row) -> dict[str, Any]:
        unit, at = row.sender, row.at
        if unit not in self.addresses:
            return _line(row.text, error=ValueError(f"no unit {unit!r}"))
        chat = f"-100{self.addresses[unit]}" if row.group else self.addresses[unit]
        if row.group:
            self.service.store.bind(
                f"{GROUP}{unit}", telegram.TRAITS.name, chat, at - timedelta(days=1)
            )
        answered = self._remind(row, at - REMINDED_BEFORE)
        for said in row.before:
            self._say(row, chat, said, "", at - SAID_BEFORE)
            self.send(at - SAID_BEFORE)
        before = self.service.refresh().last_number
        if row.mail:
            return self._mail(row, row.mail, answered, before)
        self._say(row, chat, row.text, answered[1] if answered else "", at)
        return self._outcome(row.text, row, before)

    def _say(self, row: Row, chat: str, text: str, reply_to: str, at: datetime) -> None:
        self.updates += 1
        inbound = Inbound(
            channel=self.channel,
            update=str(self.updates),
            sender=self.addresses[row.sender],
            chat=chat,
            private=not row.group,
            text=text,
            message=f"u{self.updates}",
            reply_to=reply_to,
            at=at,
        )
        self.service.receive(inbound, at)

    def _mail(
        self, row: Row, path: Path, answered: tuple[Rendered, str] | None, before: int
    ) -> dict[str, Any]:
        """Classify the mail at `path` as the daemon does; an answer is acted on."""
        try:
            content = read_bytes(path, LONGEST)
        except FileError as error:
            return _line("", judged="other", error=error)
        if answered is not None:
            content = _with_marks(content, self._marks(answered[0], row.at - REMINDED_BEFORE))
        rules = InboxRules(
            secret=_SECRET,
            address=MAILBOX,
            sender=MAILBOX,
            sender_name="Máy nhắc việc",
            trust="auth-results",
            authserv_id=AUTHSERV_ID,
        )
        known = {normal_address(address): address for address in self.addresses.values()}
        mail = read(content)
        fate = triage(mail, rules, known, row.at)
        if isinstance(fate, Authenticated):
            said = mail_text(self.service, fate.inbound.sender, fate.inbound.reply_to)
            fate = extract_answer(fate, *own_words(mail, rules.marks(said)))
        judged = _judged(fate)
        if not isinstance(fate, Answer):
            return _line("", judged=judged)
        self.service.receive(fate.inbound, row.at)
        return self._outcome(fate.words, row, before) | {"judged": judged}

    def _remind(self, row: Row, at: datetime) -> tuple[Rendered, str] | None:
        """Return a reminder of the row's codes to the sender's unit, as “nhắc ngay” makes one."""
        office = self.service.refresh()
        today = local_day(at)
        items = [
            Item(state.key, state.due, Stage(office.scheduler.days_late(state, today)))
            for code in row.reply_to
            for state in _named(office, code, today)
            if state.due is not None
        ]
        if not items:
            return None
        message = Message(at=at, unit=row.sender, kind=MessageKind.NUDGE, items=tuple(items))
        by = next(plan.office for plan in office.plans)
        self.service.store.record(
            [],
            unit_names=office.unit_names,
            drafts=drafts_of(office, [message], at, insist=by),
            at=at,
        )
        wanted = f"{GROUP}{row.sender}" if row.group else row.sender
        return next((one for one in self.send(at) if one[0].row.draft.recipient == wanted), None)

    def _outcome(self, text: str, row: Row, before: int) -> dict[str, Any]:
        """Return what the message put on the ledger, and what its sender reads and may press."""
        events = [recorded.event for recorded in self.service.store.events(before)]
        replies = [
            rendered
            for rendered in self.service.lease(row.at, _BATCH)  # answers go before all else
            if rendered.row.draft.kind == "reply" and rendered.row.draft.recipient == row.sender
        ]
        presses = [
            action.data for reply in replies for line in reply.message.actions for action in line
        ]
        candidates = self._candidates(row, presses)
        said = [part for reply in replies for part in payloads.parts_of(reply.row.draft.payload)]
        if events:
            outcome = "recorded"
        elif candidates:
            outcome = "asked"
        elif not replies:
            outcome = "ignored"
        else:
            outcome = "answered" if all(isinstance(each, _ANSWERS) for each in said) else "refused"
        return {
            "text": text,
            "outcome": outcome,
            "events": [_event(event) for event in events],
            "question": {"candidates": candidates} if candidates else None,
            "reply": "\n\n".join(reply.message.text for reply in replies),
        }

    def _candidates(self, row: Row, presses: Iterable[str]) -> list[dict[str, Any]]:
        """Return what a tap on each button would record, but for an undo of what was just recorded.

        A button that does what others do adds nothing.
        """
        office = self.service.refresh()
        sender = office.as_sender(office.people[row.sender])
        inbound = Inbound(channel=self.channel, update="", sender=row.sender, chat="", private=True)
        found: list[dict[str, Any]] = []
        for press in presses:
            command = buttons.meant(press, office.states, office.by_plan, office.units)
            if not isinstance(command, Command):
                continue
            decision = self.service.handling(inbound, row.at).decided(sender, command)
            for event in decision.events:
                candidate = {
                    "event": event.kind.value,
                    "task": event.key.task,
                    "deliverable": event.key.deliverable,
                    "period": event.key.period,
                }
                if event.kind is not EventKind.UNDONE and candidate not in found:
                    found.append(candidate)
        return found


def _named(office: Office, code: str, today: date) -> list[State]:
    """Return the earliest open occurrence of each product that “1d” or “1d#1” names."""
    name, _, number = code.partition("#")
    found: list[State] = []
    for task in (plan.by_code[name] for plan in office.plans if name in plan.by_code):
        for deliverable in task.products or task.deliverables:
            if number in ("", str(deliverable.number)):
                product = (task.code, deliverable.number)
                states = [
                    state
                    for key, state in office.states.items()
                    if (key.task, key.deliverable) == product and not state.closed
                ]
                states.sort(
                    key=lambda state: (state.occurrence.opens > today, state.due or date.max)
                )
                found += states[:1]
    return found


def _with_marks(content: bytes, marks: Marks) -> bytes:
    """Return a mail with the real marks of the reminder that it answers."""
    for written, real in (
        (b"nhacviec+reply@phuong.example.vn", marks.reply_to),
        (b"nhacviec+bounce@phuong.example.vn", marks.bounces_to),
        (b"<reply@phuong.example.vn>", marks.message_id),
    ):
        content = content.replace(written, real.encode())
    return content


def _judged(fate: Disposition) -> str:
    match fate:
        case Bounced():
            return Kind.BOUNCE.value
        case Answer(inbound=inbound):
            return "unreadable" if is_lost(inbound.text) else Kind.ANSWER.value
        case LeftUnread(forged=True):
            return "forged"
        case Processed(kind=kind) | LeftUnread(kind=kind) if kind not in (None, Kind.ANSWER):
            return kind.value
    return "other"


def _event(event: Event) -> dict[str, Any]:
    absence = absence_of(event)
    return {
        "event": event.kind.value,
        "task": "" if absence else event.key.task,
        "deliverable": None if absence else event.key.deliverable,
        "period": "" if absence else event.key.period,
        "until": event.until.isoformat() if event.until else None,
        "note": event.note,
        "evidence": event.evidence,
    }
