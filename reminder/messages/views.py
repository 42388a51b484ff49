"""Every view that the service may hold, by name, as a message: true at the moment it is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reminder.domain import payloads
from reminder.domain.channels import Outbound
from reminder.domain.ledger import State
from reminder.messages import answers, digest, escalation, notices
from reminder.messages import answers as replies
from reminder.messages.compose import mail_document
from reminder.messages.context import Act, Context, handle
from reminder.messages.limits import Line, fit
from reminder.messages.refusals import REFUSALS
from reminder.messages.views_absence import ABSENCE
from reminder.messages.views_acts import ACTS
from reminder.messages.views_kit import (
    Data,
    known_state,
    known_states,
    speak,
    spoken_of,
    still_open,
)
from reminder.messages.views_lists import HISTORY, LISTS
from reminder.messages.views_questions import QUESTIONS
from reminder.messages.views_requests import REQUESTS
from reminder.understanding import Verb

Renders = Callable[[Context, Data], Outbound | None]
ROWS = 8  # of buttons


def _of_state(build: Callable[[Context, State], Outbound]) -> Renders:
    def show(context: Context, data: Data) -> Outbound | None:
        state = context.states.get(data.key)
        return build(context, state) if state else None

    return show


def _done(context: Context, data: Data) -> Outbound | None:
    events = data.events
    by_key = {event.key: event for event in reversed(events) if event.key in context.states}
    if not by_key:
        return None
    closed = [(context.states[key], event) for key, event in reversed(by_key.items())]
    return answers.done(
        context,
        closed,
        unit=data.unit,
        remaining=spoken_of(context),
        instead=still_open(context, data.instead),
    )


def _updated(context: Context, data: Data) -> Outbound | None:
    events = data.events
    answered = [(context.states[e.key], e) for e in events if e.key in context.states]
    if not answered:
        return None
    missing = [
        s
        for s in spoken_of(context)
        if s.occurrence.is_check_in and set(s.open_units) & set(data.units)
    ]
    return answers.updated(
        context,
        answered,
        missing=list({s.key[:3]: s for s in reversed(missing)}.values())[::-1],
        steady=data.steady,
    )


def _already(context: Context, data: Data) -> Outbound | None:
    state = context.states.get(data.key)
    if state is None:
        return None
    message = answers.already_done(context, state, data.event)
    following = known_state(context, data.following)
    more = [message]
    if (
        following is not None
        and not following.closed
        and following.occurrence.opens <= context.today
    ):
        form = f"xong {handle(context, following)}"
        more.append(
            speak(context, "Còn mở:", following, f", {context.due(following)}.", typed=[form])
        )
    return joined([*more, *_offer(context, data)])


def _offer(context: Context, data: Data) -> list[Outbound]:
    """“Hay ý anh/chị là 1đ?”, with a button."""
    other = still_open(context, data.instead)
    if other is None:
        return []
    name = handle(context, other)
    typed = f"xong {name.replace('đ', 'dd', 1)}"
    button = context.button(f"Ý tôi là {name}", Act.DONE, other, typed)
    return [speak(context, "Hay ý anh/chị là", other, "?", typed=[typed], actions=((button,),))]


def _not_yours(context: Context, data: Data) -> Outbound | None:
    state = context.states.get(data.key)
    if state is None:
        return None
    verb = Verb(data.verb)
    return joined([replies.not_your_unit(context, state, verb), *_offer(context, data)])


def _closed_word(context: Context, data: Data) -> Outbound | None:
    return escalation.closed_word(context, known_states(context, data.keys), leaders=data.leaders)


def _extension_asked(context: Context, data: Data) -> Outbound | None:
    """None once it was decided, withdrawn, or the task closed."""
    state = context.states.get(data.key)
    if state is None or state.request is None or state.request.until is None:
        return None
    return notices.extension_asked(context, state, before=data.before)


def _extension_decided(context: Context, data: Data) -> Outbound | None:
    state = context.states.get(data.key)
    if state is None:
        return None
    granted, note = data.granted, data.note
    return replies.extension_decided(context, state, granted=granted, note=note)


def _help(context: Context, data: Data) -> Outbound:
    return notices.help_text(context, office=data.office, leader=data.leader)


def joined(messages: list[Outbound]) -> Outbound | None:
    """Several messages as one; its buttons are as many as fit."""
    if len(messages) < 2:
        return messages[0] if messages else None
    html = "\n\n".join(message.html for message in messages)
    lines = [Line("row", line) for line in html.split("\n")]
    rows = tuple(row for message in messages for row in message.actions)
    text = "\n\n".join(message.text for message in messages)
    subject = messages[0].subject
    kept = [Line("text", line.html) for line in lines if line.html]
    return Outbound(
        subject=subject,
        html="\n".join(line.shown for line in fit(lines)),
        text=text,
        mail_html=mail_document(subject, kept),
        actions=rows[:ROWS],
        attachments=tuple(file for message in messages for file in message.attachments),
    )


VIEWS: Mapping[type[payloads.Payload], Renders] = {
    payloads.Done: _done,
    payloads.Updated: _updated,
    payloads.AlreadyDone: _already,
    payloads.NotYourUnit: _not_yours,
    payloads.NotDone: _of_state(replies.not_done),
    payloads.StatusAsked: _of_state(replies.asked),
    payloads.ClosedWord: _closed_word,
    payloads.ExtensionAsked: _extension_asked,
    payloads.ExtensionDecided: _extension_decided,
    payloads.Help: _help,
    payloads.Zalo: lambda context, _: digest.zalo(context, digest.digest_of(context)),
    **ACTS,
    **QUESTIONS,
    **LISTS,
    **REFUSALS,
    **HISTORY,
    **REQUESTS,
    **ABSENCE,
}
