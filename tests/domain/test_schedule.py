"""The schedule: against a second computation (schedule_oracle), on single days, and as laws."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminder.domain.calendar import instant, local
from reminder.domain.ledger import Event, EventKind, State, apply, by_key, fold, initial
from reminder.domain.plan import Every, Key, Plan, occurrences
from reminder.domain.schedule import Message, MessageKind, Scheduler
from tests.conftest import examples
from tests.domain import schedule_oracle as oracle

YEAR = (date(2024, 1, 1), date(2025, 1, 31))


def midnight(day: date) -> datetime:
    return instant(day, time())


def said(messages: Iterable[Message]) -> oracle.Said:
    return {
        (local(m.at).isoformat(), m.unit, m.kind.value): {
            (i.key.task, i.key.deliverable, i.key.period, str(i.due), str(i.stage)) for i in m.items
        }
        for m in messages
    }


def event(key: Key, kind: EventKind, at: datetime, unit: str, until: date | None = None) -> Event:
    return Event(at=at, kind=kind, key=key, unit=unit, until=until)


def speaks(scheduler: Scheduler, plan: Plan, events: Iterable[Event], task: str) -> list[str]:
    """Where, to whom and at which stage `task` speaks in the first half of 2024."""
    window = midnight(date(2024, 1, 1)), midnight(date(2024, 7, 1))
    return [
        f"{local(m.at):%d/%m} {m.unit} {i.stage}"
        for m in scheduler.messages([plan], by_key(events), *window)
        for i in m.items
        if i.key.task == task
    ]


@pytest.mark.parametrize(
    "window",
    [
        (date(2024, 1, 1), date(2024, 12, 31)),
        (date(2023, 11, 1), date(2025, 6, 30)),
        (date(2024, 5, 13), date(2024, 9, 3)),
    ],
)
def test_nothing_done_equals_the_oracle(
    window: tuple[date, date], plan2024: Plan, scheduler: Scheduler
) -> None:
    """If nobody ever acts, every nudge, escalation and digest equals the oracle."""
    first, last = window
    messages = scheduler.messages([plan2024], {}, midnight(first), midnight(last + timedelta(1)))
    assert said(messages) == oracle.schedule(first, last, {})


def test_each_year_of_a_plan_speaks_as_a_plan_of_that_year(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """What recurs in a plan of 2024 and 2025 says what two plans of one year each would say."""
    tasks = []
    for task in plan2024.tasks:
        recurring = tuple(d for d in task.deliverables if isinstance(d.rule, Every))
        tasks += [replace(task, deliverables=recurring)] if recurring else []
    plan = replace(plan2024, tasks=tuple(tasks))
    window = midnight(date(2023, 12, 1)), midnight(date(2026, 6, 1))
    apart: oracle.Said = {}
    for year in (2024, 2025):
        alone = replace(plan, year=year)
        for slot, items in said(scheduler.messages([alone], {}, *window)).items():
            apart[slot] = apart.get(slot, set()) | items
    assert said(scheduler.messages([replace(plan, last_year=2025)], {}, *window)) == apart


def test_done_on_due_days_equals_the_oracle(plan2024: Plan, scheduler: Scheduler) -> None:
    """If each is closed on its due day at 16:00, only leads and digests are said."""
    closed = {p[:3]: p.due for p in oracle.all_parts()}
    events = [
        event(o.key, EventKind.DONE, instant(o.due, time(16)), unit)
        for o in occurrences(plan2024)
        for unit in o.task.lead
        if o.due
    ]
    messages = scheduler.messages(
        [plan2024], by_key(events), midnight(YEAR[0]), midnight(YEAR[1] + timedelta(1))
    )
    assert said(messages) == oracle.schedule(*YEAR, closed)


@settings(max_examples=examples(20))
@given(data=st.data())
def test_any_closes_equal_the_oracle(
    data: st.DataObject, plan2024: Plan, scheduler: Scheduler
) -> None:
    """Whatever closes on whatever day, what is said equals the oracle."""
    dated = [o for o in occurrences(plan2024) if o.due]
    days = st.dates(date(2024, 1, 1), date(2024, 12, 31))
    chosen = data.draw(st.dictionaries(st.sampled_from([o.key for o in dated]), days, max_size=25))
    events = [
        event(o.key, EventKind.DONE, instant(chosen[o.key], time(16)), unit)
        for o in dated
        if o.key in chosen
        for unit in o.task.lead
    ]
    closed = {(k.task, k.deliverable, k.period): day for k, day in chosen.items()}
    messages = scheduler.messages(
        [plan2024], by_key(events), midnight(YEAR[0]), midnight(YEAR[1] + timedelta(1))
    )
    assert said(messages) == oracle.schedule(*YEAR, closed)


@settings(max_examples=examples(25))
@given(
    cuts=st.lists(st.datetimes(datetime(2024, 1, 1), datetime(2025, 2, 1)), max_size=6),  # noqa: DTZ001
    data=st.data(),
)
def test_splitting_time_changes_nothing(
    cuts: list[datetime], data: st.DataObject, plan2024: Plan, scheduler: Scheduler
) -> None:
    """The messages of an interval are those of its pieces, whatever happens in between."""
    events = by_key(data.draw(random_events(plan2024)))
    instants = sorted(instant(c.date(), c.time()) for c in cuts)
    edges = [midnight(YEAR[0]), *instants, midnight(date(2025, 2, 1))]
    whole = scheduler.messages([plan2024], events, edges[0], edges[-1])
    pieces = [
        message
        for since, until in pairwise(edges)
        for message in scheduler.messages([plan2024], events, since, until)
    ]
    assert pieces == whole


@st.composite
def random_events(draw: st.DrawFn, plan: Plan) -> list[Event]:
    """Up to twenty events of any kind about any occurrence, in order of time."""
    states = {o.key: o for o in occurrences(plan)}
    found = []
    for _ in range(draw(st.integers(0, 20))):
        key = draw(st.sampled_from(list(states)))
        at = draw(st.datetimes(datetime(2024, 1, 1), datetime(2024, 12, 31)))  # noqa: DTZ001
        found.append(
            event(
                key,
                draw(st.sampled_from(EventKind)),
                instant(at.date(), at.time()),
                draw(st.sampled_from(states[key].task.lead)),
                draw(st.none() | st.dates(date(2024, 1, 1), date(2024, 12, 31))),
            )
        )
    return sorted(found, key=lambda e: e.at)


@settings(max_examples=examples(25))
@given(data=st.data())
def test_a_state_is_a_fold(data: st.DataObject, plan2024: Plan) -> None:
    """Folding a ledger in one go or event by event yields the same; `until` leaves the rest out."""
    events = data.draw(random_events(plan2024))
    all_occurrences = occurrences(plan2024)
    stepwise: dict[Key, State] = {o.key: initial(o) for o in all_occurrences}
    for happened in events:
        stepwise[happened.key] = apply(stepwise[happened.key], happened)
    assert fold(all_occurrences, events) == stepwise
    if events:
        cut = events[-1].at
        before = [e for e in events if e.at < cut]
        assert fold(all_occurrences, events, until=cut) == fold(all_occurrences, before)


@settings(max_examples=examples(25))
@given(data=st.data(), at=st.datetimes(datetime(2024, 1, 1), datetime(2025, 2, 1)))  # noqa: DTZ001
def test_waking_skips_nothing(
    data: st.DataObject, at: datetime, plan2024: Plan, scheduler: Scheduler
) -> None:
    """Nothing is sent before the next wake, and something at it."""
    events = by_key(data.draw(random_events(plan2024)))
    now = instant(at.date(), at.time())
    wake = scheduler.next_wake([plan2024], events, now)
    rest = scheduler.messages(
        [plan2024], events, now + timedelta(microseconds=1), midnight(date(2025, 2, 2))
    )
    assert wake == (rest[0].at if rest else None)


def test_1c_from_first_nudge_to_silence(plan2024: Plan, scheduler: Scheduler) -> None:
    """The leads of 1c around weekends, and its late days around Tết, to unit, office, leaders."""
    assert [s for s in speaks(scheduler, plan2024, [], "1c") if s[3:5] in ("01", "02")] == [
        "17/01 tu-phap lead-14",
        "24/01 tu-phap lead-7",
        "26/01 tu-phap lead-3",
        "30/01 tu-phap lead-1",
        "31/01 tu-phap due",
        "01/02 tu-phap late-1",
        "01/02 van-phong late-1",
        "05/02 tu-phap late-3",
        "05/02 lanh-dao late-3",
        "07/02 tu-phap late-5",
        "21/02 tu-phap late-10",
        "28/02 tu-phap late-15",
    ]


KEY_1C = Key("cchc-2024", "1c", 1, "2024")
MORNING = time(9, 12)


def test_a_moved_date_speaks_anew_and_keeps_the_original(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """From the hour the office moves a date, nudges and escalations follow the new one."""
    moved = event(
        KEY_1C, EventKind.DUE_SET, instant(date(2024, 1, 30), MORNING), "tu-phap", date(2024, 2, 5)
    )
    assert speaks(scheduler, plan2024, [moved], "1c")[:9] == [
        "17/01 tu-phap lead-14",
        "24/01 tu-phap lead-7",
        "26/01 tu-phap lead-3",
        "30/01 tu-phap lead-1",
        "02/02 tu-phap lead-1",
        "05/02 tu-phap due",
        "06/02 tu-phap late-1",
        "06/02 van-phong late-1",
        "15/02 tu-phap late-3",
    ]
    state = fold(occurrences(plan2024), [moved])[KEY_1C]
    assert (state.due, state.occurrence.due) == (date(2024, 2, 5), date(2024, 1, 31))


def test_a_snooze_silences_its_unit_until_its_day(plan2024: Plan, scheduler: Scheduler) -> None:
    """No nudge before the snooze's day, one on it, then the schedule; other units get all."""
    snooze = event(
        Key("cchc-2024", "1d", 1, "2024"),
        EventKind.SNOOZED,
        instant(date(2024, 2, 6), MORNING),
        "tu-phap",
        date(2024, 2, 15),
    )
    found = [
        s for s in speaks(scheduler, plan2024, [snooze], "1d") if s < "17/02" and s[3:5] == "02"
    ]
    assert sorted(found) == [
        "06/02 tu-phap lead-14",
        "06/02 van-phong lead-14",
        "07/02 van-phong lead-7",
        "15/02 tu-phap again",
        "16/02 tu-phap lead-14",
        "16/02 tu-phap lead-3",
        "16/02 van-phong lead-14",
        "16/02 van-phong lead-3",
    ]


def test_what_awaits_signature_is_silent_but_still_escalates(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """Đã trình ký stops the unit's nudges; office and leaders are still told of late work."""
    submitted = event(KEY_1C, EventKind.SUBMITTED, instant(date(2024, 1, 30), MORNING), "tu-phap")
    assert speaks(scheduler, plan2024, [submitted], "1c") == [
        "17/01 tu-phap lead-14",
        "24/01 tu-phap lead-7",
        "26/01 tu-phap lead-3",
        "30/01 tu-phap lead-1",
        "01/02 van-phong late-1",
        "05/02 lanh-dao late-3",
    ]


def test_shared_work_leaves_alone_who_has_confirmed(plan2024: Plan, scheduler: Scheduler) -> None:
    """Each unit of 2c confirms its own part, and is nudged no more; all four close it."""
    key = Key("cchc-2024", "2c", 1, "2024-01")
    at = instant(date(2024, 1, 29), MORNING)
    done = [
        event(key, EventKind.DONE, at, unit) for unit in ("tu-phap", "van-phong", "van-hoa-xa-hoi")
    ]
    found = speaks(scheduler, plan2024, done, "2c")
    assert [s for s in found if s.startswith(("31/01", "01/02", "05/02"))] == [
        "31/01 dia-chinh-xay-dung due",
        "01/02 dia-chinh-xay-dung late-1",
        "05/02 dia-chinh-xay-dung late-3",
        "05/02 lanh-dao late-3",
    ]
    closing = event(key, EventKind.DONE, at + timedelta(hours=1), "dia-chinh-xay-dung")
    states = fold(occurrences(plan2024), [*done, closing])
    assert (states[key].closed, states[key].open_units) == (closing, ())


def test_a_confirmed_date_reaches_the_leaders(plan2024: Plan, scheduler: Scheduler) -> None:
    """An assumed date stops at the office; once the office confirms it, it is firm."""
    key = Key("cchc-2024", "4b", 1, "2024")
    confirmed = event(key, EventKind.CONFIRMED, instant(date(2024, 1, 22), MORNING), "van-phong")
    escalated = [
        [s for s in speaks(scheduler, plan2024, events, "4b") if "tai-chinh" not in s]
        for events in ([], [confirmed])
    ]
    assert escalated == [
        ["01/02 van-phong late-1"],
        ["01/02 van-phong late-1", "05/02 lanh-dao late-3"],
    ]


def test_what_was_late_at_a_first_start_is_held(plan2024: Plan, scheduler: Scheduler) -> None:
    """Work that was late at the first start has no nudge and no escalation until the hold ends."""
    held = event(
        KEY_1C, EventKind.HELD, instant(date(2024, 2, 1), time(7)), "van-phong", date(2024, 2, 7)
    )
    assert speaks(scheduler, plan2024, [held], "1c")[5:8] == [
        "07/02 tu-phap late-5",
        "21/02 tu-phap late-10",
        "28/02 tu-phap late-15",
    ]


def test_a_hold_that_ends_between_two_stages_speaks_on_that_day(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """It speaks on the first working day after the hold, whatever the stage; then as usual."""
    held = event(
        KEY_1C, EventKind.HELD, instant(date(2024, 2, 1), time(7)), "van-phong", date(2024, 2, 17)
    )
    assert speaks(scheduler, plan2024, [held], "1c")[5:8] == [
        "19/02 tu-phap late-8",
        "21/02 tu-phap late-10",
        "28/02 tu-phap late-15",
    ]


def test_undo_and_reopen_speak_again(plan2024: Plan, scheduler: Scheduler) -> None:
    """A close that is taken back, by its unit or by the office, leaves the occurrence as open."""
    done = event(KEY_1C, EventKind.DONE, instant(date(2024, 1, 29), MORNING), "tu-phap")
    for kind in (EventKind.UNDONE, EventKind.REOPENED):
        back = event(KEY_1C, kind, instant(date(2024, 1, 30), MORNING), "tu-phap")
        assert fold(occurrences(plan2024), [done, back])[KEY_1C].open_units == ("tu-phap",)
        assert speaks(scheduler, plan2024, [done, back], "1c")[3:5] == [
            "31/01 tu-phap due",
            "01/02 tu-phap late-1",
        ]


def test_what_was_thought_done_escalates_once_it_is_open_again(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """Work closed in time and reopened late escalates once, at the next slot."""
    done = event(KEY_1C, EventKind.DONE, instant(date(2024, 1, 29), MORNING), "tu-phap")
    back = event(KEY_1C, EventKind.REOPENED, instant(date(2024, 2, 6), MORNING), "tu-phap")
    note = event(KEY_1C, EventKind.NOTED, instant(date(2024, 2, 6), time(15)), "tu-phap")
    again = event(KEY_1C, EventKind.DONE, instant(date(2024, 2, 16), MORNING), "tu-phap")
    twice = event(KEY_1C, EventKind.REOPENED, instant(date(2024, 2, 19), MORNING), "tu-phap")
    escalated = [
        [s for s in speaks(scheduler, plan2024, events, "1c") if "tu-phap" not in s]
        for events in ([done, back, note], [done, back, note, again, twice])
    ]
    assert escalated == [["07/02 van-phong late-1", "07/02 lanh-dao late-3"]] * 2
    shut = event(KEY_1C, EventKind.DONE, instant(date(2024, 2, 6), time(16)), "tu-phap")
    late = [done, back, shut, twice]
    assert [s for s in speaks(scheduler, plan2024, late, "1c") if "tu-phap" not in s] == [
        "20/02 van-phong late-1",
        "20/02 lanh-dao late-3",
    ]


def test_a_request_that_waits_comes_back_before_the_due_day(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """The office is reminded on the working day before the due day, unless asked that day."""
    cases = {}
    for day, outcome in (
        (date(2024, 1, 26), None),
        (date(2024, 1, 30), None),
        (date(2024, 1, 26), EventKind.EXTENSION_REFUSED),
    ):
        events = [
            event(
                KEY_1C,
                EventKind.EXTENSION_ASKED,
                instant(day, MORNING),
                "tu-phap",
                date(2024, 2, 5),
            )
        ]
        if outcome:
            events.append(event(KEY_1C, outcome, instant(day, time(15)), "van-phong"))
        found = scheduler.messages(
            [plan2024], {KEY_1C: events}, midnight(date(2024, 1, 1)), midnight(date(2024, 12, 31))
        )
        cases[f"{day:%d/%m} {outcome or ''}".strip()] = [
            f"{local(m.at):%d/%m %H:%M} {m.unit} {i.key.task}"
            for m in found
            for i in m.items
            if m.kind is MessageKind.REQUEST
        ]
    assert cases == {
        "26/01": ["30/01 08:00 van-phong 1c"],
        "30/01": [],
        "26/01 extension-refused": [],
    }


def test_a_second_close_changes_nothing(plan2024: Plan) -> None:
    """The first close stays on record."""
    at = instant(date(2024, 1, 29), MORNING)
    first = event(KEY_1C, EventKind.DONE, at, "tu-phap")
    second = event(KEY_1C, EventKind.DONE, at + timedelta(minutes=1), "van-phong")
    assert fold(occurrences(plan2024), [first, second])[KEY_1C].closed == first


def test_an_extension_waits_and_is_answered(plan2024: Plan) -> None:
    """A request stands until it is granted, refused or withdrawn; only a grant moves the date."""
    at = instant(date(2024, 1, 29), MORNING)
    asked = event(KEY_1C, EventKind.EXTENSION_ASKED, at, "tu-phap", date(2024, 2, 5))
    outcomes = {}
    for kind in (
        EventKind.EXTENSION_GRANTED,
        EventKind.EXTENSION_REFUSED,
        EventKind.EXTENSION_WITHDRAWN,
    ):
        answer = event(KEY_1C, kind, at + timedelta(hours=1), "van-phong", date(2024, 2, 5))
        state = fold(occurrences(plan2024), [asked, answer])[KEY_1C]
        outcomes[kind.value] = (state.request, state.due)
    assert fold(occurrences(plan2024), [asked])[KEY_1C].request == asked
    assert outcomes == {
        "extension-granted": (None, date(2024, 2, 5)),
        "extension-refused": (None, date(2024, 1, 31)),
        "extension-withdrawn": (None, date(2024, 1, 31)),
    }


def test_two_plans_share_the_digest(plan2024: Plan, scheduler: Scheduler) -> None:
    """In January of the next year both plans speak; the office gets one digest a week."""
    from dataclasses import replace

    next_plan = replace(plan2024, id="cchc-2025", year=2025, tasks=())
    digests = [
        m
        for m in scheduler.messages(
            [plan2024, next_plan], {}, midnight(date(2025, 1, 6)), midnight(date(2025, 2, 8))
        )
        if m.kind is MessageKind.DIGEST
    ]
    # 27/01–31/01/2025 is Tết from Monday to Friday: a week with no working day has no digest.
    assert [f"{local(m.at):%d/%m %H:%M}" for m in digests] == [
        "06/01 07:30",
        "13/01 07:30",
        "20/01 07:30",
        "03/02 07:30",
    ]


def test_no_plan_says_nothing(scheduler: Scheduler) -> None:
    """Without a plan there is no message, no digest and no wake."""
    window = midnight(date(2024, 1, 1)), midnight(date(2025, 1, 1))
    assert scheduler.messages([], {}, *window) == []
    assert scheduler.digest_days([]) == []
    assert scheduler.next_wake([], {}, window[0]) is None
