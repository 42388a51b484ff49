"""What the channels are made of: the secret behind the tokens in mail."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from reminder.app import bootstrap
from reminder.app.channels import mail_secret
from reminder.domain.errors import ReminderError
from reminder.domain.tokens import Purpose, Verdict, plus_address, read_plus_address, verify_token
from reminder.store.store import open_store

BOX, OFFICER, TODAY = "nhac@xa.example", "an@xa.example", date(2024, 1, 30)


def kept(database: Path) -> bytes:
    with closing(open_store(f"sqlite:///{database}", exclusive=True, sleep=bootstrap.pause)) as one:
        return mail_secret(one)


def changed(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as raw, raw:
        raw.execute(statement)


def test_a_new_mail_secret_ends_the_old_tokens(tmp_path: Path) -> None:
    """The secret is made once; by the statement of docs/security.md another one is made."""
    database = tmp_path / "r.db"
    old = kept(database)
    assert kept(database) == old
    changed(database, "DELETE FROM meta WHERE name = 'mail_secret'")
    address = plus_address(BOX, old, Purpose.REPLY, "abcdefghij", OFFICER, TODAY)
    token = read_plus_address(address, BOX)
    assert token is not None
    secrets = (old, kept(database))
    assert [verify_token(token, secret, OFFICER, TODAY) for secret in secrets] == [
        Verdict.GOOD,
        Verdict.WRONG,
    ]


def test_a_mail_secret_that_was_altered_is_told(tmp_path: Path) -> None:
    """By its table and row, with the remedy; no traceback."""
    database = tmp_path / "r.db"
    kept(database)
    changed(database, "UPDATE meta SET value = 'xyz' WHERE name = 'mail_secret'")
    with pytest.raises(ReminderError, match=r"table meta, row “mail_secret”.*delete it"):
        kept(database)
