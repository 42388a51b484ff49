"""How many steps the program takes: python -m bench.trace [--files]

Wires the program as `reminder run` does, and records which functions of `reminder` run from an
update to the rendered reply, and from a plan file to a rendered nudge. What is done once in a
process is not counted: one answer and one nudge went through before. Counts lines and files too.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType

from telegram import Update

import reminder
from reminder.app import bootstrap, wiring
from reminder.channels.telegram.receive import to_inbound

ROOT = Path(reminder.__file__).parent
CHAT = 4711
SETTINGS = f"""
[plan]
files = ["{bootstrap.shipped("data/plan2024.toml").absolute()}"]
people = "people.toml"
calendar = "{bootstrap.shipped("config/calendar.toml").absolute()}"
[telegram]
token = "1:trace"
"""
PEOPLE = """
[[person]]
id = "an"
name = "An"
unit = "tu-phap"
"""


@dataclass
class Trace:
    """The functions that ran, and how often a call went from one file to another."""

    functions: Counter[tuple[str, str]] = field(default_factory=Counter)
    moves: int = 0

    @property
    def files(self) -> list[str]:
        return sorted({file for file, _ in self.functions})

    def note(self, frame: FrameType, event: str, _: object) -> None:
        here = _file(frame) if event == "call" else None
        if here is None or frame.f_code.co_name.startswith("<"):  # a comprehension, a lambda
            return
        self.functions[here, frame.f_code.co_qualname] += 1
        caller = frame.f_back
        while caller is not None and _file(caller) is None:
            caller = caller.f_back
        self.moves += caller is not None and _file(caller) != here


def _file(frame: FrameType) -> str | None:
    name = frame.f_code.co_filename
    return name.removeprefix(f"{ROOT}/") if name.startswith(f"{ROOT}/") else None


@contextmanager
def traced() -> Iterator[Trace]:
    """All functions of `reminder` that run in it."""
    trace = Trace()
    sys.setprofile(trace.note)
    try:
        yield trace
    finally:
        sys.setprofile(None)


class Clock:
    """Shows one instant until another is set."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def update(number: int, text: str, at: datetime) -> Update:
    """What Telegram hands out when the officer types `text`."""
    user = {"id": CHAT, "is_bot": False, "first_name": "An"}
    message = {
        "message_id": number,
        "from": user,
        "chat": {"id": CHAT, "type": "private", "first_name": "An"},
        "date": int(at.timestamp()),
        "text": text,
    }
    found = Update.de_json({"update_id": number, "message": message}, None)
    assert found is not None
    return found


def traces(folder: Path) -> tuple[Trace, Trace]:
    """A nudge and an answer."""
    (folder / "people.toml").write_text(PEOPLE, encoding="utf-8")
    config = folder / "reminder.toml"
    config.write_text(
        SETTINGS + f'[store]\nurl = "sqlite:///{folder / "trace.db"}"\n', encoding="utf-8"
    )
    settings = bootstrap.load_settings(config)
    clock = Clock(datetime(2024, 1, 25, 0, 0, tzinfo=UTC))
    program = wiring.program(config, clock)
    service, dispatcher = program.daemon.service, program.daemon.dispatcher
    service.begin(clock.now())
    program.store.bind("an", "telegram", str(CHAT), clock.now())

    def nudge() -> None:
        files = bootstrap.read_files(settings, clock.now())
        service.office = replace(service.office, files=files)
        service.tick(clock.now())
        assert "1c" in service.lease(clock.now(), 10)[0].message.text

    def answer(number: int, text: str) -> None:
        inbound = to_inbound(update(number, text, clock.now()))
        assert inbound is not None
        assert dispatcher.take(partial(service.take, inbound))
        assert text[-2:] in dispatcher._answers[-1].message.text

    clock.at = datetime(2024, 1, 26, 1, 0, 30, tzinfo=UTC)
    nudge()
    answer(1, "/done 2c")
    clock.at = datetime(2024, 1, 30, 1, 0, 30, tzinfo=UTC)
    with traced() as of_nudge:
        nudge()
    with traced() as of_answer:
        answer(2, "/done 1c")
    program.store.close()
    return of_nudge, of_answer


def verb_tables() -> list[str]:
    """The constants that list verbs, beside the class `Verb`: each costs a new verb a step."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
                continue
            verbs = [
                part
                for part in ast.walk(node.value)
                if isinstance(part, ast.Attribute)
                and isinstance(part.value, ast.Name)
                and part.value.id == "Verb"
            ]
            if len(verbs) > 1:
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                found.append(f"{path.relative_to(ROOT)}: {ast.unparse(target)}")
    return found


def naming_a_channel() -> list[str]:
    """The files outside of `channels` that name one, or import from its folder."""
    name = re.compile(
        r'\b(TELEGRAM|EMAIL)\b|"(telegram|email)"'  # ZALO is a command too
        r"|reminder\.channels(\.| import .*\b)(telegram|email|zalo)"
    )
    files = {path.relative_to(ROOT): path for path in sorted(ROOT.rglob("*.py"))}
    return [
        str(file)
        for file, path in files.items()
        if file.parts[0] != "channels" and name.search(path.read_text(encoding="utf-8"))
    ]


# What is counted → before the code was taken apart into today's packages, and the aim.
GOALS = {
    "files of an answer, from the update to the rendered reply": ("57", "28"),
    "functions of it": ("291", ""),
    "calls from one file to another in it": ("740", ""),
    "files of a nudge, from the due date in TOML to the message": ("44", "24"),
    "functions of it ": ("284", ""),
    "constants that list verbs, beside their table": ("23", "0"),
    "files outside of a channel's folder that name it": ("25", ""),
    "lines": ("31,574", "24,000"),
    "files": ("228", "125"),
}


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", action="store_true", help="name the files and functions")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        nudge, answer = traces(Path(folder))
    texts = [path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py")]
    now = [
        len(answer.files),
        len(answer.functions),
        answer.moves,
        len(nudge.files),
        len(nudge.functions),
        len(verb_tables()),
        len(naming_a_channel()),
        sum(len(text.splitlines()) for text in texts),
        len(texts),
    ]
    print("| in `reminder/` | before | now | aim |\n|---|---|---|---|")
    for (what, (before, aim)), count in zip(GOALS.items(), now, strict=True):
        print(f"| {what.strip()} | {before} | {count:,} | {aim} |")
    if given.files:
        for heading, trace in (("Answer", answer), ("Nudge", nudge)):
            print(f"\n{heading}:")
            for file in trace.files:
                names = sorted(name for found, name in trace.functions if found == file)
                print(f"  {file}: {', '.join(names)}")
        print("\nVerbs:", *verb_tables(), sep="\n  ")
        print("\nChannels:", *naming_a_channel(), sep="\n  ")


if __name__ == "__main__":
    _main()
