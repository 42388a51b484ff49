"""The figures of /metrics, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from reminder import __version__
from reminder.domain.outbox import Draft
from reminder.services.status import StatusSnapshot

CONTENT_TYPE = CONTENT_TYPE_LATEST
# From a second to two days: a message waits for a dead channel, a stop, a holiday.
_BUCKETS = (1, 2, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 48 * 3600)
_WAITING = ("pending", "leased")
WORDS = {  # of marks, by name
    "last_tick": "When the last tick was written down.",
    "last_poll": "When a channel last answered a poll.",
    "last_backup": "When the last daily copy was made.",
    "last_backup_away": "When the last daily copy in the second folder was made.",
}


class Metrics(Collector):
    """A registry: current figures, and the delays of messages since the start."""

    def __init__(self) -> None:
        self._status: StatusSnapshot | None = None
        self._bytes: int | None = None
        self._healthy = False
        self._more: Sequence[Metric] = ()
        self._registry = CollectorRegistry()
        self._delay = Histogram(
            "reminder_delivery_delay_seconds",
            "From the slot of a message to its acceptance by the provider.",
            ("kind", "channel"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._registry.register(self)

    def sent(self, draft: Draft, at: datetime) -> None:
        """Note a message that was accepted at `at`."""
        delay = max(0.0, (at - draft.slot) / timedelta(seconds=1))
        self._delay.labels(draft.kind, draft.channel).observe(delay)

    def page(
        self,
        status: StatusSnapshot | None,
        database_bytes: int | None,
        *,
        healthy: bool,
        more: Sequence[Metric] = (),
    ) -> bytes:
        """Return the text of /metrics; without `status` that of a database that can't be read.

        `more`: figures besides those of one office.
        """
        self._status, self._bytes, self._healthy = status, database_bytes, healthy
        self._more = more
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        """Return the metrics, as a collector of Prometheus returns them."""
        yield InfoMetricFamily("reminder_build", "The program.", {"version": __version__})
        yield gauge("healthy", "1: /healthz says 200.", int(self._healthy))
        yield from self._more
        if self._bytes is not None:
            yield gauge("database_bytes", "The database's file and its log.", self._bytes)
        found = self._status
        if found is None:
            return
        states = GaugeMetricFamily(
            "reminder_messages", "Messages in the outbox.", labels=("state",)
        )
        for state, count in found.messages.items():
            states.add_metric((state,), count)
        yield states
        waiting = sum(found.messages.get(state, 0) for state in _WAITING)
        yield gauge("outbox_depth", "Messages that are not sent yet.", waiting)
        yield gauge("messages_maybe_repeated", "Messages marked as repeats.", found.repeats)
        yield gauge("ledger_events", "Events in the ledger.", found.events)
        yield gauge("tasks_open", "Work that has begun and is not closed.", found.work.open)
        yield gauge("tasks_late", "Open work past its day.", found.work.late)
        yield gauge("tasks_awaiting", "Open work without a date.", found.work.awaiting)
        yield gauge(
            "unreachable_people", "People whom no channel reaches, and units without anybody.",
            len(found.unreachable),
        )  # fmt: skip
        yield gauge(
            "messages_not_taken", "Messages of people that a fault kept from being taken.",
            found.marks.not_taken,
        )  # fmt: skip
        yield gauge("channels_down", "Channels that refuse everything.", len(found.marks.down))
        used = GaugeMetricFamily(
            "reminder_channel_messages_this_month",
            "Messages of this month on channels with a quota.",
            labels=("channel", "direction"),
        )
        limits = GaugeMetricFamily(
            "reminder_channel_monthly_quota", "Messages that a channel takes a month, in and out.",
            labels=("channel",),
        )  # fmt: skip
        for channel, quota in found.quotas.items():
            used.add_metric((channel, "in"), quota.received)
            used.add_metric((channel, "out"), quota.sent)
            limits.add_metric((channel,), quota.limit)
        yield from (used, limits) if found.quotas else ()
        for name, words in WORDS.items():
            at: datetime | None = getattr(found.marks, name)
            if at is not None:
                yield gauge(f"{name}_timestamp_seconds", words, at.timestamp())


def gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    """Return a figure of the program."""
    return GaugeMetricFamily(f"reminder_{name}", words, value=value)
