"""`reminder understand`: what the program makes of a message, without doing anything."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from enum import Enum
from typing import Annotated, Any

import typer

from reminder.app import bootstrap
from reminder.cli import options
from reminder.understanding import Command, CommandError, Meaning, Target, parse

EXAMPLES = (
    'Examples: reminder understand "dạ em báo cáo 1c đã xong ạ" --unit tu-phap; '
    'reminder understand "xong" --reply-to 1c --json'
)


def understand(
    text: Annotated[str, typer.Argument(help="The message, as an officer would type it.")],
    files: options.PlanFiles = None,
    unit: Annotated[
        list[str] | None,
        typer.Option(metavar="UNIT", help="A unit of the sender; may be repeated."),
    ] = None,
    reply_to: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE", help="A task named in the message that this answers."),
    ] = None,
    on: Annotated[
        str | None, typer.Option(metavar="DATE", help="Typed on this day. [today]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show what the program makes of a message. Nothing is done and nothing is recorded."""
    plans = bootstrap.load_plans(bootstrap.plan_paths(files or []))
    units = tuple(u for name in unit or [] if (u := options.unit(name, plans)))
    meaning = Meaning(
        plans=tuple(plans),
        units=units,
        office=any(plan.office in units for plan in plans),
        reply_to=tuple(Target(task=options.code(code, plans)) for code in reply_to or []),
        is_reply=bool(reply_to),
    )
    found = parse(text, options.day(on) if on else bootstrap.today(), meaning)
    if as_json:
        print(json.dumps(_as_json(found), ensure_ascii=False))
    elif isinstance(found, CommandError):
        print(f"không hiểu ({found.reason}): {found.say}")
    else:
        _print_command(found)


def _as_json(found: Command | CommandError) -> dict[str, Any]:
    """The command's own fields, those that say nothing left out."""
    kind = "error" if isinstance(found, CommandError) else "command"
    return {"kind": kind, **_lean(asdict(found))}


def _lean(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _lean(v) for k, v in value.items() if v not in ("", None, (), False)}
    if isinstance(value, list | tuple):
        return [_lean(v) for v in value]
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def _print_command(command: Command, indent: str = "") -> None:
    for key, value in _lean(asdict(command)).items():
        if key != "also":
            print(f"{indent}{key}: {_words(value)}")
    for more in command.also:
        print(f"{indent}also:")
        _print_command(more, indent + "  ")


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{k}={_words(v)}" if k != "task" else str(v) for k, v in value.items())
    if isinstance(value, list):
        return "; ".join(_words(v) for v in value)
    return str(value)
