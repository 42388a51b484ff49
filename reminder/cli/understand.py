"""`reminder understand`: how a message is understood; nothing is done."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reminder.app import bootstrap
from reminder.cli import options
from reminder.domain.calendar import instant, local
from reminder.domain.errors import ReminderError

if TYPE_CHECKING:
    from reminder.understanding.model import Command

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
        list[str] | None,
        typer.Option(metavar="BỘ-PHẬN", help="Bộ phận của người nhắn; ghi được nhiều lần."),
    ] = None,
    reply_to: Annotated[
        list[str] | None,
        typer.Option(metavar="MÃ", help="Việc có trong tin mà tin này trả lời."),
    ] = None,
    on: Annotated[
        str | None, typer.Option(metavar="NGÀY", help="Nhắn vào ngày này. [hôm nay]")
    ] = None,
    batch: Annotated[
        Path | None,
        typer.Option(
            metavar="TỆP",
            help="Diễn từng dòng của tệp TSV trên một cơ quan giả; in JSON.",
        ),
    ] = None,
    mail: Annotated[
        Path | None,
        typer.Option(metavar="TỆP", help="Diễn một thư (.eml) trên một cơ quan giả; in JSON."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Một đối tượng JSON.")] = False,
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


def _play_mail(path: Path, units: list[str], codes: list[str], on: str | None) -> None:
    from reminder.app import batch  # it loads the whole program

    if not path.is_file():
        print(f"không đọc được {path}", file=sys.stderr)
        raise typer.Exit(2)
    at = batch.MOMENT if on is None else instant(options.day(on), local(batch.MOMENT).time())
    row = batch.Row(sender=(units or ["tu-phap"])[0], mail=path, reply_to=tuple(codes), at=at)
    print(json.dumps(batch.answers([row])[0], ensure_ascii=False))


def _lean(value: Any) -> Any:
    """`value` as JSON has it, without empty fields."""
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


def _print_command(command: Command, indent: str = "") -> None:
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
