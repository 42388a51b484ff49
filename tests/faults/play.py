"""One month with its faults, from an empty folder to the verdict."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

from tests.faults.happenings import BY_NAME, ENDED, Fault, is_readable, is_said, is_told
from tests.faults.month import Month, StuckError, hours_of, month
from tests.faults.office import ANSWERS, DAYS
from tests.faults.verdict import Tally, judged, unknown_sends
from tests.services.world import at

KILL, AWAY = "kill -9", "Telegram: three days out of reach"
FIRST = "reminder runs: "
AT_FIRST = 3  # kills while a fresh database is made
# Days on which the morning has something to say, so that a fault of a line meets messages.
BUSY = (
    *("24/01", "26/01", "30/01", "31/01", "01/02", "05/02", "06/02", "07/02", "16/02", "19/02"),
    "20/02",
)
AWAY_FROM = ("25/01", "30/01")  # when an outage of three days may begin
_WAITS = ("08:00",)  # the hour of faults that wait for a message
Plan = dict[tuple[str, str], list[Fault]]


def planned(faults: Sequence[str], count: int, days: Sequence[str], rng: Random) -> Plan:
    """Which fault happens when; `count` of them in all, spread over the kinds."""
    found: Plan = defaultdict(list)
    for n in range(count):
        fault = BY_NAME[faults[n % len(faults)]]
        wished: Sequence[str] = BUSY if fault.hours == _WAITS else days
        if fault.name == AWAY:
            wished = [day for day in AWAY_FROM if at(day) + timedelta(days=4) < at(days[-1])]
        alike = _WAITS if fault.hours == _WAITS else ()  # which may share a moment
        places = [
            (day, hour)
            for day, hour in hours_of(days)
            if hour in fault.hours and day in wished
            and (fault.name == KILL or all(f.hours == alike or f.name == KILL
                                           for f in found[day, hour]))
        ]  # fmt: skip
        busy = [(day, hour) for day, hour in places if day in BUSY and hour == "08:00"]
        told = [(a.day, a.hour) for a in ANSWERS if (a.day, a.hour) in places]
        chance = rng.random()  # mostly where something is under way
        places = busy if busy and chance < 0.5 else told if told and chance < 0.8 else places
        if places:
            fewest = min(len(found[place]) for place in places)
            chosen = places if fault.name == KILL else [
                place for place in places if len(found[place]) == fewest
            ]  # fmt: skip
            found[rng.choice(chosen)].append(fault)
    return found


async def played(
    folder: Path, faults: Sequence[str], seed: str, count: int, days: Sequence[str] = DAYS
) -> Tally:
    """Plays `days` with `count` faults of these kinds; what it came to."""
    tally = Tally()
    async with month(folder, seed, days[0]) as office:
        plan = planned(faults, count - AT_FIRST * (KILL in faults), days, office.rng)
        began = office.now
        try:
            await office.start()
            first = [BY_NAME[KILL]] * (AT_FIRST if KILL in faults else 0)
            await _happen(office, first, tally)
            await office.enrol()
            await _days(office, plan, days, tally)
            if code := await office.end():
                tally.why.append(f"the daemon ended with {code}")
        except StuckError as stuck:
            tally.why.append(str(stuck))
        else:
            judged(office, began, tally)
            tally.in_flight += unknown_sends(office.nursery.log)
            if tally.twice > tally.in_flight:
                tally.why.append(f"{tally.twice} came twice, {tally.in_flight} were under way")
        tally.why[:] = [f"{seed} {','.join(faults)[:40]}: {why}" for why in tally.why]
    return tally


async def _days(office: Month, plan: Plan, days: Sequence[str], tally: Tally) -> None:
    moments, evening = hours_of(days), at(days[-1], "18:30")
    ends = [at(*place) for place in moments[1:]] + [evening]
    back = None  # when Telegram is within reach again
    for place, until in zip(moments, ends, strict=True):
        office.show(at(*place))
        if back and office.now >= back:
            office.telegram.go_online()
            office.away, back = False, None
        office.write_again()
        office.people_write(*place)
        faults = plan.get(place, [])
        if any(fault.name == AWAY for fault in faults):
            back = office.now + timedelta(days=3)
        await _happen(office, faults, tally, until)
    office.write_again()
    office.show(max(office.now, evening))
    await office.settle()  # what the last hour still queued is sent; in the evening nothing is new


async def _happen(
    office: Month, faults: Sequence[Fault], tally: Tally, until: object = None
) -> None:
    """The faults of one moment, one after the other; then the daemon must come to rest."""
    line, call = len(office.nursery.log), len(office.telegram.calls)
    met = office.mail.happened + office.mailroom.happened + office.zalo.happened
    for fault in faults:
        await fault.happens(office)
    await office.settle(until)  # type: ignore[arg-type]
    for fault in faults:
        if _has_hit(office, fault, call, met):
            tally.runs += 1
            tally.survived += 1
            await is_told(office, fault, line)
            if fault.name.startswith("IMAP"):  # or the next one would be the same trouble still
                await is_readable(office, line)
            lines = office.nursery.log[line:]
            # Nothing tells of a kill before the very first run had begun: there was nothing yet.
            fresh = not office.enrolled and any(FIRST in line for line in lines)
            # A daemon that dies before it learns of a fault can't tell of it: its follower does.
            died = any(other.said == ENDED for other in faults)
            followed = died and any("the outcome of" in line for line in lines)
            said = fresh or followed or is_said(fault, lines)
            tally.said += said
            if not said:
                tally.why.append(f"not said: {fault.name} at {office.now}")
    office.mail.faults.clear()
    office.mailroom.faults.clear()
    office.telegram._faults._waiting.clear()
    office.zalo._faults.clear()


def _has_hit(office: Month, fault: Fault, call: int, met: Counter[str]) -> bool:
    """Whether a fault that waits for a message has met one."""
    if fault.name.startswith("SMTP"):
        how = fault.name.removeprefix("SMTP: ")
        return office.mail.happened[how] > met[how]
    if fault.name.startswith("IMAP"):
        how = fault.name.removeprefix("IMAP: ")
        return office.mailroom.happened[how] > met[how]
    if fault.name.startswith("Zalo"):
        how = fault.name.removeprefix("Zalo: ")
        return office.zalo.happened[how] > met[how]
    if fault.name.startswith("Telegram: ") and fault.name != AWAY:
        what = fault.name.removeprefix("Telegram: ")
        return any(str(c.outcome) == what for c in office.telegram.calls[call:])
    return True
