"""`reminder simulate`: the messages of a range of days; nothing is sent."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Annotated, Any

import typer

from reminder.app import bootstrap
from reminder.cli import options
from reminder.domain.calendar import local
from reminder.domain.errors import ReminderError
from reminder.domain.periods import vn_day
from reminder.domain.plan import Plan
from reminder.domain.schedule import Item, Message, MessageKind, Stage, local_day
from reminder.services import simulation as core
from reminder.understanding import Command, CommandError, Meaning, Target, Verb, parse

EXAMPLES = (
    "Ví dụ: reminder simulate --from 2024-01-01 --to 2024-12-31 --done-on-due; "
    'reminder simulate --from 2024-01-15 --to 2024-02-15 --unit tu-phap --done "1c=2024-01-30"'
)


def simulate(
    first: Annotated[str, typer.Option("--from", metavar="NGÀY", help="Ngày đầu.")],
    last: Annotated[str, typer.Option("--to", metavar="NGÀY", help="Ngày cuối.")],
    files: options.PlanFiles = None,
    unit: options.UnitOption = None,
    done: Annotated[
        list[str] | None,
        typer.Option(metavar="MÃ=NGÀY", help="Xong lúc 16:00 ngày ấy; ghi được nhiều lần."),
    ] = None,
    done_on_due: Annotated[
        bool, typer.Option("--done-on-due", help="Việc nào cũng xong lúc 16:00 đúng ngày hạn.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Mỗi dòng một đối tượng JSON.")] = False,
) -> None:
    """Xem mọi tin nhắc, tin báo quá hạn và bản tổng hợp sẽ có, theo thứ tự. Không gửi gì đi.

    Trước --from coi như chưa việc nào xong, và không nhắc bù. MÃ là gì cán bộ gõ được sau /done:
    "1d báo cáo", "2c 2024-03", "2c tư pháp".
    """
    plans = bootstrap.load_plans(bootstrap.plan_paths(files or []))
    options.unit(unit, plans)
    start, end = options.day(first), options.day(last)
    if end < start:
        raise ReminderError(f"--to {end} đứng trước --from {start}")
    wishes = [wish for text in done or [] for wish in _wishes(text, plans)]
    result = core.simulate(
        plans,
        bootstrap.scheduler_for(plans),
        start,
        end,
        done=wishes,
        done_on_due=done_on_due,
    )
    for refusal in result.refused:
        print(f"chưa đóng: {refusal}", file=sys.stderr)
    messages = [m for m in result.messages if unit in (None, m.unit)]
    _print_json(messages) if as_json else _print_listing(messages, plans)


def _wishes(text: str, plans: Sequence[Plan]) -> list[tuple[date, str, Target]]:
    """The targets of one `--done CODE=DATE`."""
    code, equals, day_text = text.rpartition("=")
    if not equals:
        raise ReminderError(f"--done {text}: xin ghi MÃ=NGÀY, ví dụ 1c=2024-01-30")
    day = options.day(day_text.strip())
    units = tuple(unit.id for plan in plans for unit in plan.units)
    command = parse(f"/done {code}", day, Meaning(plans=tuple(plans), units=units, office=True))
    if isinstance(command, CommandError):
        raise ReminderError(f"--done {text}: {command.say}")
    if not isinstance(command, Command) or command.verb is not Verb.DONE or not command.targets:
        raise ReminderError(f"--done {text}: “{code}” không nêu việc nào để đóng")
    return [(day, _plan_of(target, plans), target) for target in command.targets]


def _plan_of(target: Target, plans: Sequence[Plan]) -> str:
    return target.plan or next(plan.id for plan in plans if target.task in plan.by_code)


def _print_json(messages: Sequence[Message]) -> None:
    for message in messages:
        print(json.dumps(_as_json(message), ensure_ascii=False))


def _as_json(message: Message) -> dict[str, Any]:
    return {
        "at": local(message.at).isoformat(),
        "unit": message.unit,
        "kind": message.kind.value,
        "items": [
            {
                "plan": item.key.plan,
                "task": item.key.task,
                "deliverable": item.key.deliverable,
                "period": item.key.period,
                "due": item.due.isoformat(),
                "stage": str(item.stage),
            }
            for item in message.items
        ],
    }


_KINDS = {
    MessageKind.DIGEST: "tổng hợp tuần",
    MessageKind.NUDGE: "nhắc",
    MessageKind.ESCALATION: "báo quá hạn",
    MessageKind.REQUEST: "xin gia hạn chờ quyết",
}


def _print_listing(messages: Sequence[Message], plans: Sequence[Plan]) -> None:
    names = {unit.id: unit.label for plan in plans for unit in plan.units}
    width = max(map(len, names.values()))
    for day, of_day in groupby(messages, key=lambda m: local_day(m.at)):
        print(f"\n{vn_day(day)}/{day.year}")
        for m in of_day:
            items = "; ".join(_item(item) for item in m.items)
            words = f"{names[m.unit]:{width}}  {_KINDS[m.kind]}  {items}".rstrip()
            print(f"  {local(m.at):%H:%M}  {words}")
    print(f"\n{len(messages)} tin." if messages else "Không có tin nào trong những ngày này.")


def _item(item: Item) -> str:
    period = f" {item.key.period}" if "-" in item.key.period else ""
    return f"{item.key.task}{period} ({_stage(item.stage)})"


def _stage(stage: Stage) -> str:
    if stage.offset == 0:
        return "đến hạn"
    if stage.again:
        return "hẹn nhắc lại"
    return f"trước {-stage.offset} ngày" if stage.offset < 0 else f"quá hạn {stage.offset} ngày"
