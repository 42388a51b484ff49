"""/nghiphep: who is away when, and who is reminded instead."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from reminder.decisions.outcome import RefusalError, also, event, refusal, said
from reminder.domain.context import Context, Decision, Notice
from reminder.domain.ledger import (
    MAX_ABSENCE_DAYS,
    Absence,
    Event,
    EventKind,
    absence_key,
    absences,
    away_until,
)
from reminder.domain.payloads import Away, AwayWord, Back, BackWord, OfficeOnly, Payload
from reminder.domain.people import Person
from reminder.domain.text import fold
from reminder.understanding.model import Command
from reminder.understanding.verbs import Verb


def away(context: Context, command: Command) -> Decision:
    """A stretch of days off, the own one, or as the office somebody's; without days, its end."""
    person = _whose(context, command)
    if command.since is None or command.until is None:
        return _back(context, person)
    since, until = command.since, command.until
    if until < context.today:
        raise refusal("away-past", until=until)
    if (until - since).days >= MAX_ABSENCE_DAYS:
        raise refusal("away-long", until=until)
    told = _told(context, person, since, until)
    if Absence(person=person.id, since=since, until=until) in absences(context.events):
        return said(replace(told, again=True))
    made = _event(context, person, EventKind.AWAY, since, until)
    word = AwayWord(
        person=told.person,
        name=told.name,
        own=told.own,
        since=told.since,
        until=told.until,
        others=told.others,
    )
    return also(said(told, [made]), *_notices(context, person, word))


def _whose(context: Context, command: Command) -> Person:
    """The person named by id or by name, for the office; else the sender."""
    sender, typed = context.sender.person, command.person
    everybody = context.people.values()
    known = {fold(p.name): p for p in everybody} | {fold(p.id): p for p in everybody}
    found = known.get(fold(typed)) if typed else sender
    if found == sender:
        return sender
    if not context.sender.office:
        if found is None:  # a name that nobody has, or a reason
            raise refusal("whose-absence", typed=typed, days=_days(command))
        raise RefusalError(OfficeOnly(verb=Verb.AWAY.value))
    if found is None:
        raise refusal("no-person", typed=typed, known=tuple(sorted(context.people)))
    return found


def _days(command: Command) -> str:
    """The days as one types them for oneself."""
    days = dict.fromkeys(day for day in (command.since, command.until) if day)
    return "-".join(f"{day:%d/%m/%Y}" for day in days) or "hủy"


def _back(context: Context, person: Person) -> Decision:
    """All of the person's absences that are not over end."""
    left = [
        a for a in absences(context.events) if a.person == person.id and a.until >= context.today
    ]
    own = person == context.sender.person
    if not left:
        raise refusal("not-away", who=person.name, own=own)
    made = [_event(context, person, EventKind.BACK, a.since, a.until) for a in left]
    answer = Back(person=person.id, name=person.name, own=own)
    word = BackWord(person=person.id, name=person.name, own=own)
    return also(said(answer, made), *_notices(context, person, word))


def _event(context: Context, person: Person, kind: EventKind, since: date, until: date) -> Event:
    unit = person.units[0] if person.units else ""
    return event(context, kind, absence_key(person.id, since), unit, until=until)


def _told(context: Context, person: Person, since: date, until: date) -> Away:
    """For each unit of the person, who is there on the first day; leaders are not nudged."""
    first = max(since, context.today)
    found = absences(context.events)
    others = []
    for unit in person.units:
        if unit not in context.leaders:
            there = (
                p.name
                for p in context.people.values()
                if unit in p.units and p.id != person.id and not away_until(found, p.id, first)
            )
            others.append((unit, tuple(there)))
    return Away(
        person=person.id,
        name=person.name,
        own=person == context.sender.person,
        since=since,
        until=until,
        others=tuple(others),
    )


def _notices(context: Context, person: Person, word: Payload) -> list[Notice]:
    """To the office, and to the person where the office recorded it."""
    offices = sorted(context.offices)
    told = [Notice(to=f"unit:{office}", payload=word) for office in offices]
    if person != context.sender.person and not set(person.units) & set(offices):
        told.append(Notice(to=person.id, payload=word))
    return told
