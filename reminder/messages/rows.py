"""A row of the outbox, or a payload → its message, true at the time of sending."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from reminder.domain import payloads
from reminder.domain.outbox import Outbound, Row
from reminder.domain.payloads import HowSetDue, Items, Nudge, Payload, PlanStarted, Unreadable
from reminder.domain.schedule import Item
from reminder.domain.weblinks import WebLinks
from reminder.messages import answers, digest, escalation, lists, notices, nudge, questions
from reminder.messages.compose import in_thread, joined, message, repeated
from reminder.messages.context import Context, HolidayName
from reminder.services.history import NO_PAST, Past
from reminder.services.office import Office
from reminder.services.status import Health
from reminder.services.tick import due_reports


def render(context: Context, payload: Payload) -> Outbound | None:
    """`payload` in words; None if it is of nothing that the plans still have, or that stands.

    KeyError for what is no message.
    """
    about = getattr(payload, "key", None) or getattr(getattr(payload, "event", None), "key", None)
    if about is not None and about not in context.states:
        return None
    return MESSAGES.get(type(payload), message)(context, payload)


def _several(context: Context, payload: payloads.Several) -> Outbound | None:
    """Return each outcome of one text, in one message."""
    parts = (render(context, part) for part in payload.parts)
    return joined([part for part in parts if part])


# What needs more than the block of its name and the work that it is about.
MESSAGES: Mapping[type[Payload], Callable[[Context, Any], Outbound | None]] = {
    payloads.Digest: digest.weekly_digest,
    payloads.Zalo: digest.zalo,
    payloads.Several: _several,
    payloads.Done: answers.done,
    payloads.Updated: answers.updated,
    payloads.AlreadyDone: answers.already_done,
    payloads.NotYourUnit: answers.not_your_unit,
    payloads.Seen: answers.seen,
    payloads.Confirmed: answers.confirmed,
    payloads.WhichOccurrence: questions.which,
    payloads.Claimed: questions.claimed,
    payloads.WhichOfNudge: questions.which_of_nudge,
    payloads.WhichOffice: questions.which_office,
    payloads.SetDueAsked: questions.set_due_asked,
    payloads.WhichPart: questions.which_part,
    payloads.WhichPlan: questions.which_plan,
    payloads.ListedBack: questions.listed_back,
    payloads.NotUnderstood: questions.not_understood,
    payloads.HowSetDue: questions.how_set_due,
    payloads.ExtensionAsked: questions.extension_asked,
    payloads.Refused: questions.refused,
    payloads.OfficeOnly: questions.office_only,
    payloads.Unhandled: questions.unhandled,
    payloads.OpenTasks: lists.tasks,
    payloads.DueDates: lists.due,
    payloads.TaskDetails: lists.task,
    payloads.History: lists.history,
    payloads.ReportDraft: lists.report,
    payloads.ClosedNotice: escalation.closed_notice,
    payloads.ReopenedNotice: escalation.reopened_notice,
    payloads.Welcome: notices.welcome,
    payloads.SignIn: notices.sign_in,
    payloads.PageLink: notices.page_link,
    payloads.Help: notices.help_message,
    payloads.PlanStarted: notices.plan_started,
    payloads.PlanOver: notices.plan_over,
    payloads.UnitEmpty: notices.unit_empty,
    payloads.OfficeEmpty: notices.office_empty,
    payloads.AddressDead: notices.address_dead,
    payloads.QuotaUsed: notices.quota_used,
    payloads.Unreached: notices.unreached,
}


class RowRenderer:
    """Renders each kind of row.

    `holiday` names a run of days off (“Tết”); `links` are those of the page, where it is on.
    """

    def __init__(
        self, holiday: HolidayName = Context.holiday, links: WebLinks | None = None
    ) -> None:
        self._holiday = holiday
        self.links = links
        self._said: tuple[object, Outbound | None] = (None, None)  # the nudge before

    def render(
        self, office: Office, now: datetime, row: Row, past: Past = NO_PAST
    ) -> Outbound | None:
        """Return the message of `row`; None if nothing of it is left to say."""
        if isinstance(row.draft.payload, Unreadable):
            raise TypeError("the row holds no message of this program")
        context = self.context(office, now, row, past)
        match row.draft.kind:
            case "nudge":
                made = self._nudge(context, row)
            case "edit":
                made = _edit(context, row)
            case "escalation":
                made = _escalation(context, row)
            case "request":
                made = questions.waiting(context, row.draft.payload.occurrences())
            case _:
                made = render(context, row.draft.payload)
        if made is None:
            return None
        envelope = row.draft.envelope
        reply_to = envelope.reply_to or made.reply_to
        made = replace(made, reply_to=reply_to, disowns=envelope.disowns)
        if envelope.subject or envelope.thread:
            made = in_thread(made, envelope.subject, envelope.thread)
        return repeated(made) if row.repeat or envelope.again else made

    def context(
        self, office: Office, now: datetime, row: Row | None = None, past: Past = NO_PAST
    ) -> Context:
        """Return the situation at `now`."""
        return Context(
            office=office, at=now, row=row, past=past, holiday=self._holiday, links=self.links
        )

    def digest(
        self, office: Office, now: datetime, health: Health, *, mailed: bool, attached: bool
    ) -> Outbound:
        """Return the digest at `now`; the whole plan with it where it is `attached`."""
        context = self.context(office, now, past=Past(health=health, started=health.started))
        return digest.made(context, mailed=mailed, attached=attached)

    def _nudge(self, context: Context, row: Row) -> Outbound | None:
        """Return the nudge; by mail with its files, and a report's draft at the last call.

        Elsewhere it stays a text: it is edited once its work is done, which a file's caption can't.
        """
        items, draft, office = _known(context, row), row.draft, context.office
        due = due_reports(office, items)
        drafts = nudge.announced(
            office, due, draft.recipient, draft.channel, page=context.open_links is not None
        )
        off, by_mail = _off(context, row, items), context.by_mail
        insist = isinstance(draft.payload, Nudge) and draft.payload.insist is not None
        # One unit's officers stand side by side in the outbox, and read the same.
        told = "" if context.typing else context.tell
        reader = draft.recipient if context.open_links and by_mail else ""  # whose links it carries
        same = (office, context.today, items, insist, drafts, off, by_mail, told, reader)
        if self._said[0] != same:
            said = nudge.nudge(context, items, insist=insist, drafts=drafts, off=off, files=by_mail)
            self._said = (same, said)
        made = self._said[1]
        if made is None or not by_mail:
            return made
        files = lists.drafts(office, due, context.today)
        return replace(made, attachments=(*made.attachments, *files))


def _edit(context: Context, row: Row) -> Outbound | None:
    """Return what takes the place of a nudge, or of a question that is decided now."""
    payload, envelope, items = row.draft.payload, row.draft.envelope, _known(context, row)
    if envelope.asked is None:
        return nudge.nudge(context, items, edit=envelope.edit, off=_off(context, row, items))
    match payload:
        case PlanStarted():
            made = notices.plan_settled(context, payload, envelope.asked)
        case HowSetDue(key=key):
            made = questions.day_set(context, key, envelope.asked)
        case _:
            made = questions.decided(context, payload.occurrences(), envelope.asked)
    return replace(made, edit=envelope.edit) if made else None


def _escalation(context: Context, row: Row) -> Outbound | None:
    by_unit = _known(context, row)
    items = list(dict.fromkeys(item for of_unit in by_unit.values() for item in of_unit))
    if any(unit in context.office.offices for unit in by_unit):
        return escalation.to_office(context, items)
    return escalation.to_leaders(context, items)


def _known(context: Context, row: Row) -> dict[str, Sequence[Item]]:
    """Return the items whose occurrences the plans still have."""
    payload = row.draft.payload
    by_unit = payload.by_unit() if isinstance(payload, Items) else {}
    found = {
        unit: [item for item in items if item.key in context.states]
        for unit, items in by_unit.items()
    }
    return {unit: items for unit, items in found.items() if items}


def _off(context: Context, row: Row, units: Iterable[str]) -> nudge.Off:
    """Return who of `units` is away today, and for which of them the recipient only stands in."""
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
