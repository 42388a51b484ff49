"""A row of the outbox, or a payload → its message, true at the time of sending."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from reminder.domain.outbox import Outbound, Row
from reminder.domain.payloads import (
    Digest,
    HowSetDue,
    Items,
    Nudge,
    Payload,
    PlanStarted,
    ReportDraft,
    Several,
    Unreadable,
    Zalo,
)
from reminder.domain.schedule import Item
from reminder.messages import digest, escalation, extensions, notices, nudge, report
from reminder.messages.answers import ANSWERS
from reminder.messages.compose import in_thread, joined, pages, plain, repeated
from reminder.messages.context import Context
from reminder.messages.lists import LISTS
from reminder.messages.questions import QUESTIONS
from reminder.messages.refusals import REFUSALS
from reminder.services.history import NO_PAST, Past
from reminder.services.office import Office
from reminder.services.status import Health
from reminder.services.tick import due_reports


def render(context: Context, payload: Payload) -> Outbound | None:
    """`payload` in words; None if it is of nothing that the plans still have, or that stands.

    KeyError for what is no message.
    """
    return MESSAGES.get(type(payload), plain)(context, payload)


def _several(context: Context, payload: Several) -> Outbound | None:
    """Each outcome of one text, in one message."""
    parts = (render(context, part) for part in payload.parts)
    return joined([message for message in parts if message])


MESSAGES: Mapping[type[Payload], Callable[[Context, Any], Outbound | None]] = {
    Digest: lambda context, _: digest.weekly_digest(context),
    Several: _several,
    Zalo: lambda context, _: digest.zalo(context, digest.digest_of(context)),
    ReportDraft: report.report_draft,
    **ANSWERS,
    **extensions.EXTENSIONS,
    **QUESTIONS,
    **REFUSALS,
    **LISTS,
    **escalation.WORDS,
    **notices.NOTICES,
}


class RowRenderer:
    """Renders each kind of row. `holiday` names a run of days off (“Tết”)."""

    def __init__(self, holiday: Callable[..., str] | None = None) -> None:
        self._holiday = holiday
        self._said: tuple[object, Outbound | None] = (None, None)  # the nudge before

    def render(
        self, office: Office, now: datetime, row: Row, past: Past = NO_PAST
    ) -> Outbound | None:
        """The message of `row`; None if nothing of it is left to say."""
        if isinstance(row.draft.payload, Unreadable):
            raise TypeError("the row holds no message of this program")
        context = self.context(office, now, row, past)
        with pages(wanted=context.by_mail):
            message = self._kinds[row.draft.kind](self, context, row)
        if message is None:
            return None
        envelope = row.draft.envelope
        message = replace(message, reply_to=envelope.reply_to or message.reply_to)
        if envelope.subject or envelope.thread:
            message = in_thread(message, envelope.subject, envelope.thread)
        return repeated(message) if row.repeat or envelope.again else message

    def context(
        self, office: Office, now: datetime, row: Row | None = None, past: Past = NO_PAST
    ) -> Context:
        """The situation at `now`."""
        context = Context(office=office, at=now, row=row, past=past)
        return replace(context, holiday=self._holiday) if self._holiday else context

    def _nudge(self, context: Context, row: Row) -> Outbound | None:
        """By mail its files go along, with the last call for a report by its due day the draft too.

        Elsewhere it stays a text: it is edited once its work is done, which a file's caption can't.
        """
        items, draft, office = _known(context, row), row.draft, context.office
        due = due_reports(office, items)
        drafts = report.announced(office, due, draft.recipient, draft.channel)
        off, insist = _off(context, row, items), _insists(row)
        by_mail = context.by_mail
        # One unit's officers stand side by side in the outbox, and read the same.
        same = (office, context.today, items, insist, drafts, off, by_mail)
        if self._said[0] != same:
            said = nudge.nudge(context, items, insist=insist, drafts=drafts, off=off, files=by_mail)
            self._said = (same, said)
        message = self._said[1]
        if message is None or not by_mail:
            return message
        files = report.files(office, due, context.today)
        return replace(message, attachments=(*message.attachments, *files))

    def _edit(self, context: Context, row: Row) -> Outbound | None:
        envelope, items = row.draft.envelope, _known(context, row)
        if envelope.asked is not None:
            message = _decided(context, row.draft.payload, envelope.asked)
            return replace(message, edit=envelope.edit) if message else None
        off = _off(context, row, items)
        return nudge.nudge(context, items, edit=envelope.edit, off=off)

    def _escalation(self, context: Context, row: Row) -> Outbound | None:
        by_unit = _known(context, row)
        items = list(dict.fromkeys(item for of_unit in by_unit.values() for item in of_unit))
        if any(unit in context.office.offices for unit in by_unit):
            return escalation.to_office(context, items, context.past.reminded, context.past)
        return escalation.to_leaders(context, items, context.past.told)

    def _request(self, context: Context, row: Row) -> Outbound | None:
        return extensions.waiting(context, row.draft.payload.occurrences())

    def digest(
        self, office: Office, now: datetime, health: Health, *, mailed: bool, attached: bool
    ) -> Outbound:
        """The digest at `now`; the whole plan with it where it is `attached`."""
        context = self.context(office, now, past=Past(health=health))
        return digest.made(context, mailed=mailed, attached=attached)

    def _payload(self, context: Context, row: Row) -> Outbound | None:
        return render(context, row.draft.payload)

    _kinds: Mapping[str, Callable[[RowRenderer, Context, Row], Outbound | None]] = {
        "nudge": _nudge,
        "edit": _edit,
        "escalation": _escalation,
        "request": _request,
        "digest": _payload,
        "reply": _payload,
        "notice": _payload,
    }


def _decided(context: Context, payload: Payload, sent: datetime) -> Outbound | None:
    """What the office was asked, as it stands now that something of it is decided."""
    match payload:
        case PlanStarted():
            return notices.plan_settled(context, payload, sent)
        case HowSetDue(key=key):
            return extensions.day_set(context, key, sent)
    return extensions.decided(context, payload.occurrences(), sent)


def _known(context: Context, row: Row) -> dict[str, Sequence[Item]]:
    """The items whose occurrences the plans still have."""
    payload = row.draft.payload
    by_unit = payload.by_unit() if isinstance(payload, Items) else {}
    found = {
        unit: [item for item in items if item.key in context.states]
        for unit, items in by_unit.items()
    }
    return {unit: items for unit, items in found.items() if items}


def _off(context: Context, row: Row, units: Iterable[str]) -> nudge.Off:
    """Who of `units` is away today, and for which of them the recipient only stands in."""
    office = context.office
    recipient = office.people.get(row.draft.recipient)
    if recipient is None:  # a group
        return nudge.NOBODY
    away = {
        unit: [
            (person.name, until)
            for person in (office.members(unit) if office.absences else ())
            if person != recipient and (until := office.away_until(person.id, context.today))
        ]
        for unit in units
    }
    return nudge.Off(away=away, stands_in=frozenset(away) - set(recipient.units))


def _insists(row: Row) -> bool:
    payload = row.draft.payload
    return isinstance(payload, Nudge) and payload.insist is not None
