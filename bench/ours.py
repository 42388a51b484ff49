"""This project's side, wired as `reminder run` wires it: python -m bench.ours WORD …"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import re
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path

from reminder.app.wiring import Program, program
from reminder.channels.telegram.pacer import Gaps, Pacer
from reminder.channels.telegram.send import TelegramChannel
from reminder.domain.calendar import instant
from reminder.domain.outbox import Draft
from reminder.domain.payloads import Nudge
from reminder.domain.plan import Key
from reminder.domain.schedule import Item, Stage
from reminder.domain.tokens import hash_code
from reminder.services.deliver import Accepted
from reminder.services.limits import Allowance
from reminder.store.web import Session

ROOT = Path(__file__).resolve().parent.parent
DAY = date(2024, 1, 26)
QUIET_HOUR = instant(DAY, clock_time(19, 0))  # outside the speaking hours: no tick adds anything
SLOT = instant(DAY, clock_time(8, 0))
SOON = timedelta(seconds=20)  # that a daemon has at least to start before its slot
VISITOR = "chi"  # who reads the page, and the cookie of that session


class SetClock:
    """A clock that stands still."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class ShiftedClock:
    """A clock that shows another day."""

    def __init__(self, shift: timedelta) -> None:
        self.shift = shift

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift


def office(
    folder: Path,
    base_url: str,
    *,
    officers: int = 1,
    flight: int = 8,
    mail: bool = False,
    page: int = 0,
    tasks: int = 0,
) -> Path:
    """The files of an office with that many officers in Tư pháp; the settings' path.

    `mail`: they are reached by mail alone, through the server at the port `base_url`. `page`: the
    port of its page, which VISITOR reads. `tasks`: of a plan of so many instead.
    """
    people = "".join(
        f'[[person]]\nid = "p{n}"\nname = "Công chức {n}"\nunit = "tu-phap"\n'
        + f'email = "p{n}@phuong.example.vn"\n' * mail
        for n in range(officers)
    )
    channel = f'[telegram]\ntoken = "4242:bench"\nbase_url = "{base_url}"'
    if mail:
        channel = (
            f'[email]\nhost = "127.0.0.1"\nport = {base_url}\nsecurity = "none"\n'
            'sender = "nhac@phuong.example.vn"'
        )
    plan = ROOT / "data/plan2024.toml"
    if page:
        people += f'[[person]]\nid = "{VISITOR}"\nname = "Chi"\nunit = "van-phong"\n'
        channel += f'\n[web]\nlisten = "127.0.0.1:{page}"'
    if tasks:
        plan = _long(plan, folder / "plan.toml", tasks)
    (folder / "people.toml").write_text(people, encoding="utf-8")
    path = folder / "reminder.toml"
    path.write_text(
        f"""
[plan]
files = ["{plan.as_posix()}"]
people = "people.toml"
calendar = "{(ROOT / "config/calendar.toml").as_posix()}"
[store]
url = "sqlite:///{(folder / "r.db").as_posix()}"
{channel}
[delivery]
in_flight = {flight}
""",
        encoding="utf-8",
    )
    return path


def _long(plan: Path, path: Path, count: int) -> Path:
    """A plan of `count` tasks, copies of those of `plan`."""
    head, *tasks = plan.read_text(encoding="utf-8").split("\n[[task]]\n")
    copies = (
        re.sub(
            'code = ".+"', f'code = "{1 + n // 50}.{1 + n % 50}"', tasks[n % len(tasks)], count=1
        )
        for n in range(count)
    )
    path.write_text("\n[[task]]\n".join([head, *copies]), encoding="utf-8")
    return path


def wired(config: Path, *, paced: bool) -> Program:
    """The program on a clock that stands still; without `paced`, for a server without limits."""
    found = program(config, SetClock(QUIET_HOUR))
    channel = found.daemon.channels.get("telegram")
    if isinstance(channel, TelegramChannel) and not paced:
        channel._pacer = Pacer(time.monotonic, gaps=Gaps(overall=0, chat=0))
    gc.freeze()  # as `reminder run` does
    return found


def enrol(run: Program, officers: int) -> None:
    """Each officer has a chat of their own; the plan has started long ago."""
    store = run.store
    with store.together():
        for n in range(officers if "telegram" in run.daemon.channels else 0):
            store.bind(f"p{n}", "telegram", str(11 + n), SLOT)
    run.daemon.service._revision = None
    at = SLOT.isoformat()
    marks = {"started:cchc-2024": at, "greeted:cchc-2024": at}
    empty = {f"empty:{unit}": at for unit in run.daemon.service.office.units}
    store.record([], unit_names={}, meta={**marks, **empty}, at=SLOT)
    if VISITOR in run.daemon.service.office.people:
        made, now = hash_code(VISITOR), QUIET_HOUR
        visit = Session(hash=made, person=VISITOR, made_at=now, seen_at=now, kept=True, agent="")
        store.add_session(visit)


def nudges(run: Program, officers: int, *, apart: bool = False) -> None:
    """One nudge of one occurrence for each officer, waiting in the outbox.

    `apart`: each says another day.
    """
    key, due = Key("cchc-2024", "1c", 1, "2024"), date(2024, 1, 31)
    (channel,) = run.daemon.channels
    drafts = [
        Draft(
            slot=SLOT,
            recipient=f"p{n}",
            kind="nudge",
            channel=channel,
            payload=Nudge(
                items=(("tu-phap", Item(key, due + timedelta(days=n * apart), Stage(-5))),)
            ),
            due_at=SLOT,
        )
        for n in range(officers)
    ]
    run.store.record([], unit_names={}, drafts=drafts, at=SLOT)


async def send(
    config: Path, count: int, *, paced: bool, apart: bool, resumed: bool
) -> dict[str, float]:
    """When the last of `count` messages was on record as sent; the processor's time a message.

    `resumed`: of those that a process before it has left.
    """
    run = wired(config, paced=paced)
    if resumed:
        waiting = run.store.counts()
        count = waiting["pending"] + waiting["leased"]
    else:
        enrol(run, count)
        nudges(run, count, apart=apart)
    gc.collect()
    left, end, spent = count, 0.0, 0.0
    mark = run.daemon.service.sent_together
    began: list[tuple[int, float]] = []  # of the first record: messages left, time spent

    def sent(accepted: Sequence[Accepted], held: Sequence[bool] | None = None) -> bool:
        nonlocal left, end, spent
        told = mark(accepted, held)
        if not began:
            began.append((left - len(accepted), time.process_time()))
        left -= len(accepted)
        if not left:
            end, spent = time.time(), time.process_time() - began[0][1]
            loop.call_soon_threadsafe(run.daemon.stop)
        return told

    loop = asyncio.get_running_loop()
    run.daemon.service.sent_together = sent  # type: ignore[method-assign]
    await run.run()
    return {"end": end, "cpu": spent / max(1, began[0][0])}


async def first_of_slot(config: Path) -> dict[str, float]:
    """When a slot began, on this machine's clock; its first message is out at the end."""
    real = datetime.now(UTC) + SOON
    slot = real.replace(second=0, microsecond=0) + timedelta(minutes=1)
    run = program(config, ShiftedClock(SLOT - slot))
    enrol(run, 1)
    mark = run.daemon.service.sent_together
    loop = asyncio.get_running_loop()

    def sent(accepted: Sequence[Accepted], held: Sequence[bool] | None = None) -> bool:
        loop.call_soon_threadsafe(run.daemon.stop)
        return mark(accepted, held)

    run.daemon.service.sent_together = sent  # type: ignore[method-assign]
    await run.run()
    return {"slot": slot.timestamp()}


async def answer(config: Path) -> None:
    """Answers until it is killed."""
    run = wired(config, paced=False)
    enrol(run, 1)
    run.daemon.service.limits.spoken = Allowance(10**9, run.daemon.service.limits.spoken.within)
    await run.run()


def main() -> None:
    """Runs one side; prints what it found as JSON."""
    from bench.quiet import quiet

    quiet()
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["send", "mail", "answer", "slot"])
    parser.add_argument("base_url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--flight", type=int, default=8)
    parser.add_argument("--paced", action="store_true")
    parser.add_argument("--page", type=int, default=0, metavar="PORT")
    parser.add_argument("--tasks", type=int, default=0)
    parser.add_argument("--apart", action="store_true", help="each message has its own text")
    parser.add_argument("--resumed", action="store_true", help="goes on with what is in FOLDER")
    given = parser.parse_args()
    mail, apart = given.what == "mail", given.apart or given.what == "mail"
    config = office(
        given.folder,
        given.base_url,
        officers=given.count,
        flight=given.flight,
        mail=mail,
        page=given.page,
        tasks=given.tasks,
    )
    if given.what == "answer":
        return asyncio.run(answer(config))
    if given.what == "slot":
        print(json.dumps(asyncio.run(first_of_slot(config))))
        return None
    work = send(config, given.count, paced=given.paced, apart=apart, resumed=given.resumed)
    print(json.dumps(asyncio.run(work)))
    return None


if __name__ == "__main__":
    main()
