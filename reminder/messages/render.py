"""The renderer's front door: every message that the service can say, as an Outbound.

Each takes a Context (today, calendar, plans, states, names, button ids) and core values, is a pure
function of them, and is true on the context's day.
"""

from reminder.messages.answers import (
    already_done,
    answer,
    asked,
    done,
    extension_decided,
    not_done,
    not_your_unit,
    seen,
    stranger,
    submitted,
    updated,
    which,
)
from reminder.messages.compose import repeated
from reminder.messages.context import Act, ActionId, Context, handle
from reminder.messages.escalation import Reminded, closed_word, to_leaders, to_office
from reminder.messages.notices import (
    address_dead,
    channel_down,
    dead_letter,
    extension_asked,
    help_text,
    unit_empty,
)
from reminder.messages.nudge import nudge

__all__ = [
    "Act",
    "ActionId",
    "Context",
    "Reminded",
    "address_dead",
    "already_done",
    "answer",
    "asked",
    "channel_down",
    "closed_word",
    "dead_letter",
    "done",
    "extension_asked",
    "extension_decided",
    "handle",
    "help_text",
    "not_done",
    "not_your_unit",
    "nudge",
    "repeated",
    "seen",
    "stranger",
    "submitted",
    "to_leaders",
    "to_office",
    "unit_empty",
    "updated",
    "which",
]
