"""Who may do and read what, by the files as they are at the time of the message."""

from __future__ import annotations

from reminder.domain.context import Context, Sender
from reminder.domain.plan import Task
from reminder.understanding import Verb

OF_THE_OFFICE = frozenset(
    {Verb.REOPEN, Verb.SETDUE, Verb.CONFIRM, Verb.APPROVE, Verb.REJECT, Verb.REMIND, Verb.REPORT}
)  # what nobody else may do


def may(sender: Sender, verb: Verb) -> bool:
    """Return whether `sender` may do this to any work at all."""
    return sender.office or verb not in OF_THE_OFFICE


def own_units(context: Context, task: Task) -> tuple[str, ...]:
    """Return the lead units of `task` for which the sender answers; leaders only read."""
    leaders = {plan.leaders for plan in context.plans}
    return tuple(u for u in task.lead if u in context.sender.units and u not in leaders)


def reads_all(sender: Sender) -> bool:
    """Return whether `sender` reads of the work of all units."""
    return sender.office or sender.leader


def may_read(sender: Sender, task: Task) -> bool:
    """Return whether `sender` reads all of `task`; of other tasks the dates alone."""
    return reads_all(sender) or bool({*task.lead, *task.support} & set(sender.units))
