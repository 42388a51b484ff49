"""Mail that came back: its address dies at once or at the third, and the next channel goes on.

All of it can be said twice without harm, so that a crash between two steps costs nothing: an
address dies once, and a copy for the next channel is unique in the outbox.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reminder.domain.outbox import Row, RowState
from reminder.services.deliver import copied, next_channel
from reminder.services.failures import say_address_dead
from reminder.services.office import Office

if TYPE_CHECKING:
    from reminder.store.store import Store

log = logging.getLogger(__name__)

ENOUGH = 3  # soft bounces of different mails
WITHIN = timedelta(days=7)
_CODE = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")  # RFC 3463


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounce:
    """What is known of a mail that did not arrive."""

    channel: str
    address: str
    message_id: str  # of the mail that came back
    reason: str
    hard: bool  # the address is refused for good
    final: bool  # this mail is not tried any longer


def bounced(office: Office, store: Store, bounce: Bounce, now: datetime) -> bool:
    """Notes it; True if the address is dead by it."""
    if not office.bound(bounce.channel, bounce.address):
        return False
    log.warning("mail to %s came back (%s)", bounce.address, bounce.reason or "no reason given")
    row = _row(office, store, bounce)
    dead = bounce.hard or _too_often(store, bounce, now)
    following = next_channel(office, row) if row and (bounce.final or dead) else None
    if dead:
        say_address_dead(office, store, bounce.channel, bounce.address, _words(bounce), now)
    if row is not None and following is not None:
        store.record([], unit_names={}, drafts=[copied(row, following, now)], at=now)
    return dead


def _row(office: Office, store: Store, bounce: Bounce) -> Row | None:
    """The message that came back; None if it is unknown."""
    people = [address.recipient for address in office.bound(bounce.channel, bounce.address)]
    rows = (
        row
        for person in people
        for row in store.rows(
            recipient=person, states=[RowState.SENT], provider_id=bounce.message_id
        )
    )
    return next(rows, None)


def _words(bounce: Bounce) -> str:
    """Why the address is dead, for the office; the server's own words are in the log."""
    found = _CODE.search(bounce.reason)
    code = f" ({found[0]})" if found else ""
    if bounce.hard:
        return f"thư bị trả lại, máy chủ thư bên nhận không có địa chỉ này{code}"
    return f"{ENOUGH} thư trong một tuần bị trả lại{code}"


def _too_often(store: Store, bounce: Bounce, now: datetime) -> bool:
    """Whether this is the third mail within a week; the same one twice counts once."""
    name = f"bounces:{bounce.address}"
    kept: dict[str, str] = json.loads(store.meta(name) or "{}")
    recent = {
        message: at
        for message, at in kept.items()
        if timedelta(0) <= now - datetime.fromisoformat(at) < WITHIN
    }
    recent.setdefault(bounce.message_id, now.isoformat())
    store.set_meta(name, json.dumps(dict(list(recent.items())[-ENOUGH:])))
    return len(recent) >= ENOUGH
