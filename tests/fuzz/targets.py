"""The parsers that `make fuzz` attacks, and the inputs from which it starts.

A target takes any bytes. It raises for what the parser must not do; what it promises (a FileError,
a refusal) is no fault.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from reminder.channels.email.classify import InboxRules, own_words, read, triage
from reminder.decisions import buttons
from reminder.domain.ledger import fold
from reminder.domain.plan import occurrences
from reminder.domain.tokens import Purpose, Verdict, plus_address, read_plus_address, verify_token
from reminder.importing import reading
from reminder.importing.layout import RefusedError
from reminder.understanding.parse import parse
from tests.conftest import ROOT
from tests.fuzz.test_files import SEEDS, told
from tests.fuzz.test_updates import SHAPES, assert_let_be, twisted
from tests.importing.words import docx
from tests.understanding.commands_kit import OFFICE, PLAN, TODAY, replying

CASES = ROOT / "tests/importing/cases"
MAILS = ROOT / "tests/channels/email/data"
TYPED = ROOT / "tests/understanding/data/typed.tsv"
NOW = datetime(2024, 1, 30, 2, tzinfo=UTC)
BOX, OFFICER, SECRET = "nhac@xa.example", "an@xa.example", b"a secret of tests"
RULES = InboxRules(
    secret=SECRET,
    address=BOX,
    sender=BOX,
    trust="auth-results",
    authserv_id="mx.xa.example",
)
ADDRESS = plus_address(BOX, SECRET, Purpose.REPLY, "abcdefghij", OFFICER, date(2024, 3, 1))
STATES = fold(occurrences(PLAN), [])
UNITS = [unit.id for unit in PLAN.units]
BUTTON = buttons.encode("done", next(iter(STATES)), UNITS[0])
_FOLDER = Path(tempfile.mkdtemp(prefix="reminder-fuzz-"))


def typed(data: bytes) -> None:
    """A message, from an officer who answers a nudge and from the office."""
    text = data.decode("utf-8", "surrogateescape")  # JSON may bring lone surrogates
    for meaning in (OFFICE, replying("1c", "1d")):
        assert parse(text, TODAY, meaning)


def mail(data: bytes) -> None:
    """A mail, from its bytes to what is done with it; it proves nothing, so it is no answer."""
    found = read(data)
    own_words(found)
    assert triage(found, RULES, {}, NOW)


def token(data: bytes) -> None:
    """An address to which a mail came, and the data of a button: only ours are good."""
    text = data.decode("utf-8", "surrogateescape")
    found = read_plus_address(text, BOX)
    if found is not None:
        good = verify_token(found, SECRET, OFFICER, TODAY) is Verdict.GOOD
        assert good == (text.strip().lower() == ADDRESS)
    buttons.meant(text, STATES, {PLAN.id: PLAN}, UNITS)


def update(data: bytes) -> None:
    """An update of Telegram, as a Bot API server sends it."""
    try:
        raw: Any = json.loads(data)
    except (ValueError, RecursionError):
        raw = twisted(SHAPES[len(data) % len(SHAPES)], int.from_bytes(data[:8], "big"))
    assert_let_be(raw)


def document(data: bytes) -> None:
    """A file to import: read, or refused in a sentence. What libraries of PDF raise is caught."""
    with suppress(RefusedError):
        kind = reading.kind_of(data)
        try:
            list(reading.parsed(kind, data))
        except RefusedError:
            raise
        except Exception:
            if kind != "pdf":
                raise


def word(data: bytes) -> None:
    """A Word file with `data` as its document, numbers and styles."""
    parts = ("word/document.xml", "word/numbering.xml", "word/styles.xml")
    document(docx("", more=dict.fromkeys(parts, data)))


def _word_parts() -> list[bytes]:
    """The XML of real documents and of their numbers."""
    found: list[bytes] = []
    for path in sorted(CASES.glob("*.docx")):
        with ZipFile(path) as archive:
            found += (archive.read(f"word/{name}.xml") for name in ("document", "numbering"))
    return found


def _file(kind: str) -> Callable[[bytes], None]:
    """A file that people write: sound, or told with its faults."""

    def target(data: bytes) -> None:
        path = _FOLDER / f"{kind}.toml"
        path.write_bytes(data)
        told(kind, path)

    return target


def _texts() -> list[bytes]:
    lines = TYPED.read_text("utf-8").splitlines()[1:]
    return [line.split("\t")[0].encode() for line in lines]


def _seed(kind: str) -> list[bytes]:
    return [SEEDS[kind].encode()]


@dataclass(frozen=True)
class Target:
    """What takes any bytes, and from which it starts."""

    take: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]


TARGETS = {
    "typed": Target(typed, _texts),
    "mail": Target(mail, lambda: [path.read_bytes() for path in sorted(MAILS.rglob("*.eml"))]),
    "token": Target(token, lambda: [ADDRESS.encode(), BUTTON.encode(), BOX.encode()]),
    "update": Target(update, lambda: [json.dumps(shape).encode() for shape in SHAPES]),
    **{kind: Target(_file(kind), partial(_seed, kind)) for kind in SEEDS},
    "document": Target(document, lambda: [path.read_bytes() for path in sorted(CASES.iterdir())]),
    "word": Target(word, _word_parts),
}
