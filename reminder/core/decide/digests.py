"""The digest at any time, and its plain form for a group: for the office and the leaders."""

from __future__ import annotations

from reminder.core.commands import Command
from reminder.core.decide.common import refusal, said
from reminder.core.decide.listings import reads_all
from reminder.core.desk import Decision, Desk


def digest(desk: Desk, command: Command) -> Decision:
    """`/digest` and `/zalo`: a view of that name, made when it is sent."""
    if not reads_all(desk):
        raise refusal("reads-all-only", verb=command.verb.value)
    return said(command.verb.value)
