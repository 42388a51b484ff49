"""The command line.

What a command prints is Vietnamese, help and usage errors too. Errors of the database, the daemon's
lock and the token are English in the log, which docs/operations.md lists, and Vietnamese here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from reminder import __version__
from reminder.cli import (
    answers,
    daemon,
    documents,
    drafting,
    init,
    log,
    offices,
    people,
    phrases,
    plan,
    status,
    transfer,
)
from reminder.cli.options import Commands
from reminder.domain.errors import ReminderError
from reminder.domain.text import one_line
from reminder.files.toml import NO_RIGHT

app = Commands(
    name="reminder", help="Nhắc việc theo kế hoạch năm của UBND phường, và ghi nhớ mọi trả lời."
)
_COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    ("init", init.init, "Ví dụ: reminder init"),
    ("run", daemon.run, "Ví dụ: reminder run --config config/reminder.toml"),
    ("sandbox", daemon.sandbox, "Ví dụ: reminder sandbox"),
    ("reload", daemon.reload, "Ví dụ: reminder reload"),
    ("invite", people.invite, "Ví dụ: reminder invite an"),
    ("web-link", people.web_link, "Ví dụ: reminder web-link an"),
    ("web", daemon.web, "Ví dụ: REMINDER_WEB__LISTEN=127.0.0.1:8081 reminder web"),
    ("unbind", people.unbind, "Ví dụ: reminder unbind an"),
    ("revive", people.revive, "Ví dụ: reminder revive an --channel email"),
    *((name, command, f"Ví dụ: {example}") for name, command, example in answers.ACTS),
    ("log", log.log, log.EXAMPLES),
    ("doctor", status.doctor, "Ví dụ: reminder doctor --config config/reminder.toml"),
    ("test", status.send_test, "Ví dụ: reminder test tu-phap-1"),
    ("status", status.status, "Ví dụ: reminder status"),
    ("digest", documents.digest, documents.DIGEST_EXAMPLE),
    ("backup", daemon.backup, "Ví dụ: reminder backup /mnt/usb/nhac-viec.db"),
    ("restore", daemon.restore, "Ví dụ: reminder restore var/backups/reminder-2024-03-01.db"),
    ("import-office", transfer.import_office, transfer.IMPORT_EXAMPLE),
    ("export-office", transfer.export_office, transfer.EXPORT_EXAMPLE),
    ("ics", documents.ics, documents.ICS_EXAMPLE),
    ("report", documents.report, documents.REPORT_EXAMPLE),
    ("simulate", plan.simulate, plan.SIMULATE_EXAMPLES),
    ("understand", answers.understand, answers.EXAMPLES),
)
# About the program or the database as a whole, however many offices it has.
WHOLE = ("init", "run", "web", "reload", "backup", "restore", "import-office", "export-office")
for name, command, example in _COMMANDS:
    app.command(name, whole=name in WHOLE, epilog=example)(command)
app.add_typer(people.app, name="people")
for name, command, example in (
    ("phrase", phrases.phrase, phrases.EXAMPLES),
    ("import", drafting.import_plan, drafting.IMPORT_EXAMPLES),
    ("review", drafting.review, drafting.REVIEW_EXAMPLE),
    ("accept", drafting.accept, drafting.ACCEPT_EXAMPLE),
):
    plan.app.command(name, epilog=example)(command)
app.add_typer(plan.app, name="plan")
app.add_typer(status.outbox, name="outbox")
app.add_typer(offices.app, name="office")


@app.command("version")
def version() -> None:
    """In số phiên bản của chương trình."""
    print(__version__)


def main() -> None:
    """Run the program; a ReminderError is printed as its text, with exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        # A Windows console or a bare C locale would fail on Vietnamese.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        app()
    except ReminderError as error:
        for line in error.vietnamese.split("\n"):
            print(one_line(line), file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # The reader (head, less) went away; the interpreter's own flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except PermissionError as error:
        # Another user's file or folder, met where a command only looked.
        print(f"{error.filename}: {NO_RIGHT}", file=sys.stderr)
        sys.exit(1)
