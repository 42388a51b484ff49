"""The service: all use cases on one store and one set of files."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from reminder.domain.context import Inbound
from reminder.domain.outbox import Outbound, SendError
from reminder.domain.people import Person
from reminder.domain.plan_diff import diff
from reminder.services import deliver, enrolment, recipients, tick
from reminder.services.deliver import Accepted, Bounce, Delivery, Fate, Rendered, Renderer
from reminder.services.handle import Outcome, Receiver
from reminder.services.office import Files, Office, counted, minute
from reminder.store.records import ENDED, StoreBusyError
from reminder.understanding.model import Command

if TYPE_CHECKING:
    from reminder.store.store import Store

log = logging.getLogger(__name__)


@dataclass
class Service:
    """Every method is synchronous, takes the time, and runs in the store's one thread."""

    store: Store
    renderer: Renderer
    office: Office
    receiver: Receiver
    delivery: Delivery = field(default_factory=Delivery)
    _revision: tuple[int, str] | None = None  # of the store, when it was last read
    _down: set[str] | None = None  # channels of which it was said that they refuse everything

    def refresh(self) -> Office:
        """The office, with what was added to the ledger and the addresses since."""
        revision = self.store.revision()
        if revision != self._revision:
            added = self.store.events(self.office.last_number)
            bound = self._revision and self._revision[1]
            addresses = self.office.addresses
            if revision[1] != bound:
                addresses = tuple(self.store.addresses())
            self._revision = revision
            last = added[-1].number if added else self.office.last_number
            events = [recorded.event for recorded in added]
            self.office = self.office.after(events, last_number=last, addresses=addresses)
        return self.office

    def begin(self, now: datetime) -> None:
        """Do what a start needs: release leases of the last run, bind addresses of the files."""
        ended = self.store.meta(ENDED)  # "": it was begun, and no end is on record
        if ended == "":
            log.warning(
                "the last run did not end cleanly (killed, power cut, or this is a copy of a "
                "running one): what it has not recorded is done now"
            )
        else:
            self.store.set_meta(ENDED, "")  # a copy that is taken from now on is of a running one
        again = self.store.release_all(now)
        if again:
            sends = counted(again, "send")
            log.warning("the outcome of %s of the last run is unknown: sent once more", sends)
        self._sync(now)
        self._say_if_silent(now)
        self._warn_headless(now)

    def end(self, now: datetime) -> None:
        """Note a clean end: no message is under way."""
        self.store.set_meta(ENDED, now.isoformat())

    def tick(self, now: datetime) -> int:
        """Queue what is due; return the number of rows.

        After a clock that ran ahead was set back, no message waits for the hour it showed.
        """
        last = tick.ahead(self.store, now)
        if last is not None:
            hurried = self.set_back(now)
            log.warning(
                "the clock was set back, before the last tick (%s): nothing is said twice, %s",
                minute(last),
                f"{counted(hurried, 'waiting message')} brought forward",
            )
        return tick.tick(self.refresh(), self.store, now)

    def set_back(self, now: datetime) -> int:
        """Bring forward what waits for a time from before the clock was set back."""
        return self.store.bring_forward(now, self.delivery.retries.longest, deliver.HOLD)

    def handle(
        self,
        person: Person,
        said: Command | str,
        now: datetime,
        *,
        channel: str,
        update: str = "",
    ) -> Outcome:
        """Handle what `person` has said by a front that shows the answer itself.

        `update` tells repeats of one form or request: the same one twice acts once.
        """
        with self.receiver.limits.unless_it_fails(), self.store.together():
            office = self.refresh()
            inbound = Inbound(
                channel=channel,
                update=update,
                sender=person.id,
                chat="",
                private=True,
                text=said if isinstance(said, str) else "",
                answered=False,
            )
            return self.receiver.handle(office, office.as_sender(person), said, inbound, now)

    def receive(self, inbound: Inbound, now: datetime) -> Outcome:
        """Handle one message from a channel."""
        return self.take(inbound, now, 0)[0]

    def take(self, inbound: Inbound, now: datetime, limit: int) -> tuple[Outcome, list[Rendered]]:
        """`receive`, and lease up to `limit` messages, the answer first.

        One commit records the message, its result and the leases.
        """
        try:
            with self.receiver.limits.unless_it_fails(), self.store.together():
                office = self.refresh()
                outcome = self.receiver.receive(office, inbound, now)
                rows = deliver.claimed(office, self.store, now, limit)
        except StoreBusyError:
            raise
        except Exception as error:
            if not limit:
                raise  # else a faulty row must not cost what was said
            log.error("waiting rows can't be leased: %s: %s", type(error).__name__, error)
            return self.take(inbound, now, 0)
        try:
            return outcome, deliver.prepared(self.refresh(), self.store, self.renderer, rows, now)
        except StoreBusyError as error:
            log.error("an answer waits for its lease to end: %s", error)
            return outcome, []

    def lease(self, now: datetime, limit: int) -> list[Rendered]:
        """Lease and render messages."""
        office = self.refresh()
        rows = deliver.claimed(office, self.store, now, limit)
        return deliver.prepared(office, self.store, self.renderer, rows, now)

    def sent(self, rendered: Rendered, provider_id: str, now: datetime) -> None:
        """Record an accepted message."""
        self.sent_together([Accepted(rendered=rendered, provider_id=provider_id, at=now)])

    def sent_together(self, accepted: Sequence[Accepted]) -> None:
        """Record accepted messages by one commit."""
        deliver.sent(self.store, accepted)
        try:
            self.accepted(*{one.rendered.row.draft.channel for one in accepted})
        except StoreBusyError as error:  # the next message says it too
            log.error("can't record that a channel works again: %s", error)

    def accepted(self, *channels: str) -> None:
        """Note that these channels work."""
        if self._down is None:
            names = {traits.name for traits in self.office.known}
            self._down = {name for name in names if self.store.meta(f"down:{name}")}
        for channel in self._down.intersection(channels):
            deliver.channel_up(self.store, channel)
            self._down.discard(channel)

    def give_back(self, outgoing: Iterable[Rendered]) -> None:
        """Release rows that were leased and not attempted."""
        for rendered in outgoing:
            self.store.mark_retry(
                rendered.row, rendered.row.due_at, rendered.row.error, unknown=False
            )

    def failed(self, rendered: Rendered, error: SendError, now: datetime) -> Fate:
        """Record a message that was not accepted."""
        self._down = None
        return deliver.failed(self.refresh(), self.store, self.delivery, rendered, error, now)

    def refused(self, channel: str, reason: str, now: datetime) -> None:
        """Note that a channel refuses everything."""
        self._down = None
        deliver.say_channel_down(self.refresh(), self.store, channel, reason, now)

    def rendered_again(self, channel: str, address: str, provider_id: str) -> Outbound | None:
        """A message that was sent, for who quotes it; None: unknown, or nothing of it is true."""
        office = self.refresh()
        return deliver.rendered_again(
            office, self.store, self.renderer, channel, address, provider_id
        )

    def bounced(self, bounce: Bounce, now: datetime) -> bool:
        """Note a bounce; True if its address is now dead."""
        return deliver.bounced(self.refresh(), self.store, bounce, now)

    def sweep(self, now: datetime, under_way: Iterable[int] = ()) -> int:
        """Release leases that ran out, except of the rows `under_way`; return how many."""
        swept = self.store.sweep(now, under_way)
        if swept:
            log.warning("%s ended without a record: sent once more", counted(swept, "lease"))
        return swept

    def watch_copies(self, marks: Sequence[str], now: datetime) -> None:
        """Tell the offices of copies that are overdue."""
        tick.say_overdue(self.refresh(), self.store, marks, now)

    def next_due(self) -> datetime | None:
        """The time of the earliest waiting message."""
        return self.store.next_due()

    def reload(self, files: Files, now: datetime) -> list[str]:
        """Go on with new files; return a line for each change."""
        old, before = self.office, self.office.files
        self.office = replace(self.office, files=files)
        try:
            self._sync(now)
        except StoreBusyError:
            self.office, self._revision = old, None  # all of it is taken up, or nothing
            raise
        lines = _changes(before, files)
        for line in lines:
            log.info("reloaded: %s", line)
        self._say_if_silent(now)
        self._warn_headless(now)
        return lines

    def _say_if_silent(self, now: datetime) -> None:
        """Log at a start or reload if nothing will ever be sent."""
        if self.office.speaking(now):
            return
        over = ", ".join(plan.id for plan in self.office.plans) or "none"
        log.warning(
            "nothing will be said: no plan speaks any more (%s is over); write this year's plan, "
            "see docs/plan-format.md, and name it in [plan] files",
            over,
        )

    def _warn_headless(self, now: datetime) -> None:
        for unit in recipients.headless(self.office, self.office.speaking(now)):
            log.warning(
                "nobody of the office “%s” can be reached: escalations, digests and requests for"
                " more time reach nobody; see people.toml, and “reminder status”",
                unit,
            )

    def _sync(self, now: datetime) -> None:
        if enrolment.sync_addresses(self.refresh(), self.store, now):
            self.refresh()


def _changes(before: Files, after: Files) -> list[str]:
    old, new = ({plan.id: plan for plan in files.plans} for files in (before, after))
    lines = [f"thêm kế hoạch {plan}" for plan in new if plan not in old]
    lines += [f"bỏ kế hoạch {plan}" for plan in old if plan not in new]
    for plan_id in old.keys() & new.keys():
        lines += [f"{plan_id}: {change}" for change in diff(old[plan_id], new[plan_id])]
    people = ({person.id: person for person in files.people} for files in (before, after))
    was, now = people
    lines += [f"thêm người {person}" for person in now if person not in was]
    lines += [f"bỏ người {person}" for person in was if person not in now]
    lines += [f"sửa người {p}" for p in was.keys() & now.keys() if was[p] != now[p]]
    if before.scheduler.calendar.off != after.scheduler.calendar.off:
        lines.append("lịch nghỉ đã thay đổi")
    if before.scheduler.calendar.worked != after.scheduler.calendar.worked:
        lines.append("ngày làm bù đã thay đổi")
    if before.scheduler.policy != after.scheduler.policy:
        lines.append("giờ giấc, mốc nhắc đã thay đổi")
    return lines
