"""The contract of addresses and invitations, on the fake store and on the real one."""

from __future__ import annotations

from reminder.domain.people import Address
from reminder.store.store import Store
from tests.store.samples import NOW, UNITS, draft, event, minutes


def address(recipient: str, channel: str, value: str, **changes: object) -> Address:
    where = {"recipient": recipient, "channel": channel, "value": value, "bound_at": NOW}
    return Address(**{**where, **changes})  # type: ignore[arg-type]


def test_a_recipient_has_one_address_a_channel(store: Store) -> None:
    """A later one takes its place; the list is by recipient and channel."""
    store.bind("an", "telegram", "1", NOW)
    store.bind("an", "email", "an@xa.vn", NOW)
    store.bind("group:tu-phap", "telegram", "-5", NOW)
    store.bind("an", "telegram", "2", minutes(1))
    assert store.addresses() == [
        address("an", "email", "an@xa.vn"),
        address("an", "telegram", "2", bound_at=minutes(1)),
        address("group:tu-phap", "telegram", "-5"),
    ]


def test_unbinding_forgets_one_channel_or_all(store: Store) -> None:
    for channel in ("telegram", "email", "console"):
        store.bind("an", channel, "1", NOW)
    store.bind("binh", "telegram", "2", NOW)
    assert [store.unbind("an", "email"), store.unbind("an", "email")] == [1, 0]
    assert [store.unbind("an"), store.unbind("an")] == [2, 0]
    assert store.addresses() == [address("binh", "telegram", "2")]


def test_an_address_dies_once(store: Store) -> None:
    """The office hears of it the first time only; binding it anew makes it live."""
    store.bind("an", "telegram", "1", NOW)
    notice = draft("office", kind="notice")
    assert store.mark_address_dead("telegram", "1", "403", minutes(1), drafts=[notice])
    later = draft("office", kind="notice", slot=minutes(2))
    assert not store.mark_address_dead("telegram", "1", "again", minutes(2), drafts=[later])
    assert not store.mark_address_dead("email", "1", "other", NOW, drafts=[later])
    assert store.addresses() == [
        address("an", "telegram", "1", dead_since=minutes(1), dead_reason="403")
    ]
    assert [row.draft for row in store.rows()] == [notice]
    store.bind("an", "telegram", "1", NOW)
    assert store.addresses() == [address("an", "telegram", "1")]


def test_a_group_moves_and_lives(store: Store) -> None:
    store.bind("group:tu-phap", "telegram", "-5", NOW)
    store.bind("an", "email", "-5", NOW)
    store.mark_address_dead("telegram", "-5", "upgraded", NOW)
    assert store.move_address("telegram", "-5", "-1005")
    assert not store.move_address("telegram", "-5", "-1005")
    assert store.addresses() == [
        address("an", "email", "-5"),
        address("group:tu-phap", "telegram", "-1005"),
    ]


def test_an_invitation_binds_once(store: Store) -> None:
    store.invite("an", "hash", minutes(5))
    assert store.invitation_fault("hash", NOW) == ""
    assert store.redeem("hash", NOW, "telegram", "1") == "an"
    assert store.redeem("hash", NOW, "telegram", "2") is None
    assert store.invitation_fault("hash", minutes(9)) == "used"
    assert store.addresses() == [address("an", "telegram", "1")]


def test_an_invitation_expires(store: Store) -> None:
    """At its very instant; an unknown one never was."""
    store.invite("an", "hash", minutes(5))
    assert store.redeem("hash", minutes(5), "telegram", "1") is None
    assert store.redeem("other", NOW, "telegram", "1") is None
    assert store.invitation_fault("hash", minutes(5)) == "expired"
    assert store.invitation_fault("other", NOW) == "unknown"
    assert store.addresses() == []


def test_a_new_invitation_ends_the_one_before(store: Store) -> None:
    """Of this person only; one that was used stays used."""
    store.invite("an", "used", minutes(5))
    store.redeem("used", NOW, "telegram", "1")
    store.invite("an", "old", minutes(5))
    store.invite("binh", "other", minutes(5))
    store.invite("an", "new", minutes(5))
    faults = [store.invitation_fault(code, NOW) for code in ("used", "old", "other", "new")]
    assert faults == ["used", "expired", "", ""]
    assert store.redeem("old", NOW, "telegram", "2") is None


def test_an_invitation_ends_none_to_another_channel(store: Store) -> None:
    """Whom a code invites can be asked without using it up."""
    store.invite("an", "one", minutes(5), "telegram")
    store.invite("an", "two", minutes(5), "sms")
    assert [store.invited(code, NOW) for code in ("one", "two", "three")] == ["an", "an", None]
    store.invite("an", "four", minutes(5), "sms")
    assert [store.invited(code, NOW) for code in ("one", "two", "four")] == ["an", None, "an"]
    assert store.invited("one", minutes(5)) is None


def test_each_change_of_an_address_or_of_the_ledger_moves_a_mark(store: Store) -> None:
    """Whoever has read both at these marks need not read them again."""
    store.invite("an", "hash", minutes(5))
    marks = [store.revision()]
    for change in (
        lambda: store.record([event()], unit_names=UNITS, at=NOW),
        lambda: store.bind("an", "telegram", "1", NOW),
        lambda: store.move_address("telegram", "1", "2"),
        lambda: store.mark_address_dead("telegram", "2", "", NOW),
        lambda: store.redeem("hash", NOW, "telegram", "3"),
        lambda: store.unbind("an"),
    ):
        change()
        marks.append(store.revision())
    store.record([], unit_names=UNITS, drafts=[draft()], at=NOW)
    assert len(set(marks)) == 7
    assert store.revision() == marks[-1]
