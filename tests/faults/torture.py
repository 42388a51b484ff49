"""The long form: a thousand kills and every other fault, and the table of what came of them.

usage: python -m tests.faults.torture [--kills N] [--seed S] [--each N] [--jobs N]
Ends with 1 if anything was lost, an answer was lost, or a right was broken; then it says what.
Stays on 127.0.0.1, in a folder of its own that it removes, and stops what it has started only.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.faults.happenings import FAULTS
from tests.faults.play import AWAY, KILL, played
from tests.faults.verdict import Tally

KILLS_A_MONTH = 50
MIXED = "all of them, mixed"
HEAD = (
    *("fault", "runs", "survived", "said", "due", "on record", "lost", "sent twice"),
    *("of them marked", "in flight", "answers", "answers lost", "rights broken"),
)
Job = tuple[str, tuple[str, ...], str, int]  # line of the table, faults, seed, how many


def jobs(kills: int, each: int, seed: int) -> Iterator[Job]:
    """The months to play: of kills, of each other fault, and of all of them together."""
    for n, first in enumerate(range(0, kills, KILLS_A_MONTH)):
        yield KILL, (KILL,), f"{seed}-kill-{n}", min(KILLS_A_MONTH, kills - first)
    names = tuple(fault.name for fault in FAULTS)
    for name in names if each else ():
        if name == AWAY:
            for n in range(max(1, each // 8)):
                yield name, (name,), f"{seed}-{name}-{n}", 1
        elif name != KILL:
            yield name, (name,), f"{seed}-{name}", each
    for n in range(2 if each else 0):
        yield MIXED, tuple(name for name in names if name != AWAY), f"{seed}-mixed-{n}", each * 3


def month_of(job: Job) -> tuple[str, Tally]:
    """Plays one month, in a process of its own."""
    line, faults, seed, count = job
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        try:
            return line, asyncio.run(played(Path(folder), faults, seed, count))
        except Exception as error:  # noqa: BLE001  the other months go on; the table says it
            return line, Tally(runs=count, why=[f"{seed}: {type(error).__name__}: {error}"])


def table(tallies: dict[str, Tally]) -> str:
    """The table, in Markdown."""
    lines: list[Sequence[str]] = [HEAD, tuple("---" for _ in HEAD)]
    for name, t in tallies.items():
        numbers = (
            *(t.runs, t.survived, t.said, t.due, t.on_record, t.lost, t.twice, t.marked),
            *(t.in_flight, t.answers, t.answers_lost, t.rights_broken),
        )
        lines.append((name, *(f"{number:,}" for number in numbers)))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> int:
    """The exit code: 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=1000, help="kill -9, in all (1000)")
    parser.add_argument("--each", type=int, default=12, help="of each other fault (12)")
    parser.add_argument("--seed", type=int, default=2024, help="what chance begins with (2024)")
    parser.add_argument("--jobs", type=int, default=2, help="months at the same time (2)")
    asked = parser.parse_args()
    began = time.monotonic()
    months = list(jobs(asked.kills, asked.each, asked.seed))
    tallies: dict[str, Tally] = {line: Tally() for line, *_ in months}
    with ProcessPoolExecutor(asked.jobs) as pool:
        running = [pool.submit(month_of, job) for job in months]
        for number, done in enumerate(as_completed(running), start=1):
            line, tally = done.result()
            tallies[line].add(tally)
            sys.stderr.write(f"\r{number} of {len(months)} months: {line:40.40}")
            sys.stderr.writelines(f"\n{why}\n" for why in tally.why)
    whole = Tally()
    for tally in tallies.values():
        whole.add(tally)
    minutes = (time.monotonic() - began) / 60
    sys.stdout.write(f"\n{table({**tallies, 'together': whole})}\n\n")
    sys.stdout.write(f"seed {asked.seed}, {len(months)} months, {minutes:.1f} minutes\n")
    return 1 if whole.broken else 0


if __name__ == "__main__":
    sys.exit(main())
