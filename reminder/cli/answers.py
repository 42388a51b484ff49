"""What officers type to the bot: recorded on behalf of a person, or only shown how it is read.

`reminder done`, `setdue`, `approve` … are for what is told by telephone or on paper, and for an
office that has mail but no inbox. The rights are the person's own, and the words are those of the
chat: a verb's arguments are parsed as a message is.
"""
# No postponed annotations: each command's arguments are named by its verb. What decides and renders
# takes a while to load, so the commands import it.

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reminder.app import bootstrap
from reminder.cli import options
from reminder.cli.log import event_fields
from reminder.cli.options import Config, day_option, option
from reminder.cli.people import known_person
from reminder.domain.calendar import instant, local
from reminder.domain.errors import ReminderError
from reminder.understanding.verbs import Terminal, Verb

if TYPE_CHECKING:
    from reminder.understanding.model import Command

By = Annotated[str, typer.Option("--by", metavar="NGƯỜI", help="Mã người báo, trong people.toml.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="Một đối tượng JSON: mục đã ghi và lời trả lời.")
]
_TAIL = "Ghi thay một người, theo đúng quyền của người ấy. Mã thoát 1 nếu không ghi được gì."


def _act(name: str, form: Terminal) -> Callable[..., None]:
    """Return the command of a verb."""

    typed = Annotated[
        list[str],
        typer.Argument(metavar=form.arguments, help=f"Như khi nhắn /{name} cho máy nhắc việc."),
    ]

    def run(words: typed, by: By, as_json: AsJson = False, config: Config = None) -> None:
        from reminder.messages import rows
        from reminder.services.service import Service

        with bootstrap.office(config) as opened:
            bootstrap.need_served(opened.store)
            person = known_person(by, opened.office.people)
            renderer = rows.RowRenderer()
            service = Service(store=opened.store, renderer=renderer.render, office=opened.office)
            codes = {task.code for plan in opened.office.plans for task in plan.tasks}
            text = f"/{name} {_typed(words, codes)}"
            outcome = service.handle(person, text, opened.now, channel="cli")
            context = renderer.context(service.refresh(), opened.now)
            answer = rows.render(context, outcome.answer) if outcome.answer else None
        said = answer.text if answer else ""
        if as_json:
            fields = {
                "recorded": [event_fields(event) for event in outcome.events],
                "reminded": [[*key, unit] for key, unit in outcome.reminded],
                "said": said,
            }
            print(json.dumps(fields, ensure_ascii=False))
            if not outcome.acted:
                raise typer.Exit(1)
        elif not outcome.acted:
            raise ReminderError(said)
        else:
            print(said)

    def dated(
        words: typed,
        by: By,
        on: Annotated[date | None, day_option("Ngày ấy, thay cho NGÀY.", "--day")] = None,
        note: Annotated[str, option("LỜI", "Căn cứ, thay cho NỘI-DUNG.")] = "",
        as_json: AsJson = False,
        config: Config = None,
    ) -> None:
        told = f"{on.day}/{on.month}/{on.year}" if on else ""
        more = [f"{told}: {note}" if told and note else told or note]
        run([*words, *filter(None, more)], by, as_json, config)

    command = dated if form.dated else run
    command.__doc__ = f"{form.help} {_TAIL}"
    return command


def _typed(words: list[str], codes: set[str]) -> str:
    """Return the arguments as one text; “1.1 1.2” is two codes here, and no code with a day."""
    listed = {
        index
        for index, (one, two) in enumerate(pairwise(words))
        if one in codes and two in codes and not two.isalnum()
    }
    return " ".join(f"{word}," if index in listed else word for index, word in enumerate(words))


# Each verb that is a command: its name, what typer calls, and an example.
ACTS = tuple(
    (verb.row.name, _act(verb.row.name, form), f"reminder {verb.row.name} {form.example} --by an")
    for verb in Verb
    if (form := verb.row.terminal)
)

EXAMPLES = (
    'Ví dụ: reminder understand "dạ em báo cáo 1c đã xong ạ" --unit tu-phap; '
    'reminder understand "xong" --reply-to 1c --json; '
    "reminder understand --batch messages.tsv --json; "
    "reminder understand --mail answer.eml --unit tu-phap --reply-to 1c --json"
)


def understand(
    text: Annotated[
        str | None, typer.Argument(metavar="TIN", help="Tin nhắn, như cán bộ gõ.")
    ] = None,
    files: options.PlanFiles = None,
    unit: Annotated[
        list[str] | None, option("BỘ-PHẬN", "Bộ phận của người nhắn; ghi được nhiều lần.")
    ] = None,
    reply_to: Annotated[
        list[str] | None, option("MÃ", "Việc có trong tin mà tin này trả lời.")
    ] = None,
    on: Annotated[date | None, day_option("Nhắn vào ngày này. [hôm nay]")] = None,
    batch: Annotated[
        Path | None, option("TỆP", "Diễn từng dòng của tệp TSV trên một cơ quan giả; in JSON.")
    ] = None,
    mail: Annotated[
        Path | None, option("TỆP", "Diễn một thư (.eml) trên một cơ quan giả; in JSON.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Xem máy hiểu một tin nhắn thế nào. Không làm gì và không ghi gì.

    --batch và --mail cho thấy máy sẽ ghi gì và trả lời gì, trên kế hoạch 2024 kèm theo chương trình
    với mỗi bộ phận một công chức giả. Các cột của tệp TSV: text hoặc mail, sender, reply_to,
    moment, before, where.
    """
    if batch is not None:
        return _play_batch(batch)
    if mail is not None:
        return _play_mail(mail, unit or [], reply_to or [], on)
    if text is None:
        raise ReminderError("xin ghi TIN, hoặc --batch TỆP, hoặc --mail TỆP")
    from reminder.understanding.model import CommandError, Meaning, Target
    from reminder.understanding.parse import parse

    plans = bootstrap.load_plans(bootstrap.plan_sources(files))
    for code in reply_to or []:
        options.check_code(code, {task.code for plan in plans for task in plan.tasks})
    units = tuple(u for name in unit or [] if (u := options.unit(name, plans)))
    meaning = Meaning(
        plans=tuple(plans),
        units=units,
        office=any(plan.office in units for plan in plans),
        reply_to=tuple(Target(task=code) for code in reply_to or []),
        is_reply=bool(reply_to),
    )
    found = parse(text, on or bootstrap.today(), meaning)
    if as_json:
        kind = "error" if isinstance(found, CommandError) else "command"
        print(json.dumps({"kind": kind, **_lean(asdict(found))}, ensure_ascii=False))
    elif isinstance(found, CommandError):
        print(f"không hiểu: {found.say}")
    else:
        _print_command(found)
    return None


def _play_batch(path: Path) -> None:
    from reminder.app import batch  # it loads the whole program

    try:
        rows = batch.read_rows(path)
    except ReminderError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from None
    for line in batch.answers(rows):
        print(json.dumps(line, ensure_ascii=False))


def _play_mail(path: Path, units: list[str], codes: list[str], on: date | None) -> None:
    from reminder.app import batch  # it loads the whole program

    if not path.is_file():
        print(f"không đọc được {path}", file=sys.stderr)
        raise typer.Exit(2)
    at = batch.MOMENT if on is None else instant(on, local(batch.MOMENT).time())
    row = batch.Row(sender=(units or ["tu-phap"])[0], mail=path, reply_to=tuple(codes), at=at)
    print(json.dumps(batch.answers([row])[0], ensure_ascii=False))


def _lean(value: Any) -> Any:
    """Return `value` as JSON has it, without empty fields."""
    if isinstance(value, dict):
        return {k: _lean(v) for k, v in value.items() if v not in ("", None, (), False)}
    if isinstance(value, list | tuple):
        return [_lean(v) for v in value]
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


_LABELS = {  # of a command's fields, and of what it names
    "verb": "lệnh",
    "targets": "việc",
    "everything": "tất cả",
    "evidence": "số văn bản",
    "note": "nội dung",
    "answers": "trả lời",
    "since": "từ ngày",
    "until": "đến ngày",
    "days": "số ngày",
    "period": "kỳ",
    "code": "mã mời",
    "person": "người",
    "unit": "bộ phận",
    "listed_back": "hỏi lại trước khi làm",
    "deliverables": "phần",
    "every": "mọi phần",
    "plan": "kế hoạch",
    "also_meant": "hay là",
}


def _print_command(command: "Command", indent: str = "") -> None:
    for key, value in _lean(asdict(command)).items():
        if key == "verb":
            print(f"{indent}{_LABELS[key]}: /{value}")
        elif key != "also":
            print(f"{indent}{_LABELS.get(key, key)}: {_words(value)}")
    for more in command.also:
        print(f"{indent}và:")
        _print_command(more, indent + "  ")


def _words(value: Any) -> str:
    if isinstance(value, dict):
        parts = (
            str(each) if key == "task" else f"{_LABELS.get(key, key)} {_words(each)}"
            for key, each in value.items()
        )
        return ", ".join(parts)
    if isinstance(value, list):
        return "; ".join(_words(each) for each in value)
    return "có" if value is True else str(value)
