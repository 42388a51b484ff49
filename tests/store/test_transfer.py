"""A ward's file that becomes an office of a database of many, and an office that leaves it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from shutil import copy2
from typing import Any

import pytest
from sqlalchemy import select, update

from reminder.domain.errors import ReminderError
from reminder.domain.outbox import Draft, RowState
from reminder.domain.payloads import DeadLetter, Digest, Envelope
from reminder.store import tables
from reminder.store.documents import Version
from reminder.store.offices import OfficeRecord, Stores
from reminder.store.records import ENDED, MOVED, MOVED_FROM, RESTORED, SECRET
from reminder.store.store import Store, open_store
from reminder.store.transfer import (
    bring_in,
    copy_office,
    counted,
    mark_moved,
    take_out,
    ward_at,
    was_moved,
)
from tests.fakes.blank import lay_blank
from tests.store.conftest import Opener, no_sleep
from tests.store.samples import CHANNELS, HOLD, NOW, UNITS, draft, event, minutes, said
from tests.store.test_queries import use_all

LATER = minutes(60)
CHAT = Envelope(edit="77", chat="11")


def as_it_is(channel: str, update: str) -> str:
    """The id of an update, where no account stands before it."""
    del channel
    return update


def by_account(channel: str, update: str) -> str:
    return f"bot:{update}" if channel == "telegram" else update


def nothing() -> None:
    """What an office has besides its records: nothing."""


def office(office_id: str = "00123") -> OfficeRecord:
    return OfficeRecord(id=office_id, name="Phường An Khê", province="", made_at=LATER)


def lived(store: Store, *, ended: bool = True) -> None:
    """A ward in the middle of its month: sent, edited, given up, under way, waiting."""
    store.record(
        [event(), event("2")],
        unit_names=UNITS,
        drafts=[*map(draft, ("sent", "dead", "waits"))],
        spoken=[said()],
        seen=("telegram", "5"),
        meta={SECRET: "ab" * 32, "last_tick": NOW.isoformat(), "started:cchc-2024": "x"},
        at=NOW,
    )
    store.record([], unit_names={}, seen=("email", "<m@x> 1"), at=NOW)
    leased = {row.draft.recipient: row for row in store.lease(NOW, 9, HOLD, CHANNELS)}
    store.mark_sent(replace(leased["sent"], address="11"), "77", NOW)
    lost = leased["dead"]
    letter = DeadLetter(row=lost.id, recipient="dead", kind="nudge", channel="telegram",
                        reason="chặn", slot=NOW)  # fmt: skip
    edit = Draft(
        slot=NOW, recipient="sent", kind="edit", subject=f"{leased['sent'].id}:telegram:5",
        channel="telegram", payload=leased["sent"].draft.payload, envelope=CHAT, due_at=NOW,
    )  # fmt: skip
    told = draft("chi", kind="notice", payload=letter)
    store.mark_ended(lost, RowState.DEAD, "chặn", drafts=[edit, told], at=NOW)
    store.mark_retry(leased["waits"], NOW, "", unknown=False)
    store.bind("an", "telegram", "11", NOW)
    store.invite("binh", "hash", minutes(500), "telegram")
    kept = Version(name="cchc-2024", version=1, text="id = 1\n", sha256="0", by="", at=NOW, why="")
    assert store.add_version(kept)
    head = store.head()
    digest = draft("chi", kind="digest", payload=Digest(head=head))
    store.record([], unit_names={}, drafts=[digest], meta={ENDED: NOW.isoformat() if ended else ""},
                 at=NOW)  # fmt: skip


def of(store: Store) -> dict[str, Any]:
    """All that is on record, without the numbers of rows."""
    rows = store.rows()
    numbers = {row.id: place for place, row in enumerate(sorted(rows, key=lambda r: r.id))}

    def known(row: Any) -> Any:
        found = row.draft
        if found.kind == "edit":
            number, _, tag = found.subject.partition(":")
            found = replace(found, subject=f"{numbers[int(number)]}:{tag}")
        if isinstance(found.payload, DeadLetter):
            found = replace(found, payload=replace(found.payload, row=numbers[found.payload.row]))
        return replace(row, id=numbers[row.id], draft=found, office="")

    with store.database.of(store.office, writes=False) as connection:
        naming = connection.execute(select(tables.naming).where(tables.mine(tables.naming)))
        named = sorted((numbers[n.outbox_id], *n[1:5]) for n in naming)
        seen = connection.execute(select(tables.seen).where(tables.mine(tables.seen)))
        invited = connection.execute(
            select(tables.invitation).where(tables.mine(tables.invitation))
        )
        rest = sorted(map(str, (row[1:] for row in (*seen, *invited))))
    metas = {name: value for name, value in store.metas().items() if name != MOVED_FROM}
    return {
        "rows": [known(row) for row in rows],
        "events": store.events(),
        "head": store.head(),
        "addresses": store.addresses(),
        "metas": metas,
        "texts": store.documents(),
        "naming": named,
        "rest": rest,
    }


@pytest.fixture
def ward(opened: Opener, path: Path) -> Callable[..., Path]:
    """Makes the file of a ward."""

    def made(*, ended: bool = True) -> Path:
        store = opened()
        lived(store, ended=ended)
        store.close()
        return path

    return made


def with_an_office(url: str) -> Stores:
    stores = Stores(open_store(url, exclusive=False, sleep=no_sleep))
    assert stores.add_office(OfficeRecord(id="00001", name="Khác", province="", made_at=NOW))
    use_all(stores.of("00001"))
    return stores


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of `stores`, which is only copied."""
    path = tmp_path_factory.mktemp("tinh") / "tinh.db"
    lay_blank(path)
    with_an_office(f"sqlite:///{path}").close()
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.thorough)])
def stores(request: pytest.FixtureRequest, lived_in: Path, tmp_path: Path) -> Iterator[Stores]:
    """A database of many offices, in which one lives already."""
    if request.param == "postgres":
        found = with_an_office(request.getfixturevalue("lent_postgres_url"))
    else:
        path = copy2(lived_in, tmp_path)
        found = Stores(open_store(f"sqlite:///{path}", exclusive=False, sleep=no_sleep))
    yield found
    found.close()


def moved(path: Path, stores: Stores, office_id: str = "00123", **more: Any) -> Store:
    with ward_at(path, LATER, sleep=no_sleep) as held:
        bring_in(held, stores, office(office_id), nothing, **{"seen_as": as_it_is, **more})
    return stores.of(office_id)


def test_all_that_a_ward_has_on_record_comes_along(
    ward: Callable[..., Path], opened: Opener, stores: Stores
) -> None:
    """The rows of the outbox have other numbers, and whatever names one names the new."""
    path = ward()
    with closing(opened()) as before:
        expected = of(before)
    others = of(stores.of("00001"))
    here = moved(path, stores)
    assert of(here) == expected
    assert of(stores.of("00001")) == others
    assert here.verify([expected["head"]]) is None
    (sent,) = here.rows(recipient="sent", kind="nudge")
    (edit,) = here.rows(recipient="sent", kind="edit")
    assert edit.draft.subject == f"{sent.id}:telegram:5"


def test_a_second_row_of_the_same_place_is_refused_as_before(
    ward: Callable[..., Path], stores: Stores
) -> None:
    """So that the next tick says nothing twice."""
    here = moved(ward(), stores)
    rows = len(here.rows())
    again = [draft("sent"), draft("waits")]
    assert here.record([], unit_names={}, drafts=again, spoken=[said()], at=LATER)
    assert len(here.rows()) == rows


def test_what_was_seen_of_a_bot_is_seen_under_its_account(
    ward: Callable[..., Path], stores: Stores
) -> None:
    here = moved(ward(), stores, seen_as=by_account)
    asked = (("telegram", "bot:5"), ("telegram", "5"), ("email", "<m@x> 1"))
    assert [here.was_seen(*one) for one in asked] == [True, False, True]


def test_no_daemon_begins_on_a_file_that_was_moved(
    ward: Callable[..., Path], opened: Opener, stores: Stores
) -> None:
    path = ward()
    moved(path, stores)
    with pytest.raises(ReminderError) as refused:
        opened(exclusive=True)
    assert str(refused.value) == (
        f"{path} was moved on 24/01/2024 into {stores.database.name}, as its office 00123: nothing "
        "may be sent or recorded from here; there “reminder export-office 00123 FILE --leave” "
        "gives the file to go on with"
    )


def test_the_file_stays_as_it_was_but_for_its_mark(
    ward: Callable[..., Path], stores: Stores
) -> None:
    path = ward()

    def contents() -> list[str]:
        with closing(sqlite3.connect(path)) as raw:
            return [line for line in raw.iterdump() if f"'{MOVED}'" not in line]

    before = contents()
    moved(path, stores)
    assert contents() == before


def test_counting_changes_nothing(ward: Callable[..., Path], stores: Stores) -> None:
    path = ward()
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with ward_at(path, LATER, sleep=no_sleep) as held:
        found = counted(held.store)
        bring_in(held, stores, office(), nothing, seen_as=as_it_is, dry_run=True)
    assert (found["event"], found["outbox"], found["naming"]) == (2, 6, 4)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert [one.id for one in stores.offices()] == ["00001"]


def test_what_waits_after_a_crash_may_have_been_sent(
    ward: Callable[..., Path], stores: Stores
) -> None:
    """By a daemon that was killed, or that runs on while this is a copy of its file."""
    here = moved(ward(ended=False), stores)
    assert {row.repeat for row in here.rows(states=[RowState.PENDING])} == {True}
    assert (here.meta(RESTORED), here.meta(ENDED)) == (LATER.isoformat(), "")


def test_what_was_under_way_may_have_been_sent(
    ward: Callable[..., Path], opened: Opener, stores: Stores
) -> None:
    path = ward()
    with closing(opened()) as store:
        taken = {row.draft.recipient for row in store.lease(NOW, 1, HOLD, CHANNELS)}
    here = moved(path, stores)
    pending = here.rows(states=[RowState.PENDING])
    assert {row.draft.recipient for row in pending if row.repeat} == taken
    assert here.counts()["leased"] == 0


def reason(path: Path, stores: Stores, office_id: str = "00123") -> str:
    """Why the ward can't be moved; nothing is changed by that."""
    before = [(one, of(stores.of(one.id))) for one in stores.offices(state=None)]
    with pytest.raises(ReminderError) as refused:
        moved(path, stores, office_id)
    assert [(one, of(stores.of(one.id))) for one in stores.offices(state=None)] == before
    return str(refused.value)


def test_a_ward_is_moved_once(ward: Callable[..., Path], stores: Stores, tmp_path: Path) -> None:
    """Neither under another id nor from another copy of its file."""
    path, copy = ward(), tmp_path / "copy.db"
    copy.write_bytes(path.read_bytes())
    moved(path, stores)
    assert reason(path, stores, "00124") == (
        f"{path} đã chuyển vào {stores.database.name} thành phường 00123 ngày 24/01/2024: "
        "không nhập lần nữa"
    )
    assert reason(copy, stores, "00124") == ("phường ấy đã ở đây, mã 00123: không nhập lần nữa")
    assert reason(copy, stores, "00001") == "đã có phường 00001 (Khác): chọn mã khác"
    open_store(f"sqlite:///{copy}", exclusive=True, sleep=no_sleep).close()


def test_a_database_of_one_ward_takes_no_second(ward: Callable[..., Path], tmp_path: Path) -> None:
    with closing(
        open_store(f"sqlite:///{tmp_path / 'o.db'}", exclusive=False, sleep=no_sleep)
    ) as o:
        o.bind("an", "telegram", "1", NOW)
        assert reason(ward(), Stores(o)) == (
            f"{tmp_path / 'o.db'} đang là dữ liệu của một phường đứng riêng: dùng một cơ sở dữ "
            "liệu khác cho nhiều phường"
        )


def test_a_broken_chain_is_copied_by_nobody(
    ward: Callable[..., Path], opened: Opener, stores: Stores
) -> None:
    path = ward()
    with closing(opened()) as store, store.database.writing() as connection:
        connection.execute(update(tables.event).where(tables.event.c.number == 2).values(note="x"))
    assert reason(path, stores) == "sổ ghi bị đứt ở mục 2 khi chép: chưa chuyển gì"


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (
            "UPDATE seen SET at = 'x' WHERE channel = 'telegram'",
            "bảng seen, dòng telegram/5 không đọc được",
        ),
        ("UPDATE head SET number = 'x'", "row 1 of the table head can't be read"),
    ],
)
def test_a_row_that_nobody_can_have_written_is_named(
    ward: Callable[..., Path], stores: Stores, statement: str, why: str
) -> None:
    path = ward()
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute(statement)
    assert why in reason(path, stores)


def test_a_file_that_is_no_database_or_held_or_missing(
    ward: Callable[..., Path], opened: Opener, stores: Stores, tmp_path: Path
) -> None:
    path, junk = ward(), tmp_path / "junk.db"
    junk.write_bytes(b"x" * 5000)
    assert "không phải bản sao dữ liệu" in reason(junk, stores)
    whole = path.read_bytes()
    torn = tmp_path / "torn.db"
    torn.write_bytes(whole[: len(whole) // 2])
    assert "đã hỏng" in reason(torn, stores)
    assert reason(tmp_path / "no.db", stores) == (
        f"không có tệp {tmp_path / 'no.db'}: ghi tên tệp dữ liệu của phường"
    )
    with closing(opened(exclusive=True)):
        assert "đang chạy trên" in reason(path, stores)


def test_a_fault_on_the_way_leaves_both_as_they_were(
    ward: Callable[..., Path], opened: Opener, stores: Stores
) -> None:
    path = ward()

    def fails() -> None:
        raise ReminderError("thế thôi")

    with ward_at(path, LATER, sleep=no_sleep) as held, pytest.raises(ReminderError, match="thế"):
        bring_in(held, stores, office(), fails, seen_as=as_it_is)
    assert [one.id for one in stores.offices(state=None)] == ["00001"]
    assert counted(stores.of("00123")) == dict.fromkeys(counted(stores.of("00123")), 0)
    opened(exclusive=True)


class KilledError(BaseException):
    """kill -9."""


def interrupted(path: Path, stores: Stores, *, after: bool, monkeypatch: Any) -> None:
    """An import dies before its commit, or right after it."""
    from reminder.store import transfer

    with ward_at(path, LATER, sleep=no_sleep) as held, monkeypatch.context() as dying:
        marks: list[Any] = []

        def mark(where: Path, move: Any) -> None:
            if marks and (after or move is None):
                raise KilledError
            marks.append(move)
            real(where, move)

        real = transfer._mark
        dying.setattr(transfer, "_mark", mark)

        def settle() -> None:
            if not after:
                raise KilledError

        with pytest.raises(KilledError):
            bring_in(held, stores, office(), settle, seen_as=as_it_is)


@pytest.mark.parametrize("after", [False, True])
def test_an_import_that_is_killed_is_done_by_the_next(
    ward: Callable[..., Path],
    opened: Opener,
    stores: Stores,
    monkeypatch: pytest.MonkeyPatch,
    after: bool,
) -> None:
    """Before the commit nothing had come, after it all; no daemon begins in between."""
    path = ward()
    with closing(opened()) as before:
        expected = of(before)
    interrupted(path, stores, after=after, monkeypatch=monkeypatch)
    with pytest.raises(ReminderError, match=r"is being moved into .* again to its end"):
        opened(exclusive=True)
    with ward_at(path, LATER, sleep=no_sleep) as held:
        assert was_moved(held, stores) == ("00123" if after else "")
        if after:
            mark_moved(held, stores, "00123")
        else:
            bring_in(held, stores, office(), nothing, seen_as=as_it_is)
    assert of(stores.of("00123")) == expected
    with pytest.raises(ReminderError, match="was moved on 24/01/2024"):
        opened(exclusive=True)


def test_a_move_that_was_begun_elsewhere_goes_on_there(
    ward: Callable[..., Path],
    stores: Stores,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, url = ward(), f"sqlite:///{tmp_path / 'other.db'}"
    with closing(open_store(url, exclusive=False, sleep=no_sleep)) as other:
        interrupted(path, Stores(other), after=True, monkeypatch=monkeypatch)
    assert reason(path, stores) == (
        f"{path} đang chuyển dở vào {tmp_path / 'other.db'} (phường 00123): chạy lại lệnh ấy, "
        "với đúng cơ sở dữ liệu ấy"
    )


def test_an_older_schema_is_brought_up_on_a_copy(stores: Stores, tmp_path: Path) -> None:
    """The file of an earlier release keeps its schema, and is marked all the same."""
    path = tmp_path / "old.db"
    script = Path(__file__).parent.parent.joinpath("upgrade/reminder.sql").read_text("utf-8")
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(script)
        (version,) = raw.execute("SELECT version_num FROM alembic_version").fetchone()
        events = raw.execute("SELECT count(*) FROM event").fetchone()[0]
    here = moved(path, stores)
    assert (here.head()[0], here.verify()) == (events, None)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == (version,)
        (kept,) = raw.execute("SELECT value FROM meta WHERE name = ?", (MOVED,)).fetchone()
    assert json.loads(kept)["done"] is True


# ---- and out again


def test_an_office_that_leaves_takes_all_with_it(
    ward: Callable[..., Path], opened: Opener, stores: Stores, tmp_path: Path
) -> None:
    """In and out again: the ward is what it was, and a daemon begins on the file."""
    path, out = ward(), tmp_path / "out.db"
    with closing(opened()) as before:
        expected = of(before)
    here = moved(path, stores, seen_as=by_account)
    stores.retire_office("00123", LATER)

    def alone(_: str, update: str) -> str:
        return update.removeprefix("bot:")

    take_out(here, out, LATER, left=True, seen_as=alone, sleep=no_sleep)
    with closing(open_store(f"sqlite:///{out}", exclusive=True, sleep=no_sleep)) as store:
        assert of(store) == expected | {"metas": {**expected["metas"], ENDED: LATER.isoformat()}}
        assert min(row.id for row in store.rows()) == 1
    assert (out.stat().st_mode & 0o077, sorted(p.name for p in tmp_path.glob("out*"))) == (
        0,
        ["out.db", "out.db.lock"],
    )


def test_a_ward_that_has_left_comes_back_under_another_id(
    ward: Callable[..., Path], stores: Stores, tmp_path: Path
) -> None:
    here, out = moved(ward(), stores), tmp_path / "out.db"
    stores.retire_office("00123", LATER)
    take_out(here, out, LATER, left=True, seen_as=as_it_is, sleep=no_sleep)
    assert reason(out, stores) == (
        "đã có phường 00123 (Phường An Khê, đã thôi phục vụ): chọn mã khác"
    )
    assert of(moved(out, stores, "00124"))["rows"] == of(here)["rows"]


def test_a_copy_of_an_office_that_goes_on_is_marked(
    ward: Callable[..., Path], stores: Stores, tmp_path: Path
) -> None:
    out = tmp_path / "out.db"
    take_out(moved(ward(), stores), out, LATER, left=False, seen_as=as_it_is, sleep=no_sleep)
    with closing(open_store(f"sqlite:///{out}", exclusive=True, sleep=no_sleep)) as store:
        assert {row.repeat for row in store.rows(states=[RowState.PENDING])} == {True}
        assert store.meta(RESTORED) == LATER.isoformat()


def test_a_file_is_never_written_over(
    ward: Callable[..., Path], stores: Stores, tmp_path: Path
) -> None:
    here, out = moved(ward(), stores), tmp_path / "out.db"
    out.write_text("mine")
    nowhere = tmp_path / "no"
    for place, why in (
        (out, f"đã có tệp {out}: ghi tên khác"),
        (nowhere / "out.db", f"không có thư mục {nowhere}: "),
    ):
        with pytest.raises(ReminderError, match=why):
            take_out(here, place, LATER, left=True, seen_as=as_it_is, sleep=no_sleep)
    assert out.read_text() == "mine"


def test_many_rows_are_copied_in_their_order(stores: Stores, opened: Opener) -> None:
    """More than are read at a time; times and lengths apart."""
    with closing(opened()) as ward:
        for day in range(60):
            slot = NOW + timedelta(days=day)
            drafts = [draft(str(n), slot=slot, due_at=slot) for n in range(40)]
            ward.record([event(str(day))], unit_names=UNITS, drafts=drafts, at=slot)
        assert stores.add_office(office())
        with stores.database.together():
            copy_office(ward, stores.of("00123"), seen_as=as_it_is)
        found = stores.of("00123").rows(limit=9999)
        assert [row.draft for row in found] == [row.draft for row in ward.rows(limit=9999)]
        assert len(found) == 2400
