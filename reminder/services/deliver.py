"""A leased row: rendered, sent, and then recorded as sent, to be retried, or dead.

The office is told of messages, addresses and channels that fail.

Delivery is at least once. A crash between the provider's acceptance and our record leaves the row
leased; the next start releases it, and it is sent once more, marked as a possible repeat.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from reminder.domain.calendar import instant, local_day
from reminder.domain.outbox import (
    LOST_AGAIN,
    Draft,
    Outbound,
    Retries,
    Row,
    RowState,
    SendError,
    incoming,
)
from reminder.domain.payloads import (
    PLAIN,
    AddressDead,
    ChannelDown,
    ChannelUp,
    DeadLetter,
    MailPutAside,
    MailReturned,
    Unreached,
    Unworded,
    Welcome,
)
from reminder.domain.schedule import MessageKind, speaking_hours
from reminder.domain.text import divided
from reminder.domain.tokens import BOUNCE_LIFETIME
from reminder.services.history import Past, completed, newest_nudges, sent_as
from reminder.services.office import GROUP, RECHECK, STRANGER, Office, to_offices
from reminder.services.quota import OUT, count, quota_of, refuse
from reminder.store.records import StoreBusyError, UnreadableRowError, meta_list, meta_moment

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
UNWORDED = "không soạn được tin này"
GONE = "người nhận không còn trong danh sách"
MAILBOX = "inbox"  # whose trouble is told like a channel's
QUOTA_USED = "kênh này đã hết lượt tin của tháng"
TOLD_DEAD = "told-dead"  # the meta key of when the office was told of a dead address
UNREACHED = "unreached"  # the meta key of people already reported
# The failure of these kinds is logged, and not told to the office.
ONLY_LOGGED = ("notice", "edit", "reply")


Whose = tuple[str, str, str]  # whose a row is: office, channel and recipient


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

    @property
    def mark(self) -> tuple[Row, str, datetime]:
        """What its row is marked with: where it went, the provider's id, and when."""
        row = replace(self.rendered.row, address=self.rendered.address)
        return row, self.provider_id, self.at


# Renders a row at the time of sending; None if nothing is left to say.
Renderer = Callable[[Office, datetime, Row, Past], Outbound | None]


@dataclass
class Deliverer:
    """Leases, renders and records the messages of one office.

    Every method is synchronous, takes the time, and runs in the store's one thread.
    """

    store: Store
    renderer: Renderer
    office: Office
    retries: Retries = field(default_factory=Retries)
    patience: timedelta = timedelta(hours=2)  # until the next channel takes over
    _revision: tuple[int, str] | None = None  # of the store, when it was last read
    tell_after: timedelta = timedelta(minutes=15)  # of trouble, until the office hears of it
    _leaving: dict[int, str] = field(default_factory=dict)  # rows → channel: of those with a quota
    # With other offices: whoever sends by an account logs its trouble, once for all of them.
    shares_accounts: bool = False
    _trouble: dict[str, tuple[datetime, str]] | None = None  # channel → since when, and why

    def refresh(self, revision: tuple[int, str] | None = None) -> Office:
        """Return the office with what was added to the ledger and the addresses since.

        `revision`: the store's, where it is known.
        """
        revision = revision or self.store.revision()
        if revision != self._revision:
            added = self.store.events(self.office.last_number)
            addresses = self.office.addresses
            if self._revision is None or revision[1] != self._revision[1]:
                addresses = tuple(self.store.addresses())
            self._revision = revision
            last = added[-1].number if added else self.office.last_number
            events = [recorded.event for recorded in added]
            self.office = self.office.after(events, last_number=last, addresses=addresses)
        return self.office

    def lease(
        self,
        now: datetime,
        limit: int,
        full: Iterable[str] = (),
        crowded: Collection[Whose] = (),
    ) -> list[Rendered]:
        """Lease and render messages; none of channels that are full, nor of `crowded`."""
        self.refresh()
        return self.prepared(self.claimed(now, limit, full, crowded), now)

    def claimed(
        self,
        now: datetime,
        limit: int,
        full: Iterable[str] = (),
        crowded: Collection[Whose] = (),
    ) -> list[Row]:
        """Lease rows that are due, also of channels that are off: those are given up later.

        `crowded`: of whom enough is leased.
        """
        channels = {*self.office.channels, *(traits.name for traits in self.office.known)}
        channels.difference_update(full)
        who = [(channel, recipient) for _, channel, recipient in crowded]
        return self.store.lease(now, limit, HOLD, channels, who) if limit else []

    def prepared(
        self,
        rows: Sequence[Row],
        now: datetime,
        newest: Mapping[str, datetime] | None = None,
        unread: list[Row] | None = None,
    ) -> list[Rendered]:
        """Render the leased `rows`; a row with nothing left to say ends here.

        `newest`: as from `newest_nudges`, where that is known. `unread`: takes the rows for which
        the database could not be asked; without it they wait for their leases to end.
        """
        outgoing = []
        newest = newest_nudges(self.store, rows) if newest is None else newest
        for row in rows:
            try:
                rendered = self._prepared(row, now, newest)
            except StoreBusyError as error:  # the rest of the batch goes all the same
                if unread is None:
                    log.error(
                        "row %d waits for its lease to end: %s", row.id, error, extra=_named(row)
                    )
                else:
                    unread.append(row)
                continue
            except Exception as error:  # noqa: BLE001  one faulty row must not hold up all others
                log.error("row %d can't be prepared: %s: %s", row.id, type(error).__name__, error,
                          extra=_named(row))  # fmt: skip
                continue
            if rendered:
                outgoing.append(rendered)
        return outgoing

    def _prepared(self, row: Row, now: datetime, newest: Mapping[str, datetime]) -> Rendered | None:
        if self._is_held_back(row, now):
            return None
        draft, office, store = row.draft, self.office, self.store
        chat, bound = draft.envelope.chat, office.address(draft.recipient, draft.channel)
        if bound is None and draft.subject == RECHECK:
            bound = office.address(draft.recipient, draft.channel, dead=True)
        address = self._moved(row) or chat or (bound.value if bound else "")
        if chat and address != chat:  # ids of the old chat's messages mean others in the new one
            if draft.kind == "edit":
                store.mark_ended(row, RowState.SUPERSEDED, "nhóm đã chuyển chỗ khác", at=now)
                return None
            envelope = replace(draft.envelope, reply_to="")
            row = replace(row, draft=replace(draft, envelope=envelope))
        if not address:
            self._give_up(row, "chưa có địa chỉ", now)
            return None
        try:
            message = self.renderer(office, now, *completed(office, store, row, now, newest))
        except StoreBusyError:
            raise
        except Exception as error:  # noqa: BLE001  one faulty row must not hold up all others
            log.error("row %d can't be rendered: %s: %s", row.id, type(error).__name__, error,
                      extra=_named(row))  # fmt: skip
            self._give_up(row, UNWORDED, now)
            return None
        if message is None:
            reason = "mọi việc đã xong, hoặc tin mới hơn đã nói"
            store.mark_ended(row, RowState.SUPERSEDED, reason, at=now)
            return None
        if draft.channel in office.quotas:
            self._leaving[row.id] = draft.channel
        named = (draft.slot.isoformat(), draft.kind, draft.subject, draft.recipient)
        key = "/".join((row.office, *named) if row.office else named)
        return Rendered(row=row, address=address, message=message, key=key, day=local_day(now))

    def _is_held_back(self, row: Row, now: datetime) -> bool:
        """Whether the row is not to be sent now; then it is marked with what becomes of it."""
        draft, office, store = row.draft, self.office, self.store
        if draft.channel not in office.channels:
            self._give_up(row, "kênh này không còn được cài đặt", now)
            return True
        person = not draft.recipient.startswith((GROUP, STRANGER))
        if person and draft.recipient not in office.people:
            if now - draft.slot < KEPT:
                store.mark_retry(row, now + COMES_BACK, f"{GONE}: giữ lại một ngày", unknown=False)
            else:
                store.mark_ended(row, RowState.DROPPED, GONE, at=now)
            return True
        if self._is_over_quota(row, now):
            self._give_up(row, QUOTA_USED, now, answers=True)
            return True
        if row.error == LOST_AGAIN and row.attempts > LIVES:
            self._give_up(row, LOST_AGAIN, now)
            return True
        if (morning := _next_morning(office, row, now)) is not None:
            store.mark_retry(row, morning, row.error, unknown=False)
            return True
        return False

    def _is_over_quota(self, row: Row, now: datetime) -> bool:
        """Whether the channel may not carry the row this month, with what is on its way now."""
        channel = row.draft.channel
        quota = quota_of(self.office, self.store, channel, now)
        self._leaving.pop(row.id, None)
        leaving = list(self._leaving.values()).count(channel)
        return quota is not None and not quota.takes(row.draft.kind, leaving)

    def _moved(self, row: Row) -> str:
        """Return the new id of the chat that the row goes to; empty if it is the same."""
        chat = row.draft.envelope.chat
        if not chat.startswith("-"):  # groups alone move
            return ""
        return self.store.meta(f"moved:{row.draft.channel}:{chat}") or ""

    def rendered_again(self, channel: str, address: str, provider_id: str) -> Outbound | None:
        """Return a sent message anew, for who quotes it; None: unknown, or nothing is true."""
        office = self.refresh()
        for owner in sorted({bound.recipient for bound in office.bound(channel, address)}):
            for row in sent_as(self.store, owner, channel, provider_id, ""):
                at = row.sent_at or row.draft.slot
                return self.renderer(office, at, *completed(office, self.store, row, at, {}))
        return None

    def give_back(self, outgoing: Iterable[Rendered]) -> None:
        """Release rows that were leased and not attempted."""
        for row in (rendered.row for rendered in outgoing):
            self._leaving.pop(row.id, None)
            self.store.mark_retry(row, row.due_at, row.error, unknown=False)

    def sent(self, rendered: Rendered, provider_id: str, now: datetime) -> None:
        """Record an accepted message."""
        self.sent_together([Accepted(rendered=rendered, provider_id=provider_id, at=now)])

    def sent_together(
        self, accepted: Sequence[Accepted], held: Sequence[bool] | None = None
    ) -> bool:
        """Record accepted messages by one commit; a lost lease is logged.

        `held`: whose rows were still the caller's, where they are marked already. Return whether
        that made anything to send.
        """
        # Whoever has marked them has a transaction for all offices: of most nothing more is noted.
        with nullcontext() if held is not None else self.store.together():
            if held is None:
                held = self.store.mark_sent_together([one.mark for one in accepted])
            for one in accepted:
                self._count(one.rendered, one.at)
                self._bind_welcomed(one)
                self._note_reached(one)
        for one, mine in zip(accepted, held, strict=True):
            if not mine:
                row = one.rendered.row
                level = logging.DEBUG if self.shares_accounts else logging.WARNING
                log.log(level, "row %d was sent, but its lease had run out: it may come twice",
                        row.id, extra=_named(row))  # fmt: skip
        channels = {one.rendered.row.draft.channel for one in accepted}
        try:
            return self.accepted(max(one.at for one in accepted), *channels)
        except StoreBusyError as error:  # the next message says it too
            log.error("can't record that a channel works again: %s", error)
            return False

    def _count(self, rendered: Rendered, at: datetime) -> None:
        """Count what was sent, or may have been, where the channel has a quota."""
        channel = rendered.row.draft.channel
        self._leaving.pop(rendered.row.id, None)
        if channel in self.office.quotas:
            text, longest = rendered.message.chat_text, self.office.traits(channel).longest
            count(self.store, channel, OUT, at, len(divided(text, longest)) if longest else 1)

    def _bind_welcomed(self, one: Accepted) -> None:
        """Bind the chat that took a welcome, whose code is used up only now."""
        welcome, channel = one.rendered.row.draft.payload, one.rendered.row.draft.channel
        if not isinstance(welcome, Welcome) or not welcome.code:
            return
        person = self.store.redeem(welcome.code, one.at, channel, one.rendered.address)
        if person is not None:
            unbind_others(self.refresh(), self.store, person, channel, one.rendered.address)

    def _note_reached(self, one: Accepted) -> None:
        """Revive a dead address that took something; its next death is told anew."""
        channel, address = one.rendered.row.draft.channel, one.rendered.address
        if not self.office.traits(channel).confirms:
            return
        if self.store.meta(f"{TOLD_DEAD}:{channel}:{address}"):
            self.store.set_meta(f"{TOLD_DEAD}:{channel}:{address}", "")
        if one.rendered.row.draft.subject == RECHECK:
            revive(self.refresh(), self.store, channel, address)

    def accepted(self, now: datetime, *channels: str) -> bool:
        """Note that these channels work; the office, if it heard that one does not, hears so.

        Return whether there is anything to send.
        """
        told = False
        for channel in self._troubled().keys() & set(channels):
            since, _ = self._troubled()[channel]
            if self.store.meta(f"down:{channel}"):
                drafts = []
                if self.store.meta(f"told:{channel}"):
                    name, _, receiving = channel.partition(":")
                    payload = ChannelUp(
                        channel=name, since=since, until=now, receiving=bool(receiving)
                    )
                    drafts = to_offices(self.refresh(), payload, now, subject=f"up:{channel}")
                meta = {f"down:{channel}": "", f"told:{channel}": ""}
                self.store.record([], unit_names={}, drafts=drafts, meta=meta, at=now)
                log.info("channel %s works again", channel)
                told = told or bool(drafts)
            del self._troubled()[channel]  # only now: what can't be recorded is tried again
        return told

    def in_trouble(
        self, channel: str, reason: str, now: datetime, *, refuses: bool = False, said: str = ""
    ) -> None:
        """Note that a channel, or the mailbox, fails; `tell_trouble` tells the office in time.

        `refuses`: it refuses everything, as `status` shows at once. `said`: the provider's words.
        """
        since, _ = self._troubled().get(channel, (now, reason))
        self._troubled()[channel] = (since, reason)
        if refuses and not self.store.meta(f"down:{channel}"):
            what = "hands out nothing" if ":" in channel else "refuses everything"
            level = logging.DEBUG if self.shares_accounts else logging.ERROR
            log.log(level, "channel %s %s: %s", channel, what, said or reason)
            self.store.set_meta(f"down:{channel}", since.isoformat())

    def tell_trouble(self, now: datetime, kept: Mapping[str, str] | None = None) -> int:
        """Tell the office once of each channel that has failed for `tell_after`, by another way.

        Return the number of messages. `kept`: the values of the table meta, where they are known.
        """
        told = 0
        for channel, (since, reason) in self._troubled(kept).items():
            if now - since < self.tell_after or not reason or self.store.meta(f"told:{channel}"):
                continue
            office = self.refresh()
            if not speaking_hours(office.scheduler, MessageKind.NUDGE, now):
                continue
            name, _, receiving = channel.partition(":")
            payload = ChannelDown(
                channel=name, reason=reason, since=since, receiving=bool(receiving)
            )
            up = replace(office, channels=tuple(c for c in office.channels if c != channel))
            drafts = to_offices(up, payload, now, subject=channel)
            meta = {f"down:{channel}": since.isoformat(), f"told:{channel}": now.isoformat()}
            self.store.record([], unit_names={}, drafts=drafts, meta=meta, at=now)
            told += len(drafts)
        return told

    def trouble_told_at(self, now: datetime) -> datetime | None:
        """Return when the office is to hear next of a channel that fails; None: of none."""
        times = (since + self.tell_after for since, why in self._troubled().values() if why)
        return min((at for at in times if at > now), default=None)

    def forget_trouble(self) -> None:
        """Ask the store anew which channels fail: another process has sent meanwhile."""
        self._trouble = None

    def _troubled(self, kept: Mapping[str, str] | None = None) -> dict[str, tuple[datetime, str]]:
        """Return the channels that fail: since when, and why, which a restart forgets."""
        if self._trouble is None:
            known = [traits.name for traits in self.office.known]
            names = (*known, *map(incoming, known), MAILBOX)
            metas = self.store.metas() if kept is None else kept
            marks = ((name, metas.get(f"down:{name}")) for name in names)
            since = ((name, meta_moment(f"down:{name}", at)) for name, at in marks)
            self._trouble = {name: (at, "") for name, at in since if at}
        return self._trouble

    def failed(self, rendered: Rendered, error: SendError, now: datetime) -> None:
        """Record a message that was not accepted: tried again, by another channel, or dead."""
        self.refresh()
        row, channel, store = rendered.row, rendered.row.draft.channel, self.store
        if error.unknown:
            self._count(rendered, now)
        self._leaving.pop(row.id, None)
        if error.quota:
            refuse(store, channel, now)
            self._give_up(row, QUOTA_USED, now, answers=True)
            return
        if error.moved_to:
            store.move_address(channel, rendered.address, error.moved_to)
            store.set_meta(f"moved:{channel}:{rendered.address}", error.moved_to)
            store.mark_retry(row, now, error.reason, unknown=False)
            return
        if error.channel_down or error.unreachable:
            down = error.channel_down
            self.in_trouble(channel, error.reason, now, refuses=down, said=error.said)
        if error.address_dead:
            self._say_address_dead(channel, rendered.address, error.reason, now)
            recheck = week_of(now) if error.recheck else ""
            store.set_meta(f"{RECHECK}:{channel}:{rendered.address}", recheck)
        hopeless = not error.retry or (error.unknown and row.repeat)  # once more is enough
        if error.address_dead or hopeless or self._waits_in_vain(row, error, now):
            answers = error.address_dead and self.office.traits(channel).confirms
            self._give_up(row, error.reason, now, said=error.said, answers=answers)
            return
        asked = timedelta(seconds=error.retry_after) if error.retry_after else None
        due_at = self.retries.retry_at(max(1, row.attempts), now, asked=asked)
        store.mark_retry(row, due_at, error.reason, unknown=error.unknown)
        if error.reason != row.error:  # the same reason again is no news
            doubt = "; it may have arrived, and will say so" if error.unknown else ""
            common = self.shares_accounts and (error.channel_down or error.unreachable)
            log.log(logging.DEBUG if common else logging.WARNING,
                    "row %d (%s to %s by %s) is tried again: %s%s", row.id, row.draft.kind,
                    row.draft.recipient, channel, error.reason, doubt,
                    extra=_named(row))  # fmt: skip

    def _waits_in_vain(self, row: Row, error: SendError, now: datetime) -> bool:
        """Return whether another channel, or a group's members, get it rather than wait longer."""
        if row.draft.kind == MessageKind.DIGEST:  # each way has its own form
            return False
        if not error.channel_down and now - row.draft.slot < self.patience:
            return False
        return next_channel(self.office, row) is not None or _is_group_nudge(row)

    def _give_up(
        self, row: Row, reason: str, now: datetime, *, said: str = "", answers: bool = False
    ) -> None:
        """Mark the row as dead; the next channel takes over, or the office is told.

        `answers`: of those too; they go to the person's own address there.
        """
        office, store = self.office, self.store
        following = next_channel(office, row, answers=answers)
        if following is not None:
            draft = row.draft if row.draft.kind != "reply" else replace(row.draft, envelope=PLAIN)
            drafts = [replace(draft, channel=following, due_at=now)]
            if reason == QUOTA_USED:  # nothing has failed
                store.mark_ended(row, RowState.SUPERSEDED, reason, drafts=drafts, at=now)
                return
        elif _is_group_nudge(row):
            drafts = _to_members(office, row, now)
        else:
            drafts = self._dead_letter(row, reason, now)
        store.mark_ended(row, RowState.DEAD, reason, drafts=drafts, at=now)
        if any(isinstance(draft.payload, Unreached) for draft in drafts):
            cut_off = [person.id for person in office.files.people if not office.ways(person.id)]
            store.set_meta(UNREACHED, json.dumps(cut_off))
        log.warning("row %d (%s to %s by %s) was given up: %s", row.id, row.draft.kind,
                    row.draft.recipient, row.draft.channel, said or reason,
                    extra=_named(row))  # fmt: skip

    def _dead_letter(self, row: Row, reason: str, now: datetime) -> list[Draft]:
        """Tell the office that `row` reaches nobody; some kinds are only logged."""
        office, draft, slot = self.office, row.draft, _midnight(now)
        if draft.kind == "reply" and reason == UNWORDED and not isinstance(draft.payload, Unworded):
            again = f"{draft.subject}:{UNWORDED}"
            return [replace(draft, payload=Unworded(), subject=again, due_at=now)]
        if draft.kind in ONLY_LOGGED:
            return []
        if draft.recipient in office.people and not office.ways(draft.recipient):
            # Somebody without any address has a row like this each morning: one message tells of
            # all who are unreachable, when somebody new is among them. The weekly digest repeats.
            if draft.recipient in self._kept(UNREACHED):
                return []
            return to_offices(office, Unreached(), now, subject=UNREACHED, slot=slot)
        if reason == QUOTA_USED:  # told once of each person
            slot = instant(local_day(now).replace(day=1), time())
        payload = DeadLetter(
            row=row.id,
            recipient=draft.recipient,
            kind=draft.kind,
            channel=draft.channel,
            reason=reason,
            slot=draft.slot,
        )
        failing = (draft.recipient, draft.channel)
        told = to_offices(office, payload, now, subject=draft.recipient, slot=slot, avoid=failing)
        # Where the office has no other way, this one may take a lighter message.
        return told or to_offices(office, payload, now, subject=draft.recipient, slot=slot)

    def bounced(self, bounce: Bounce, now: datetime) -> bool:
        """Note that a mail came back; False if it was not sent lately, or came back before.

        The bounce's token is genuine, but stands in the head of the mail: whoever was forwarded
        that can write one. So the address is suspected only; it is dead once a mail that left
        after the suspicion comes back as well, as Mailman probes (mailman.rules, VERP).
        """
        with self.store.together():
            office = self.refresh()
            row = self._returned(bounce, now)
            if row is None:
                return False
            said = bounce.said or "no reason given"
            log.warning("mail to %s came back (%s)", bounce.address, said)
            if not bounce.final:
                return True  # its server goes on trying
            following = next_channel(office, row)
            drafts = [replace(row.draft, channel=following, due_at=now)] if following else []
            if self._is_confirmed(bounce, row, now):
                self._say_address_dead(bounce.channel, bounce.address, bounce.reason, now)
            elif bounce.hard or (following is None and row.draft.kind not in ONLY_LOGGED):
                drafts += self._mail_returned(bounce, row, following or "", now)
            words = f" ({bounce.said})" if bounce.said else ""
            reason = f"thư bị trả lại: {bounce.reason}{words}"
            return self.store.mark_returned(row, reason, drafts=drafts, at=now)

    def _returned(self, bounce: Bounce, now: datetime) -> Row | None:
        """Return the message that came back; None if it was not sent within the last days."""
        for owner in self.office.bound(bounce.channel, bounce.address):
            for row in self.store.rows(
                recipient=owner.recipient, states=[RowState.SENT], provider_id=bounce.message_id
            ):
                if row.sent_at and now - row.sent_at <= BOUNCE_LIFETIME:
                    return row
        return None

    def _is_confirmed(self, bounce: Bounce, row: Row, now: datetime) -> bool:
        """Return whether mails before this one came back, each sent after the bounce before it.

        One hard bounce, or two others within a week.
        """
        name = f"returned:{bounce.channel}:{bounce.address}"
        recent: list[tuple[str, bool]] = []
        for each in self._kept(name):
            with suppress(TypeError, ValueError):  # it was altered
                at, hard = each
                age = now - datetime.fromisoformat(at)
                if timedelta(0) <= age < (SUSPECTED if hard else WITHIN):
                    recent.append((at, bool(hard)))
        last = datetime.fromisoformat(recent[-1][0]) if recent else None
        if last and row.sent_at and row.sent_at <= last:
            return False  # it had left already
        dead = (bounce.hard and any(hard for _, hard in recent)) or len(recent) + 1 >= ENOUGH
        recent.append((now.isoformat(), bounce.hard))
        self.store.set_meta(name, "" if dead else json.dumps(recent))
        return dead

    def _kept(self, name: str) -> list[Any]:
        """Return a list of the table meta; one that was altered holds up nothing."""
        try:
            return meta_list(name, self.store.meta(name))
        except UnreadableRowError as error:
            log.error("%s", error)
            return []

    def _mail_returned(self, bounce: Bounce, row: Row, fallback: str, now: datetime) -> list[Draft]:
        """Tell the office what a bounce claims, once a day for one person."""
        draft = row.draft
        payload = MailReturned(
            recipient=draft.recipient,
            address=bounce.address,
            channel=bounce.channel,
            kind=draft.kind,
            reason=bounce.reason,
            claimed_by=bounce.claimed_by,
            at=now,
            hard=bounce.hard,
            fallback=fallback,
        )
        failing = (draft.recipient, bounce.channel)
        return to_offices(
            self.office,
            payload,
            now,
            subject=f"returned:{draft.recipient}",
            slot=_midnight(now),
            avoid=failing,
        )

    def _say_address_dead(self, channel: str, value: str, reason: str, now: datetime) -> None:
        """Mark an address as dead, and tell the office whose it is.

        That need not be the recipient of an answer in a group; a chat that nobody is bound to is
        nobody's address, and nothing is said of it.
        """
        drafts: list[Draft] = []
        for owner in self.office.bound(channel, value):
            if owner.dead_since is not None:
                continue
            others = [way for way in self.office.ways(owner.recipient) if way != channel]
            payload = AddressDead(
                recipient=owner.recipient,
                channel=channel,
                reason=reason,
                at=now,
                fallback=others[0] if others else "",
            )
            failing = (owner.recipient, channel)
            drafts += to_offices(self.office, payload, now, subject=owner.recipient, avoid=failing)
        told = f"{TOLD_DEAD}:{channel}:{value}"
        if drafts and self.office.traits(channel).confirms:
            # A message of theirs revives the address; that nothing reaches it is told already.
            drafts = [] if self.store.meta(told) else drafts
            self.store.set_meta(told, now.isoformat())
        self.store.mark_address_dead(channel, value, reason, now, drafts=drafts)

    def mail_put_aside(self, folder: str, now: datetime) -> None:
        """Tell the office, once a day, that a mail can't be read; `folder`: where it is now."""
        payload, office = MailPutAside(folder=folder), self.refresh()
        drafts = to_offices(office, payload, now, subject=MAILBOX, slot=_midnight(now))
        self.store.record([], unit_names={}, drafts=drafts, at=now)


def revive(office: Office, store: Store, channel: str, value: str) -> None:
    """Make a dead address alive again, of all whose it is."""
    for dead in office.bound(channel, value):
        if dead.dead_since is not None:
            store.bind(dead.recipient, dead.channel, dead.value, dead.bound_at)
            log.info("%s: the address on %s works again", dead.recipient, dead.channel)


def doubtful(office: Office, store: Store, now: datetime) -> frozenset[tuple[str, str]]:
    """Return whose dead addresses the next nudge tries: (recipient, channel).

    Those whose provider may have changed its mind, at the first nudge of each following week.
    """
    found = set()
    for dead in office.addresses:
        if dead.dead_since is not None and office.traits(dead.channel).confirms:
            week = store.meta(f"{RECHECK}:{dead.channel}:{dead.value}")
            if week and week < week_of(now):
                found.add((dead.recipient, dead.channel))
    return frozenset(found)


def week_of(now: datetime) -> str:
    """Return “2024-W05”: the week that `now` is in, by the office's clock."""
    return local_day(now).strftime("%G-W%V")


def unbind_others(office: Office, store: Store, person: str, channel: str, value: str) -> None:
    """One chat speaks for one person: the newest binding holds."""
    for other in office.bound(channel, value):
        if other.recipient != person:
            store.unbind(other.recipient, channel)


def _named(row: Row) -> dict[str, str]:
    """Return what names a row's office in the log, where there are many."""
    return {"office": row.office} if row.office else {}


def _midnight(now: datetime) -> datetime:
    """Return the slot of what is told once a day: the same draft again is already there."""
    return instant(local_day(now), time())


def _next_morning(office: Office, row: Row, now: datetime) -> datetime | None:
    """Return when what an earlier day has left over may be said; None: now.

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


def next_channel(office: Office, row: Row, *, answers: bool = False) -> str | None:
    """Return the recipient's next channel after the row's; groups and edits have none.

    `answers`: those go elsewhere too, and not only where they were asked for.
    """
    person = office.people.get(row.draft.recipient)
    if person is None or row.draft.kind == "edit" or (row.draft.kind == "reply" and not answers):
        return None
    order = list(person.channels)
    here = order.index(row.draft.channel) if row.draft.channel in order else -1
    return next((c for c in order[here + 1 :] if c in office.ways(person.id)), None)


def _is_group_nudge(row: Row) -> bool:
    return row.draft.recipient.startswith(GROUP) and row.draft.kind == "nudge"


def _to_members(office: Office, row: Row, now: datetime) -> list[Draft]:
    """Return the nudge of an unreachable group for each of its officers who are there."""
    draft, today = row.draft, local_day(now)
    members = office.members(draft.recipient.removeprefix(GROUP))
    there = [person for person in members if not office.away_until(person.id, today)]
    return [
        replace(draft, recipient=person.id, subject=f"group:{draft.recipient}", due_at=now)
        for person in there or members
        if (ways := office.ways(person.id))
        and ways[0] == draft.channel  # the others heard it already
    ]


ENOUGH = 3  # bounces that don't blame the address, each of a mail sent after the one before
WITHIN = timedelta(days=7)  # the time for them
SUSPECTED = timedelta(days=60)  # how long one that blames the address is remembered


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounce:
    """What a bounce says of a mail of ours; only its token is known to be genuine."""

    channel: str
    address: str
    message_id: str  # of the mail that came back
    reason: str  # as the office reads it
    said: str = ""  # the server's own words
    claimed_by: str = ""  # the sender of the bounce
    hard: bool  # the address is refused for good
    final: bool  # this mail is not tried any longer
