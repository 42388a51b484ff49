"""`reminder doctor`: is all well? what is not, and what to do."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reminder.app import bootstrap
from reminder.cli.options import Config
from reminder.domain.errors import ReminderError

if TYPE_CHECKING:
    from reminder.doctor.check import Check


def doctor(
    local: Annotated[
        bool, typer.Option("--local", help="Chỉ xem trên máy này, không dùng mạng.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Mỗi dòng một đối tượng JSON.")] = False,
    config: Config = None,
) -> None:
    """Xem cài đặt, kế hoạch, lịch, dữ liệu, bản sao, ổ đĩa, mã bot, giờ, thư; nói việc cần làm.

    Không sửa gì. Thư thử chỉ gửi tới hộp thư của chính cơ quan. Mã thoát 1 nếu có gì hỏng.
    """
    from reminder.doctor.looks import at_home, beyond

    tell = _Teller(as_json=as_json)
    for check in at_home(config, bootstrap.now()):
        tell(check)
    try:
        settings = bootstrap.load_settings(config)
    except ReminderError:  # told above
        raise typer.Exit(1) from None
    if not local:
        for check in beyond(settings, bootstrap.now()):
            tell(check)
        asyncio.run(_mail(config, tell))
    if tell.faults:
        raise typer.Exit(1)


async def _mail(config: Path | None, tell: _Teller) -> None:
    from reminder.doctor.mail import MailCheck  # aiosmtplib and imap-tools: only who needs them

    settings = bootstrap.load_settings(config)
    if settings.email.is_on:
        async for check in MailCheck(settings, bootstrap.now).findings():
            tell(check)


class _Teller:
    """Prints each finding as soon as it is known."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self.faults = 0

    def __call__(self, check: Check) -> None:
        self.faults += check.verdict == "fault"
        if self._as_json:
            print(json.dumps(asdict(check), ensure_ascii=False), flush=True)
            return
        print(check, flush=True)
        if check.remedy:
            print(f"    → {check.remedy}", flush=True)
