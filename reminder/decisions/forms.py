"""Commands as one types them, which refusals offer."""

from __future__ import annotations

from dataclasses import replace

from reminder.domain.periods import vn_date
from reminder.understanding import Command, Target, Verb, format_command, say


def head(verb: Verb) -> str:
    """The words that open a command: “xong”, “/dathan”."""
    return say.typed(verb, "{}").partition(" {}")[0]


def tail(command: Command) -> str:
    """What stands behind the code: the day, the number of days, the text."""
    words = [vn_date(command.until, year=True)] if command.until else []
    words += [f"{command.days} ngày"] if command.days else []
    words += [text] if (text := command.evidence or command.note) else []
    return " ".join(words)


def typed(command: Command) -> str:
    """`command` alone as typed, lists one by one; it is parsed to the same again."""
    line = format_command(replace(command, also=(), listed_back=False))
    _, _, rest = line.partition(" ")
    return f"{head(command.verb)} {rest}".replace("\n", "; ")


def of_plan(command: Command, target: Target, year: int) -> str:
    """`command` on `target` alone, in the plan of `year`: “xong 2025/1c”."""
    named = replace(target, plan=str(year))
    answers = tuple((named, text) for each, text in command.answers if each == target)
    return typed(replace(command, targets=(named,), answers=answers, everything=False))
