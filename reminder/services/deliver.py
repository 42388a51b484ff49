"""A leased row: rendered, sent, and then recorded as sent, to be retried, or dead.

The office is told of messages, addresses and channels that fail.

Delivery is at least once. A crash between the provider's acceptance and our record leaves the row
leased; the next start releases it, and it is sent once more, marked as a possible repeat.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from reminder.domain.calendar import instant, local_day
from reminder.domain.outbox import LOST_AGAIN, Draft, Outbound, Retries, Row, RowState, SendError
from reminder.domain.payloads import AddressDead, ChannelDown, DeadLetter, Unreached
from reminder.domain.schedule import MessageKind, speaking_hours
from reminder.services.history import NEWEST, NO_PAST, Past, completed, newest_nudges
from reminder.services.office import GROUP, STRANGER, Office
from reminder.services.recipients import to_offices
from reminder.store.records import StoreBusyError

if TYPE_CHECKING:
    from reminder.store.store import Store


log = logging.getLogger(__name__)

HOLD = timedelta(minutes=5)  # of a lease: far longer than a send may take
# Attempts at one row that may end by a crash. A row with an unknown result is sent once more; but a
# kill does not tell whether a send had begun, and twenty kills in a row must not lose a row.
LIVES = 24
_BY_HOUR = frozenset(kind.value for kind in MessageKind)
BEHIND = timedelta(minutes=1)  # left-over messages are sent after the morning's tick
# A people file that was saved half may be valid, and lack people: messages to them are kept for a
# day, and sent if the people come back.
KEPT, COMES_BACK = timedelta(days=1), timedelta(minutes=15)
GONE = "người nhận không còn trong danh sách"


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A rendered row, with its address and channel."""

    row: Row
    address: str
    message: Outbound
    key: str  # stable over all attempts at the row
    day: date  # the office's day for which it is true


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A message that its provider has accepted, with its id there and the time."""

    rendered: Rendered
    provider_id: str
    at: datetime


@dataclass(frozen=True)
class Moment:
    """What a renderer is given: the office, and the time of sending."""

    office: Office
    now: datetime
    past: Past = NO_PAST  # what the row's words need of it


class Renderer(Protocol):
    """Renders a row of the outbox when it is sent."""

    def render(self, view: Moment, row: Row) -> Outbound | None:
        """Return the message; None if nothing is left to say."""
        ...


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """The waits of the delivery; both are settings."""

    retries: Retries = field(default_factory=Retries)
    fall_through_after: timedelta = timedelta(hours=2)


def claimed(office: Office, store: Store, now: datetime, limit: int) -> list[Row]:
    """Lease rows that are due; those of a channel that is off are given up."""
    channels = {*office.channels, *(traits.name for traits in office.known)}
    return store.lease(now, limit, HOLD, channels) if limit else []


def prepared(
    office: Office, store: Store, renderer: Renderer, rows: Sequence[Row], now: datetime
) -> list[Rendered]:
    """Render the leased `rows`; a row with nothing left to say ends here."""
    outgoing = []
    newest = newest_nudges(store, rows)
    for row in rows:
        try:
            rendered = _prepared(office, store, renderer, row, now, newest)
        except StoreBusyError as error:  # the rest of the batch goes all the same
            log.error("row %d waits for its lease to end: %s", row.id, error)
            continue
        except Exception as error:  # noqa: BLE001  one faulty row must not hold up all others
            log.error("row %d can't be prepared: %s: %s", row.id, type(error).__name__, error)
            continue
        if rendered:
            outgoing.append(rendered)
    return outgoing


def _prepared(
    office: Office,
    store: Store,
    renderer: Renderer,
    row: Row,
    now: datetime,
    newest: Mapping[str, datetime],
) -> Rendered | None:
    draft = row.draft
    if draft.channel not in office.channels:
        _give_up(office, store, row, "kênh này không còn được cài đặt", now)
        return None
    if not draft.recipient.startswith((GROUP, STRANGER)) and draft.recipient not in office.people:
        if now - draft.slot < KEPT:
            store.mark_retry(row, now + COMES_BACK, f"{GONE}: giữ lại một ngày", unknown=False)
        else:
            store.mark_ended(row, RowState.DROPPED, GONE, at=now)
        return None
    if row.error == LOST_AGAIN and row.attempts > LIVES:
        _give_up(office, store, row, LOST_AGAIN, now)
        return None
    if (morning := _next_morning(office, row, now)) is not None:
        store.mark_retry(row, morning, row.error, unknown=False)
        return None
    bound = office.address(draft.recipient, draft.channel)
    address = _chat(store, row) or (bound.value if bound else "")
    if not address:
        _give_up(office, store, row, "chưa có địa chỉ", now)
        return None
    try:
        complete, past = completed(office, store, row, now, newest)
        message = renderer.render(Moment(office, now, past), complete)
    except StoreBusyError:
        raise
    except Exception as error:  # noqa: BLE001  one faulty row must not hold up all others
        log.error("row %d can't be rendered: %s: %s", row.id, type(error).__name__, error)
        _give_up(office, store, row, "không soạn được tin này", now)
        return None
    if message is None:
        reason = "mọi việc đã xong, hoặc tin mới hơn đã nói"
        store.mark_ended(row, RowState.SUPERSEDED, reason, at=now)
        return None
    key = "/".join((draft.slot.isoformat(), draft.kind, draft.subject, draft.recipient))
    return Rendered(row=row, address=address, message=message, key=key, day=local_day(now))


def rendered_again(
    office: Office, store: Store, renderer: Renderer, channel: str, address: str, provider_id: str
) -> Outbound | None:
    """The message that `address` got under `provider_id`, rendered again."""
    owners = {bound.recipient for bound in office.bound(channel, address)}
    for owner in sorted(owners):
        for row in store.rows(recipient=owner, limit=NEWEST):
            if row.draft.channel == channel and row.provider_id == provider_id:
                at = row.sent_at or row.draft.slot
                complete, past = completed(office, store, row, at, {})
                return renderer.render(Moment(office, at, past), complete)
    return None


def _next_morning(office: Office, row: Row, now: datetime) -> datetime | None:
    """When what an earlier day has left over may be said; None: now.

    It rings at no hour at which nothing new would; that morning's own nudges go first, and take
    out of it what they say themselves.
    """
    draft, scheduler, today = row.draft, office.scheduler, local_day(now)
    if draft.kind not in _BY_HOUR or local_day(draft.slot) >= today:
        return None
    kind = MessageKind(draft.kind)
    if speaking_hours(scheduler, kind, now):
        return None
    slot = scheduler.policy.digest if kind is MessageKind.DIGEST else scheduler.policy.slot
    day = scheduler.calendar.roll_forward(today)
    if instant(day, slot) <= now:
        day = scheduler.calendar.after(day, 1)
    return instant(day, slot) + BEHIND


def _chat(store: Store, row: Row) -> str:
    """Where an answer goes: the chat that asked, under its new id if it has moved since."""
    chat = row.draft.envelope.chat
    if not chat.startswith("-"):  # groups alone move
        return chat
    return store.meta(f"moved:{row.draft.channel}:{chat}") or chat


def sent(store: Store, accepted: Sequence[Accepted]) -> None:
    """Record accepted messages; a lost lease is logged."""
    marks = [(one.rendered.row, one.provider_id, one.at) for one in accepted]
    for one, mine in zip(accepted, store.mark_sent_together(marks), strict=True):
        if not mine:
            row = one.rendered.row.id
            log.warning("row %d was sent, but its lease had run out: it may come twice", row)


class Fate(StrEnum):
    """The result of a failed send."""

    RETRY = "retry"
    NEXT_CHANNEL = "next-channel"
    DEAD = "dead"


def failed(
    office: Office,
    store: Store,
    delivery: Delivery,
    rendered: Rendered,
    error: SendError,
    now: datetime,
) -> Fate:
    """Decide and record what becomes of a row that was not accepted."""
    row, channel = rendered.row, rendered.row.draft.channel
    if error.moved_to:
        store.move_address(channel, rendered.address, error.moved_to)
        store.set_meta(f"moved:{channel}:{rendered.address}", error.moved_to)
        store.mark_retry(row, now, error.reason, unknown=False)
        return Fate.RETRY
    if error.channel_down:
        say_channel_down(office, store, channel, error.reason, now, said=error.said)
    if error.address_dead:
        say_address_dead(office, store, channel, rendered.address, error.reason, now)
        return _give_up(office, store, row, error.reason, now, said=error.said)
    if not error.retry or (error.unknown and row.repeat):  # once more is enough
        return _give_up(office, store, row, error.reason, now, said=error.said)
    waited = now - row.draft.slot
    impatient = error.channel_down or waited >= delivery.fall_through_after
    impatient = impatient and row.draft.kind != MessageKind.DIGEST  # each way has its own form
    if impatient and (next_channel(office, row) is not None or _is_group_nudge(row)):
        return _give_up(office, store, row, error.reason, now, said=error.said)
    asked = timedelta(seconds=error.retry_after) if error.retry_after else None
    due_at = delivery.retries.retry_at(max(1, row.attempts), now, asked=asked)
    store.mark_retry(row, due_at, error.reason, unknown=error.unknown)
    if error.reason != row.error:  # the same reason again is no news
        doubt = "; it may have arrived, and will say so" if error.unknown else ""
        log.warning("row %d (%s to %s by %s) is tried again: %s%s", row.id, row.draft.kind,
                    row.draft.recipient, row.draft.channel, error.reason, doubt)  # fmt: skip
    return Fate.RETRY


def next_channel(office: Office, row: Row) -> str | None:
    """The recipient's next channel after the row's; groups and answers have none."""
    person = office.people.get(row.draft.recipient)
    if person is None or row.draft.kind in ("reply", "edit"):
        return None
    order = list(person.channels)
    here = order.index(row.draft.channel) if row.draft.channel in order else -1
    later = order[here + 1 :]
    return next((c for c in later if c in office.ways(person.id)), None)


def _give_up(
    office: Office, store: Store, row: Row, reason: str, now: datetime, *, said: str = ""
) -> Fate:
    """Mark the row as dead; the next channel takes over, or the office is told."""
    following = next_channel(office, row)
    if following is not None:
        drafts = [copied(row, following, now)]
    elif _is_group_nudge(row):
        drafts = _to_members(office, row, now)
    else:
        drafts = dead_letter(office, store, row, reason, now)
    store.mark_ended(row, RowState.DEAD, reason, drafts=drafts, at=now)
    keep_told(office, store, drafts)
    log.warning("row %d (%s to %s by %s) was given up: %s", row.id, row.draft.kind,
                row.draft.recipient, row.draft.channel, said or reason)  # fmt: skip
    return Fate.NEXT_CHANNEL if following else Fate.DEAD


def _is_group_nudge(row: Row) -> bool:
    return row.draft.recipient.startswith(GROUP) and row.draft.kind == "nudge"


def copied(row: Row, channel: str, now: datetime) -> Draft:
    """The same message by another channel."""
    return replace(row.draft, channel=channel, due_at=now)


def _to_members(office: Office, row: Row, now: datetime) -> list[Draft]:
    """A group that can't be reached any more: its officers who are there hear it one by one."""
    draft, today = row.draft, local_day(now)
    members = office.members(draft.recipient.removeprefix(GROUP))
    there = [person for person in members if not office.away_until(person.id, today)]
    return [
        replace(draft, recipient=person.id, subject=f"group:{draft.recipient}", due_at=now)
        for person in there or members
        if (ways := office.ways(person.id))
        and ways[0] == draft.channel  # the others heard it already
    ]


# ---- mail that came back

ENOUGH = 3  # soft bounces of different mails
WITHIN = timedelta(days=7)
_CODE = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")  # RFC 3463


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounce:
    """What is known of a mail that bounced."""

    channel: str
    address: str
    message_id: str  # of the mail that came back
    reason: str
    hard: bool  # the address is refused for good
    final: bool  # this mail is not tried any longer


def bounced(office: Office, store: Store, bounce: Bounce, now: datetime) -> bool:
    """Note a bounce; True if the address is now dead."""
    if not office.bound(bounce.channel, bounce.address):
        return False
    log.warning("mail to %s came back (%s)", bounce.address, bounce.reason or "no reason given")
    row = _returned(office, store, bounce)
    dead = bounce.hard or _too_often(store, bounce, now)
    following = next_channel(office, row) if row and (bounce.final or dead) else None
    if dead:
        say_address_dead(office, store, bounce.channel, bounce.address, _why_dead(bounce), now)
    if row is not None and following is not None:
        store.record([], unit_names={}, drafts=[copied(row, following, now)], at=now)
    return dead


def _returned(office: Office, store: Store, bounce: Bounce) -> Row | None:
    """Return the message that came back; None if it is unknown."""
    for bound in office.bound(bounce.channel, bounce.address):
        person, states = bound.recipient, [RowState.SENT]
        if rows := store.rows(recipient=person, states=states, provider_id=bounce.message_id):
            return rows[0]
    return None


def _why_dead(bounce: Bounce) -> str:
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


# ---- what the office is told

UNREACHED = "unreached"  # the meta key of people already reported
# Of a kind about the program itself, an edit and an answer the failure is only logged.
ONLY_LOGGED = ("notice", "edit", "reply")


def dead_letter(office: Office, store: Store, row: Row, reason: str, now: datetime) -> list[Draft]:
    """Tell the office that `row` reaches nobody; some kinds are only logged."""
    if row.draft.kind in ONLY_LOGGED:
        return []
    draft, slot = row.draft, instant(local_day(now), time())
    if draft.recipient in office.people and not office.ways(draft.recipient):
        # Somebody without any address has a row like this each morning: one message tells of all
        # who are unreachable, when somebody new is among them. Then the weekly digest repeats it.
        if draft.recipient in json.loads(store.meta(UNREACHED) or "[]"):
            return []
        return to_offices(office, Unreached(), now, subject=UNREACHED, slot=slot)
    payload = DeadLetter(
        row=row.id,
        recipient=draft.recipient,
        kind=draft.kind,
        channel=draft.channel,
        reason=reason,
        slot=draft.slot,
    )
    failing = (draft.recipient, draft.channel)
    return to_offices(office, payload, now, subject=draft.recipient, slot=slot, avoid=failing)


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
