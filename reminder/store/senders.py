"""Whose a message is: look-ups over all offices that an account serves.

Each is answered by an index on what the message brings, so that its cost does not grow with the
number of offices.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, func, select

from reminder.domain.outbox import chat_of
from reminder.store.database import EVERY, Database, OfficeDatabase
from reminder.store.offices import OfficeState
from reminder.store.records import SECRET, stamp, words
from reminder.store.tables import address, invitation, meta, office, office_account

MOST_INVITING = 500  # offices whose open invitations one typed code is held against
_a, _i, _link = address.c, invitation.c, office_account.c


class Owner(NamedTuple):
    """Who is reached at an address."""

    office: str
    recipient: str  # a person, or the group of a unit
    value: str  # the address as it is bound


class Senders:
    """Who writes to an account, over all active offices that use it. Synchronous."""

    def __init__(self, database: Database) -> None:
        self._every = OfficeDatabase(database, EVERY)

    def owners(
        self, account: str, channel: str, values: Iterable[str], *, used_as: str = ""
    ) -> list[Owner]:
        """Return whom these addresses reach, by office; upper and lower case are one.

        `used_as`: the channel as which the offices use the account, where it is another.
        """
        plain = sorted({words(value).lower() for value in values})
        return self._bound(account, used_as or channel, channel, func.lower(_a.value).in_(plain))

    def groups(self, account: str, channel: str, chat: str, offices: Iterable[str]) -> list[Owner]:
        """Return the groups that are bound to a chat; in another topic of it those of `offices`."""
        found = self.owners(account, channel, [chat, chat_of(chat)])
        ids = sorted(set(offices))
        if found or not ids:
            return found
        topics = _a.value.startswith(f"{words(chat_of(chat))}/", autoescape=True)
        return self._bound(account, channel, channel, and_(_a.office.in_(ids), topics))

    def _bound(self, account: str, used_as: str, channel: str, found: Any) -> list[Owner]:
        asked = (
            select(_a.office, _a.recipient, _a.value)
            .join(office_account, and_(_link.office == _a.office, _link.channel == used_as))
            .join(office, office.c.id == _a.office)
            .where(_a.channel == channel, found, *_serves(account))
            .order_by(_a.office, _a.recipient)
        )
        return [Owner(*row) for row in self._every.all(asked)]

    def invited(self, account: str, code_hash: str) -> str:
        """Return the office that has issued a code; empty if none has."""
        asked = self._offices(account).join(invitation, _i.office == _link.office)
        asked = asked.where(_i.code_hash == code_hash).limit(1)
        with self._every.reading() as connection:
            return connection.raw.execute(asked).scalars().first() or ""

    def inviting(self, account: str, channel: str, now: datetime) -> list[tuple[str, str]]:
        """Return the offices with an open invitation, each with its secret."""
        asked = (
            select(_i.office, meta.c.value)
            .join(meta, and_(meta.c.office == _i.office, meta.c.name == SECRET))
            .join(office_account, and_(_link.office == _i.office, _link.channel == channel))
            .join(office, office.c.id == _i.office)
            .where(_i.channel == channel, _i.expires_at > stamp(now), _i.used_at.is_(None))
            .where(*_serves(account))
            .distinct()
            .order_by(_i.office)
            .limit(MOST_INVITING)
        )
        return [(row.office, row.value) for row in self._every.all(asked)]

    def first(self, account: str) -> str:
        """Return the first active office that uses an account, by id; empty if there is none."""
        with self._every.reading() as connection:
            asked = self._offices(account).order_by(_link.office).limit(1)
            return connection.raw.execute(asked).scalars().first() or ""

    @staticmethod
    def _offices(account: str) -> Select[Any]:
        return (
            select(_link.office).join(office, office.c.id == _link.office).where(*_serves(account))
        )


def _serves(account: str) -> tuple[Any, ...]:
    return _link.account == words(account), office.c.state == OfficeState.ACTIVE.value
