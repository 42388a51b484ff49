"""`reminder done`, `setdue`, `approve` …: what an officer types to the bot, on behalf of a person.

For what is told by telephone or on paper, and for an office that has mail but no inbox. The rights
are the person's own, and the words are those of the chat: a verb's arguments are parsed as a
message is.
"""
# No postponed annotations: each command's arguments are named by its act. What decides and renders
# takes a while to load, so the commands import it.

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reminder.app import bootstrap
from reminder.cli.log import event_fields
from reminder.cli.options import Config
from reminder.cli.people import known_person
from reminder.domain.errors import ReminderError
from reminder.understanding.verbs import Terminal, Verb

if TYPE_CHECKING:
    from reminder.domain.payloads import Payload
    from reminder.services.office import Office

By = Annotated[str, typer.Option("--by", metavar="NGƯỜI", help="Mã người báo, trong people.toml.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="Một đối tượng JSON: mục đã ghi và lời trả lời.")
]


_TAIL = "Ghi thay một người, theo đúng quyền của người ấy. Mã thoát 1 nếu không ghi được gì."


@dataclass(frozen=True)
class Act:
    """A verb as a command."""

    name: str
    form: Terminal

    @property
    def epilog(self) -> str:
        return f"Ví dụ: reminder {self.name} {self.form.example} --by an"

    @property
    def command(self) -> Callable[..., None]:
        """The function that typer calls."""

        def run(
            words: Annotated[
                list[str],
                typer.Argument(
                    metavar=self.form.arguments,
                    help=f"Như khi nhắn /{self.name} cho máy nhắc việc.",
                ),
            ],
            by: By,
            as_json: AsJson = False,
            config: Config = None,
        ) -> None:
            _run(self, words, by, as_json=as_json, config=config)

        run.__doc__ = f"{self.form.help} {_TAIL}"
        return run


ACTS = tuple(Act(verb.row.name, verb.row.terminal) for verb in Verb if verb.row.terminal)


def _run(act: Act, words: list[str], by: str, *, as_json: bool, config: Path | None) -> None:
    from reminder.messages.rows import RowRenderer
    from reminder.services.service import Service

    with bootstrap.office(config) as opened:
        person = known_person(by, opened.office.people)
        service = Service(
            store=opened.store,
            renderer=RowRenderer().render,
            office=opened.office,
        )
        text = f"/{act.name} {' '.join(words)}"
        outcome = service.handle(person, text, opened.now, channel="cli")
        said = _words(service.refresh(), outcome.answer, opened.now)
    if as_json:
        fields = {
            "recorded": [event_fields(event) for event in outcome.events],
            "reminded": [[*key, unit] for key, unit in outcome.reminded],
            "said": said,
        }
        print(json.dumps(fields, ensure_ascii=False))
        if not outcome.acted:
            raise typer.Exit(1)
        return
    if not outcome.acted:
        raise ReminderError(said)
    print(said)


def _words(office: "Office", answer: "Payload | None", now: datetime) -> str:
    """The answer as the person would read it."""
    from reminder.domain.outbox import Draft, Row, RowState
    from reminder.messages.rows import RowRenderer

    if answer is None:
        return ""
    draft = Draft(slot=now, recipient="", kind="reply", channel="cli", payload=answer, due_at=now)
    row = Row(id=0, draft=draft, state=RowState.LEASED, due_at=now)
    message = RowRenderer().render(office, now, row)
    return message.text if message else ""
