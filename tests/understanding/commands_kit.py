"""What the tests of typed commands share: the plan of 2024, senders, and short ways to expect."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from reminder.files.plan import load_plan
from reminder.understanding.model import Command, CommandError, Meaning, Reason, Target
from reminder.understanding.parse import parse
from reminder.understanding.verbs import Verb

PLAN = load_plan(Path(__file__).parents[2] / "data" / "plan2024.toml")
TODAY = date(2024, 1, 30)  # a Tuesday
OFFICER = Meaning(plans=(PLAN,), units=("tu-phap",), bot_name="reminder_bot")
OFFICE = Meaning(plans=(PLAN,), units=("van-phong",), office=True, bot_name="reminder_bot")

_BOTH_D = {"1d": "1đ", "2d": "2đ"}


def t(task: str, *deliverables: int, sure: bool = False, **more: object) -> Target:
    """A target; 1d is as good as 1đ unless it is `sure`."""
    also = None if sure else _BOTH_D.get(task)
    target = Target(task=task, deliverables=deliverables, also_meant=also)
    return replace(target, **more)  # type: ignore[arg-type]


def command(verb: Verb, *targets: Target | str, **more: object) -> Command:
    """A command of `verb` on `targets`, given as targets or as codes."""
    named = tuple(t(each) if isinstance(each, str) else each for each in targets)
    return replace(Command(verb=verb, targets=named), **more)  # type: ignore[arg-type]


def done(*targets: Target | str, **more: object) -> Command:
    return command(Verb.DONE, *targets, **more)


def not_done(*targets: Target | str, **more: object) -> Command:
    return command(Verb.NOT_DONE, *targets, **more)


def answer(**texts: str) -> Command:
    """An update: `answer(_1a="…")`; dd stands for đ."""
    pairs = tuple((t(code.lstrip("_").replace("dd", "đ")), text) for code, text in texts.items())
    return Command(verb=Verb.UPDATE, targets=tuple(target for target, _ in pairs), answers=pairs)


def replying(*tasks: str, to: Meaning = OFFICER) -> Meaning:
    """A sender who answers a message that names `tasks`."""
    return replace(to, reply_to=tuple(Target(task=task) for task in tasks), is_reply=True)


def understood(text: str, meaning: Meaning = OFFICER, today: date = TODAY) -> Command:
    result = parse(text, today, meaning)
    assert isinstance(result, Command), f"{text!r}: {result}"
    return result


def refused(text: str, meaning: Meaning = OFFICER) -> Reason:
    result = parse(text, TODAY, meaning)
    assert isinstance(result, CommandError), f"{text!r}: {result}"
    assert result.say.strip()
    return result.reason


def closes(result: Command | CommandError) -> bool:
    """Whether anything in `result` closes work."""
    if isinstance(result, CommandError):
        return False
    return any(each.verb in (Verb.DONE, Verb.UPDATE) for each in (result, *result.also))
