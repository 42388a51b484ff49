"""The command line: arguments → bootstrap → exit code.

What a command says is Vietnamese, its faults too. The help is English, and so is what stops the
program from deeper down (the database, the daemon's lock, a token), word for word as in the log:
docs/operations.md has these by their words.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import typer

from reminder import __version__
from reminder.cli import (
    act,
    backup,
    daemon,
    digest,
    doctor,
    documents,
    log,
    outbox,
    people,
    plan,
    simulate,
    status,
    understand,
)
from reminder.domain.errors import ReminderError
from reminder.files.toml import NO_RIGHT

app = typer.Typer(
    name="reminder",
    help="Reminds a Vietnamese ward office of its yearly plan, and remembers what was answered.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    ("run", daemon.run, "Example: reminder run --config config/reminder.toml"),
    ("sandbox", daemon.sandbox, "Example: reminder sandbox"),
    ("reload", daemon.reload, "Example: reminder reload"),
    ("invite", people.invite, "Example: reminder invite an"),
    ("people", people.people, "Example: reminder people"),
    ("unbind", people.unbind, "Example: reminder unbind an"),
    ("revive", people.revive, "Example: reminder revive an --channel email"),
    *((each.name, each.command, each.epilog) for each in act.ACTS),
    ("log", log.log, log.EXAMPLES),
    ("doctor", doctor.doctor, "Example: reminder doctor --config config/reminder.toml"),
    ("status", status.status, "Example: reminder status"),
    ("digest", digest.digest, digest.EXAMPLES),
    ("backup", backup.backup, "Example: reminder backup /mnt/usb/nhac-viec.db"),
    ("restore", backup.restore, "Example: reminder restore var/backups/reminder-2024-03-01.db"),
    ("ics", documents.ics, documents.ICS_EXAMPLE),
    ("report", documents.report, documents.REPORT_EXAMPLE),
    ("simulate", simulate.simulate, simulate.EXAMPLES),
    ("understand", understand.understand, understand.EXAMPLES),
)
for name, command, example in _COMMANDS:
    app.command(name, epilog=example)(command)
app.add_typer(plan.app, name="plan")
app.add_typer(outbox.app, name="outbox")


@app.command("version")
def version() -> None:
    """Print the program's version."""
    print(__version__)


def main() -> None:
    """Runs the program; whatever a person can mend is one clear sentence and exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        # A Windows console or a bare C locale would fail on Vietnamese.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        app()
    except ReminderError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # The reader (head, less) went away; the interpreter's own flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except PermissionError as error:
        # Another user's file or folder, met where a command only looked.
        print(f"{error.filename}: {NO_RIGHT}", file=sys.stderr)
        sys.exit(1)
