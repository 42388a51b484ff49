"""The registry: which function renders which payload."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reminder.domain.channels import Outbound
from reminder.domain.payloads import Digest, Payload, Several
from reminder.messages import program, views
from reminder.messages.context import Context
from reminder.messages.digest import weekly_digest


def render(context: Context, payload: Payload) -> Outbound | None:
    """`payload` in words; None if it is of nothing that the plans still have, or that stands.

    KeyError for what is no message.
    """
    return MESSAGES[type(payload)](context, payload)


def _several(context: Context, payload: Several) -> Outbound | None:
    """Each outcome of one text, in one message."""
    parts = (render(context, part) for part in payload.parts)
    return views.joined([message for message in parts if message])


MESSAGES: Mapping[type[Payload], Callable[[Context, Any], Outbound | None]] = {
    Digest: lambda context, _: weekly_digest(context),
    Several: _several,
    **views.VIEWS,
    **program.VIEWS,
}
