"""A row of the outbox → what is said, true at the moment of sending."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from reminder.decisions import buttons
from reminder.decisions.serialization import key_of
from reminder.domain.channels import Outbound
from reminder.domain.context import View
from reminder.domain.occurrences import Key
from reminder.domain.outbox import Row
from reminder.domain.schedule import Item, local_day
from reminder.messages import digest, escalation, notices, nudge, report, settlement
from reminder.messages.compose import in_thread, pages, repeated
from reminder.messages.context import Act, Context
from reminder.messages.digest import digest_of, weekly
from reminder.messages.escalation import Above, Reminded
from reminder.messages.program import VIEWS, Words
from reminder.messages.views import render as render_view
from reminder.services.deliver import Moment
from reminder.services.digest import due_reports
from reminder.services.office import EMAIL, Office
from reminder.services.recipients import unpacked, unreachable
from reminder.services.status import Health
from reminder.services.tick import AGAIN


class RowRenderer:
    """ports.Renderer: knows each kind of row. `holiday` names a run of days off (“Tết”)."""

    def __init__(self, holiday: Callable[..., str] | None = None) -> None:
        self._holiday = holiday
        self._said: tuple[object, Outbound | None] = (None, None)  # the nudge before

    def render(self, view: Moment, row: Row) -> Outbound | None:
        """The message of `row`; None if nothing of it is left to say."""
        context = self.context(view.office, view.now)
        with pages(wanted=row.draft.channel == EMAIL):
            message = self._kinds[row.draft.kind](self, view, context, row)
        if message is None:
            return None
        reply_to = str(row.draft.payload.get("reply_to", ""))
        message = replace(message, reply_to=reply_to or message.reply_to)
        if (subject := str(row.draft.payload.get("subject", ""))) or row.draft.payload.get(
            "thread"
        ):
            message = in_thread(message, subject, row.draft.payload.get("thread", ()))
        again = row.repeat or row.draft.payload.get(AGAIN)
        return repeated(message) if again else message

    def context(self, office: Office, now: datetime) -> Context:
        """The situation at `now`."""
        context = Context(
            today=local_day(now),
            scheduler=office.scheduler,
            plans=office.by_plan,
            states=office.states,
            action_id=lambda act, key, unit: buttons.encode(Act(act).value, key, unit),
            names=office.files.names,
            events=office.events,
            at=now,
        )
        return replace(context, holiday=self._holiday) if self._holiday else context

    def _nudge(self, moment: Moment, context: Context, row: Row) -> Outbound | None:
        """By mail its files go along, with the last call for a report by its due day the draft too.

        Elsewhere it stays a text: it is edited once its work is done, which a file's caption can't.
        """
        items, draft, office = _known(context, row), row.draft, moment.office
        due = due_reports(office, items)
        aside = report.aside(office, due, draft.recipient, draft.channel)
        off, insist = _off(office, context, row, items), "insist" in draft.payload
        by_mail = draft.channel == EMAIL
        # One unit's officers stand side by side in the outbox, and read the same.
        same = (office, context.today, items, insist, aside, off, by_mail)
        if self._said[0] != same:
            said = nudge.nudge(context, items, insist=insist, aside=aside, off=off, files=by_mail)
            self._said = (same, said)
        message = self._said[1]
        if message is None or not by_mail:
            return message
        files = report.files(office, due, context.today)
        return replace(message, attachments=(*message.attachments, *files))

    def _edit(self, moment: Moment, context: Context, row: Row) -> Outbound | None:
        edit, items = str(row.draft.payload.get("edit", "")), _known(context, row)
        if "asked" in row.draft.payload:
            message = self._decided(moment, context, row)
            return replace(message, edit=edit) if message else None
        return nudge.nudge(context, items, edit=edit, off=_off(moment.office, context, row, items))

    def _decided(self, moment: Moment, context: Context, row: Row) -> Outbound | None:
        """What the office was asked, as it stands now that something of it is decided."""
        payload = row.draft.payload
        sent, name = datetime.fromisoformat(payload["asked"]), str(payload.get("view", ""))
        data = payload.get("data", {})
        match name:
            case "plan-started":
                shown = VIEWS[name](Words(moment.office, context, data))
                return settlement.start(context, data, shown, sent)
            case "how-set-due":
                return settlement.asked_day(context, context.states.get(Key(*data["key"])), sent)
            case "extension-asked":
                return settlement.requests(context, [key_of(data["key"])], sent)
        keys = [item.key for items in _known(context, row).values() for item in items]
        return settlement.requests(context, keys, sent)

    def _escalation(self, moment: Moment, context: Context, row: Row) -> Outbound | None:
        by_unit = _known(context, row)
        items = list(dict.fromkeys(item for of_unit in by_unit.values() for item in of_unit))
        if any(unit in moment.office.offices for unit in by_unit):
            return escalation.to_office(context, items, _reminded(row), _above(row))
        return escalation.to_leaders(context, items, _above(row).told)

    def _request(self, _: Moment, context: Context, row: Row) -> Outbound | None:
        keys = dict.fromkeys(i.key for items in _known(context, row).values() for i in items)
        return notices.requests_waiting(context, [context.states[key] for key in keys])

    def _digest(self, moment: Moment, _: Context, row: Row) -> Outbound | None:
        office, draft = moment.office, row.draft
        if draft.payload["outdated"]:
            return None
        by_mail = draft.channel == EMAIL
        mailed = not by_mail and draft.kind == "digest" and EMAIL in office.ways(draft.recipient)
        return self.digest(
            office, moment.now, draft.payload["health"], mailed=mailed, attached=by_mail
        )

    def digest(
        self, office: Office, now: datetime, health: Health, *, mailed: bool, attached: bool
    ) -> Outbound:
        """The digest at `now`; the whole plan with it where it is `attached`."""
        context = self.context(office, now)
        found = digest_of(context)
        cut_off = unreachable(office, found.plans)
        attached = attached and bool(found.plans)
        message = weekly(
            context, found, health=health, cut_off=cut_off, mailed=mailed, attached=attached
        )
        files = digest.workbooks(context, found.plans, found.day) if attached else ()
        return replace(message, attachments=files)

    def _view(self, moment: Moment, context: Context, row: Row) -> Outbound | None:
        payload = row.draft.payload
        name, data = str(payload["view"]), payload.get("data", {})
        if name == "digest":
            return self._digest(moment, context, row)
        own = VIEWS.get(name)
        if own is not None:
            return own(Words(moment.office, context, data))
        return render_view(View(name=name, data=data), context)

    _kinds: Mapping[str, Callable[[RowRenderer, Moment, Context, Row], Outbound | None]] = {
        "nudge": _nudge,
        "edit": _edit,
        "escalation": _escalation,
        "request": _request,
        "digest": _digest,
        "reply": _view,
        "notice": _view,
    }


def _known(context: Context, row: Row) -> dict[str, Sequence[Item]]:
    """The items whose occurrences the plans still have."""
    found = {
        unit: [item for item in items if item.key in context.states]
        for unit, items in unpacked(row.draft.payload).items()
    }
    return {unit: items for unit, items in found.items() if items}


def _off(office: Office, context: Context, row: Row, units: Iterable[str]) -> nudge.Off:
    """Who of `units` is away today, and for which of them the recipient only stands in."""
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


def _reminded(row: Row) -> dict[Key, Reminded]:
    facts: Sequence[Sequence[Any]] = row.draft.payload.get("reminded", ())
    return {
        Key(*key): Reminded(
            count=count, channels=tuple(channels), last=datetime.fromisoformat(last)
        )
        for key, count, channels, last in facts
    }


def _above(row: Row) -> Above:
    payload = row.draft.payload
    facts: Sequence[Sequence[Any]] = payload.get("told", ())
    return Above(
        told={Key(*key): datetime.fromisoformat(at) for key, at in facts},
        leaving=frozenset(Key(*key) for key in payload.get("leaving", ())),
        silent=frozenset(payload.get("silent", ())),
    )
