"""A year of one ward played through service and store: python -m bench.year [DATABASE]

Each slot's tick, each message leased, rendered and marked as sent, and each piece of work reported
done on its due day by its officer: what memory that leaves, and the database for bench.growth.
"""

from __future__ import annotations

import json
import sys
from datetime import date, datetime, time, timedelta
from pathlib import Path

from bench import wards
from bench.quiet import peak
from reminder.domain.calendar import instant
from reminder.domain.context import Inbound
from reminder.domain.plan import occurrences
from reminder.services.limits import Allowance
from reminder.services.service import Service

LATE = 3  # one piece of work in three is reported five days after its due day


def play(service: Service, first: date, last: date) -> None:
    """From `first` to `last`, both included."""
    service.limits.spoken = Allowance(10**9, timedelta(minutes=1))
    plan = service.office.plans[0]
    chats = {a.recipient: a.value for a in service.store.addresses()}
    reports: dict[date, list[tuple[str, str]]] = {}
    for n, occurrence in enumerate(occurrences(plan)):
        if occurrence.due:
            day = occurrence.due + timedelta(days=5 if n % LATE == 0 else 0)
            period = occurrence.period.id if occurrence.deliverable.recurs else ""
            for unit in occurrence.task.lead:
                said = f"/done {occurrence.key.task} {period}".strip()
                reports.setdefault(day, []).append((unit, said))
    day, number = first, 0
    while day <= last:
        for clock in (time(7, 30), time(8, 0)):
            service.tick(instant(day, clock))
            _send(service, instant(day, clock))
        for unit, said in reports.get(day, ()):
            number += 1
            at = instant(day, time(16, 0))
            service.receive(_from(chats[unit], said, number), at)
            _send(service, at)
        day += timedelta(days=1)


def _send(service: Service, now: datetime) -> None:
    while outgoing := service.lease(now, 50):
        for rendered in outgoing:
            service.sent(rendered, str(rendered.row.id), now)


def _from(chat: str, text: str, number: int) -> Inbound:
    return Inbound(
        channel="telegram",
        update=f"year:{number}",
        sender=chat,
        chat=chat,
        private=True,
        text=text,
        message=str(10**6 + number),
    )


def main() -> None:
    """Plays it; prints the memory, in kB, as JSON."""
    plan, scheduler = wards.base()
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with wards.service((plan,), scheduler, path) as service:
        service.begin(instant(date(2024, 1, 1), time(7, 0)))
        play(service, date(2024, 1, 1), date(2025, 1, 31))
        counts = service.store.counts()
        events = len(service.store.events())
    memory = peak()
    print(json.dumps({"memory": memory, "counts": counts, "events": events}))


if __name__ == "__main__":
    main()
