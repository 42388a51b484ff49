"""Who may send by an account, in which turns the rows of its offices are leased, how it fares."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import closing
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from reminder.domain.outbox import LOST, Row, RowState
from reminder.store.accounts import Accounts, AccountTakenError, Hold, Queue
from reminder.store.database import OfficeDatabase
from reminder.store.offices import Account, OfficeRecord, Stores
from reminder.store.store import Store
from reminder.store.tables import outbox
from tests.fakes.blank import memory_store
from tests.store.samples import HOLD, NOW, draft, minutes

OFFICES = ("a", "b", "c")


def province(store: Store, *offices: str) -> tuple[Stores, Accounts]:
    """Offices that share the account “bot”, and how their rows are leased."""
    stores = Stores(store)
    for account_id in ("bot", "other"):
        stores.add_account(Account(id=account_id, kind="telegram", secret="env:TOKEN", made_at=NOW))
    for office in offices:
        stores.add_office(OfficeRecord(id=office, name=office, province="", made_at=NOW))
        stores.link(office, "telegram", "bot")
    return stores, Accounts(stores.database)


def queued(stores: Stores, office: str, *numbers: int, **changes: object) -> None:
    """Rows of an office, a minute apart, each to a recipient of its own."""
    drafts = [
        draft(f"p{n}", slot=minutes(n), due_at=NOW, subject=f"{n}", **changes) for n in numbers
    ]
    stores.of(office).record([], unit_names={}, drafts=drafts, at=NOW)


def names(rows: list[Row]) -> list[str]:
    return [f"{row.office}{row.draft.subject}" for row in rows]


def taken(accounts: Accounts, account: str = "bot") -> Hold:
    hold = accounts.seize(account)
    assert hold is not None
    return hold


def test_each_office_has_its_first_row_leased_before_any_its_second(store: Store) -> None:
    """Of an office the oldest slot goes first."""
    stores, accounts = province(store, *OFFICES)
    queued(stores, "a", 4, 1, 2, 3)
    queued(stores, "b", 9, 8)
    queued(stores, "c", 7)
    fence = taken(accounts).fence
    leased = [names(accounts.lease("bot", fence, minutes(9), n, HOLD)) for n in (2, 3, 9)]
    assert leased == [["a1", "b8"], ["c7", "a2", "b9"], ["a3", "a4"]]
    assert accounts.lease("bot", fence, minutes(9), 9, HOLD) == []


def test_turns_go_on_where_another_holder_left_them(store: Store) -> None:
    stores, accounts = province(store, *OFFICES)
    for office in OFFICES:
        queued(stores, office, 1, 2)
    first = accounts.lease("bot", taken(accounts).fence, NOW, 1, HOLD)
    second = accounts.lease("bot", taken(accounts).fence, NOW, 2, HOLD)
    assert (names(first), names(second)) == (["a1"], ["b1", "c1"])


def test_answers_go_before_all_else_and_alone(store: Store) -> None:
    """Whoever has written waits."""
    stores, accounts = province(store, *OFFICES)
    queued(stores, "a", 1)
    queued(stores, "b", 5, 6, kind="reply")
    fence = taken(accounts).fence
    leased = [names(accounts.lease("bot", fence, NOW, 9, HOLD)) for _ in range(2)]
    assert leased == [["b5", "b6"], ["a1"]]


def test_an_older_holder_leases_nothing_more(store: Store) -> None:
    """What it had leased is pending again, as a possible repeat, and it can't mark it any more."""
    stores, accounts = province(store, "a")
    queued(stores, "a", 1, 2)
    old = taken(accounts)
    (row,) = accounts.lease("bot", old.fence, NOW, 1, HOLD)
    new = taken(accounts)
    assert (old.repeats, new.repeats, new.fence) == (0, 1, old.fence + 1)
    with pytest.raises(AccountTakenError):
        accounts.lease("bot", old.fence, NOW, 1, HOLD)
    assert not stores.of("a").mark_sent(row, "77", NOW)
    again = accounts.lease("bot", new.fence, NOW, 9, HOLD)
    assert [(one.draft.subject, one.repeat, one.error) for one in again] == [
        ("1", True, LOST),
        ("2", False, ""),
    ]
    assert accounts.fences(["bot", "gone"]) == {"bot": new.fence}
    assert new.fence > old.fence


def test_what_was_lost_twice_comes_last(store: Store) -> None:
    """A process may die of it; the first time its recipient's order counts."""
    stores, accounts = province(store, "a")
    queued(stores, "a", 1, 2, 3)
    for _ in range(2):
        accounts.lease("bot", taken(accounts).fence, NOW, 1, HOLD)
    last = taken(accounts).fence
    assert names(accounts.lease("bot", last, NOW, 9, HOLD)) == ["a2", "a3", "a1"]


def test_what_is_given_back_is_no_repeat(store: Store) -> None:
    stores, accounts = province(store, "a")
    queued(stores, "a", 1)
    old = taken(accounts)
    (row,) = accounts.lease("bot", old.fence, NOW, 1, HOLD)
    stores.of("a").mark_retry(row, row.due_at, row.error, unknown=False)
    new = taken(accounts)
    (again,) = accounts.lease("bot", new.fence, NOW, 1, HOLD)
    assert (new.repeats, again.repeat) == (0, False)


def test_an_account_is_free_only_if_its_last_holder_let_go_of_it(store: Store) -> None:
    """The next one learns since when, and what it was told; of a dead one it learns nothing."""
    _, accounts = province(store, "a")
    first = taken(accounts)
    assert accounts.free("bot", first.fence, "[1]")
    second = taken(accounts)
    third = taken(accounts)
    assert (first.free, second.pace, third.free, third.pace) == (None, "[1]", None, "")
    assert second.free is not None
    assert timedelta(0) <= second.free < HOLD
    assert not accounts.free("bot", first.fence)
    assert accounts.seize("nobody") is None


def test_the_rows_of_an_office_that_went_over_are_taken_up_when_their_leases_end(
    store: Store,
) -> None:
    """While its old account has them under way they stay there."""
    stores, accounts = province(store, "a")
    queued(stores, "a", 1, 2)
    for _ in range(3):
        fence = taken(accounts).fence
    real = accounts.time()
    (under_way,) = accounts.lease("bot", fence, real, 1, HOLD)
    (forgotten,) = accounts.lease("bot", fence, real - 2 * HOLD, 1, HOLD)
    stores.link("a", "telegram", "other")
    assert taken(accounts, "other").repeats == 1
    rows = {row.id: row.state for row in stores.of("a").rows()}
    assert rows == {under_way.id: RowState.LEASED, forgotten.id: RowState.PENDING}


def test_nothing_is_leased_of_a_retired_office_nor_of_another_account(store: Store) -> None:
    stores, accounts = province(store, *OFFICES)
    for office in OFFICES:
        queued(stores, office, 1)
    stores.retire_office("a", NOW)
    stores.link("b", "telegram", "other")
    assert names(accounts.lease("bot", taken(accounts).fence, NOW, 9, HOLD)) == ["c1"]
    assert accounts.due_accounts(NOW) == ["other"]


def test_no_more_is_leased_for_who_has_enough(store: Store) -> None:
    """People of two offices may be called alike."""
    stores, accounts = province(store, *OFFICES)
    for office in OFFICES:
        queued(stores, office, 1, 2)
    leased = accounts.lease("bot", taken(accounts).fence, NOW, 3, HOLD, [("a", "p1")])
    assert names(leased) == ["a2", "b1", "c1"]


def test_a_row_that_cannot_be_read_costs_itself_only(store: Store) -> None:
    stores, accounts = province(store, *OFFICES)
    for office in OFFICES:
        queued(stores, office, 1)
    with OfficeDatabase(stores.database, "b").writing() as connection:
        connection.raw.execute(update(outbox).where(outbox.c.office == "b").values(payload="?"))
    assert names(accounts.lease("bot", taken(accounts).fence, NOW, 9, HOLD)) == ["a1", "c1"]
    assert stores.of("b").counts()["dead"] == 1


def test_what_is_due_is_told_by_account(store: Store) -> None:
    stores, accounts = province(store, *OFFICES)
    stores.link("c", "telegram", "other")
    assert (accounts.next_due("bot"), accounts.due_accounts(NOW), accounts.queues(NOW)) == (
        None,
        [],
        [],
    )
    queued(stores, "a", 1)
    queued(stores, "b", 1, 2)
    late = draft("p9", due_at=minutes(9))
    stores.of("c").record([], unit_names={}, drafts=[late], at=NOW)
    assert (accounts.next_due("bot"), accounts.next_due("other")) == (NOW, minutes(9))
    assert accounts.due_accounts(NOW) == ["bot"]
    assert accounts.due_accounts(minutes(9)) == ["bot", "other"]
    assert accounts.queues(minutes(9)) == [
        Queue(account="bot", due=3, since=NOW),
        Queue(account="other", due=1, since=minutes(9)),
    ]


def test_leases_that_nobody_ended_are_due_once_they_are_over(store: Store) -> None:
    stores, accounts = province(store, "a")
    queued(stores, "a", 1)
    accounts.lease("bot", taken(accounts).fence, NOW, 9, HOLD)
    assert accounts.due_accounts(NOW) == []
    assert accounts.due_accounts(NOW + HOLD) == ["bot"]


def test_rows_of_many_offices_are_marked_at_once(store: Store) -> None:
    """Each by its own lease: one that another process has taken is left alone."""
    stores, accounts = province(store, *OFFICES)
    for office in OFFICES:
        queued(stores, office, 1)
    rows = accounts.lease("bot", taken(accounts).fence, NOW, 9, HOLD)
    stores.of("b").mark_retry(rows[1], NOW, "", unknown=True)
    assert accounts.mark_sent([(row, f"m{row.office}", NOW) for row in rows]) == [True, False, True]
    found = {
        office: (row.state, row.provider_id)
        for office in OFFICES
        for row in stores.of(office).rows()
    }
    assert found == {
        "a": (RowState.SENT, "ma"),
        "b": (RowState.PENDING, ""),
        "c": (RowState.SENT, "mc"),
    }


def test_what_many_offices_have_is_asked_for_at_once(store: Store) -> None:
    """As each would say it itself."""
    stores, accounts = province(store, *OFFICES)
    queued(stores, "a", 1, 5)
    queued(stores, "b", 2)
    stores.of("b").bind("p2", "telegram", "7", NOW)
    assert accounts.revisions(OFFICES) == {each: stores.of(each).revision() for each in OFFICES}
    asked = {("a", "p5"), ("b", "p2"), ("c", "p1")}
    assert accounts.newest_slots("nudge", asked, NOW) == {
        office: stores.of(office).newest_slots("nudge", [recipient], NOW)
        for office, recipient in asked
        if office != "c"
    }


def test_that_an_account_is_down_is_news_once(store: Store) -> None:
    stores, accounts = province(store, "a")
    news = [accounts.down("bot", why, NOW) for why in ("401", "401", "403")]
    account = stores.account("bot")
    assert account is not None
    assert (news, account.down_since, account.down_reason) == ([True, False, True], NOW, "403")
    assert [accounts.up("bot"), accounts.up("bot")] == [True, False]
    account = stores.account("bot")
    assert account is not None
    assert (account.down_since, account.down_reason) == (None, "")


ROWS = st.dictionaries(
    st.sampled_from(OFFICES), st.lists(st.integers(0, 30), min_size=1, max_size=12, unique=True)
)


@given(rows=ROWS, limits=st.lists(st.integers(1, 7), min_size=1), seized=st.sets(st.integers(0, 9)))
def test_all_is_leased_once_in_turns_and_in_order(
    rows: dict[str, list[int]], limits: list[int], seized: set[int]
) -> None:
    """Whatever is asked for at once, and however often another process takes the account.

    An office that waits is never two rows behind one that is served.
    """
    with closing(memory_store()) as store:
        stores, accounts = province(store, *OFFICES)
        for office, numbers in rows.items():
            queued(stores, office, *numbers)
        fence, leased, had = (
            taken(accounts).fence,
            defaultdict[str, list[int]](list),
            Counter[str](),
        )
        batch, round_ = True, 0
        while batch:
            limit = limits[round_ % len(limits)]
            found = accounts.lease("bot", fence, minutes(99), limit, HOLD)
            for row in found:
                leased[row.office].append(int(row.draft.subject))
                had[row.office] += 1
                waiting = [each for each in rows if had[each] < len(rows[each])]
                assert all(had[row.office] - had[each] <= 1 for each in waiting)
                stores.of(row.office).mark_sent(row, "77", NOW)
            if round_ in seized:
                fence = taken(accounts).fence
            batch, round_ = bool(found), round_ + 1
        assert leased == {office: sorted(numbers) for office, numbers in rows.items()}
