"""The use case of every front: a message, a button, a form or a command → Outcome.

A channel calls `receive`, which finds out who wrote and what is meant. The command line or a web
form knows who acts, and calls `handle`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reminder.decisions import buttons, decide, decide_error, may_change
from reminder.domain.calendar import local, local_day
from reminder.domain.context import Context, Decision, Inbound, Notice, Sender
from reminder.domain.ledger import Event, EventKind
from reminder.domain.outbox import AddressSource, Draft, chat_of
from reminder.domain.payloads import (
    Anonymous,
    BindByOffice,
    BindInGroup,
    BindUnknown,
    Bound,
    EditedOrForwarded,
    Envelope,
    ExtensionAsked,
    Help,
    HowNo,
    InvitationFault,
    NotTaken,
    OldButton,
    PageLink,
    Payload,
    ReportDraft,
    SetDueAsked,
    Stranger,
    ToldTooOften,
    TooFast,
    Welcome,
    WhichOfNudge,
    Wordless,
    parts_of,
)
from reminder.domain.plan import Confirm, Key
from reminder.domain.schedule import Item, Message, MessageKind, Stage
from reminder.domain.text import fold
from reminder.domain.tokens import hash_code, hash_typed_code, is_typed_code, looks_like_code
from reminder.services import history
from reminder.services.deliver import revive, unbind_others
from reminder.services.history import edit_drafts
from reminder.services.limits import Limits
from reminder.services.office import GROUP, STRANGER, Office, drafts_of, notice_drafts
from reminder.store.records import NOT_TAKEN, SECRET
from reminder.understanding.model import Command, CommandError, Meaning, Reason, Target
from reminder.understanding.parse import chosen, parse, yes_or_no
from reminder.understanding.titles import by_title
from reminder.understanding.verbs import Verb

if TYPE_CHECKING:
    from reminder.store.store import Store

log = logging.getLogger(__name__)

LATELY = timedelta(days=3)  # how long a bare “chưa xong” is taken for an answer to the last nudge
# How long a text without a code is taken for an answer to the last nudge, where the channel does
# not say what is answered: the longest time from one nudge about a work to the next.
ANSWERS_NUDGE = timedelta(days=7)
MOST_CHOSEN = 100  # a larger number chooses nothing
LONGEST_UNIT = 64  # characters of a wrong unit's name that are said back
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


IGNORED = Outcome(ignored=True)
UNKNOWN_CODE = InvitationFault(fault="unknown")


@dataclass
class Handling:
    """One message, button, form or command, and all that is looked at to handle it."""

    store: Store
    office: Office
    limits: Limits
    bot_name: str
    inbound: Inbound  # by which channel it came, and where the answer goes
    now: datetime

    def receive(self) -> Outcome:
        """Handle one message or press from a channel."""
        if self.inbound.anonymous:
            return self._anonymous()
        self._revive()
        self.inbound = inbound = self._from_whom()
        sender = self.office.sender(inbound)
        if sender is not None and not self.limits.may_speak(inbound.sender, self.now):
            if not self.limits.may_hear(inbound.sender, self.now):
                return IGNORED
            return self._say(TooFast(), sender)
        new = not (inbound.edited or inbound.forwarded)
        if sender is None or (new and inbound.text.strip().lower().startswith("/start")):
            return self._unenrolled(sender)
        if new and inbound.private and self._typed_codes and is_typed_code(inbound.text):
            answer = self._typed(inbound.text)
            if answer and answer != UNKNOWN_CODE:  # else it is another text of this form
                return self._say(answer, sender)
        if not inbound.private and not self._is_offices_group():
            sender = replace(sender, in_public=True)
        said: Said | None
        if inbound.wordless:
            said = Wordless()
        elif not new:
            said = self._not_new(sender)
        else:
            said = self._bind_group(sender) or self._page_link(sender) or self._meant(sender)
        return IGNORED if said is None else self.handle(sender, said)

    def answer(self, answer: Payload) -> Outcome:
        """Say `answer`, unless there are too many messages."""
        sender = self.office.sender(self.inbound)
        if sender is None or not self.limits.may_speak(self.inbound.sender, self.now):
            return IGNORED
        return self._say(answer, sender)

    def not_taken(self) -> None:
        """Count a message that could not be taken, and ask its sender to send it again.

        In a group only where it was surely meant for the program.
        """
        inbound = self.inbound
        meant = inbound.private or inbound.press or inbound.text.startswith("/")
        told = meant and inbound.chat and self.limits.may_speak(inbound.sender, self.now)
        if told and self._say(NotTaken(), None).seen:
            return  # the fault came after it had been recorded
        self.store.count(NOT_TAKEN)

    def handle(self, sender: Sender, said: Said | str) -> Outcome:
        """Decide what `sender` has said, and record the result in one transaction."""
        inbound, now, who = self.inbound, self.now, sender.person.id
        if isinstance(said, str):
            said = parse(said, local_day(now), self._meaning(sender))
        decision = self.decided(sender, said)
        if (decision.remind or decision.notices) and not self.limits.may_tell(who, now):
            return self._say(ToldTooOften(), sender)
        mailed = self.office.traits(inbound.channel).mail and not isinstance(said, Payload)
        if mailed and _changes_nothing(decision) and not self.limits.may_mail(inbound.sender, now):
            decision = replace(decision, answers=())
        self.office = self.office.after(decision.events, states=decision.states)
        reminders = self._reminders(decision, who)
        if not reminders:  # units of which nobody is reminded
            decision = replace(decision, remind=())
        drafts = [
            *self._notices(decision, who),
            *edit_drafts(self.store, self.office, who, self._tag, decision.events, now),
            *reminders,
        ]
        return self._recorded(who, decision, drafts)

    def decided(self, sender: Sender, said: Said) -> Decision:
        """Decide `said`, and record nothing.

        What the decision needs of the outbox is read before it.
        """
        if isinstance(said, Payload):
            return Decision(answers=(said,))
        office, today = self.office, local_day(self.now)
        commands = (said, *said.also) if isinstance(said, Command) else ()
        reminds = any(command.verb is Verb.REMIND for command in commands)
        context = Context(
            plans=office.speaking(self.now),
            states=office.current(self.now),
            events=office.events,
            people=office.people,
            scheduler=office.scheduler,
            sender=sender,
            now=self.now,
            today=today,
            channel=self.inbound.channel,
            message=self.inbound.message,
            words=self.inbound.text,
            proved=self.inbound.proved,
            receipt_of=history.receipt_of(self.store, sender.person.id, self.inbound, self._chat)
            if any(command.verb is Verb.DISOWN for command in commands)
            else "",
            told=history.told_late(self.store, may_change(commands, office.states)),
            reminded=history.reminded_on(self.store, today) if reminds else {},
        )
        return decide(said, context) if isinstance(said, Command) else decide_error(said, context)

    # ---- who wrote

    def _revive(self) -> None:
        """Make a dead address alive again that sends a private message now.

        That proves it works: Telegram takes no message to a bot that its writer has blocked, and a
        mail that comes this far answers one that had arrived. In a group it proves nothing: a bot
        may read where it can't write. What was given up meanwhile stays so: the next slot says all
        that is still open.
        """
        if not self.inbound.private:
            return
        channel, value = self.inbound.channel, self.inbound.sender
        if not any(one.dead_since for one in self.office.bound(channel, value)):
            return
        revive(self.office, self.store, channel, value)
        addresses = tuple(
            replace(one, dead_since=None, dead_reason="")
            if (one.channel, one.value) == (channel, value)
            else one
            for one in self.office.addresses
        )
        self.office = replace(self.office, addresses=addresses)

    def _from_whom(self) -> Inbound:
        """A mailbox may be a whole unit's: then the answered mail tells whose answer it is."""
        inbound = self.inbound
        owners = [a.recipient for a in self.office.bound(inbound.channel, inbound.sender)]
        person = history.addressee(self.store, owners, inbound.channel, inbound.reply_to)
        return replace(inbound, person=person) if person else inbound

    def _unenrolled(self, sender: Sender | None) -> Outcome:
        """Answer a stranger, or redeem an invitation; in a group say nothing."""
        answer: Payload | None = None
        if self.inbound.private:
            forwarded = self.inbound.edited or self.inbound.forwarded  # acts on nothing
            answer = None if forwarded else self._start(sender)
            if answer is None and sender is None:
                heard = self.limits.may_hear(self.inbound.sender, self.now)
                answer = Stranger() if heard else None
        return IGNORED if answer is None else self._say(answer, sender)

    def _start(self, sender: Sender | None) -> Payload | None:
        """`/start CODE`, or a typed code alone: the welcome, or why not.

        None if it is neither, or one too many.
        """
        office, inbound, store = self.office, self.inbound, self.store
        word, _, code = inbound.text.strip().partition(" ")
        invites = office.traits(inbound.channel).addresses is AddressSource.INVITATION
        if word.partition("@")[0].lower() != "/start" or not invites:
            bare = sender is None and self._typed_codes and looks_like_code(inbound.text)
            return self._typed(inbound.text) if bare else None
        code = code.strip()
        if not code:
            return Help(office=sender.office, leader=sender.only_reads) if sender else None
        if self._typed_codes:
            return self._typed(code)
        person = store.redeem(hash_code(code), self.now, inbound.channel, inbound.sender)
        if person in office.people:
            unbind_others(office, store, person, inbound.channel, inbound.sender)
            return Welcome(person=person)
        fault = store.invitation_fault(hash_code(code), self.now)
        if sender and fault == "used":
            return Welcome(person=sender.person.id)
        if not self.limits.may_try(inbound.sender, self.now):
            return None
        return InvitationFault(fault=fault or "unknown")

    @property
    def _typed_codes(self) -> bool:
        return self.office.traits(self.inbound.channel).typed_codes

    def _typed(self, code: str) -> Payload | None:
        """The welcome of a typed code, which binds once it was accepted; or why not."""
        inbound, store, now = self.inbound, self.store, self.now
        if not self.limits.may_guess(inbound.sender, now):
            told = self.limits.may_hear(inbound.sender, now)
            return InvitationFault(fault="too-many") if told else None
        hashed = hash_typed_code(store.meta(SECRET) or "", inbound.channel, code)
        person = store.invited(hashed, now)
        if person in self.office.people:
            return Welcome(person=person, code=hashed)
        self.limits.may_try(inbound.sender, now)
        return InvitationFault(fault=store.invitation_fault(hashed, now) or "unknown")

    def _anonymous(self) -> Outcome:
        """Tell an administrator who writes in the group's name that nobody can tell who it was.

        Only where it was meant for the program: /bind, or in a unit's group a command or a reply.
        """
        command = self._command()
        meant = command == "/bind" or bool(command and self._groups()) or bool(self._named(None))
        if not meant or not self.limits.may_hear(chat_of(self.inbound.chat), self.now):
            return IGNORED
        return self._say(Anonymous())

    def _bind_group(self, sender: Sender) -> Payload | None:
        """`/bind UNIT`, typed in a group by the office; None if the message is something else."""
        if self._command() != "/bind":
            return None
        typed = self.inbound.text.strip().partition(" ")[2].strip()
        if self.inbound.private:
            return BindInGroup()
        if not sender.office:
            return BindByOffice()
        units = self.office.units.values()
        found = [u.id for u in units if _plain(typed) in map(_plain, (u.id, u.label, u.name))]
        if len(found) != 1:
            known = tuple((unit.id, unit.label) for unit in units)
            return BindUnknown(unit=typed[:LONGEST_UNIT], known=known)
        self.store.bind(f"{GROUP}{found[0]}", self.inbound.channel, self.inbound.chat, self.now)
        return Bound(unit=found[0])

    def _page_link(self, sender: Sender) -> Payload | None:
        """`/web`: a link that signs in to the page; None if the message is something else."""
        if self._command() != "/web":
            return None
        if not self.inbound.private:
            return PageLink(login="")
        return PageLink(login=self.store.add_login(sender.person.id, self.now))

    def _command(self) -> str:
        """Return the command that the text begins with, “/bind”; empty if for another bot."""
        word = self.inbound.text.strip().partition(" ")[0].lower()
        command, _, named = word.partition("@")
        ours = not (named and self.bot_name) or named == self.bot_name.lower()
        return command if ours and command.startswith("/") else ""

    def _groups(self) -> list[str]:
        """Return the groups bound to this chat, in any of its topics; units may share one."""
        here = (self.inbound.channel, chat_of(self.inbound.chat))
        return [
            address.recipient
            for address in self.office.addresses
            if (address.channel, chat_of(address.value)) == here
            if address.recipient.startswith(GROUP)
        ]

    def _is_offices_group(self) -> bool:
        """Whether the group is bound to those who read of all units."""
        units = {group.removeprefix(GROUP) for group in self._groups()}
        return bool(units & (self.office.offices | self.office.leaders))

    # ---- what is meant

    def _not_new(self, sender: Sender) -> Payload | None:
        """A message that was edited or forwarded acts on nothing, and its sender is told so.

        In a group only where it was meant for the program: a command, or a reply to its message.
        """
        meant = self.inbound.private or self.inbound.text.startswith("/")
        return EditedOrForwarded() if meant or self._named(sender) else None

    def _meant(self, sender: Sender) -> Said | None:
        """What the text or the press means; None if it is not for this program."""
        office, inbound, today = self.office, self.inbound, local_day(self.now)
        if inbound.press:
            pressed = buttons.meant(inbound.press, office.states, office.by_plan, office.units)
            return self._with_words(pressed, sender) if pressed else OldButton()
        if inbound.private and (answered := self._of_question(sender)):
            return answered
        named = self._named(sender)
        if not (inbound.private or named or self._is_addressed()):
            return None
        meaning = self._meaning(sender, *named, is_reply=bool(inbound.reply_to))
        found = parse(inbound.text, today, meaning)
        verb = found.verb if sender.office and isinstance(found, Command) else None
        if verb in (Verb.SEEN, Verb.NOT_DONE) and (asked := self._request(sender)):
            if verb is Verb.SEEN:  # “ok” decides nothing
                return asked
            if no := _NO.match(inbound.text.strip()):
                refused = f"không đồng ý {inbound.text.strip()[no.end() :]}"
                found = parse(refused, today, meaning)
        if inbound.private and isinstance(found, Command) and _is_bare(found):
            found = self._of_last_nudge(sender, meaning, found)
        if inbound.private and not named and _names_nothing(found):
            found = by_title(inbound.text, today, meaning, self._open_work(sender)) or found
        if inbound.private and not office.traits(inbound.channel).replies and _no_work(found):
            return self._without_code(sender, meaning, found)
        if isinstance(found, Command):
            return self._as_claimed(found, inbound.text)
        return None if found.reason is Reason.NOT_FOR_US else found

    def _without_code(
        self, sender: Sender, meaning: Meaning, found: Command | CommandError
    ) -> Command | CommandError | WhichOfNudge:
        """What a text without a code says of the work that the last nudge named.

        The channel does not say what is answered. Of one work it is taken as a reply; of several
        it is asked which, and also where one of them is left: that may be the one that was meant.
        """
        text, states = self.inbound.text, self.office.states
        keys = history.last_named(self.store, sender.person.id, self.now - ANSWERS_NUDGE)
        named = [key for key in dict.fromkeys(keys) if key in states]
        live = [key for key in named if not states[key].closed]
        said = self._said_of(live or named[:1], text, meaning) if named else found
        if isinstance(said, Command):
            left = len(named) > len(live) == 1
            if left and said.verb is Verb.DONE:
                return replace(said, verb=Verb.CLAIM, note=text)
            return self._as_claimed(said, text)
        if said.reason is Reason.WHICH_CODE:
            return WhichOfNudge(keys=tuple(live), words=text)
        return found if _names_nothing(said) else said

    def _said_of(self, keys: Sequence[Key], text: str, meaning: Meaning) -> Command | CommandError:
        """What `text` says as an answer to a message about `keys`."""
        targets = tuple(dict.fromkeys(map(self._target, keys)))
        meant = replace(meaning, reply_to=targets, is_reply=True)
        return parse(text, local_day(self.now), meant)

    def _as_claimed(self, found: Command, text: str) -> Command:
        """“1c chiều nay xong rồi” in the morning: ask, for that hour is still to come."""
        if not _names_later(text, local(self.now).hour):
            return found
        first, *rest = (
            replace(each, verb=Verb.CLAIM, note=text) if each.verb is Verb.DONE else each
            for each in (replace(found, also=()), *found.also)
        )
        return replace(first, also=tuple(rest))

    def _is_addressed(self) -> bool:
        """Whether a text is a command, or names the bot; free talk of a group acts on nothing."""
        text, bot = self.inbound.text.strip().lower(), self.bot_name.lstrip("@").lower()
        return text.startswith("/") or bool(bot and re.search(rf"@{re.escape(bot)}\b", text))

    def _meaning(self, sender: Sender, *reply_to: Target, is_reply: bool = False) -> Meaning:
        return Meaning(
            plans=tuple(self.office.speaking(self.now)),
            units=sender.units,
            office=sender.office,
            only_reads=sender.only_reads,
            reply_to=reply_to,
            is_reply=is_reply,
            bot_name=self.bot_name,
        )

    def _target(self, key: Key) -> Target:
        return buttons.target_of(key, self.office.states, self.office.by_plan)

    def _with_words(self, pressed: Command | Payload, sender: Sender) -> Command | Payload:
        """What is pressed below a question keeps the words that were asked about."""
        if not isinstance(pressed, Command) or pressed.verb not in (
            Verb.DONE,
            Verb.NOT_DONE,
            Verb.SETDUE,
        ):
            return pressed
        question = history.question(
            self.store, sender.person.id, self.inbound, self._chat, self.now
        )
        if question is None:
            return pressed
        said = parse(question.words, local_day(self.now), self._meaning(sender))
        paper = said.evidence if isinstance(said, Command) and not said.also else ""
        if pressed.verb is Verb.DONE and paper:
            return replace(pressed, evidence=paper)
        return replace(pressed, note=question.words)

    def _of_question(self, sender: Sender) -> Command | Payload | None:
        """“đúng”, “chưa”, a number: the answer to a question, if that is the last message."""
        yes = yes_or_no(self.inbound.text)
        if yes is None and not chosen(self.inbound.text, MOST_CHOSEN, ()):
            return None
        question = history.question(
            self.store, sender.person.id, self.inbound, self._chat, self.now
        )
        if isinstance(question, WhichOfNudge):
            return self._chosen(sender, question)
        if yes is None:
            return None
        if isinstance(question, SetDueAsked):
            if not yes:
                return HowNo(key=question.key)
            due = Command(verb=Verb.SETDUE, targets=(self._target(question.key),))
            return replace(due, until=question.until, note=question.words)
        if question is None or len(question.keys) != 1:
            return None
        state = self.office.states.get(question.keys[0])
        if state is None:
            return None
        target = self._target(state.key)
        if yes and state.occurrence.task.confirm is Confirm.ALL:
            target = replace(target, unit=question.unit)
        verb = Verb.DONE if yes else Verb.NOT_DONE
        return Command(verb=verb, targets=(target,), note=question.words)

    def _chosen(self, sender: Sender, question: WhichOfNudge) -> Command | None:
        """What the words that were asked about say of the work that is chosen by its number."""
        codes = {task.code for plan in self.office.plans for task in plan.tasks}
        places = chosen(self.inbound.text, len(question.keys), codes) or ()
        meaning = self._meaning(sender)
        keys = [question.keys[place - 1] for place in places]
        said = [self._said_of([key], question.words, meaning) for key in keys]
        commands = [each for each in said if isinstance(each, Command)]
        if not commands:
            return None
        first, *rest = (part for each in commands for part in (replace(each, also=()), *each.also))
        return replace(first, also=tuple(rest))

    def _of_last_nudge(self, sender: Sender, meaning: Meaning, bare: Command) -> Command:
        """“chưa xong” beneath a nudge about one thing means that; it closes nothing."""
        keys = history.last_named(self.store, sender.person.id, self.now - LATELY)
        states = self.office.states
        live = [key for key in dict.fromkeys(keys) if (s := states.get(key)) and not s.closed]
        if len(live) != 1:
            return bare
        meant = replace(meaning, reply_to=(self._target(live[0]),), is_reply=True)
        found = parse(self.inbound.text, local_day(self.now), meant)
        return found if isinstance(found, Command) and found.verb is bare.verb else bare

    def _request(self, sender: Sender) -> ExtensionAsked | None:
        """Return the request for more time that is replied to, if it waits for a decision."""
        inbound = self.inbound
        rows = history.sent_as(
            self.store, sender.person.id, inbound.channel, inbound.reply_to, self._chat
        )
        payload = rows[0].draft.payload if rows else None
        if not isinstance(payload, ExtensionAsked):
            return None
        state = self.office.states.get(payload.key)
        return payload if state and state.request else None

    def _named(self, sender: Sender | None) -> list[Target]:
        """The occurrences of the message that this one replies to, each once."""
        inbound = self.inbound
        alone = sender if inbound.private else None
        keys = [
            key
            for speaker in ([alone.person.id] if alone else self._groups())
            for key in history.named_in(self.store, speaker, inbound, self._chat)
        ]
        return list(dict.fromkeys(map(self._target, keys)))

    def _open_work(self, sender: Sender) -> list[tuple[Target, str, str]]:
        """What waits for the sender's units, with its title and with all that it is called."""
        found: list[tuple[Target, str, str]] = []
        for key, state in self.office.states.items():
            occurrence = state.occurrence
            mine = set(state.open_units) & set(sender.units)
            if mine and occurrence.opens <= local_day(self.now):
                part, title = occurrence.deliverable, occurrence.task.title
                found.append((self._target(key), title, f"{title} {part.name} {part.product}"))
        return found

    @property
    def _chat(self) -> str:
        """The chat in which the ids of messages count; empty by mail, where they are unique."""
        return "" if self.office.traits(self.inbound.channel).mail else self.inbound.chat

    # ---- what is recorded and said

    @property
    def _tag(self) -> str:
        """Tells apart the rows that different acts put into the outbox."""
        return f"{self.inbound.channel}:{self.inbound.update or self.now.isoformat()}"

    def _say(self, answer: Payload, sender: Sender | None = None) -> Outcome:
        """Record an answer, and that the update was seen."""
        speaker = sender.person.id if sender else f"{STRANGER}{self.inbound.sender}"
        return self._recorded(speaker, Decision(answers=(answer,)))

    def _recorded(self, speaker: str, decision: Decision, others: Iterable[Draft] = ()) -> Outcome:
        """Record the decision, the answer to `speaker` and the drafts to `others`, once."""
        inbound = self.inbound
        answer = next(iter(decision.answers), None)
        drafts = list(others)
        if answer is not None and inbound.answered:
            drafts.insert(0, self._reply(speaker, answer, acted=bool(decision.events)))
            drafts += self._files(speaker, answer)
        if inbound.again:  # it may have been answered already; an edit is the same twice
            drafts = [d if d.kind == "edit" else d.marked_again() for d in drafts]
        new = self.store.record(
            decision.events,
            unit_names=self.office.unit_names,
            drafts=drafts,
            seen=(inbound.channel, inbound.update) if inbound.update else None,
            at=self.now,
        )
        if not new:
            return Outcome(seen=True)
        return Outcome(
            events=decision.events,
            answer=answer,
            notices=decision.notices,
            reminded=decision.remind,
        )

    def _reply(self, speaker: str, answer: Payload, *, acted: bool) -> Draft:
        """An answer to where the message came from; in a group and by mail, as a reply to it.

        `acted`: it confirms what was recorded, of which a mail may have been somebody else's.
        """
        inbound = self.inbound
        mail = self.office.traits(inbound.channel).mail
        alone = inbound.private and not mail
        reply_to = "" if alone or inbound.press else inbound.message
        envelope = Envelope(chat=inbound.chat, reply_to=reply_to)
        if mail:
            envelope = replace(
                envelope,
                subject=inbound.subject,
                thread=(inbound.reply_to,),
                disowns=acted and not inbound.proved,
            )
        return Draft(
            slot=self.now,
            recipient=speaker,
            kind="reply",
            subject=f"{self._tag}:0",
            channel=inbound.channel,
            payload=answer,
            envelope=envelope,
            due_at=self.now,
        )

    def _files(self, speaker: str, answer: Payload) -> list[Draft]:
        """A mail with what would be a file, where the channel takes none."""
        office, ways = self.office, self.office.ways(speaker)
        mail = next((way for way in ways if office.traits(way).mail), None)
        if mail is None or office.traits(self.inbound.channel).files:
            return []
        return [
            Draft(
                slot=self.now,
                recipient=speaker,
                kind="notice",
                subject=f"{self._tag}:{part.view}",
                channel=mail,
                payload=part,
                due_at=self.now,
            )
            for part in parts_of(answer)
            if isinstance(part, ReportDraft)
        ]

    def _notices(self, decision: Decision, sender: str) -> list[Draft]:
        """What others are told, each by the first channel that reaches them."""
        return [
            draft
            for number, notice in enumerate(decision.notices, start=1)
            for draft in notice_drafts(
                self.office,
                notice.to,
                notice.payload,
                self.now,
                subject=f"{self._tag}:{number}",
                but=sender,
            )
        ]

    def _reminders(self, decision: Decision, by: str) -> list[Draft]:
        """“Nhắc ngay”: a nudge of these occurrences to their units, beside today's own."""
        items: dict[str, list[Item]] = {}
        for key, unit in decision.remind:
            state = self.office.states.get(key)
            if state and state.due:
                late = self.office.scheduler.days_late(state, local_day(self.now))
                items.setdefault(unit, []).append(Item(key, state.due, Stage(late)))
        messages = [
            Message(at=self.now, unit=unit, kind=MessageKind.NUDGE, items=tuple(of_unit))
            for unit, of_unit in items.items()
        ]
        return drafts_of(self.office, messages, self.now, insist=by)


def _plain(name: str) -> str:
    """“Tư pháp”, “tu-phap” and “TU  PHAP” are one."""
    return " ".join(re.findall(r"\w+", fold(name)))


# What names a part of today → the hour until which it is still to come.
_COMES = {"trua nay": 11, "chieu nay": 12, "cuoi gio": 15, "cuoi ngay": 15, "toi nay": 17}
_NO = re.compile(r"(?:không|khong|ko|k)\b[ ,.:;–-]*", re.IGNORECASE)
_TOLD = re.compile(r"\b(?:xong|roi|da|hoan (?:thanh|tat))\b")


def _names_later(text: str, hour: int) -> bool:
    """Whether some clause tells what is done of an hour of today that is still to come."""
    clauses = re.split(r"[,.;\n]", fold(text))
    comes = [part for part, until in _COMES.items() if hour < until]
    return any(_TOLD.search(each) and any(part in each for part in comes) for each in clauses)


def _names_nothing(found: Command | CommandError) -> bool:
    """Whether no code was found in a text that may name work by its title."""
    nothing = (Reason.NEEDS_CODE, Reason.NOT_UNDERSTOOD, Reason.BAD_PERIOD)
    return isinstance(found, CommandError) and found.reason in nothing


def _changes_nothing(decision: Decision) -> bool:
    """Whether all stays as it was, but for a note: an auto-responder's words may come to one."""
    noted = all(event.kind is EventKind.NOTED for event in decision.events)
    return noted and not decision.remind


def _no_work(found: Command | CommandError) -> bool:
    """Whether a text names no work and may answer a nudge."""
    if isinstance(found, CommandError):
        return _names_nothing(found)
    return found.verb.row.small_talk and not (found.targets or found.also)


def _is_bare(command: Command) -> bool:
    return command.verb in (Verb.NOT_DONE, Verb.DOING) and not command.targets
