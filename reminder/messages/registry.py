"""The registry: which function renders which payload; the others are a block and no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reminder.domain.channels import Outbound
from reminder.domain.payloads import Digest, Payload, ReportDraft, Several, Zalo
from reminder.messages import compose
from reminder.messages.answers import ANSWERS
from reminder.messages.context import Context
from reminder.messages.digest import digest_of, weekly_digest, zalo
from reminder.messages.escalation import WORDS
from reminder.messages.extensions import EXTENSIONS
from reminder.messages.lists import LISTS
from reminder.messages.notices import NOTICES
from reminder.messages.questions import QUESTIONS
from reminder.messages.refusals import REFUSALS
from reminder.messages.report import report_draft


def render(context: Context, payload: Payload) -> Outbound | None:
    """`payload` in words; None if it is of nothing that the plans still have, or that stands.

    KeyError for what is no message.
    """
    return MESSAGES.get(type(payload), compose.plain)(context, payload)


def _several(context: Context, payload: Several) -> Outbound | None:
    """Each outcome of one text, in one message."""
    parts = (render(context, part) for part in payload.parts)
    return compose.joined([message for message in parts if message])


MESSAGES: Mapping[type[Payload], Callable[[Context, Any], Outbound | None]] = {
    Digest: lambda context, _: weekly_digest(context),
    Several: _several,
    Zalo: lambda context, _: zalo(context, digest_of(context)),
    ReportDraft: report_draft,
    **ANSWERS,
    **EXTENSIONS,
    **QUESTIONS,
    **REFUSALS,
    **LISTS,
    **WORDS,
    **NOTICES,
}
