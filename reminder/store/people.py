"""The part of the store for addresses and invitations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Integer, Text, bindparam, cast, delete, select, update

from reminder.domain.outbox import Draft
from reminder.domain.people import Address
from reminder.store.database import Database, Part
from reminder.store.records import stamp, to_address, words
from reminder.store.tables import address, invitation, meta

REPLACED = stamp(datetime(1, 1, 1, tzinfo=UTC))  # the expiry of an invitation that no longer holds

ADDRESS_MARK = "addresses"  # in the table meta
ADDRESSES = select(address)
UNBIND_ALL = delete(address).where(address.c.recipient == bindparam("who"))
UNBIND = UNBIND_ALL.where(address.c.channel == bindparam("via"))
_AT = update(address).where(
    address.c.channel == bindparam("via"), address.c.value == bindparam("place")
)
KILL = _AT.where(address.c.dead_since.is_(None)).values(
    dead_since=bindparam("now"), dead_reason=bindparam("reason")
)
MOVE = _AT.values(value=bindparam("new_place"), dead_since=None, dead_reason="")

REPLACE = (
    update(invitation)
    .where(invitation.c.person == bindparam("who"), invitation.c.used_at.is_(None))
    .values(expires_at=REPLACED)
)
USE = (
    update(invitation)
    .where(
        invitation.c.code_hash == bindparam("code"),
        invitation.c.used_at.is_(None),
        invitation.c.expires_at > bindparam("now"),
    )
    .values(used_at=bindparam("now"))
    .returning(invitation.c.person)
)
INVITATION = select(invitation.c.expires_at, invitation.c.used_at).where(
    invitation.c.code_hash == bindparam("code")
)


class PeoplePart(Part):
    """Addresses and invitations."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        place = database.insert(address)
        self._bind = place.on_conflict_do_update(
            index_elements=["recipient", "channel"],
            set_={name: place.excluded[name] for name in _BINDING},
        )
        mark = database.insert(meta)
        self._mark = mark.on_conflict_do_update(
            index_elements=["name"], set_={"value": cast(cast(meta.c.value, Integer) + 1, Text)}
        )
        offer = database.insert(invitation)
        self._invite = offer.on_conflict_do_update(
            index_elements=["code_hash"],
            set_={name: offer.excluded[name] for name in ("person", "expires_at", "used_at")},
        )

    def bind(self, recipient: str, channel: str, value: str, at: datetime) -> None:
        """Make `value` the address of `recipient` on `channel`."""
        with self._database.writing() as connection:
            connection.execute(self._bind, _binding(recipient, channel, value, at))
            connection.execute(self._mark, _MARK)

    def unbind(self, recipient: str, channel: str | None = None) -> int:
        """Remove the addresses of `recipient`, on one channel or all; return how many."""
        which = UNBIND_ALL if channel is None else UNBIND
        with self._database.writing() as connection:
            gone = connection.execute(which, {"who": words(recipient), "via": channel}).rowcount
            connection.execute(self._mark, _MARK)
        return gone

    def addresses(self) -> list[Address]:
        """All addresses, by recipient and channel."""
        with self._database.reading() as connection:
            found = [to_address(columns) for columns in connection.execute(ADDRESSES)]
        return sorted(found, key=lambda a: (a.recipient, a.channel))

    def mark_address_dead(
        self, channel: str, value: str, reason: str, at: datetime, *, drafts: Iterable[Draft] = ()
    ) -> bool:
        """Mark an address as dead and queue `drafts`; False if it was dead already."""
        values = {"via": channel, "place": words(value), "reason": words(reason), "now": stamp(at)}
        with self._database.writing() as connection:
            was_alive = connection.execute(KILL, values).rowcount > 0
            if was_alive:
                connection.execute(self._mark, _MARK)
                self._put(connection, drafts, at)
        return was_alive

    def move_address(self, channel: str, old: str, new: str) -> bool:
        """Replace the address of a group that became a supergroup; False if there is none."""
        values = {"via": channel, "place": words(old), "new_place": words(new)}
        with self._database.writing() as connection:
            moved = connection.execute(MOVE, values).rowcount > 0
            connection.execute(self._mark, _MARK)
        return moved

    def invite(self, person: str, code_hash: str, expires_at: datetime) -> None:
        """Add a one-time invitation; an older unused one of the person expires."""
        offer = {
            "code_hash": code_hash,
            "person": words(person),
            "expires_at": stamp(expires_at),
            "used_at": None,
        }
        with self._database.writing() as connection:
            connection.execute(REPLACE, {"who": words(person)})
            connection.execute(self._invite, offer)

    def redeem(self, code_hash: str, now: datetime, channel: str, value: str) -> str | None:
        """Use an invitation once: bind the address, return the person; None for another code."""
        with self._database.writing() as connection:
            person = _used(connection, code_hash, now)
            if person is not None:
                connection.execute(self._bind, _binding(person, channel, value, now))
                connection.execute(self._mark, _MARK)
        return person

    def invitation_fault(self, code_hash: str, now: datetime) -> str:
        """Why a code was not redeemed: “unknown”, “used”, “expired”; empty: it still holds."""
        with self._database.reading() as connection:
            found = connection.execute(INVITATION, {"code": words(code_hash)}).one_or_none()
        if found is None:
            return "unknown"
        expires_at, used_at = found
        if used_at is not None:
            return "used"
        return "expired" if expires_at <= stamp(now) else ""


# A number that grows when an address changes, so that readers notice without rereading all.
_MARK = {"name": ADDRESS_MARK, "value": "1"}
_BINDING = ("value", "bound_at", "dead_since", "dead_reason")


def _binding(recipient: str, channel: str, value: str, at: datetime) -> dict[str, Any]:
    return {
        "recipient": words(recipient),
        "channel": channel,
        "value": words(value),
        "bound_at": stamp(at),
        "dead_since": None,
        "dead_reason": "",
    }


def _used(connection: Connection, code_hash: str, now: datetime) -> str | None:
    values = {"code": words(code_hash), "now": stamp(now)}
    person: str | None = connection.execute(USE, values).scalar()
    return person
