"""A Command as text that means just that: `parse(format_command(command)) == command`."""

from __future__ import annotations

from datetime import date

from reminder.understanding.model import Command, Target
from reminder.understanding.verbs import LISTED, Takes, Verb


def format_command(command: Command) -> str:
    """`command` as typed with a slash; what the text says besides comes on lines of its own."""
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
    words = [_targets(command)] if command.targets else []
    words += [_day(command.until)] if command.until else []
    words += [f"{command.days} ngày"] if command.days else []
    return [*words, *([command.unit] if command.unit else [])]


def _answers(command: Command) -> str:
    lines = [f"{_target(target)}: {text}" for target, text in command.answers]
    if command.everything:
        lines.append(f"{'còn lại' if lines else 'tất cả'}: {command.note}")
    return "\n".join(lines)


def _targets(command: Command) -> str:
    return ", ".join(_target(target) for target in command.targets)


def _code(target: Target) -> str:
    return f"{target.plan}/{target.task}" if target.plan else target.task


def _target(target: Target) -> str:
    words = [_code(target), *(str(number) for number in target.deliverables)]
    words += [target.period] if target.period else []
    words += ["tất cả"] if target.every or target.unit == "*" else []
    words += [target.unit] if target.unit not in (None, "*") and target.unit else []
    return " ".join(words)


def _day(day: date) -> str:
    return f"{day.day}/{day.month}/{day.year}"
