"""The services of many offices: made when first asked for, renewed when an office has changed.

Their plans and people are texts in the database, their channels the accounts that they use. Most
wards have copies of one plan: what such copies have in common is read and kept once.
"""

from __future__ import annotations

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from weakref import WeakValueDictionary

from reminder.app import bootstrap
from reminder.app.channels import (
    mail_secret,
    web_links,
)
from reminder.app.offices import documents_of, office_settings, served
from reminder.domain.plan import Plan
from reminder.domain.schedule import Policy, Scheduler, StageIndex
from reminder.domain.weblinks import WebLinks
from reminder.files.documents import Documents, sources_of
from reminder.files.plan import load_plan
from reminder.files.settings import Settings
from reminder.files.toml import Source, Text
from reminder.services.deliver import MAILBOX
from reminder.services.office import Files
from reminder.services.service import Service
from reminder.store.offices import Mark, Stores

FRESH = timedelta(seconds=5)  # for so long an office is not asked again whether it has changed
MOST = 4000  # offices; the nation has 3,321
# Bytes; what does not fit is made anew when it is asked for. A process that ticks alone has more:
# it loads no channel's library, and needs all of its offices within the same minute.
ROOM, TICK_ROOM = 40_000_000, 72_000_000
OF_OFFICE, OF_INDEX, OF_EVENT = 14_000, 180_000, 400  # bytes, as tracemalloc counts them


@dataclass
class _Kept:
    service: Service
    settings: Settings
    links: WebLinks | None
    mark: Mark
    looked: datetime  # when `mark` was found to be still so
    weight: int  # bytes, without its index


class OfficeCache:
    """Services by office; used from the store's one thread.

    The least recently used ones go where there are more than `most`, or they take more than `room`.
    """

    def __init__(
        self,
        stores: Stores,
        settings: Settings,
        now: Callable[[], datetime],
        *,
        most: int = MOST,
        room: int = ROOM,
    ) -> None:
        self.stores, self.base = stores, settings
        self._now, self._most, self._room = now, most, room
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._indexes: Counter[int] = Counter()  # id of an index → offices that use it
        self._looked: dict[str, tuple[Mark | None, datetime]] = {}  # of those that have changed
        self._weight = 0
        self._shared = _Shared()

    def __contains__(self, office: str) -> bool:
        return office in self._kept

    @property
    def is_full(self) -> bool:
        """Whether another office would take the place of one."""
        return len(self._kept) >= self._most or self._bytes >= self._room

    def service(self, office: str) -> Service:
        """Return the service of an office as it is now.

        ReminderError if there is no such office, it is retired, or its texts or accounts are
        faulty.
        """
        return self._get(office).service

    def settings(self, office: str) -> Settings:
        """Return the settings of an office: the province's, with what is its own.

        In the place of secrets stand the references to them.
        """
        return self._get(office).settings

    def links(self, office: str) -> WebLinks | None:
        """Return what makes the links of the office's page; None where there is no page."""
        return self._get(office).links

    @cached_property
    def province_links(self) -> WebLinks | None:
        """What makes the links of the province's page, whose records are those of no office."""
        return web_links(self.base, self.stores.of(""))

    def accounts(self, office: str) -> Mapping[str, str]:
        """Return by which account the office sends by each channel."""
        used = self._get(office).mark.accounts
        return {each.channel: each.account for each in used if each.channel != MAILBOX}

    def documents(self, office: str) -> Documents:
        """Return the texts of an office: its plans, people and own settings."""
        return documents_of(self.stores, self.base, office, self._now(), bootstrap.files_of)

    def look(self, offices: Iterable[str], account: str = "") -> None:
        """Ask at once of many offices whether they have changed; of those not asked lately.

        `account`: then of the others that use it, too.
        """
        now = self._now()
        asked = {each for each in offices if not self._is_fresh(self._kept.get(each), now)}
        if account and asked:
            asked.update(
                office
                for office, kept in self._kept.items()
                if not self._is_fresh(kept, now)
                and any(used.account == account for used in kept.mark.accounts)
            )
        marks = self.stores.marks(sorted(asked))
        for office in asked:
            kept, mark = self._kept.get(office), marks.get(office)
            if kept is not None and kept.mark == mark:
                kept.looked = now
            else:
                self._looked[office] = mark, now

    def _is_fresh(self, kept: _Kept | None, now: datetime) -> bool:
        return kept is not None and timedelta(0) <= now - kept.looked < FRESH

    def forget(self, office: str) -> None:
        """Make the office anew when it is asked for next."""
        kept = self._kept.pop(office, None)
        if kept is None:
            return
        self._weight -= kept.weight
        index = _index_of(kept)
        self._indexes[index] -= 1
        if not self._indexes[index]:
            del self._indexes[index]

    @property
    def _bytes(self) -> int:
        return self._weight + len(self._indexes) * OF_INDEX

    def _get(self, office: str) -> _Kept:
        kept, now = self._kept.get(office), self._now()
        if kept is not None and office not in self._looked and self._is_fresh(kept, now):
            self._kept.move_to_end(office)
            return kept
        mark, looked = self._looked.pop(office, (None, None))
        if looked is None or not timedelta(0) <= now - looked < FRESH:
            mark = self.stores.marks([office]).get(office)
        if kept is not None and kept.mark == mark:
            kept.looked = now
            self._kept.move_to_end(office)
            return kept
        self.forget(office)
        with self.stores.of(office).together():
            made = self._made(office, served(office, mark), now, kept)
        self._kept[office] = made
        self._weight += made.weight
        self._indexes[_index_of(made)] += 1
        while len(self._kept) > 1 and (len(self._kept) > self._most or self._bytes > self._room):
            self.forget(next(iter(self._kept)))
        return made

    def _made(self, office: str, mark: Mark, now: datetime, before: _Kept | None) -> _Kept:
        store = self.stores.of(office)
        texts = sources_of(store.documents())
        settings = office_settings(self.base, office, mark, texts.own)
        files = bootstrap.files_of(
            settings, texts, now, load=self._shared.plan, schedule=self._shared.scheduler
        )
        vars(files)["stage_index"] = self._shared.index(files)
        links = WebLinks(
            base_url=settings.web.url, secret=mail_secret(store), province=self.province_links
        ) if settings.web.is_on else None  # fmt: skip
        old = before.service if before else None
        service = bootstrap.service_of(settings, store, files, links)
        if old is not None:
            service.take_over(old)
        for channel in service.office.channels:
            if name := getattr(getattr(settings, channel, None), "bot_name", ""):
                service.bot_names[channel] = name
        service.sync_addresses(now)
        weight = OF_OFFICE + OF_EVENT * len(service.office.events)
        return _Kept(service, settings, links, mark, now, weight)


def _index_of(kept: _Kept) -> int:
    return id(kept.service.office.files.stage_index.shared)


class _Shared:
    """Plans, calendars and indexes that several offices have, as long as one of them is kept."""

    def __init__(self) -> None:
        self._plans: WeakValueDictionary[str, Plan] = WeakValueDictionary()
        self._twins: WeakValueDictionary[Plan, Plan] = WeakValueDictionary()
        self._schedulers: WeakValueDictionary[object, Scheduler] = WeakValueDictionary()
        self._indexes: WeakValueDictionary[object, StageIndex] = WeakValueDictionary()

    def plan(self, source: Source) -> Plan:
        """Return the plan of a text; its tasks are those of an earlier one that has the same."""
        assert isinstance(source, Text)
        digest = hashlib.sha256(source.text.encode()).hexdigest()
        found = self._plans.get(digest)
        if found is None:
            found = load_plan(source)
            twin = self._twins.setdefault(_bare(found), found)
            if twin is not found:
                found = replace(found, tasks=twin.tasks)
                vars(found)["last_due"] = twin.last_due
            self._plans[digest] = found
        return found

    def scheduler(
        self,
        plans: Sequence[Plan],
        days: Sequence[date],
        *,
        calendar: Path | None,
        policy: Policy | None,
    ) -> Scheduler:
        """Return the scheduler of these years and this policy."""
        years = {day.year for plan in plans for day in (plan.first_day, plan.last_due)}
        path = calendar or bootstrap.shipped("config/calendar.toml")
        read = path.stat() if path.is_file() else None
        stamp = read and (read.st_mtime_ns, read.st_size)
        key = (frozenset(years | {day.year for day in days}), path, stamp, policy)
        found = self._schedulers.get(key)
        if found is None:
            found = bootstrap.scheduler_for(plans, days, calendar=calendar, policy=policy)
            self._schedulers[key] = found
        return found

    def index(self, files: Files) -> StageIndex:
        """Return what can speak on which day, of these plans; shared by all copies of them."""
        own = files.stage_index
        key = (id(files.scheduler), tuple(map(_bare, own.plans)))  # which the index keeps alive
        found = self._indexes.setdefault(key, own)
        return found if found.plans == own.plans else found.for_twins(own.plans)


def _bare(plan: Plan) -> Plan:
    """Return `plan` without what its schedule does not depend on."""
    return replace(plan, title="", units=(), sections={}, document="", sha256="")
