"""What a pressed button means: the command that it stands for, as if it had been typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from reminder.decisions import buttons, decide, decide_error
from reminder.domain.context import Decision, Desk, Inbound, Sender, View
from reminder.domain.ledger import EventKind
from reminder.domain.occurrences import Key
from reminder.domain.outbox import Draft
from reminder.domain.schedule import Item, Message, MessageKind, Stage, local_day
from reminder.services import enrolment, history, recipients, tick
from reminder.services.edits import edit_drafts
from reminder.services.limits import Limits
from reminder.services.notices import view_drafts
from reminder.services.office import CONSOLE, EMAIL, GROUP, STRANGER, TELEGRAM, Office
from reminder.services.ports import Store
from reminder.understanding import Command, Meaning, Target, Verb, parse

LATELY = timedelta(days=3)  # how long a bare “chưa xong” is taken for an answer to the last nudge


@dataclass
class Receiver:
    """Takes what comes in; holds nothing but how much each sender has said lately."""

    store: Store
    bot_name: str = ""
    limits: Limits = field(default_factory=Limits)

    def receive(self, office: Office, inbound: Inbound, now: datetime) -> bool:
        """Handles one message or press; False if it was seen before or is not to be answered."""
        office = enrolment.revived(office, self.store, inbound)
        inbound = self._from_whom(office, inbound)
        sender = office.sender(inbound)
        if sender is not None and not self.limits.may_speak(inbound.sender, now):
            return self._say(office, inbound, View(name="too-fast"), now, once=True)
        if sender is None or inbound.text.strip().lower().startswith("/start"):
            return self._unenrolled(office, inbound, sender, now)
        if inbound.edited or inbound.forwarded:
            return self._not_new(office, inbound, sender, now)
        bound = enrolment.bind_group(office, self.store, inbound, sender, now, self.bot_name)
        if bound is not None:
            return self._say(office, inbound, bound, now)
        return self._decided(office, inbound, sender, now)

    def _from_whom(self, office: Office, inbound: Inbound) -> Inbound:
        """A mailbox may be a whole unit's: then the answered mail tells whose answer it is."""
        owners = [a.recipient for a in office.bound(inbound.channel, inbound.sender)]
        person = history.addressee(self.store, owners, inbound.channel, inbound.reply_to)
        return replace(inbound, person=person) if person else inbound

    def _unenrolled(
        self, office: Office, inbound: Inbound, sender: Sender | None, now: datetime
    ) -> bool:
        """A stranger, or somebody with an invitation: no information, and in a group nothing."""
        if not inbound.private:
            return False
        view = enrolment.start(office, self.store, self.limits, inbound, sender, now)
        if view is None and sender is None and self.limits.may_hear(inbound.sender, now):
            view = View(name="stranger")
        return self._say(office, inbound, view, now) if view else False

    def _not_new(self, office: Office, inbound: Inbound, sender: Sender, now: datetime) -> bool:
        """A message that was edited or forwarded acts on nothing, and its sender is told so.

        In a group only where it was meant for the program: a command, or a reply to its message.
        """
        meant = inbound.private or inbound.text.startswith("/")
        if not meant and not self._named(office, inbound, sender):
            return False
        return self._say(office, inbound, View(name="edited-or-forwarded"), now)

    def _decided(self, office: Office, inbound: Inbound, sender: Sender, now: datetime) -> bool:
        desk = office.desk(
            sender,
            now,
            channel=inbound.channel,
            message=inbound.message,
            told=history.ToldLate(self.store, office.states),
            reminded=history.RemindedNow(self.store, local_day(now)),
        )
        decision = self._decision(office, inbound, desk)
        if decision is None:
            return False
        if _tells_others(decision) and not self.limits.may_tell(sender.person.id, now):
            return self._say(office, inbound, View(name="told-too-often"), now)
        mailed = inbound.channel == EMAIL and _changes_nothing(decision)
        if mailed and not self.limits.may_mail(inbound.sender, now):
            others = tuple(view for view in decision.views if view.to)
            decision = replace(decision, views=others)
        after = office.after(decision.events)
        tag = f"{inbound.channel}:{inbound.update}"
        drafts = [
            *self._answers(after, inbound, sender, decision.views, now),
            *edit_drafts(self.store, after, sender.person.id, tag, decision.events, now),
            *_reminders(after, decision, sender.person.id, now),
        ]
        return self.store.record(
            decision.events,
            unit_names=office.unit_names,
            drafts=tick.answered(inbound, drafts),
            seen=(inbound.channel, inbound.update),
            at=now,
        )

    def _decision(self, office: Office, inbound: Inbound, desk: Desk) -> Decision | None:
        """What the text or the press comes to; None if it is not for this program."""
        if inbound.press:
            command = meant(office, inbound.press)
            if command is None:
                return Decision(views=(View(name="old-button"),))
            return command if isinstance(command, Decision) else decide(command, desk)
        named = self._named(office, inbound, desk.sender)
        meaning = Meaning(
            plans=tuple(desk.plans),
            units=desk.sender.units,
            office=desk.sender.office,
            reply_to=tuple(named),
            is_reply=bool(inbound.reply_to),
            bot_name=self.bot_name,
        )
        found = parse(inbound.text, desk.today, meaning)
        if inbound.private and isinstance(found, Command) and _is_bare(found):
            found = self._of_last_nudge(office, inbound, desk, meaning, found)
        addressed = inbound.private or inbound.text.startswith("/") or bool(named)
        if isinstance(found, Command):
            talk = found.verb in _SMALL_TALK and not found.targets
            return None if talk and not addressed else decide(found, desk)
        silent = found.reason.value == "not-for-us" or not addressed
        return None if silent else decide_error(found, desk)

    def _of_last_nudge(
        self, office: Office, inbound: Inbound, desk: Desk, meaning: Meaning, bare: Command
    ) -> Command:
        """“chưa xong” beneath a nudge about one thing means that; it closes nothing."""
        since = desk.now - LATELY
        pairs = history.last_named(self.store, desk.sender.person.id, since)
        live = [key for key in dict.fromkeys(pairs) if (s := desk.states.get(key)) and not s.closed]
        if len(live) != 1:
            return bare
        meant = replace(meaning, reply_to=(target_of(office, live[0]),), is_reply=True)
        found = parse(inbound.text, desk.today, meant)
        return found if isinstance(found, Command) and found.verb is bare.verb else bare

    def _named(self, office: Office, inbound: Inbound, sender: Sender) -> list[Target]:
        """The occurrences of the message that this one replies to, each once."""
        speakers = [sender.person.id] if inbound.private else _groups_of(office, inbound.chat)
        pairs = [
            pair
            for speaker in speakers
            for pair in history.named_in(self.store, speaker, inbound.channel, inbound.reply_to)
        ]
        return list(dict.fromkeys(target_of(office, key) for _, key in pairs))

    def _answers(
        self,
        office: Office,
        inbound: Inbound,
        sender: Sender,
        views: Iterable[View],
        now: datetime,
    ) -> list[Draft]:
        """The first view goes back to where the message came from, the others to whom they name."""
        drafts: list[Draft] = []
        for number, view in enumerate(views):
            if not view.to:
                drafts.append(_reply(inbound, sender.person.id, view, now, number))
            else:
                subject = f"{inbound.channel}:{inbound.update}:{number}"
                drafts += view_drafts(
                    office,
                    view.to,
                    view.name,
                    view.data,
                    now,
                    subject=subject,
                    but=sender.person.id,
                )
        return drafts

    def _say(
        self, office: Office, inbound: Inbound, view: View, now: datetime, *, once: bool = False
    ) -> bool:
        """Records just an answer, and that the update was seen."""
        if once and not self.limits.may_hear(inbound.sender, now):
            return False
        sender = office.sender(inbound)
        speaker = sender.person.id if sender else f"{STRANGER}{inbound.sender}"
        return self.store.record(
            [],
            unit_names=office.unit_names,
            drafts=tick.answered(inbound, [_reply(inbound, speaker, view, now, 0)]),
            seen=(inbound.channel, inbound.update),
            at=now,
        )


def _tells_others(decision: Decision) -> bool:
    return bool(decision.remind) or any(view.to for view in decision.views)


def _changes_nothing(decision: Decision) -> bool:
    """Whether all stays as it was, but for a note: an auto-responder's words may come to one."""
    noted = all(event.kind is EventKind.NOTED for event in decision.events)
    return noted and not decision.remind


def _reply(inbound: Inbound, speaker: str, view: View, now: datetime, number: int) -> Draft:
    """An answer to where the message came from; in a group and by mail, as a reply to it."""
    alone = inbound.private and inbound.channel != EMAIL
    reply_to = "" if alone or inbound.press else inbound.message
    payload: dict[str, Any] = {
        "view": view.name,
        "data": dict(view.data),
        "chat": inbound.chat,
        "reply_to": reply_to,
    }
    if inbound.channel == EMAIL:
        payload |= {"subject": inbound.subject, "thread": [inbound.reply_to]}
    return Draft(
        slot=now,
        recipient=speaker,
        kind="reply",
        subject=f"{inbound.channel}:{inbound.update}:{number}",
        channel=inbound.channel if inbound.channel != "cli" else CONSOLE,
        payload=payload,
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


def _groups_of(office: Office, chat: str) -> list[str]:
    """The recipients that are groups of this chat; several units may share one."""
    owners = [address.recipient for address in office.bound(TELEGRAM, chat)]
    return [owner for owner in owners if owner.startswith(GROUP)]


# Said among colleagues all day: in a group an answer to it would be noise.
_SMALL_TALK = frozenset({Verb.SEEN, Verb.DOING, Verb.NOT_DONE, Verb.ASK})


_VERBS: Mapping[str, Verb] = {
    "done": Verb.DONE,
    "undo": Verb.UNDO,
    "remind": Verb.REMIND,
    "approve": Verb.APPROVE,
    "refuse": Verb.REJECT,
    "snooze": Verb.SNOOZE,
}


def meant(office: Office, data: str) -> Command | Decision | None:
    """The command that a button stands for; a Decision where it only says how to type it."""
    found = buttons.decode(data, office.states, ("", *office.units))  # "": of no one unit
    if found is None:
        return None
    word, day = buttons.day_of(found[0])
    _, key, unit = found
    target, state = target_of(office, key), office.states[key]
    if word == "both":
        return Command(verb=Verb.DONE, targets=(replace(target, deliverables=(), every=True),))
    if word in ("set-due", "note", "no"):
        return Decision(views=(View(name=f"how-{word}", data={"key": list(key)}),))
    if word == "confirm-all":
        year = str(office.by_plan[key.plan].year)
        return Command(verb=Verb.CONFIRM, everything=True, period=year)
    if word == "confirm":  # of all periods
        return Command(verb=Verb.CONFIRM, targets=(replace(target, period=None),))
    if word == "move" and day:
        return Command(verb=Verb.SETDUE, targets=(target,), until=day)
    verb = _VERBS.get(word)
    if verb is None:
        return None
    if day and state.request and state.request.until != day:  # another request than the button's
        return Decision(views=(View(name="extension-asked", data={"key": list(key)}),))
    shared = state.occurrence.task.confirm.value == "all"
    if shared and unit and verb is Verb.DONE:
        target = replace(target, unit=unit)
    return Command(verb=verb, targets=(target,), days=1 if verb is Verb.SNOOZE else None)


def target_of(office: Office, key: Key) -> Target:
    """The occurrence, as one would name it in a command."""
    several = len(office.by_plan) > 1
    state = office.states[key]
    once = state.occurrence.deliverable.recurs
    return Target(
        task=key.task,
        deliverables=(key.deliverable,),
        period=key.period if once else None,
        plan=key.plan if several else None,
    )
