"""`reminder doctor`: is all well? what is not, and what to do."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from reminder import bootstrap
from reminder.cli.options import Config

_SIGNS = {"ok": "✓", "warn": "!", "fault": "✗"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    config: Config = None,
) -> None:
    """Look over settings, plan, calendar, data, copies, disk, token, clock; what to do about each.

    Sends nothing and changes nothing. Exit code 1 if something does not work.
    """
    from reminder.doctor.looks import looks

    faults = 0
    for check in looks(config, bootstrap.now()):
        faults += check.verdict == "fault"
        if as_json:
            print(json.dumps(asdict(check), ensure_ascii=False))
            continue
        print(f"{_SIGNS[check.verdict]} {check.sentence}", flush=True)
        if check.remedy:
            print(f"    → {check.remedy}")
    if faults:
        raise typer.Exit(1)
