"""`reminder doctor`: tries what is set up, and says what is wrong and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import typer

from reminder import bootstrap
from reminder.cli.options import Config
from reminder.doctor.findings import Finding


def doctor(config: Config = None) -> None:
    """Try the mail: log in to both servers, send a probe, find it again. Exit code 1 on a fault.

    The probe goes to the mailbox's own address; nobody else gets a mail.
    """
    from reminder.doctor.mail import MailCheck  # aiosmtplib and imap-tools: only who needs them

    check = MailCheck(bootstrap.load_settings(config), bootstrap.now)
    if not asyncio.run(_told(check.findings())):
        raise typer.Exit(1)


async def _told(findings: AsyncIterator[Finding]) -> bool:
    """Prints each; whether all are sound."""
    sound = True
    async for finding in findings:
        print(finding, flush=True)
        sound = sound and finding.sound
    return sound
