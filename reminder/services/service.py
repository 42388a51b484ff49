"""The service: all use cases on one store and one set of files."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING

from reminder.domain.context import Inbound
from reminder.domain.outbox import AddressSource, Row, RowState
from reminder.domain.payloads import Payload
from reminder.domain.people import Person
from reminder.domain.plan_diff import diff
from reminder.services import quota, tick
from reminder.services.deliver import HOLD, Deliverer, Rendered, Whose, doubtful
from reminder.services.history import completed
from reminder.services.limits import Limits
from reminder.services.office import Files, Office, counted, minute
from reminder.services.status import headless
from reminder.services.tick import Tick
from reminder.store.ledger import Standing
from reminder.store.outbox import BEGINNING
from reminder.store.records import ENDED, StoreBusyError

if TYPE_CHECKING:
    from reminder.services.handle import Handling, Outcome
    from reminder.understanding.model import Command

log = logging.getLogger(__name__)


@dataclass
class Service(Deliverer):
    """All use cases of one office."""

    bot_names: dict[str, str] = field(default_factory=dict)  # channel → as it knows the program
    reads_mail: bool = False  # a mailbox is read, so that mails may be forged
    limits: Limits = field(default_factory=Limits)  # how much each sender has said lately

    def take_over(self, other: Service) -> None:
        """Go on with what only `other`, of the same office before it changed, had in memory."""
        self.limits, self._leaving, self._trouble = other.limits, other._leaving, other._trouble

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
        self.sync_addresses(now)
        self._warn(now)

    def end(self, now: datetime) -> None:
        """Note a clean end: no message is under way."""
        self.store.set_meta(ENDED, now.isoformat())

    def tick(self, now: datetime, *, skew: timedelta = timedelta(0)) -> int:
        """Queue what is due; return the number of rows.

        After a clock that ran ahead was set back, no message waits for the hour it showed. `skew`:
        what the clocks of several machines may differ by.
        """
        begun = self.begin_tick(self.store.standing(), now, skew)
        return begun.queue(self.store, self.store.spoken_among(begun.places))

    def begin_tick(self, standing: Standing, now: datetime, skew: timedelta) -> Tick:
        """Return the tick of `now` with what is due, given what the store has now."""
        office, kept = self.refresh(standing.revision), standing.metas
        last = tick.ahead(kept, now)
        if last is not None and last - now <= skew:
            now = last
        elif last is not None:
            hurried = self.set_back(now)
            log.warning(
                "the clock was set back, before the last tick (%s): nothing is said twice, %s",
                minute(last),
                f"{counted(hurried, 'waiting message')} brought forward",
            )
        told = quota.tell(office, self.store, kept, now)
        told += self.tell_trouble(now, kept) + (self.reads_mail and self.tell_forged(now))
        return Tick(self._with_doubtful(now), standing, now, told)

    def rehearse(self, at: datetime) -> frozenset[str]:
        """Compose what a tick at `at` will say, and drop it; return the channels that it goes by.

        Templates and statements are compiled then, and do not hold up the first message.
        """
        office = self.refresh()
        if not office.speaking(at):
            return frozenset()
        drafts = Tick(office, self.store.standing(), at).planned
        self.store.lease(BEGINNING, 1, HOLD, office.channels)  # nothing was due then
        for draft in {draft.kind: draft for draft in drafts}.values():
            row = Row(id=0, draft=draft, state=RowState.LEASED, due_at=at)
            self.renderer(office, at, *completed(office, self.store, row, at, {}))
        return frozenset(draft.channel for draft in drafts)

    def next_tick(self, now: datetime) -> datetime:
        """Return the next time after `now` at which a tick may say something, if nothing happens.

        What happens meanwhile, such as an answer, may have it say something sooner.
        """
        hours, trouble = tick.next_time(self.office, now), self.trouble_told_at(now)
        return min(hours, trouble) if trouble else hours

    def _with_doubtful(self, now: datetime) -> Office:
        """Return the office with the dead addresses that a nudge tries again this week."""
        office = self.office
        found = doubtful(office, self.store, now)
        return replace(office, doubtful=found) if found else office

    def set_back(self, now: datetime) -> int:
        """Bring forward what waits for a time from before the clock was set back."""
        return self.store.bring_forward(now, self.retries.longest, HOLD)

    def handling(self, inbound: Inbound, now: datetime) -> Handling:
        """Return what handles `inbound` on the office as it is now."""
        # Loaded here, and by the daemon while its first poll is under way: reading texts takes
        # a sixth of a start.
        from reminder.services.handle import Handling

        bot_name = self.bot_names.get(inbound.channel, "")
        return Handling(self.store, self.refresh(), self.limits, bot_name, inbound, now)

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
        inbound = Inbound(
            channel=channel,
            update=update,
            sender=person.id,
            chat="",
            private=True,
            text=said if isinstance(said, str) else "",
            answered=False,
        )
        with self.limits.unless_it_fails(), self.store.together():
            handling = self.handling(inbound, now)
            return handling.handle(handling.office.as_sender(person), said)

    def receive(self, inbound: Inbound, now: datetime) -> Outcome:
        """Handle one message from a channel."""
        return self.take(inbound, now, 0)[0]

    def answer(self, inbound: Inbound, answer: Payload, now: datetime) -> Outcome:
        """Answer a message that this office does not act on, once."""
        with self.limits.unless_it_fails(), self.store.together():
            return self.handling(inbound, now).answer(answer)

    def not_taken(self, inbound: Inbound, now: datetime) -> None:
        """Note that `inbound` could not be taken, for whatever reason, and tell its sender."""
        with self.limits.unless_it_fails(), self.store.together():
            self.handling(inbound, now).not_taken()

    def take(
        self,
        inbound: Inbound,
        now: datetime,
        limit: int,
        crowded: Collection[Whose] = (),
    ) -> tuple[Outcome, list[Rendered]]:
        """`receive`, and lease up to `limit` messages, the answer first; of none of `crowded`.

        One commit records the message, its result and the leases.
        """
        office = self.office
        try:
            with self.limits.unless_it_fails(), self.store.together():
                outcome = self.handling(inbound, now).receive()
                self._count_received(inbound, outcome, now)
                rows = self.claimed(now, limit if outcome.taken else 0, crowded=crowded)
                self.refresh()  # here: a reader of its own would have to read the pages anew
        except StoreBusyError:
            self.office, self._revision = office, None
            raise
        except Exception as error:
            self.office, self._revision = office, None
            if not limit:
                raise  # else a faulty row must not cost what was said
            log.error("waiting rows can't be leased: %s: %s", type(error).__name__, error)
            return self.take(inbound, now, 0)
        try:
            return outcome, self.prepared(rows, now)
        except Exception as error:  # noqa: BLE001  what was said is on record
            log.error("an answer waits for its lease to end: %s", error)
            return outcome, []

    def _count_received(self, inbound: Inbound, outcome: Outcome, now: datetime) -> None:
        """Count a message where the channel has a quota; one that comes again counts once."""
        if inbound.channel not in self.office.quotas or outcome.seen:
            return
        new = True
        if outcome.ignored and inbound.update:
            seen = (inbound.channel, inbound.update)
            new = self.store.record([], unit_names={}, seen=seen, at=now)
        if new:
            quota.count(self.store, inbound.channel, quota.IN, now)

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
        """Return the time of the earliest waiting message."""
        return self.store.next_due()

    def lease_due(
        self, now: datetime, limit: int, full: Iterable[str], crowded: Collection[Whose]
    ) -> tuple[list[Rendered], datetime | None]:
        """`lease`, and return with it when the first message of all is due; None: none waits."""
        due = self.next_due()
        if due is None or due > now:
            return [], due
        return self.lease(now, limit, full, crowded), due

    def reload(self, files: Files, now: datetime) -> list[str]:
        """Go on with new files; return a line for each change."""
        old, before = self.office, self.office.files
        self.office = replace(self.office, files=files)
        try:
            self.sync_addresses(now)
        except StoreBusyError:
            self.office, self._revision = old, None  # all of it is taken up, or nothing
            raise
        lines = _changes(before, files)
        for line in lines:
            log.info("reloaded: %s", line)
        self._warn(now)
        return lines

    def tell_forged(self, now: datetime) -> bool:
        """Tell the offices once a day of mails that pretended to be an officer's."""
        return tick.say_forged(self.refresh(), self.store, now)

    def _warn(self, now: datetime) -> None:
        """Log at a start or reload if nothing is ever sent, or an office reaches nobody."""
        plans = self.office.speaking(now)
        if not plans:
            over = ", ".join(plan.id for plan in self.office.plans) or "none"
            log.warning(
                "nothing will be said: no plan speaks any more (%s is over); write this year's"
                " plan, see docs/plan-format.md, and name it in [plan] files",
                over,
            )
        for unit in headless(self.office, plans):
            log.warning(
                "nobody of the office “%s” can be reached: escalations, digests and requests for"
                " more time reach nobody; see people.toml, and “reminder status”",
                unit,
            )

    def sync_addresses(self, now: datetime) -> None:
        """Bind the mail addresses of the people file.

        Who left the file keeps a binding that counts for nothing (rights and nudges follow the
        file), so that a file saved half does not cost the office its enrolments.
        """
        office = self.refresh()
        known = {(a.recipient, a.channel): a.value for a in office.addresses}
        for traits, person in product(office.known, office.files.people):
            place = (person.id, traits.name)
            if traits.addresses is not AddressSource.PEOPLE_FILE:
                continue
            if person.email and known.get(place) != person.email:
                self.store.bind(*place, person.email, now)
            if not person.email and place in known:
                self.store.unbind(*place)
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
