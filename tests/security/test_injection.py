"""Words of people are words: in SQL, in HTML, in a spreadsheet, on the operator's terminal."""

from __future__ import annotations

import csv
import io
from contextlib import closing
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from reminder.documents.workbook import csv_file
from reminder.domain.ledger import Event, EventKind
from reminder.domain.outbox import Draft, SendError
from reminder.domain.payloads import Bound
from reminder.domain.plan import Key, Plan
from reminder.domain.schedule import Scheduler
from reminder.store.database import Database
from reminder.store.store import Store, open_store
from tests.cli.test_people import NOW, PEOPLE, Terminal
from tests.fakes.blank import lay_blank
from tests.fakes.telegram.html import parse_html
from tests.messages.office import answer
from tests.services.world import at, world

SQL = [
    "'; DROP TABLE event; --",
    '"; DELETE FROM outbox; --',
    "' OR '1'='1",
    "%s %(x)s :x ? ${x} \\'",
    "x' UNION SELECT value FROM meta --",
    "NULL\0--",
]
MARKUP = [
    "<b>đậm</b>",
    "</code></b>&lt;script&gt;",
    "<a href='http://xấu.example'>bấm</a>",
    "<script>alert(1)</script>",
    "{{ 7*7 }} {% raw %} @item @gap",
    "<!--repeat--><!--footer-->",
    "&#60;img src=x onerror=alert(1)&#62;",
]
KEY = Key("cchc-2024", "1c", 1, "2024")


@pytest.fixture
def sql(tmp_path: Path) -> Store:
    lay_blank(tmp_path / "r.db")
    return open_store(f"sqlite:///{tmp_path}/r.db", exclusive=False, sleep=lambda _: None)


@pytest.mark.parametrize("words", SQL)
def test_sql_in_every_word_that_comes_from_outside(words: str, sql: Store) -> None:
    """It is kept as it was written (but for NUL, which no database takes) and does nothing."""
    kept = words.replace("\0", "\ufffd")
    event = Event(at=NOW, kind=EventKind.NOTED, key=KEY, unit="tu-phap", by=words, note=words,
                  evidence=words, message=words, channel="telegram")  # fmt: skip
    draft = Draft(slot=NOW, recipient=words, kind="reply", channel="telegram", subject=words,
                  payload=Bound(unit=words), due_at=NOW)  # fmt: skip
    assert sql.record(
        [event], unit_names={"tu-phap": words}, drafts=[draft], seen=("telegram", words), at=NOW
    )
    assert not sql.record([event], unit_names={}, seen=("telegram", words), at=NOW)
    assert sql.redeem(words, NOW, "telegram", words) is None
    (row,) = sql.rows(recipient=words if "\0" not in words else kept)
    assert row.draft.payload == Bound(unit=words)
    assert [recorded.event.note for recorded in sql.events()] == [kept]
    assert sql.verify() is None


@pytest.mark.parametrize("words", [*MARKUP, *SQL])
def test_markup_stays_text_in_both_forms_of_a_message(words: str) -> None:
    """Telegram marks nothing of it, and a mail client finds no tag in it."""
    message = answer([words])
    assert parse_html(message.html).entities == ()
    assert tags(message.mail_html) == tags(answer(["x"]).mail_html)


class Page(HTMLParser):
    """Gathers a page's tags with the names of their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *(name for name, _ in attrs)))


def tags(html: str) -> list[tuple[str, ...]]:
    page = Page()
    page.feed(html)
    return page.found


@pytest.mark.parametrize("words", MARKUP)
def test_markup_in_a_note_through_the_whole_program(
    words: str, plan2024: Plan, scheduler: Scheduler
) -> None:
    """Typed by an officer, told to the office: the same words, no entity of theirs, no link."""
    office = world(plan2024, scheduler)
    now = at("31/01", "09:00")
    office.says("an", f"gia hạn 1c 05/02 vì {words}", now)
    office.says("chi", "/lichsu 1c", now + timedelta(minutes=1))
    links = [
        entity.type
        for rendered in office.outgoing
        for entity in parse_html(rendered.message.html).entities
        if entity.type == "text_link"
    ]
    assert links == []
    for rendered in office.outgoing:
        assert not {"script", "img", "a"} & {tag for tag, *_ in tags(rendered.message.mail_html)}


@given(st.lists(st.text(max_size=40), min_size=1, max_size=5))
def test_no_cell_of_a_csv_file_is_a_formula(cells: list[str]) -> None:
    """Whatever the words: the row reads back whole, on one line, and nothing in it is run."""
    content = csv_file(["a"] * len(cells), [cells]).decode("utf-8-sig")
    _, row = csv.reader(io.StringIO(content, newline=""))
    assert len(row) == len(cells)
    for cell in row:
        for part in cell.split(";"):  # cells where the list separator is a semicolon
            assert not part.strip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
        assert not {"\t", "\r", "\n"} & set(cell)


@pytest.mark.parametrize(
    ("words", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("\t=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("\r\n@SUM(A1)", "'@SUM(A1)"),
        ("\u200b=1", "'=1"),
        ("＝1", "'=1"),
        ("a=1", "a=1"),
        ("a; =1;+2;“-3”", "a; '=1;'+2;“-3”"),
        ('a;"=1', 'a;""\'=1'),
        ("a,b;c", "a,b;c"),
    ],
)
def test_formulas_are_taken_for_text(words: str, cell: str) -> None:
    assert csv_file(["a"], [[words]]).decode("utf-8-sig") == f'"a"\r\n"{cell}"\r\n'


def test_no_escape_sequence_reaches_the_operators_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan2024: Plan, scheduler: Scheduler
) -> None:
    """An officer's words are cleaned when they are read; a name in the file has to be one line."""
    office = world(plan2024, scheduler)
    office.says("an", "ghi chú 1c \x1b[2J\x9b31m\x07 đã\rxóa\u202e", at("31/01", "09:00"))
    note = office.store.events()[0].event.note
    assert not [c for c in note if not c.isprintable()]
    terminal = Terminal(tmp_path, monkeypatch)
    bad = PEOPLE.replace("Công chức Tư pháp", "\\u001b[2J")
    (tmp_path / "people.toml").write_text(bad, encoding="utf-8")
    assert "phải nằm trên một dòng" in terminal.refused("people")
    named = PEOPLE.replace("Công chức Tư pháp", "Công \u202echức\u200b Tư \u2066pháp")
    (tmp_path / "people.toml").write_text(named, encoding="utf-8")
    assert "Công chức Tư pháp" in terminal.run("people")
    for sign in ("\x85", "\x9b", "\u2028"):
        named = PEOPLE.replace("Tư pháp", f"Tư{sign}pháp")
        (tmp_path / "people.toml").write_text(named, encoding="utf-8")
        assert "phải nằm trên một dòng" in terminal.refused("people")


def test_what_a_provider_says_is_one_clean_line() -> None:
    """In the reason that is kept and shown, and in the words that are logged."""
    error = SendError("no\x1b[2J\r\nway", retry=False, said="\u202e550\x9b no")
    assert (error.reason, error.said, str(error)) == ("no[2J way", "550 no", "no[2J way")


def test_no_officers_words_stand_in_an_error_of_the_database(tmp_path: Path) -> None:
    """SQLAlchemy puts the parameters of a statement into its errors, which are logged."""
    with closing(Database(f"sqlite:///{tmp_path / 'x.db'}", busy=1)) as database:
        for engine in (database._writer, database._reader):
            with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
                connection.execute(text("INSERT INTO nowhere VALUES (:words)"), {"words": "kín"})
            assert "kín" not in str(caught.value)


def test_a_plan_names_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its keys are all words and days: a path is an unknown key, or no identifier."""
    terminal = Terminal(tmp_path, monkeypatch)
    plan = tmp_path / "p.toml"
    source = Path("data/plan2024.toml").read_text(encoding="utf-8")
    for old, new, told in (
        ('id = "cchc-2024"', 'id = "../../etc/passwd"', "`id` chỉ gồm chữ thường"),
        (
            'id = "cchc-2024"',
            'id = "cchc-2024"\ninclude = "/etc/passwd"',
            "không có khóa “include”",
        ),
    ):
        plan.write_text(source.replace(old, new), encoding="utf-8")
        terminal.config.write_text(f'[plan]\nfiles = ["{plan}"]\n[store]\nurl = "{terminal.url}"\n')
        assert told in terminal.refused("status")
