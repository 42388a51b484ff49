"""What all commands share: options, tables, and help pages and usage errors in Vietnamese."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from copy import copy
from datetime import date, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from reminder.app import bootstrap
from reminder.domain.calendar import local
from reminder.domain.errors import ReminderError
from reminder.domain.plan import Plan
from reminder.domain.text import one_line
from reminder.files.toml import nearest

if TYPE_CHECKING:
    from rich.table import Table

Function = TypeVar("Function", bound=Callable[..., Any])

_HELP = (  # a pattern of typer's help page → what stands there instead
    (r"^Usage: ", "Cách dùng: "),
    (r"\[OPTIONS\]", "[TÙY CHỌN]"),
    (r"COMMAND \[ARGS\]\.\.\.", "LỆNH [THAM SỐ]..."),
    (r"\{([^{}]+)\}(?:\.\.\.)?", r"\1"),
    (r"^Options:$", "Tùy chọn:"),
    (r"^Arguments:$", "Tham số:"),
    (r"^Commands:$", "Lệnh:"),
    (r" <[a-z\[\]]+>  ", "  "),
    (r"\[required\]", "[bắt buộc]"),
    (r"\[default: ", "[mặc định: "),
    (r"; x>=(\d+)", r"; từ \1"),
    (r"Show this message and exit\.", "Hiện phần này rồi thôi."),
)


def _help(text: str) -> str:
    for pattern, words in _HELP:
        text = re.sub(pattern, words, text, flags=re.MULTILINE)
    return text


_WHOLE = 1000  # characters: a first sentence is wrapped in the list of commands, never cut


class _Command(TyperCommand):
    def get_short_help_str(self, limit: int = _WHOLE) -> str:
        return super().get_short_help_str(max(limit, _WHOLE))

    def get_help(self, ctx: Any) -> str:
        return _help(super().get_help(ctx))


class _Group(TyperGroup):
    def get_short_help_str(self, limit: int = _WHOLE) -> str:
        return super().get_short_help_str(max(limit, _WHOLE))

    def get_help(self, ctx: Any) -> str:
        return _help(super().get_help(ctx))

    def main(  # type: ignore[override]
        self, *, standalone_mode: bool = True, **extra: Any
    ) -> Any:
        """Run, and tell a usage error in Vietnamese; exit code 2."""
        try:
            code = super().main(standalone_mode=False, **extra)
        except typer.TyperException as error:
            if not standalone_mode:
                raise
            print(_usage_error(error), file=sys.stderr)
            sys.exit(2)
        except typer.Abort:
            sys.exit(1)
        if standalone_mode:
            sys.exit(code if isinstance(code, int) else 0)
        return code


OfficeOption = Annotated[
    str,
    typer.Option(
        "--office",
        metavar="MÃ",
        help="Phường nào, nếu cơ sở dữ liệu có nhiều phường (xem office list).",
    ),
]


def _of_one(command: Callable[..., Any]) -> Any:
    """Return a command with --office, if it takes a settings file: it is about one office."""
    signature = inspect.signature(command, eval_str=True)
    if "config" not in signature.parameters:
        return command

    @wraps(command)
    def call(*args: Any, office: str, **values: Any) -> Any:
        with bootstrap.choosing(office):
            return command(*args, **values)

    more = inspect.Parameter(
        "office", inspect.Parameter.KEYWORD_ONLY, default="", annotation=OfficeOption
    )
    parameters = [*signature.parameters.values(), more]
    vars(call)["__signature__"] = signature.replace(parameters=parameters)
    call.__annotations__ = {**command.__annotations__, "office": OfficeOption}
    return call


class Commands(typer.Typer):
    """A group of commands whose help and usage errors are Vietnamese.

    Those that take a settings file are about one office, unless they are of the `whole` database.
    """

    def __init__(self, *, whole: bool = False, **settings: Any) -> None:
        self._whole = whole
        common = {"no_args_is_help": True, "add_completion": False}
        super().__init__(
            cls=_Group,
            pretty_exceptions_enable=False,
            rich_markup_mode=None,
            **common | settings,
        )

    def command(
        self, name: str | None = None, *, whole: bool = False, **settings: Any
    ) -> Callable[[Function], Function]:
        add = super().command(name, cls=_Command, **settings)
        return add if whole or self._whole else lambda function: add(_of_one(function))

    def __call__(self, *args: Any, **values: Any) -> Any:
        """Run what was typed, of all commands only that one made: all together take 30 ms."""
        typed, asked = sys.argv[1:2], copy(self)
        asked.registered_commands = [c for c in self.registered_commands if [c.name] == typed]
        asked.registered_groups = [g for g in self.registered_groups if [g.name] == typed]
        if asked.registered_commands or asked.registered_groups:
            return get_group(asked)(*args, **values)
        return super().__call__(*args, **values)

    def callback(self, **settings: Any) -> Callable[[Function], Function]:
        add = super().callback(**settings)
        return lambda function: add(_of_one(function))


def _usage_error(error: typer.TyperException) -> str:
    context: Any = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        return error.message  # the help page
    lines = [f"Lỗi: {_sentence(error)}"]
    if context is not None:
        usage = _help(context.get_usage())
        lines = [usage, f"Xem thêm: {context.command_path} --help", "", *lines]
    return "\n".join(lines)


def _sentence(error: Any) -> str:
    """Return what is wrong with the command line; typer tells it by its error's class or words."""
    text = str(error.message)
    match type(error).__name__:
        case "NoSuchOption":
            near = ", ".join(sorted(error.possibilities or ()))
            return f"không có tùy chọn {error.option_name}.{_near(near)}"
        case "MissingParameter":
            return f"thiếu {_label(error.param)}"
        case "BadParameter":
            return f"{_label(error.param)}: {_bad_value(text)}"
        case "BadOptionUsage" if "does not take" in text:
            return f"{error.option_name} không nhận giá trị nào"
        case "BadOptionUsage":
            return f"{error.option_name} cần một giá trị đi kèm"
    if found := re.match(r"No such command '(.*?)'\.(?: Did you mean (.*)\?)?", text):
        near = (found[2] or "").replace("'", "")
        return f"không có lệnh “{found[1]}”.{_near(near)}"
    if found := re.match(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", text):
        return f"thừa: {found[1]}"
    return "dòng lệnh chưa đúng"


def _near(names: str) -> str:
    return f" Có lẽ là: {names}?" if names else ""


def _label(parameter: Any) -> str:
    name: str = parameter.opts[0]
    return name if name.startswith("-") else parameter.metavar or name.upper()


def _bad_value(text: str) -> str:
    if found := re.search(r"one of (.*?)\.?$", text):
        return f"giá trị phải là một trong {found[1].replace(chr(39), '')}"
    if found := re.search(r"Input should be ('.*')$", text):
        choices = found[1].replace(" or ", ", ").replace("'", "")
        return f"giá trị phải là một trong {choices}"
    if "valid int" in text:
        return "phải là một số"
    if found := re.search(r"(?:greater than or equal to|>=) ?(\d+)", text):
        return f"phải từ {found[1]} trở lên"
    return "giá trị không dùng được"


def day(text: str) -> date:
    """Return the day in an argument; raise ReminderError if it is none."""
    for shape in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text, shape).date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
    raise ReminderError(f"“{text}” không phải ngày: xin ghi 2024-01-31 (hoặc 31/01/2024)")


def option(metavar: str, help_: str) -> Any:
    """Return an option that takes a value."""
    return typer.Option(metavar=metavar, help=help_)


def day_option(help_: str, *names: str) -> Any:
    """Return an option that takes a day."""
    return typer.Option(*names, parser=day, metavar="NGÀY", help=help_)


def unit(text: str | None, plans: Sequence[Plan]) -> str | None:
    """Return a unit's id as given on the command line; raise ReminderError if no plan has it."""
    known = {unit.id for plan in plans for unit in plan.units}
    if text is not None and text not in known:
        units = ", ".join(sorted(known))
        raise ReminderError(f"không có bộ phận “{text}”{nearest(text, known)} Có: {units}")
    return text


def check_code(text: str, known: Collection[str]) -> None:
    """Raise ReminderError unless the task's code is in `known`."""
    if text not in known:
        raise ReminderError(f"không có nhiệm vụ “{text}”{nearest(text, known)}")


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="TỆP",
        help="Tệp cài đặt. [$REMINDER_CONFIG, hoặc config/reminder.toml]",
    ),
]
PlanFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--plan", metavar="TỆP", help="Tệp kế hoạch; ghi được nhiều lần. [data/plan*.toml]"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Một đối tượng JSON.")]
AsJsonLines = Annotated[bool, typer.Option("--json", help="Mỗi dòng một đối tượng JSON.")]
UnitOption = Annotated[
    str | None, typer.Option("--unit", metavar="BỘ-PHẬN", help="Chỉ bộ phận này, theo mã: tu-phap.")
]


def iso(at: datetime | None) -> str | None:
    """Return a time as JSON has it, with the office's offset."""
    return local(at).isoformat(timespec="seconds") if at else None


def print_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table of texts."""
    from rich.table import Table  # slow to import, and only tables need it
    from rich.text import Text

    table = Table(*headers)
    for row in rows:
        table.add_row(*(Text(one_line(str(cell))) for cell in row))
    print_wide(table, 160)


def print_wide(table: Table, width: int) -> None:
    """Print a table; `width` where there is no terminal, as in a file or a pipe."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = width
    console.print(table)
