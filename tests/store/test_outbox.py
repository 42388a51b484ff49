"""The contract of the outbox, in memory and on a file."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from reminder.domain.outbox import LOST, LOST_AGAIN, Draft, Row, RowState
from reminder.domain.payloads import ExtensionAsked, Nudge
from reminder.domain.schedule import Item, Stage
from reminder.store.store import Store
from tests.store.samples import CHANNELS, HOLD, KEY, NOW, draft, minutes

OTHER = KEY._replace(task="2c", period="2024-02")


def put(store: Store, *drafts: Draft) -> None:
    store.record([], unit_names={}, drafts=drafts, at=NOW)


def lease_one(store: Store) -> Row:
    (row,) = store.lease(NOW, 1, HOLD, CHANNELS)
    return row


def states(store: Store) -> dict[str, str]:
    return {row.draft.recipient: row.state.value for row in store.rows()}


def test_a_draft_is_written_once(store: Store) -> None:
    """Unique on slot, recipient, kind, subject and channel; the first one's payload stands."""
    others = [
        draft(slot=minutes(1)),
        draft("binh"),
        draft(kind="digest"),
        draft(subject="7"),
        draft(channel="email"),
    ]
    put(store, draft())
    put(store, draft(payload=Nudge(items=()), due_at=minutes(5)), *others)
    kept = sorted(store.rows(), key=lambda row: row.id)
    assert [row.draft for row in kept] == [draft(), *others]


@pytest.mark.parametrize("more", [0, 60])  # many are written by another way
def test_rows_are_found_by_what_they_name(store: Store, more: int) -> None:
    """By items and by keys, whatever else they say; beside the other filters."""
    item = ("tu-phap", Item(KEY, date(2024, 1, 31), Stage(0)))
    nudge = draft(payload=Nudge(items=(item, item)))
    notice = draft(kind="notice", payload=ExtensionAsked(key=KEY))
    other_item = ("tu-phap", Item(OTHER, date(2024, 2, 29), Stage(0)))
    other = draft("binh", payload=Nudge(items=(other_item,)))
    none = (draft(f"{n}", payload=Nudge(items=())) for n in range(more))
    put(store, nudge, notice, other, *none)
    assert [row.draft for row in store.rows(naming=[KEY])] == [notice, nudge]
    assert [row.draft for row in store.rows(naming=[KEY, OTHER])] == [other, notice, nudge]
    assert [row.draft for row in store.rows(naming=[KEY, OTHER], kind="nudge")] == [other, nudge]
    assert [row.draft for row in store.rows(naming=[KEY, OTHER], recipient="binh")] == [other]
    assert store.rows(naming=[KEY], states=[RowState.SENT]) == []
    assert store.rows(naming=[KEY], since=minutes(1)) == []
    assert store.rows(naming=[]) == []


def test_a_sent_row_is_found_by_the_providers_name_for_it(store: Store) -> None:
    put(store, draft("an"), draft("binh"))
    an, binh = store.lease(NOW, 2, HOLD, CHANNELS)
    assert store.mark_sent_together([(an, "7", NOW), (binh, "7", NOW)]) == [True, True]
    assert [row.id for row in store.rows(recipient="an", provider_id="7")] == [an.id]
    assert store.rows(recipient="an", provider_id="8") == []


def test_a_lease_claims_what_is_due_the_oldest_slot_first(store: Store) -> None:
    """Not before its time, not on another channel, and each row once."""
    late, early = draft("an", slot=minutes(-1)), draft("binh", slot=minutes(-60))
    put(store, late, early, draft("chi", due_at=minutes(1)), draft("dung", channel="console"))
    claimed = store.lease(NOW, 10, HOLD, CHANNELS)
    leased = {"state": RowState.LEASED, "attempts": 1, "lease_until": NOW + HOLD}
    assert claimed == [
        Row(id=2, draft=early, due_at=early.due_at, **leased),  # type: ignore[arg-type]
        Row(id=1, draft=late, due_at=late.due_at, **leased),  # type: ignore[arg-type]
    ]
    assert store.lease(NOW, 10, HOLD, CHANNELS) == []
    assert [row.draft.recipient for row in store.lease(minutes(1), 1, HOLD, CHANNELS)] == ["chi"]


def test_answers_go_before_a_morning_of_nudges(store: Store) -> None:
    """Of rows that are due, and alone; a possible repeat of an answer comes last, as any does."""
    nudges = [draft(f"{n}", slot=minutes(-60)) for n in range(3)]
    put(store, draft("again", kind="reply", slot=minutes(-90)))
    store.mark_retry(lease_one(store), NOW, "", unknown=True)
    put(store, *nudges, draft("an", kind="reply"), draft("late", kind="reply", due_at=minutes(1)))
    claimed = [store.lease(NOW, 2, HOLD, CHANNELS) for _ in range(3)]
    assert [[row.draft.recipient for row in rows] for rows in claimed] == [
        ["an"],
        ["0", "1"],
        ["2", "again"],
    ]


def test_none_of_a_recipient_of_whom_enough_is_leased(store: Store) -> None:
    """By that channel alone; answers of others go before what the flood has left waiting."""
    flood = [draft("an", kind="reply", subject=f"{n}", slot=minutes(-n)) for n in range(5)]
    put(store, *flood, draft("an", kind="reply", channel="email"), draft("binh", kind="reply"))
    leased = store.lease(NOW, 9, HOLD, CHANNELS, crowded=[("telegram", "an")])
    places = sorted((row.draft.recipient, row.draft.channel) for row in leased)
    assert places == [("an", "email"), ("binh", "telegram")]


@pytest.mark.parametrize(("limit", "expected"), [(2, 2), (0, 0), (-1, 0)])
def test_a_lease_has_a_limit(store: Store, limit: int, expected: int) -> None:
    put(store, draft("an"), draft("binh"), draft("chi"))
    assert len(store.lease(NOW, limit, HOLD, CHANNELS)) == expected
    assert store.lease(NOW, 9, HOLD, ()) == []


def test_a_sent_row_keeps_what_the_provider_said(store: Store) -> None:
    put(store, draft())
    store.mark_retry(lease_one(store), NOW, "429", unknown=False)
    leased = lease_one(store)
    assert store.mark_sent(leased, "4711", minutes(1))
    assert store.rows() == [
        replace(
            leased,
            state=RowState.SENT,
            lease_until=None,
            error="",
            provider_id="4711",
            sent_at=minutes(1),
        )
    ]
    assert not store.mark_sent(leased, "4712", minutes(2))


def test_what_was_sent_side_by_side_is_marked_by_one_commit(store: Store) -> None:
    """Each as by itself: whose lease has ended stays as it is, and is named."""
    put(store, draft("an"), draft("binh"), draft("chi"))
    stale = store.lease(NOW, 3, HOLD, CHANNELS)
    store.sweep(NOW + HOLD)
    leased = store.lease(NOW, 2, HOLD, CHANNELS)
    lost = next(row for row in stale if row.id not in {r.id for r in leased})
    sent = [(leased[0], "7", NOW), (lost, "8", NOW), (leased[1], "9", minutes(1))]
    assert store.mark_sent_together(sent) == [True, False, True]
    assert {(row.provider_id, row.sent_at) for row in store.rows(states=[RowState.SENT])} == {
        ("7", NOW),
        ("9", minutes(1)),
    }
    assert [row.id for row in store.rows(states=[RowState.PENDING])] == [lost.id]
    assert store.mark_sent_together(sent) == [False, False, False]
    assert store.mark_sent_together([]) == []


def test_the_newest_slot_of_each(store: Store) -> None:
    """Of one kind, from a slot on; who has no such row is left out."""
    early, late = minutes(-90), minutes(-30)
    rows = [replace(draft("an"), slot=slot) for slot in (early, late)]
    other = replace(draft("binh"), kind="escalation", slot=late)
    put(store, *rows, replace(draft("chi"), slot=early), other)
    who = ["an", "binh", "chi"]
    assert store.newest_slots("nudge", who, early) == {"an": late, "chi": early}
    assert store.newest_slots("nudge", who, late) == {"an": late}
    assert store.newest_slots("nudge", [], early) == {}


def test_a_retry_waits_for_its_time(store: Store) -> None:
    """A known failure is no repeat; an unknown outcome is one from then on."""
    put(store, draft())
    first = lease_one(store)
    assert store.mark_retry(first, minutes(1), "429", unknown=False)
    assert (store.lease(NOW, 1, HOLD, CHANNELS), store.next_due()) == ([], minutes(1))
    (second,) = store.lease(minutes(1), 1, HOLD, CHANNELS)
    assert (second.attempts, second.repeat, second.error) == (2, False, "429")
    assert store.mark_retry(second, minutes(2), "timeout", unknown=True)
    (third,) = store.lease(minutes(2), 1, HOLD, CHANNELS)
    assert store.mark_retry(third, minutes(3), "500", unknown=False)
    assert store.rows() == [
        Row(
            id=1,
            draft=draft(),
            state=RowState.PENDING,
            due_at=minutes(3),
            attempts=3,
            repeat=True,
            error="500",
        )
    ]


def test_only_the_holder_of_the_latest_lease_may_mark(store: Store) -> None:
    """The fence: whoever lost the lease changes nothing, neither row nor outbox."""
    put(store, draft())
    old = lease_one(store)
    assert store.sweep(NOW + HOLD) == 1
    before = store.rows()
    assert not store.mark_sent(old, "1", NOW)
    (new,) = store.lease(NOW, 1, HOLD, CHANNELS)
    assert not store.mark_retry(old, NOW, "late", unknown=True)
    assert not store.mark_ended(old, RowState.DEAD, "late", drafts=[draft("office")], at=NOW)
    assert store.rows() == [
        replace(before[0], state=RowState.LEASED, attempts=2, lease_until=new.lease_until)
    ]
    assert store.mark_sent(new, "2", NOW)


@pytest.mark.parametrize("end", [RowState.DEAD, RowState.SUPERSEDED])
def test_a_row_that_ends_takes_its_heirs_along(store: Store, end: RowState) -> None:
    """Dead on one channel: the next channel's row and a word to the office, or none of it."""
    put(store, draft())
    leased = lease_one(store)
    heirs = [draft(channel="email"), draft("office", kind="notice")]
    assert store.mark_ended(leased, end, "403 blocked", drafts=heirs, at=NOW)
    ended = replace(leased, state=end, lease_until=None, error="403 blocked")
    assert store.rows(states=[end]) == [ended]
    assert [row.draft for row in store.rows(states=[RowState.PENDING])] == heirs[::-1]


def test_a_sweep_frees_only_leases_that_ran_out(store: Store) -> None:
    put(store, draft("an"), draft("binh"))
    lease_one(store)
    (second,) = store.lease(minutes(1), 1, HOLD, CHANNELS)
    assert store.sweep(minutes(2)) == 1
    assert [(row.state, row.repeat, row.lease_until) for row in store.rows()] == [
        (RowState.LEASED, False, second.lease_until),
        (RowState.PENDING, True, None),
    ]
    assert store.sweep(minutes(2)) == 0


def test_a_new_life_frees_all_leases_at_once(store: Store) -> None:
    """Whatever its dead holder was sending may have arrived: marked so, and due now."""
    put(store, draft("an"), draft("binh"), draft("chi", due_at=minutes(9)))
    store.lease(NOW, 2, timedelta(hours=1), CHANNELS)
    assert store.release_all(minutes(1)) == 2
    again = store.lease(minutes(1), 9, HOLD, CHANNELS)
    found = [
        (row.draft.recipient, row.repeat, row.error, row.attempts, row.due_at) for row in again
    ]
    assert found == [("an", True, LOST, 2, minutes(1)), ("binh", True, LOST, 2, minutes(1))]
    assert store.counts()["unknown"] == 2
    assert store.release_all(minutes(2)) == 2
    assert {row.error for row in store.lease(minutes(2), 9, HOLD, CHANNELS)} == {LOST_AGAIN}


def test_possible_repeats_go_behind_all_that_was_never_lost(store: Store) -> None:
    """Dying with the two oldest rows in hand, again and again: each row has its turn."""
    put(store, *(draft(f"p{n}", slot=minutes(n - 9)) for n in range(6)))
    lives = []
    for _ in range(5):
        lives.append([row.draft.recipient for row in store.lease(NOW, 2, HOLD, CHANNELS)])
        store.release_all(NOW)
    assert lives == [["p0", "p1"], ["p2", "p3"], ["p4", "p5"], ["p0", "p1"], ["p2", "p3"]]
    put(store, draft("new"))
    assert [row.draft.recipient for row in store.lease(NOW, 3, HOLD, CHANNELS)] == [
        "new",
        "p4",
        "p5",
    ]


def test_a_sweep_leaves_what_is_under_way(store: Store) -> None:
    """A row that is being sent keeps its lease, however late; its neighbours lose theirs."""
    put(store, draft("an"), draft("binh"))
    store.lease(NOW, 2, HOLD, CHANNELS)
    assert store.sweep(minutes(60), but=[1, 99]) == 1
    assert states(store) == {"an": "leased", "binh": "pending"}


def test_a_clock_set_back_leaves_nothing_waiting_for_the_false_hour(store: Store) -> None:
    """Retries and leases of the false time end in the true one; a wait that could be true stays."""
    put(store, *(draft(name) for name in ("far", "near", "held", "short", "sent")))
    day = 24 * 60
    far, near, _, _, sent = store.lease(NOW, 5, timedelta(days=1), CHANNELS)
    store.mark_retry(far, minutes(day), "network", unknown=False)
    store.mark_retry(near, minutes(5), "network", unknown=False)
    store.mark_sent(sent, "1", minutes(day))
    put(store, draft("new", due_at=minutes(day)))
    assert store.bring_forward(NOW, timedelta(minutes=5), HOLD) == 4
    assert {row.draft.recipient: row.lease_until or row.due_at for row in store.rows()} == {
        "far": NOW,
        "near": minutes(5),
        "held": NOW + HOLD,
        "short": NOW + HOLD,
        "sent": NOW,
        "new": NOW,
    }
    assert store.bring_forward(NOW, timedelta(minutes=5), HOLD) == 0


def test_the_next_due_is_of_pending_rows_only(store: Store) -> None:
    assert store.next_due() is None
    put(store, draft("an"), draft("binh", due_at=minutes(5)))
    assert store.next_due() == NOW
    lease_one(store)
    assert store.next_due() == minutes(5)


def test_rows_are_found_by_state_kind_recipient_and_slot(store: Store) -> None:
    """The newest slot first, and of one slot the last written first."""
    put(
        store,
        draft("an", slot=minutes(3)),
        draft("binh", slot=minutes(1)),
        draft("an", slot=minutes(1), kind="digest"),
        draft("an", slot=minutes(2)),
    )
    store.drop(4)

    def ids(**filters: object) -> list[int]:
        return [row.id for row in store.rows(**filters)]  # type: ignore[arg-type]

    assert ids() == [1, 4, 3, 2]
    assert ids(states=[RowState.PENDING, RowState.SENT]) == [1, 3, 2]
    assert ids(kind="nudge") == [1, 4, 2]
    assert ids(recipient="an") == [1, 4, 3]
    assert ids(kind="nudge", recipient="an", states=[RowState.PENDING]) == [1]
    assert ids(since=minutes(2)) == [1, 4]
    assert ids(limit=3) == [1, 4, 3]
    assert ids(kind="reply") == ids(limit=0) == []


def test_counts_name_every_state(store: Store) -> None:
    put(store, draft("an"), draft("binh"), draft("chi"))
    assert store.mark_sent(lease_one(store), "1", NOW)
    assert store.mark_retry(lease_one(store), NOW, "timeout", unknown=True)
    assert store.counts() == {
        "pending": 2,
        "leased": 0,
        "sent": 1,
        "returned": 0,
        "dead": 0,
        "superseded": 0,
        "dropped": 0,
        "unknown": 1,
    }


def test_the_operator_drops_and_revives(store: Store) -> None:
    """What is pending or dead is dropped, what is dead or dropped revived; nothing else is."""
    put(store, draft("dead"), draft("sent"), draft("held"), draft("waits"))
    assert store.mark_ended(lease_one(store), RowState.DEAD, "550", at=NOW)
    assert store.mark_sent(lease_one(store), "1", NOW)
    lease_one(store)
    assert [store.revive(row, minutes(9)) for row in (1, 2, 3, 4, 5)] == [True] + [False] * 4
    assert [store.drop(row) for row in (1, 2, 3, 4, 5)] == [True, False, False, True, False]
    assert states(store) == {
        "dead": "dropped",
        "sent": "sent",
        "held": "leased",
        "waits": "dropped",
    }
    assert store.revive(4, minutes(9))
    assert store.next_due() == minutes(9)
