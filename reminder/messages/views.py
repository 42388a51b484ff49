"""Every view that the service may hold, by name, as a message: true at the moment it is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from reminder.decisions.serialization import event_of
from reminder.domain.channels import Outbound
from reminder.domain.context import View
from reminder.domain.ledger import State
from reminder.messages import answers, digest, escalation, notices
from reminder.messages import answers as replies
from reminder.messages.compose import mail_document
from reminder.messages.context import Act, Context, handle
from reminder.messages.limits import Line, fit
from reminder.messages.views_absence import ABSENCE
from reminder.messages.views_acts import ACTS
from reminder.messages.views_kit import (
    Data,
    event_in,
    keys_in,
    other_in,
    speak,
    spoken_of,
    state_in,
)
from reminder.messages.views_lists import HISTORY, LISTS
from reminder.messages.views_questions import QUESTIONS
from reminder.messages.views_refusals import REFUSALS
from reminder.messages.views_requests import REQUESTS
from reminder.understanding import Verb

Renders = Callable[[Context, Data], Outbound | None]
ROWS = 8  # of buttons


def render(view: View, context: Context) -> Outbound | None:
    """`view` in words; None if it is of nothing that the plans still have, or of what has passed.

    A name that nobody knows is a slip of the program: KeyError.
    """
    return _VIEWS[view.name](context, view.data)


def _of_state(build: Callable[[Context, State], Outbound]) -> Renders:
    def show(context: Context, data: Data) -> Outbound | None:
        state = state_in(context, data)
        return build(context, state) if state else None

    return show


def _done(context: Context, data: Data) -> Outbound | None:
    events = [event_of(packed) for packed in data["events"]]
    by_key = {event.key: event for event in reversed(events) if event.key in context.states}
    if not by_key:
        return None
    closed = [(context.states[key], event) for key, event in reversed(by_key.items())]
    return answers.done(
        context,
        closed,
        unit=data["unit"],
        remaining=spoken_of(context),
        instead=other_in(context, data),
    )


def _updated(context: Context, data: Data) -> Outbound | None:
    events = [event_of(packed) for packed in data["events"]]
    answered = [(context.states[e.key], e) for e in events if e.key in context.states]
    if not answered:
        return None
    missing = [
        s
        for s in spoken_of(context)
        if s.occurrence.is_check_in and set(s.open_units) & set(data["units"])
    ]
    return answers.updated(
        context,
        answered,
        missing=list({s.key[:3]: s for s in reversed(missing)}.values())[::-1],
        steady=data["steady"],
    )


def _already(context: Context, data: Data) -> Outbound | None:
    state = state_in(context, data)
    if state is None:
        return None
    message = answers.already_done(context, state, event_in(data))
    following = other_in(context, data, "next")
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
    other = other_in(context, data)
    if other is None:
        return []
    name = handle(context, other)
    typed = f"xong {name.replace('đ', 'dd', 1)}"
    button = context.button(f"Ý tôi là {name}", Act.DONE, other, typed)
    return [speak(context, "Hay ý anh/chị là", other, "?", typed=[typed], actions=((button,),))]


def _not_yours(context: Context, data: Data) -> Outbound | None:
    state = state_in(context, data)
    if state is None:
        return None
    verb = Verb(data.get("verb", Verb.DONE))
    return joined([replies.not_your_unit(context, state, verb), *_offer(context, data)])


def _closed_word(context: Context, data: Data) -> Outbound | None:
    return escalation.closed_word(context, keys_in(context, data), leaders=data["leaders"])


def _extension_asked(context: Context, data: Data) -> Outbound | None:
    """None once it was decided, withdrawn, or the task closed."""
    state = state_in(context, data)
    if state is None or state.request is None or state.request.until is None:
        return None
    before = data.get("before")
    return notices.extension_asked(
        context, state, before=date.fromisoformat(before) if before else None
    )


def _extension_decided(context: Context, data: Data) -> Outbound | None:
    state = state_in(context, data)
    if state is None:
        return None
    granted, note = data["granted"], data["note"]
    return replies.extension_decided(context, state, granted=granted, note=note)


def _help(context: Context, data: Data) -> Outbound:
    return notices.help_text(context, office=data["office"], leader=data["leader"])


def _several(context: Context, data: Data) -> Outbound | None:
    """Each outcome of one text, in one message."""
    views = [View(name=name, data=part) for name, part in data["parts"]]
    return joined([message for view in views if (message := render(view, context))])


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
    )


_VIEWS: Mapping[str, Renders] = {
    "done": _done,
    "updated": _updated,
    "already-done": _already,
    "not-your-unit": _not_yours,
    "not-done": _of_state(replies.not_done),
    "asked": _of_state(replies.asked),
    "closed-word": _closed_word,
    "extension-asked": _extension_asked,
    "extension-decided": _extension_decided,
    "help": _help,
    "several": _several,
    "digest": lambda context, _: digest.weekly(context, digest.digest_of(context)),
    "zalo": lambda context, _: digest.zalo(context, digest.digest_of(context)),
    "stranger": lambda _context, _data: replies.stranger(),
    **ACTS,
    **QUESTIONS,
    **LISTS,
    **REFUSALS,
    **HISTORY,
    **REQUESTS,
    **ABSENCE,
}
NAMES = frozenset(_VIEWS)
