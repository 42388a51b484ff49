"""What the office is told of messages, addresses and channels that fail."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time
from typing import TYPE_CHECKING

from reminder.domain.calendar import instant, local_day
from reminder.domain.outbox import Draft, Row
from reminder.domain.payloads import AddressDead, ChannelDown, DeadLetter, Unreached
from reminder.services.office import Office
from reminder.services.recipients import to_offices

if TYPE_CHECKING:
    from reminder.store.store import Store

log = logging.getLogger(__name__)

UNREACHED = "unreached"  # the meta key of people already reported
OWN_WORDS = ("notice",)  # kinds about the program itself; their failure is only logged


def dead_letter(office: Office, store: Store, row: Row, reason: str, now: datetime) -> list[Draft]:
    """Tell the office that `row` reaches nobody; some kinds are only logged."""
    if row.draft.kind in (*OWN_WORDS, "edit", "reply"):
        return []
    payload = DeadLetter(
        row=row.id,
        recipient=row.draft.recipient,
        kind=row.draft.kind,
        channel=row.draft.channel,
        reason=reason,
        slot=row.draft.slot,
    )
    slot = instant(local_day(now), time())
    if row.draft.recipient in office.people and not office.ways(row.draft.recipient):
        # Somebody without any address has a row like this each morning.
        return _unreached(office, store, row.draft.recipient, now)
    failing = (row.draft.recipient, row.draft.channel)
    return to_offices(office, payload, now, subject=row.draft.recipient, slot=slot, avoid=failing)


def _unreached(office: Office, store: Store, recipient: str, now: datetime) -> list[Draft]:
    """One message about all who are unreachable, when somebody new is among them.

    After that the weekly digest repeats it. Who was reached in between would be news once more.
    """
    told: list[str] = json.loads(store.meta(UNREACHED) or "[]")
    if recipient in told:
        return []
    return to_offices(
        office, Unreached(), now, subject=UNREACHED, slot=instant(local_day(now), time())
    )


def keep_told(office: Office, store: Store, drafts: Sequence[Draft]) -> None:
    """Note who was reported as unreachable, if `drafts` do so."""
    if any(isinstance(draft.payload, Unreached) for draft in drafts):
        cut_off = [person.id for person in office.files.people if not office.ways(person.id)]
        store.set_meta(UNREACHED, json.dumps(cut_off))


def say_address_dead(
    office: Office, store: Store, channel: str, value: str, reason: str, now: datetime
) -> None:
    """To the office: whose address it is, which of an answer in a group is not its recipient's.

    A chat that nobody is bound to is nobody's address, and nothing is said of it.
    """
    drafts: list[Draft] = []
    for address in office.bound(channel, value):
        owner = address.recipient
        others = [way for way in office.ways(owner) if way != channel]
        payload = AddressDead(
            recipient=owner,
            channel=channel,
            reason=reason,
            at=now,
            fallback=others[0] if others else "",
        )
        if address.dead_since is None:
            drafts += to_offices(office, payload, now, subject=owner, avoid=(owner, channel))
    store.mark_address_dead(channel, value, reason, now, drafts=drafts)


def say_channel_down(
    office: Office, store: Store, channel: str, reason: str, now: datetime, *, said: str = ""
) -> None:
    """Once until it works again: the mark is taken away by `channel_up`.

    `said`: the provider's own words, for the log.
    """
    if store.meta(f"down:{channel}"):
        return
    log.error("channel %s refuses everything: %s", channel, said or reason)
    payload = ChannelDown(channel=channel, reason=reason, since=now)
    up = replace(office, channels=tuple(c for c in office.channels if c != channel))
    drafts = to_offices(up, payload, now, subject=channel)
    meta = {f"down:{channel}": now.isoformat()}
    store.record([], unit_names={}, drafts=drafts, meta=meta, at=now)


def channel_up(store: Store, channel: str) -> None:
    """Note that the channel has accepted a message, and log that it works again."""
    if store.meta(f"down:{channel}"):
        log.info("channel %s works again", channel)
        store.set_meta(f"down:{channel}", "")
