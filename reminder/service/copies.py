"""Copies that were not made for days are told to the offices: few read a log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from reminder.core.catchup import speaking_hours
from reminder.core.outbox import Draft
from reminder.core.schedule import MessageKind
from reminder.ports import BACKED_UP_AWAY, Store
from reminder.service.office import Office
from reminder.service.views import view_drafts

OVERDUE = timedelta(days=3)


def say_overdue(office: Office, store: Store, marks: Sequence[str], now: datetime) -> None:
    """Tells once of each of `marks` (ports.BACKED_UP …) that is overdue, until it is made again;
    at an hour in which nudges are said.

    What was never made is overdue from the first look for it on.
    """
    for mark in marks:
        made, told = store.meta(mark), store.meta(f"overdue:{mark}")
        since = made or store.meta(f"wanted:{mark}")
        if since is None:
            store.set_meta(f"wanted:{mark}", now.isoformat())
        elif now - datetime.fromisoformat(since) < OVERDUE:
            if told:
                store.set_meta(f"overdue:{mark}", "")
        elif not told and speaking_hours(office.scheduler, MessageKind.NUDGE, now):
            drafts = _drafts(office, mark, since, now, ever=made is not None)
            meta = {f"overdue:{mark}": now.isoformat()}
            store.record([], unit_names={}, drafts=drafts, meta=meta, at=now)


def _drafts(office: Office, mark: str, since: str, now: datetime, *, ever: bool) -> list[Draft]:
    data = {"away": mark == BACKED_UP_AWAY, "since": since, "ever": ever}
    return [
        draft
        for unit in sorted(office.offices)
        for draft in view_drafts(
            office, f"unit:{unit}", "copies-overdue", data, now, subject=f"{mark}:{since}"
        )
    ]
