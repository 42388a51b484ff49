"""What people answer: done, how far it is, signatures, notes; taking back, and reopening."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter

from reminder.decisions.outcome import (
    DISOWNED,
    RefusalError,
    Step,
    event,
    in_turn,
    own_units,
    refusal,
    said,
    typed,
)
from reminder.decisions.targets import (
    Already,
    Choice,
    Closes,
    NotOpen,
    Which,
    Work,
    instead,
    is_named,
    recur_together,
    resolve,
    unclosable,
    waits,
)
from reminder.domain import payloads
from reminder.domain.calendar import local_day
from reminder.domain.context import Context, Decision, Notice
from reminder.domain.ledger import CLOSING, Event, EventKind, State
from reminder.domain.plan import Confirm, Key
from reminder.domain.text import fold
from reminder.understanding.model import Command, Target
from reminder.understanding.verbs import Verb

STEADY = "thuong xuyen"  # “vẫn làm thường xuyên”: the work goes on as always
MOST_TOLD = 8  # instances of one product in an answer
UNDO_WITHIN = timedelta(hours=1)


def done(context: Context, command: Command, target: Target) -> Decision:
    """Close what “xong 1c” means; where that is nothing, ask or tell why."""
    work, units, made = _meant(context, command, target)
    other = instead(context, target)
    match made:
        case Closes(states) if target.every and recur_together(states):
            raise _instances(command, target, states)
        case Closes(states):
            told = {"evidence": command.evidence, "note": command.note}
            events = [e for s in states for e in _closing(context, s.key, units, **told)]
            return said(
                payloads.Done(events=tuple(events), unit=events[0].unit, instead=other), events
            )
        case Which(states):
            # Where one of the products is done: “and the other?”
            closed = [s for s in work.states if s.closed and not s.occurrence.is_check_in]
            closed.sort(key=lambda s: s.closed.at.timestamp() if s.closed else 0.0)
            question = payloads.WhichOccurrence(
                keys=tuple(state.key for state in states),
                unit=units[0],
                instead=other,
                closed=closed[-1].key if closed and len(states) == 1 else None,
                words=context.words,
            )
            raise RefusalError(question)
        case Already(last, _) if command.evidence and command.evidence != last.evidence:
            number = event(
                context, EventKind.EVIDENCE, last.key, units[0], evidence=command.evidence
            )
            return said(payloads.Evidence(event=number, before=last.evidence), [number])
        case _:
            raise unclosable(made, target, other)


def _instances(command: Command, target: Target, states: Sequence[State]) -> RefusalError:
    """List the open instances of “xong 3b tất cả”, each with what closes it alone."""
    several = len(states[0].occurrence.task.deliverables) > 1
    targets = tuple(
        replace(
            target,
            deliverables=(state.key.deliverable,) if several else (),
            every=False,
            period=state.key.period,
        )
        for state in states
    )
    keys = tuple(state.key for state in states)
    return RefusalError(
        payloads.ListedBack(keys=keys, typed=typed(replace(command, targets=targets)))
    )


def claim(context: Context, command: Command, target: Target) -> Decision:
    """Ask whether the work is done; record nothing until the answer comes."""
    _, units, made = _meant(context, command, target)
    if isinstance(made, Closes | Which):
        keys = tuple(state.key for state in made.states)
        return said(payloads.Claimed(keys=keys, unit=units[0], words=context.words or command.note))
    raise unclosable(made, target, instead(context, target))


def _meant(
    context: Context, command: Command, target: Target
) -> tuple[Work, tuple[str, ...], Choice]:
    """Return the work, whose part of it, and what of it would close.

    Products are meant, not check-ins, unless the check-in is named or all that there is.
    """
    open_now, named = waits(context, target), target.deliverables or target.period

    def wanted(state: State) -> bool:
        check_in = state.occurrence.is_check_in and bool(state.occurrence.task.products)
        return open_now(state) and (bool(named) or not check_in)

    work = resolve(context, command, target, wanted)
    units = work.parts()
    return work, units, work.choice(units)


def _closing(
    context: Context, key: Key, units: tuple[str, ...], *, evidence: str = "", note: str = ""
) -> list[Event]:
    """Return the events that close the open parts of `units`: never one that is closed already."""
    state = context.states[key]
    kind = EventKind.UPDATED if state.occurrence.is_check_in else EventKind.DONE
    return [
        event(context, kind, key, unit, evidence=evidence, note=note)
        for unit in units
        if unit in state.open_units
    ]


def update(context: Context, command: Command) -> Decision:
    """Record each answer to its check-in; “tất cả”: to all check-ins that are open."""

    def step(target: Target, text: str) -> Step:
        return lambda later: _answer(later, command, target, text)

    steps = [step(target, text) for target, text in command.answers]
    if command.everything and command.targets and not command.answers:
        steps += [step(target, command.note) for target in command.targets]
    elif command.everything:
        steps.append(lambda later: _rest(later, command.note, alone=not command.answers))
    if not steps:
        raise refusal("needs-code", verb=command.verb.value)
    return in_turn(context, steps)


def _answer(context: Context, command: Command, target: Target, text: str) -> Decision:
    """Answer the task's check-in; on an answered one the text is kept as a note."""
    open_now = waits(context, target)
    work = resolve(context, command, target, lambda s: s.occurrence.is_check_in and open_now(s))
    units = work.parts()
    if work.task.check_in is None:
        raise refusal("no-check-in", key=(work.named or work.states)[0].key, text=text)
    match made := work.check_in_choice(units):
        case Closes(states):
            events = [made for s in states for made in _closing(context, s.key, units, note=text)]
            steady = STEADY in fold(text)
            return said(payloads.Updated(events=tuple(events), units=units, steady=steady), events)
        case Already(last, _) if text:
            if text not in [each.note for each in (*last.parts.values(), *last.notes)]:
                note = event(context, EventKind.NOTED, last.key, units[0], note=text)
                return said(payloads.Noted(event=note, added=True), [note])
        case Which(states):
            told = replace(command, verb=Verb.UPDATE, note=text)
            raise replace(work, command=told).which(states)
    raise unclosable(made, target)


def _rest(context: Context, text: str, *, alone: bool) -> Decision:
    """Answer all check-ins that still wait for the sender's own units."""
    plans = {plan.id for plan in context.plans}
    events: list[Event] = []
    for key, state in context.states.items():
        live = key.plan in plans and state.occurrence.opens <= context.today
        if not state.occurrence.is_check_in or not live:
            continue
        own = own_units(context, state.occurrence.task)
        units = tuple(unit for unit in own if unit in state.open_units)
        any_of = state.occurrence.task.confirm is Confirm.ANY
        events += _closing(context, key, units[:1] if any_of else units, note=text)
    if events:
        units = tuple(dict.fromkeys(e.unit for e in events))
        return said(payloads.Updated(events=tuple(events), units=units, steady=False), events)
    if alone:
        raise refusal("nothing-to-update")
    return Decision()


def doing(context: Context, command: Command, target: Target) -> Decision:
    """Record “đang làm”: it answers a check-in; for a product it is kept as a note."""
    open_now = waits(context, target)
    work = resolve(context, command, target)
    live = [s for s in work.named if open_now(s)]
    standing = bool(live) and all(s.occurrence.is_check_in for s in live)
    if standing or not work.task.products:
        return _answer(context, command, target, command.note or "đang làm")
    units = [u for u in work.own if live and u in live[0].open_units]
    if units and recur_together(live):
        raise work.which(live, units[0])
    events = _answered(context, live[0], units[0], command.note or "đang làm") if units else []
    return said(payloads.Seen(keys=tuple(state.key for state in live[:1])), events)


def not_done(context: Context, command: Command, target: Target) -> Decision:
    """Record “chưa xong”: the work stays open; further words are kept as a note.

    Of work that the sender closed within the hour it takes that back.
    """
    work = resolve(context, command, target)
    since, by = context.now - UNDO_WITHIN, context.sender.person.id
    begun = [s for s in work.named if s.occurrence.opens <= context.today]
    if begun and all(s.closed and s.closed.by == by and s.closed.at >= since for s in begun):
        return undo(context, replace(command, verb=Verb.UNDO), target)
    units = work.parts()
    state = work.open(units, any_of=True)[0]
    if command.note:
        events = [event(context, EventKind.NOTED, state.key, units[0], note=command.note)]
    else:
        events = _answered(context, state, units[0], "chưa xong")
    return said(payloads.NotDone(key=state.key, noted=command.note), events)


def _answered(context: Context, state: State, unit: str, words: str) -> list[Event]:
    """Return the answer; the same words by the same person count once a day."""
    made = event(context, EventKind.ANSWERED, state.key, unit, note=words)
    last = state.answer
    same = last is not None and (last.unit, last.by, last.note) == (unit, made.by, words)
    return [] if same and last and local_day(last.at) == context.today else [made]


def seen(context: Context, command: Command, target: Target) -> Decision:
    """Record that a message was read (“vâng”, “ok”); the work stays open."""
    work = resolve(context, command, target)
    live = [s for s in work.named if not s.closed and s.occurrence.opens <= context.today]
    live.sort(key=lambda state: state.occurrence.is_check_in)
    first = [state.key for state in live if state.key.deliverable == live[0].key.deliverable]
    return said(payloads.Seen(keys=tuple(first[:MOST_TOLD])))


def heard(_context: Context, command: Command) -> Decision:
    """Answer a “chưa” or an “ok” that is about no work."""
    return said(payloads.Heard(still_open=command.verb is Verb.NOT_DONE))


def ask(context: Context, command: Command, target: Target) -> Decision:
    """Answer “xong chưa?” with how the work stands; anybody enrolled may ask."""
    work = resolve(context, command, target)
    waiting = [s for s in work.named if not s.closed and s.occurrence.opens <= context.today]
    if not recur_together(waiting) or target.period:
        waiting = [work.open(any_of=True)[0]]
    return Decision(answers=tuple(payloads.StatusAsked(key=s.key) for s in waiting[:MOST_TOLD]))


def note(context: Context, command: Command, target: Target) -> Decision:
    """Keep a note with what is open, else with what closed last or opens next."""
    work = resolve(context, command, target)
    units = work.parts()
    if not command.note:
        raise refusal("needs-text", code=target.task)
    match work.choice(()):
        case Already(last, _) | NotOpen(last):
            state = last
        case _:
            state = work.open(any_of=True)[0]
    unit = units[0] if work.own else work.plan.office  # the office's note is not the unit's word
    noted = event(context, EventKind.NOTED, state.key, unit, note=command.note)
    return said(payloads.Noted(event=noted), [noted])


def submit(context: Context, command: Command, target: Target) -> Decision:
    """Record “đã trình ký”: the unit's nudges rest until the paper is out, or back."""
    work = resolve(context, command, target)
    units = work.parts()
    states = work.open(units)
    for state in states:
        if state.occurrence.is_check_in:
            raise refusal("no-signature", key=state.key)
    text = " ".join(filter(None, (command.evidence, command.note)))
    events: list[Event] = []
    answers: list[payloads.Submitted] = []
    for state in states:
        before = [state.submitted[u] for u in units if u in state.submitted]
        made = [
            event(context, EventKind.SUBMITTED, state.key, unit, note=text)
            for unit in units
            if unit not in state.submitted and unit in state.open_units
        ]
        events += made
        answers.append(payloads.Submitted(event=(made or before)[0], again=not made))
    return Decision(events=tuple(events), answers=tuple(answers))


def give_back(context: Context, command: Command, target: Target) -> Decision:
    """Record “bị trả lại”: what waited for a signature is the unit's again."""
    work = resolve(context, command, target, lambda state: bool(state.submitted))
    units = work.parts()
    anybodys = work.task.confirm is Confirm.ANY  # of one product for all; else the own
    waiting = [
        (state, own)
        for state in work.named
        if (own := [u for u in (state.submitted if anybodys else units) if u in state.submitted])
    ]
    if not waiting:
        raise refusal("not-submitted", key=work.named[0].key)
    if len(waiting) > 1 and not (target.deliverables or target.every or target.period):
        raise work.which(state for state, _ in waiting)
    events = [
        event(context, EventKind.RETURNED, state.key, unit, note=command.note)
        for state, own in waiting
        for unit in own
    ]
    answers = tuple(payloads.Returned(key=state.key) for state, _ in waiting)
    return Decision(events=tuple(events), answers=answers)


_act = attrgetter("at", "by", "key", "kind", "message")
_TAKES_BACK = {
    EventKind.DONE: EventKind.UNDONE,
    EventKind.UPDATED: EventKind.UNDONE,
    EventKind.SUBMITTED: EventKind.RETURNED,
    EventKind.EXTENSION_ASKED: EventKind.EXTENSION_WITHDRAWN,
    EventKind.EVENT_NAMED: EventKind.EVENT_WITHDRAWN,
}
# What may be taken back at any time: what waits for an answer, and the office's own date.
_LASTING = frozenset({EventKind.EXTENSION_ASKED, EventKind.EVENT_NAMED})


def undo(context: Context, command: Command, target: Target) -> Decision:
    """Take back the newest thing that the sender's own unit said of the work within the hour."""
    plans = {plan.id: plan for plan in context.plans if target.plan in (None, plan.id)}
    standing = [
        e
        for e in reversed(context.events)
        if e.key.plan in plans and e.key.task == target.task and is_named(e.key, target)
        if target.unit in (None, "*", e.unit) and _holds(context, e)
        if command.event_at in (None, e.at)
    ]
    if command.event_at and not standing:  # it was taken back, or somebody else closed it since
        return said(payloads.OldButton())
    newest = next((e for e in standing if _is_own(context, e)), None)
    if newest is None and standing:
        raise refusal("undo-others", key=standing[0].key, event=standing[0])
    if newest is None:
        work = resolve(context, command, target)
        raise refusal("nothing-to-undo", key=work.named[0].key)
    office = plans[newest.key.plan].office
    if newest.kind is EventKind.EVENT_NAMED:  # an act of the office
        if not context.sender.office:
            raise RefusalError(payloads.OfficeOnly(verb=Verb.EVENT.value, codes=(target.task,)))
        if not context.proved:
            raise RefusalError(payloads.NeedsProof(verb=Verb.EVENT.value))
    if context.now - newest.at > UNDO_WITHIN and newest.kind not in _LASTING:
        return _too_late(context, command, newest, office)
    # One message closed several units' parts at once: they are taken back at once.
    alike = [e for e in context.events if _act(e) == _act(newest) and _holds(context, e)]
    events = [event(context, _TAKES_BACK[e.kind], e.key, e.unit, note=command.note) for e in alike]
    return said(payloads.Undone(event=newest), events, *_withdrawn(context, newest, office))


def _withdrawn(context: Context, event: Event, office: str) -> list[Notice]:
    """Return what others are told once `event` is taken back."""
    match event.kind:
        case EventKind.EXTENSION_ASKED:
            word = payloads.ExtensionWithdrawn(event=event)
            return [Notice(to=f"unit:{office}", payload=word)]
        case EventKind.EVENT_NAMED:
            units = context.states[event.key].open_units
            told = payloads.EventWithdrawn(event=event)
            return [Notice(to=f"unit:{unit}", payload=told) for unit in units]
    return []


def _too_late(context: Context, command: Command, newest: Event, office: str) -> Decision:
    """Ask the office, if it has members, to reopen what the unit closed more than an hour ago."""
    closed = newest.kind in CLOSING
    if context.sender.office or not closed or not context.has_members(office):
        raise refusal("undo-late", key=newest.key, event=newest)
    asked = event(context, EventKind.UNDONE, newest.key, newest.unit, note=command.note)
    request = Notice(to=f"unit:{office}", payload=payloads.ReopenAsked(event=asked))
    return said(payloads.ReopenRequested(event=newest), (), request)


def undo_last(context: Context, command: Command) -> Decision:
    """Take back the newest thing that the sender said of any work within the hour."""
    since, by = context.now - UNDO_WITHIN, context.sender.person.id
    for e in reversed(context.events):
        if e.by == by and e.kind in _TAKES_BACK and e.at >= since and _holds(context, e):
            plan, task, number, period = e.key
            target = Target(task=task, deliverables=(number,), period=period, plan=plan)
            return undo(context, command, target)
    raise refusal("needs-code", verb=command.verb.value)


DISOWNED_WITHIN = timedelta(days=1)


def disown(context: Context, _: Command) -> Decision:
    """Take back what somebody else sent in the sender's name (“không phải tôi”); tell the office.

    It is what the receipt confirms that is replied to; else the newest that came by this channel.
    """
    since, who = context.now - DISOWNED_WITHIN, context.sender.person.id
    lately = [
        e
        for e in context.events
        if (e.by, e.channel) == (who, context.channel) and e.at >= since
        if not (e.kind in _TAKES_BACK.values() and e.note == DISOWNED)
    ]
    message = context.receipt_of or (lately[-1].message if lately else "")
    theirs = [e for e in lately if e.message == message]
    back = tuple(e for e in theirs if _holds(context, e))
    left = tuple(e for e in theirs if e.kind not in _TAKES_BACK)
    if not back and not left:
        raise refusal("nothing-to-disown")
    word = payloads.DisownedNotice(
        person=who, channel=context.channel, at=theirs[0].at, events=back, left=left
    )
    notices = [Notice(to=f"unit:{office}", payload=word) for office in sorted(context.offices)]
    events = [event(context, _TAKES_BACK[e.kind], e.key, e.unit, note=DISOWNED) for e in back]
    return said(payloads.Disowned(events=back, left=left), events, *notices)


def _holds(context: Context, before: Event) -> bool:
    """Return whether what `before` said is still so."""
    state = context.states.get(before.key)
    if state is None:
        return False
    match before.kind:
        case EventKind.DONE | EventKind.UPDATED:
            return state.parts.get(before.unit) == before
        case EventKind.SUBMITTED:
            return state.submitted.get(before.unit) == before
        case EventKind.EXTENSION_ASKED:
            return state.request == before
        case EventKind.EVENT_NAMED:
            return state.named == before and state.due == before.until
    return False


def _is_own(context: Context, before: Event) -> bool:
    """Return whether it was said for the sender's unit, by a colleague or by the office."""
    own = own_units(context, context.states[before.key].occurrence.task)
    person = context.people.get(before.by)
    if person is None:
        return before.unit in own
    shared = set(person.units) & set(context.sender.units)
    return bool(shared & set(own)) or (context.sender.office and bool(shared & context.offices))


def reopen(context: Context, command: Command, target: Target) -> Decision:
    """Open again what was closed, with a reason; one unit's part where it is named."""
    work = resolve(context, command, target, lambda state: bool(state.parts))
    if not command.note:
        raise refusal("needs-reason", code=target.task)
    shared = work.task.confirm is Confirm.ALL
    events: list[Event] = []
    for state in _closed_states(work):
        if shared and target.unit in state.parts and target.unit:
            kind, unit = EventKind.UNDONE, target.unit
        else:
            kind = EventKind.REOPENED
            unit = state.closed.unit if state.closed else next(iter(state.parts))
        events.append(event(context, kind, state.key, unit, note=command.note))
    notices = [  # to the units whose work is open again, but the sender's own
        Notice(to=f"unit:{unit}", payload=payloads.Reopened(event=made))
        for made in events
        for unit in ((made.unit,) if made.kind is EventKind.UNDONE else work.task.lead)
        if unit not in context.sender.units
    ]
    answers = tuple(payloads.Reopened(event=made) for made in events)
    return Decision(events=tuple(events), answers=answers, notices=tuple(notices))


def _closed_states(work: Work) -> list[State]:
    """Return the newest closed occurrence of each deliverable meant; products before check-ins."""
    target = work.target
    closed = [state for state in work.named if state.parts]
    if target.unit and target.unit != "*" and work.task.confirm is Confirm.ALL:
        closed = [state for state in closed if target.unit in state.parts]
    if not closed:
        raise refusal("not-closed", key=work.named[0].key)
    if not (target.deliverables or target.period):
        closed = [s for s in closed if not s.occurrence.is_check_in] or closed
    closed.sort(key=lambda state: max(part.at.timestamp() for part in state.parts.values()))
    newest = {state.key.deliverable: state for state in closed}
    if len(newest) > 1 and not (target.deliverables or target.every):
        raise work.which(newest.values())
    return list(newest.values())
