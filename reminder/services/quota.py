"""How many messages of this month a channel with a monthly quota has carried, in and out.

The numbers are kept in the table meta, by the office's calendar month.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from reminder.domain.calendar import instant, local_day
from reminder.domain.payloads import QuotaUsed
from reminder.domain.schedule import MessageKind
from reminder.services.office import Office, to_offices
from reminder.store.records import meta_moment, meta_number

if TYPE_CHECKING:
    from reminder.store.store import Store

WARN = 80  # per cent of the quota from which the office knows
KEEP = 95  # from which escalations alone go by the channel
FULL = 100
IN, OUT = "in", "out"


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota:
    """What a channel has carried of what it may carry in a month."""

    month: date  # its first day
    limit: int
    received: int = 0
    sent: int = 0
    refused_until: datetime | None = None  # the provider takes nothing more until then

    @property
    def used(self) -> int:
        return self.received + self.sent

    @property
    def percent(self) -> int:
        return FULL if self.refused_until else 100 * self.used // self.limit

    def takes(self, kind: str, leaving: int = 0) -> bool:
        """Return whether a message of this kind may go; `leaving` are on their way."""
        percent = 100 * (self.used + leaving) // self.limit
        if self.refused_until or percent >= FULL:
            return False
        return percent < KEEP or kind == MessageKind.ESCALATION


def quota_of(
    office: Office,
    store: Store,
    channel: str,
    now: datetime,
    kept: Mapping[str, str] | None = None,
) -> Quota | None:
    """Return the quota of a channel in this month; None: it has none.

    `kept`: the values of the table meta, where they are known.
    """
    limit = office.quotas.get(channel)
    if not limit:
        return None
    month = local_day(now).replace(day=1)
    name, meta = _name(channel, month), store.meta if kept is None else kept.get
    until = meta_moment(f"{name}:refused", meta(f"{name}:refused"))
    return Quota(
        month=month,
        limit=limit,
        received=meta_number(f"{name}:{IN}", meta(f"{name}:{IN}")),
        sent=meta_number(f"{name}:{OUT}", meta(f"{name}:{OUT}")),
        refused_until=until if until and now < until else None,
    )


def quotas(
    office: Office, store: Store, now: datetime, kept: Mapping[str, str] | None = None
) -> Mapping[str, Quota]:
    """Return the quota of each channel that has one, as `quota_of`."""
    found = {channel: quota_of(office, store, channel, now, kept) for channel in office.quotas}
    return {channel: quota for channel, quota in found.items() if quota}


def count(store: Store, channel: str, way: str, now: datetime, more: int = 1) -> None:
    """Count messages that came IN or went OUT."""
    store.count(f"{_name(channel, local_day(now).replace(day=1))}:{way}", more)


def refuse(store: Store, channel: str, now: datetime) -> None:
    """Note that the provider takes nothing more until the month turns.

    On the first of a month its own month may not have turned yet: then until the next day.
    """
    today = local_day(now)
    month = today.replace(day=1)
    end = today + timedelta(days=1) if today == month else next_month(month)
    store.set_meta(f"{_name(channel, month)}:refused", instant(end, time()).isoformat())


def tell(office: Office, store: Store, kept: Mapping[str, str], now: datetime) -> int:
    """Tell the office once a month that a quota runs out, and once that it is used up.

    `kept`: the values of the table meta.
    Return the number of messages.
    """
    told = 0
    for channel, quota in quotas(office, store, now, kept).items():
        level = next((level for level in (FULL, WARN) if quota.percent >= level), 0)
        name = f"{_name(channel, quota.month)}:told"
        if level <= meta_number(name, kept.get(name)):
            continue
        end = quota.refused_until or instant(next_month(quota.month), time())
        payload = QuotaUsed(
            channel=channel,
            received=quota.received,
            sent=quota.sent,
            limit=quota.limit,
            full=level == FULL,
            until=local_day(end - timedelta(microseconds=1)),
        )
        up = office
        if level == FULL:
            up = replace(office, channels=tuple(c for c in office.channels if c != channel))
        drafts = to_offices(up, payload, now, subject=f"{channel}:{level}")
        store.record([], unit_names={}, drafts=drafts, meta={name: str(level)}, at=now)
        told += len(drafts)
    return told


def next_month(month: date) -> date:
    """Return the first day of the month after."""
    return (month + timedelta(days=31)).replace(day=1)


def _name(channel: str, month: date) -> str:
    return f"quota:{channel}:{month:%Y-%m}"
