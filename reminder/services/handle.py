"""The use case of every front: a message, a button, a form or a command → Outcome.

A channel calls `receive`, which finds out who wrote and what is meant. The command line or a web
form knows who acts, and calls `handle`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reminder.decisions import buttons, decide, decide_error, may_change
from reminder.domain.calendar import local_day
from reminder.domain.context import Context, Decision, Inbound, Notice, Sender
from reminder.domain.ledger import Event, EventKind
from reminder.domain.outbox import Draft, chat_of
from reminder.domain.payloads import (
    Anonymous,
    EditedOrForwarded,
    Envelope,
    OldButton,
    Payload,
    Stranger,
    ToldTooOften,
    TooFast,
    Wordless,
)
from reminder.domain.plan import Confirm, Key
from reminder.domain.schedule import Item, Message, MessageKind, Stage
from reminder.services import enrolment, history, recipients
from reminder.services.enrolment import Limits
from reminder.services.history import edit_drafts
from reminder.services.office import GROUP, STRANGER, Office
from reminder.services.recipients import notice_drafts
from reminder.understanding.model import Command, CommandError, Meaning, Reason, Target
from reminder.understanding.parse import parse, yes_or_no
from reminder.understanding.titles import by_title
from reminder.understanding.verbs import Verb

if TYPE_CHECKING:
    from reminder.store.store import Store

LATELY = timedelta(days=3)  # how long a bare “chưa xong” is taken for an answer to the last nudge
Said = Command | CommandError | Payload  # what was meant; a Payload is the answer itself


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of a message, a button, a form or a command."""

    events: tuple[Event, ...] = ()  # as recorded
    answer: Payload | None = None  # what is said to whoever acted
    notices: tuple[Notice, ...] = ()  # what others are told
    reminded: tuple[tuple[Key, str], ...] = ()  # (occurrence, unit) nudged beside the schedule
    seen: bool = False  # this update was handled before: nothing was recorded or said now
    ignored: bool = False  # not meant for the program, or too much: the same

    @property
    def taken(self) -> bool:
        """Whether it was acted on or answered."""
        return not (self.seen or self.ignored)

    @property
    def acted(self) -> bool:
        """Whether it changed anything, beside being answered."""
        return bool(self.events or self.reminded)


@dataclass
class Receiver:
    """Handles what comes in; its only state is how much each sender has said lately."""

    store: Store
    bot_name: str = ""
    limits: Limits = field(default_factory=Limits)

    def receive(self, office: Office, inbound: Inbound, now: datetime) -> Outcome:
        """Handle one message or press from a channel."""
        if inbound.anonymous:
            return self._anonymous(office, inbound, now)
        office = enrolment.revived(office, self.store, inbound)
        inbound = self._from_whom(office, inbound)
        sender = office.sender(inbound)
        if sender is not None and not self.limits.may_speak(inbound.sender, now):
            if not self.limits.may_hear(inbound.sender, now):
                return Outcome(ignored=True)
            return self._say(office, inbound, sender, TooFast(), now)
        if sender is None or inbound.text.strip().lower().startswith("/start"):
            return self._unenrolled(office, inbound, sender, now)
        said: Said | None
        if inbound.wordless:
            said = Wordless()
        elif inbound.edited or inbound.forwarded:
            said = self._not_new(office, inbound, sender)
        else:
            bound = enrolment.bind_group(office, self.store, inbound, sender, now, self.bot_name)
            said = bound or self._meant(office, inbound, sender, now)
        if said is None:
            return Outcome(ignored=True)
        return self.handle(office, sender, said, inbound, now)

    def handle(
        self, office: Office, sender: Sender, said: Said | str, inbound: Inbound, now: datetime
    ) -> Outcome:
        """Decide what `sender` has said, and record the result in one transaction.

        `inbound` says by which channel, and where the answer goes.
        """
        if isinstance(said, str):
            said = parse(said, local_day(now), self._meaning(office, sender, now))
        decision = self.decided(office, sender, said, inbound, now)
        tells = bool(decision.remind or decision.notices)
        if tells and not self.limits.may_tell(sender.person.id, now):
            return self._say(office, inbound, sender, ToldTooOften(), now)
        mailed = office.traits(inbound.channel).mail and not isinstance(said, Payload)
        if mailed and _changes_nothing(decision) and not self.limits.may_mail(inbound.sender, now):
            decision = replace(decision, answers=())
        after = office.after(decision.events, states=decision.states)
        tag = _tag(inbound, now)
        who = sender.person.id
        drafts = [
            *_notices(after, tag, who, decision, now),
            *edit_drafts(self.store, after, who, tag, decision.events, now),
            *_reminders(after, decision, who, now),
        ]
        return self._recorded(after, inbound, who, decision, now, drafts)

    def decided(
        self, office: Office, sender: Sender, said: Said, inbound: Inbound, now: datetime
    ) -> Decision:
        """Decide `said`, and record nothing.

        What the decision needs of the outbox is read before it.
        """
        if isinstance(said, Payload):
            return Decision(answers=(said,))
        commands = (said, *said.also) if isinstance(said, Command) else ()
        reminds = any(command.verb is Verb.REMIND for command in commands)
        context = Context(
            plans=office.speaking(now),
            states=office.states,
            events=office.events,
            people=office.people,
            scheduler=office.scheduler,
            sender=sender,
            now=now,
            today=local_day(now),
            channel=inbound.channel,
            message=inbound.message,
            words=inbound.text,
            told=history.told_late(self.store, may_change(commands, office.states)),
            reminded=history.reminded_on(self.store, local_day(now)) if reminds else {},
        )
        return decide(said, context) if isinstance(said, Command) else decide_error(said, context)

    def _from_whom(self, office: Office, inbound: Inbound) -> Inbound:
        """A mailbox may be a whole unit's: then the answered mail tells whose answer it is."""
        owners = [a.recipient for a in office.bound(inbound.channel, inbound.sender)]
        person = history.addressee(self.store, owners, inbound.channel, inbound.reply_to)
        return replace(inbound, person=person) if person else inbound

    def _unenrolled(
        self, office: Office, inbound: Inbound, sender: Sender | None, now: datetime
    ) -> Outcome:
        """Answer a stranger, or redeem an invitation; in a group say nothing."""
        answer: Payload | None = None
        if inbound.private:
            answer = enrolment.start(office, self.store, self.limits, inbound, sender, now)
            if answer is None and sender is None and self.limits.may_hear(inbound.sender, now):
                answer = Stranger()
        if answer is None:
            return Outcome(ignored=True)
        return self._say(office, inbound, sender, answer, now)

    def _anonymous(self, office: Office, inbound: Inbound, now: datetime) -> Outcome:
        """Tell an administrator who writes in the group's name that nobody can tell who it was.

        Only where it was meant for the program: /bind, or in a unit's group a command or a reply.
        """
        command = enrolment.command_in(inbound.text, self.bot_name)
        meant = command == "/bind" or bool(command and _groups_of(office, inbound))
        meant = meant or bool(self._named(office, inbound, None))
        if not meant or not self.limits.may_hear(chat_of(inbound.chat), now):
            return Outcome(ignored=True)
        return self._say(office, inbound, None, Anonymous(), now)

    def _not_new(self, office: Office, inbound: Inbound, sender: Sender) -> Payload | None:
        """A message that was edited or forwarded acts on nothing, and its sender is told so.

        In a group only where it was meant for the program: a command, or a reply to its message.
        """
        meant = inbound.private or inbound.text.startswith("/")
        if not meant and not self._named(office, inbound, sender):
            return None
        return EditedOrForwarded()

    def _meant(
        self, office: Office, inbound: Inbound, sender: Sender, now: datetime
    ) -> Said | None:
        """What the text or the press means; None if it is not for this program."""
        if inbound.press:
            pressed = buttons.meant(inbound.press, office.states, office.by_plan, office.units)
            question = history.question(self.store, sender.person.id, inbound, now)
            return _with_words(pressed, question) if pressed else OldButton()
        if inbound.private and (answered := self._of_question(office, inbound, sender, now)):
            return answered
        named = self._named(office, inbound, sender)
        meaning = self._meaning(
            office, sender, now, reply_to=tuple(named), is_reply=bool(inbound.reply_to)
        )
        found = parse(inbound.text, local_day(now), meaning)
        if inbound.private and isinstance(found, Command) and _is_bare(found):
            found = self._of_last_nudge(office, inbound, sender, meaning, found, now)
        if inbound.private and not named and _names_nothing(found):
            work = _open_work(office, sender, now)
            found = by_title(inbound.text, local_day(now), meaning, work) or found
        addressed = inbound.private or inbound.text.startswith("/") or bool(named)
        if isinstance(found, Command):
            talk = found.verb.row.small_talk and not found.targets
            return None if talk and not addressed else found
        silent = found.reason.value == "not-for-us" or not addressed
        return None if silent else found

    def _meaning(
        self,
        office: Office,
        sender: Sender,
        now: datetime,
        *,
        reply_to: tuple[Target, ...] = (),
        is_reply: bool = False,
    ) -> Meaning:
        return Meaning(
            plans=tuple(office.speaking(now)),
            units=sender.units,
            office=sender.office,
            reply_to=reply_to,
            is_reply=is_reply,
            bot_name=self.bot_name,
        )

    def _of_question(
        self, office: Office, inbound: Inbound, sender: Sender, now: datetime
    ) -> Command | None:
        """“đúng”, “chưa”: the answer to a question, if that is the last message."""
        yes = yes_or_no(inbound.text)
        if yes is None:
            return None
        question = history.question(self.store, sender.person.id, inbound, now)
        if question is None or len(question.keys) != 1 or question.keys[0] not in office.states:
            return None
        key = question.keys[0]
        target = buttons.target_of(key, office.states, office.by_plan)
        if yes and office.states[key].occurrence.task.confirm is Confirm.ALL:
            target = replace(target, unit=question.unit)
        verb = Verb.DONE if yes else Verb.NOT_DONE
        return Command(verb=verb, targets=(target,), note=question.words)

    def _of_last_nudge(
        self,
        office: Office,
        inbound: Inbound,
        sender: Sender,
        meaning: Meaning,
        bare: Command,
        now: datetime,
    ) -> Command:
        """“chưa xong” beneath a nudge about one thing means that; it closes nothing."""
        pairs = history.last_named(self.store, sender.person.id, now - LATELY)
        states = office.states
        live = [key for key in dict.fromkeys(pairs) if (s := states.get(key)) and not s.closed]
        if len(live) != 1:
            return bare
        target = buttons.target_of(live[0], states, office.by_plan)
        meant = replace(meaning, reply_to=(target,), is_reply=True)
        found = parse(inbound.text, local_day(now), meant)
        return found if isinstance(found, Command) and found.verb is bare.verb else bare

    def _named(self, office: Office, inbound: Inbound, sender: Sender | None) -> list[Target]:
        """The occurrences of the message that this one replies to, each once."""
        alone = sender if inbound.private else None
        speakers = [alone.person.id] if alone else _groups_of(office, inbound)
        pairs = [
            pair
            for speaker in speakers
            for pair in history.named_in(self.store, speaker, inbound.channel, inbound.reply_to)
        ]
        targets = (buttons.target_of(key, office.states, office.by_plan) for _, key in pairs)
        return list(dict.fromkeys(targets))

    def _say(
        self,
        office: Office,
        inbound: Inbound,
        sender: Sender | None,
        answer: Payload,
        now: datetime,
    ) -> Outcome:
        """Record an answer, and that the update was seen."""
        speaker = sender.person.id if sender else f"{STRANGER}{inbound.sender}"
        return self._recorded(office, inbound, speaker, Decision(answers=(answer,)), now)

    def _recorded(
        self,
        after: Office,
        inbound: Inbound,
        speaker: str,
        decision: Decision,
        now: datetime,
        others: Iterable[Draft] = (),
    ) -> Outcome:
        """Record the decision, the answer to `speaker` and the drafts to `others`, once."""
        answer = next(iter(decision.answers), None)
        drafts = list(others)
        if answer is not None and inbound.answered:
            drafts.insert(0, _reply(after, inbound, speaker, answer, now))
        if inbound.again:  # it may have been answered already; an edit is the same twice
            drafts = [d if d.kind == "edit" else d.marked_again() for d in drafts]
        new = self.store.record(
            decision.events,
            unit_names=after.unit_names,
            drafts=drafts,
            seen=(inbound.channel, inbound.update) if inbound.update else None,
            at=now,
        )
        if not new:
            return Outcome(seen=True)
        return Outcome(
            events=decision.events,
            answer=answer,
            notices=decision.notices,
            reminded=decision.remind,
        )


def _names_nothing(found: Command | CommandError) -> bool:
    """Whether no code was found in a text that may name work by its title."""
    return isinstance(found, CommandError) and found.reason in (
        Reason.NEEDS_CODE,
        Reason.NOT_UNDERSTOOD,
        Reason.BAD_PERIOD,
    )


def _open_work(office: Office, sender: Sender, now: datetime) -> list[tuple[Target, str, str]]:
    """What waits for the sender's units, with its title and with all that it is called."""
    found: list[tuple[Target, str, str]] = []
    for key, state in office.states.items():
        occurrence = state.occurrence
        mine = set(state.open_units) & set(sender.units)
        if mine and occurrence.opens <= local_day(now):
            part = occurrence.deliverable
            every = f"{occurrence.task.title} {part.name} {part.product}"
            target = buttons.target_of(key, office.states, office.by_plan)
            found.append((target, occurrence.task.title, every))
    return found


def _with_words(pressed: Command | Payload, question: history.Question | None) -> Command | Payload:
    """What is pressed below a question keeps the words that were asked about."""
    answers = isinstance(pressed, Command) and pressed.verb in (Verb.DONE, Verb.NOT_DONE)
    if question is None or not isinstance(pressed, Command) or not answers:
        return pressed
    return replace(pressed, note=question.words)


def _changes_nothing(decision: Decision) -> bool:
    """Whether all stays as it was, but for a note: an auto-responder's words may come to one."""
    noted = all(event.kind is EventKind.NOTED for event in decision.events)
    return noted and not decision.remind


def _tag(inbound: Inbound, now: datetime) -> str:
    """Tells apart the rows that different acts put into the outbox."""
    return f"{inbound.channel}:{inbound.update or now.isoformat()}"


def _notices(
    office: Office, tag: str, sender: str, decision: Decision, now: datetime
) -> list[Draft]:
    """What others are told, each by the first channel that reaches them."""
    return [
        draft
        for number, notice in enumerate(decision.notices, start=1)
        for draft in notice_drafts(
            office, notice.to, notice.payload, now, subject=f"{tag}:{number}", but=sender
        )
    ]


def _reply(office: Office, inbound: Inbound, speaker: str, answer: Payload, now: datetime) -> Draft:
    """An answer to where the message came from; in a group and by mail, as a reply to it."""
    mail = office.traits(inbound.channel).mail
    alone = inbound.private and not mail
    envelope = Envelope(
        chat=inbound.chat, reply_to="" if alone or inbound.press else inbound.message
    )
    if mail:
        envelope = replace(envelope, subject=inbound.subject, thread=(inbound.reply_to,))
    return Draft(
        slot=now,
        recipient=speaker,
        kind="reply",
        subject=f"{_tag(inbound, now)}:0",
        channel=inbound.channel,
        payload=answer,
        envelope=envelope,
        due_at=now,
    )


def _reminders(office: Office, decision: Decision, by: str, now: datetime) -> list[Draft]:
    """“Nhắc ngay”: a nudge of these occurrences to their units, beside today's own."""
    messages: dict[str, list[Item]] = {}
    for key, unit in decision.remind:
        state = office.states.get(key)
        if state and state.due:
            late = office.scheduler.days_late(state, local_day(now))
            messages.setdefault(unit, []).append(Item(key, state.due, Stage(late)))
    return recipients.drafts(
        office,
        [
            Message(at=now, unit=unit, kind=MessageKind.NUDGE, items=tuple(items))
            for unit, items in messages.items()
        ],
        now,
        insist=by,
    )


def _is_bare(command: Command) -> bool:
    return command.verb in (Verb.NOT_DONE, Verb.DOING) and not command.targets


def _groups_of(office: Office, inbound: Inbound) -> list[str]:
    """The recipients that are groups of this chat, in any of its topics; units may share one."""
    here = (inbound.channel, chat_of(inbound.chat))
    return [
        address.recipient
        for address in office.addresses
        if (address.channel, chat_of(address.value)) == here
        if address.recipient.startswith(GROUP)
    ]
