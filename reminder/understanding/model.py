"""What a typed text can mean: a Command, or a CommandError that says what to type instead.

`parse(format_command(command)) == command`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from reminder.domain.plan import Plan
from reminder.understanding.verbs import LISTED, Takes, Verb


@dataclass(frozen=True, kw_only=True)
class Target:
    """Work that a text names; what it leaves out stays empty."""

    task: str  # a code of the plan: 1c, 1đ, 3, BC
    deliverables: tuple[int, ...] = ()
    every: bool = False  # “cả hai”: all of the task's deliverables
    period: str | None = None  # 2024-03; None also where a one-off's own time is named
    plan: str | None = None  # its id, only where the text names it
    unit: str | None = None  # whose part of shared work; “*”: all units'
    also_meant: str | None = None  # typed without a Vietnamese keyboard, 1d may be 1đ


@dataclass(frozen=True, kw_only=True)
class Command:
    """One thing to do or to answer; `also` holds what else the same text says."""

    verb: Verb
    targets: tuple[Target, ...] = ()
    everything: bool = False  # all that `targets` names; without targets, all that is open
    evidence: str = ""  # as typed: số, ký hiệu, ngày
    note: str = ""  # a note, a reason, or the text that answers everything else
    answers: tuple[tuple[Target, str], ...] = ()  # of an update, in the order of `targets`
    since: date | None = None
    until: date | None = None
    days: int | None = None
    period: str | None = None  # of a report; of dates that are confirmed all at once
    code: str = ""  # of an invitation
    person: str = ""  # whose absence, as typed; empty: the sender's own
    unit: str = ""
    event_at: datetime | None = None  # of a button: when what it takes back was said
    listed_back: bool = False  # a range: say what it covers and ask before it acts
    also: tuple[Command, ...] = ()


class Reason(StrEnum):
    """Why a text could not be understood."""

    EMPTY = "empty"
    TOO_LONG = "too-long"
    NOT_UNDERSTOOD = "not-understood"
    NOT_FOR_US = "not-for-us"  # addressed to another bot
    UNKNOWN_COMMAND = "unknown-command"
    UNKNOWN_CODE = "unknown-code"
    UNKNOWN_UNIT = "unknown-unit"
    UNKNOWN_DELIVERABLE = "unknown-deliverable"
    NEEDS_CODE = "needs-code"
    WHICH_CODE = "which-code"  # an answer to a message about several tasks
    AMBIGUOUS_CODE = "ambiguous-code"  # “2”, where there are 2a, 2b …
    BARE_NUMBER = "bare-number"
    BAD_DATE = "bad-date"
    BAD_PERIOD = "bad-period"
    NEEDS_DATE = "needs-date"
    NEEDS_REASON = "needs-reason"
    NEEDS_TEXT = "needs-text"


@dataclass(frozen=True, kw_only=True)
class CommandError:
    """A text that does nothing; `say` tells the sender what to type instead."""

    reason: Reason
    say: str
    targets: tuple[Target, ...] = ()  # what was understood, for an answer with buttons


class Refused(Exception):  # noqa: N818
    """Raised where a text turns out to be one that does nothing."""

    def __init__(self, error: CommandError) -> None:
        super().__init__(error.say)
        self.error = error


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What the sender may mean."""

    plans: tuple[Plan, ...]
    units: tuple[str, ...] = ()  # the sender's
    office: bool = False
    only_reads: bool = False  # a leader, who has nothing to report
    reply_to: tuple[Target, ...] = field(default=())  # named in the message replied to
    is_reply: bool = False  # also where that message names no task
    bot_name: str = ""


def format_command(command: Command) -> str:
    """Return `command` as a text that means just that."""
    return "\n".join(_line(each) for each in (command, *command.also))


def _line(command: Command) -> str:
    listed = [LISTED] if command.listed_back else []
    words = [f"/{command.verb.row.name}", *listed, *_arguments(command)]
    text = command.evidence or command.note
    return " ".join(words) + (f": {text}" if text and command.verb is not Verb.UPDATE else "")


def _arguments(command: Command) -> list[str]:
    match command.verb.row.takes:
        case Takes.INVITATION:
            return [command.code]
        case Takes.ABSENCE:
            days = [command.since, command.until]
            stretch = "-".join(_day(day) for day in days if day) or "hủy"
            return [command.person, stretch] if command.person else [stretch]
        case Takes.PERIOD:
            return [command.period or ""]
    if command.verb is Verb.UPDATE:
        return [_answers(command)]
    if command.everything:
        return ["tất cả", *([command.period] if command.period else [])]
    words = [", ".join(map(_target, command.targets))] if command.targets else []
    words += [_day(command.until)] if command.until else []
    words += [f"{command.days} ngày"] if command.days else []
    return [*words, *([command.unit] if command.unit else [])]


def _answers(command: Command) -> str:
    lines = [f"{_target(target)}: {text}" for target, text in command.answers]
    if command.everything:
        lines.append(f"{'còn lại' if lines else 'tất cả'}: {command.note}")
    return "\n".join(lines)


def _target(target: Target) -> str:
    code = f"{target.plan}/{target.task}" if target.plan else target.task
    words = [code, *(str(number) for number in target.deliverables)]
    words += [target.period] if target.period else []
    words += ["tất cả"] if target.every or target.unit == "*" else []
    words += [target.unit] if target.unit not in (None, "*") and target.unit else []
    return " ".join(words)


def _day(day: date) -> str:
    return f"{day.day}/{day.month}/{day.year}"
