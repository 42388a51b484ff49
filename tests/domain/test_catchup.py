"""What ticks send: the schedule; after a stop the newest missed stages that are still true."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from reminder.domain.calendar import instant
from reminder.domain.ledger import Event, EventKind, by_key, fold
from reminder.domain.plan import Key, Plan, occurrences
from reminder.domain.schedule import (
    DueMessages,
    Message,
    MessageKind,
    Scheduler,
    StageIndex,
    due_now,
    speaking_hours,
)
from tests.conftest import examples
from tests.domain.test_schedule import midnight, random_events

KINDS = tuple(MessageKind)
SLOT_KINDS = (MessageKind.NUDGE, MessageKind.ESCALATION)


def tick(
    scheduler: Scheduler,
    plan: Plan,
    since: datetime,
    now: datetime,
    events: list[Event] | None = None,
) -> DueMessages:
    said = events or []
    states = fold(occurrences(plan), said)
    return due_now(StageIndex(scheduler, [plan]), [plan], by_key(said), states, since, now, KINDS)


def listing(due: DueMessages, unit: str) -> list[str]:
    return [
        f"{m.kind.value} {i.key.task}.{i.key.deliverable} {i.key.period} {i.stage}"
        for m in due.messages
        if m.unit == unit
        for i in m.items
    ]


@settings(max_examples=examples(8))
@given(data=st.data())
def test_ticks_at_each_slot_say_the_schedule(
    data: st.DataObject, plan2024: Plan, scheduler: Scheduler
) -> None:
    """Ticks at every slot send exactly the messages of the schedule."""
    events = data.draw(random_events(plan2024))
    first, last = midnight(date(2024, 1, 1)), midnight(date(2024, 5, 1))
    whole = scheduler.messages([plan2024], by_key(events), first, last)
    said: list[Message] = []
    since = first - timedelta(seconds=1)
    for now in sorted({m.at for m in whole}):
        so_far = [e for e in events if e.at <= now]
        said += tick(scheduler, plan2024, since, now, so_far).messages
        since = now
    assert sorted(said, key=str) == sorted(whole, key=str)


def test_after_a_stop_the_newest_missed_stage_speaks_once(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """Stopped from 22/1 to the morning of 30/1: of 1c lead-1 is sent, not lead-7 and lead-3."""
    stopped = instant(date(2024, 1, 22), time(12))
    due = tick(scheduler, plan2024, stopped, instant(date(2024, 1, 30), time(8)))
    assert listing(due, "tu-phap") == ["nudge 1c.1 2024 lead-1", "nudge 2c.1 2024-01 lead-3"]
    assert sorted(str(i.stage) for *_, i in due.skipped if i.key.task == "1c") == [
        "lead-3",
        "lead-7",
    ]


def test_a_stop_that_ends_in_the_afternoon_speaks_at_once_before_five(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """Until 17:00 missed messages are sent at once; later they wait for the next slot."""
    stopped = instant(date(2024, 1, 22), time(12))
    said = [
        listing(tick(scheduler, plan2024, stopped, instant(day, clock)), "tu-phap")[:1]
        for day, clock in (
            (date(2024, 1, 26), time(16, 59)),
            (date(2024, 1, 26), time(17)),
            (date(2024, 1, 27), time(9)),
            (date(2024, 1, 29), time(7, 59)),
            (date(2024, 1, 29), time(8)),
        )
    ]
    assert said == [["nudge 1c.1 2024 lead-3"], [], [], [], ["nudge 1c.1 2024 lead-3"]]


def test_a_missed_escalation_and_a_missed_digest_are_made_up_once(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """Stopped over late-1 and two Mondays: the office is told of 1c once, and gets one digest."""
    stopped = instant(date(2024, 1, 31), time(12))
    due = tick(scheduler, plan2024, stopped, instant(date(2024, 2, 15), time(8)))
    assert [line for line in listing(due, "van-phong") if line.startswith("esc")] == [
        "escalation 1c.1 2024 late-1",
        "escalation 4b.1 2024 late-1",
    ]
    assert listing(due, "lanh-dao") == [
        "escalation 1c.1 2024 late-3",
        "escalation 2c.1 2024-01 late-3",
    ]
    assert [m.kind for m in due.messages].count(MessageKind.DIGEST) == 1


def test_what_is_no_longer_true_is_not_said(plan2024: Plan, scheduler: Scheduler) -> None:
    """Work that was closed, moved, snoozed or submitted during the stop is skipped."""
    key = Key("cchc-2024", "1c", 1, "2024")
    stopped, now = instant(date(2024, 1, 29), time(12)), instant(date(2024, 1, 31), time(9))
    said = {}
    for kind, until in (
        (EventKind.NOTED, None),
        (EventKind.DONE, None),
        (EventKind.SUBMITTED, None),
        (EventKind.DUE_SET, date(2024, 3, 1)),
    ):
        event = Event(
            at=instant(date(2024, 1, 31), time(8, 30)),
            kind=kind,
            key=key,
            unit="tu-phap",
            until=until,
        )
        found = tick(scheduler, plan2024, stopped, now, [event])
        said[kind.value] = [line for line in listing(found, "tu-phap") if " 1c" in line]
    assert said == {"noted": ["nudge 1c.1 2024 due"], "done": [], "submitted": [], "due-set": []}


def test_a_clock_set_back_says_nothing(plan2024: Plan, scheduler: Scheduler) -> None:
    """A tick before the last one sends nothing."""
    now = instant(date(2024, 1, 31), time(8))
    assert tick(scheduler, plan2024, now + timedelta(days=1), now) == DueMessages((), ())


def test_speaking_hours(scheduler: Scheduler) -> None:
    """On working days, the digest from 07:30 and all else from 08:00, until 17:00."""
    hours = [
        (date(2024, 5, 4), time(7, 45)),  # a working Saturday
        (date(2024, 5, 4), time(8)),
        (date(2024, 5, 5), time(9)),
        (date(2024, 5, 6), time(17)),
    ]
    assert [
        [kind.value for kind in KINDS if speaking_hours(scheduler, kind, instant(day, clock))]
        for day, clock in hours
    ] == [["digest"], ["digest", "nudge", "escalation", "request"], [], []]


@settings(max_examples=examples(25), deadline=None)
@given(data=st.data())
def test_the_index_leaves_out_only_what_does_not_speak(
    data: st.DataObject, plan2024: Plan, scheduler: Scheduler
) -> None:
    """Its messages are those of the schedule, for any interval, events and plans.

    Also where it was asked of the same interval before, with other events.
    """
    other = replace(plan2024, id="other")
    index = StageIndex(scheduler, [plan2024, other])
    drawn = [replace(e, at=e.at - timedelta(days=30)) for e in data.draw(random_events(plan2024))]
    first = data.draw(st.dates(date(2024, 1, 1), date(2025, 1, 20)))
    window = midnight(first), midnight(first + timedelta(days=data.draw(st.integers(1, 20))))
    events = [e for e in drawn if e.at < window[1]]
    plans = data.draw(st.sampled_from([[plan2024], [other], [plan2024, other]]))
    later = data.draw(st.integers(0, len(events)))
    for known in ([], events[:later], events):
        states = fold((o for plan in index.plans for o in occurrences(plan)), known)
        said = index.messages(plans, by_key(known), states, *window)
        assert said == scheduler.messages(plans, by_key(known), *window)
