"""A province under faults, and the table of what came of it: `make scale`.

usage: python -m tests.scale [--offices N] [--accounts N] [--people N] [--workers N] [--no-faults]
Ends with 1 if a promise was not kept; then it says which. Stays on 127.0.0.1, on a PostgreSQL
server and in a folder of its own, both of which it removes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.postgres import WHY_NOT, programs, server
from tests.scale.province import Province
from tests.scale.run import Faults, Figures, played
from tests.scale.verdict import Tally

SAID = 40  # lines of what is wrong, at most


def table(province: Province, tally: Tally, figures: Figures) -> str:
    """The table, in Markdown."""
    memory = {name: mb for name, mb in figures.memory.items() if mb}
    t, people = tally, len(province.readers)
    offices, accounts = province.offices, province.accounts
    lines = {
        "offices, accounts, people": f"{offices:,}, {accounts}, {people:,}",
        "messages queued, arrived": f"{t.queued:,}, {t.arrived:,}",
        "texts that had to come, **lost**": f"{t.due:,}, **{t.lost}**",
        "came twice, **of them unmarked**, under way": (
            f"{t.twice}, **{t.unmarked}**, {t.in_flight}"
        ),
        "**out of order**": f"**{t.disordered}**",
        "**429**, most messages of an account in a second": f"**{t.refused}**, {t.worst}",
        "**longest silence of an account that had rows**": f"**{t.silence:.1f} s**",
        "one office with many more: the others of its account are done after, itself, "
        "its messages while another waited for a turn": (
            f"{t.others_done:.0f} s, {t.big_done:.0f} s, {t.ahead}"
        ),
        "answers by webhook, **lost**, longest wait for the reply": (
            f"{t.answers}, **{t.answers_lost}**, {t.answered:.1f} s"
        ),
        "**rights broken**": f"**{t.rights_broken}**",
        "**tables that show another office's rows**": f"**{t.across}**",
        "all offices ticked within": f"{figures.ticked:.0f} s",
        "messages a second, first to last": f"{t.arrived / max(t.seconds, 1):.0f}",
        "memory at most, MB": ", ".join(f"{name} {mb}" for name, mb in memory.items()),
        "processor seconds": ", ".join(f"{n} {s:.0f}" for n, s in figures.seconds.items() if s),
    }
    head = ["| | |", "|---|---|"]
    return "\n".join([*head, *(f"| {what} | {value} |" for what, value in lines.items())])


def main() -> int:
    """The exit code: 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--offices", type=int, default=3321)
    parser.add_argument("--accounts", type=int, default=68)
    parser.add_argument("--people", type=int, default=1, help="of each of seven units (1)")
    parser.add_argument("--more", type=int, default=500, help="of one office, in all (500)")
    parser.add_argument("--answers", type=int, default=200)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--no-faults", action="store_true")
    parser.add_argument("--keep", type=Path, help="a folder for the logs, which stay")
    asked = parser.parse_args()
    if programs() is None:
        sys.stderr.write(f"{WHY_NOT}\n")
        return 1
    sizes = {name: getattr(asked, name) for name in ("offices", "accounts", "people", "more")}
    province = Province(**sizes, answers=asked.answers, today=datetime.now(UTC))
    on = not asked.no_faults
    faults = Faults(kill=on, freeze=on, cut=on)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended then, too
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="scale-") as made, server() as running:
        for setting in ("autovacuum = on", "autovacuum_naptime = 5"):  # as servers have it
            running.ask(f"ALTER SYSTEM SET {setting}")
        running.ask("SELECT pg_reload_conf()")
        folder = asked.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        work = played(folder, running, province, faults, workers=asked.workers)
        tally, figures = asyncio.run(work)
    sys.stdout.write(f"\n{table(province, tally, figures)}\n\n")
    where = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    minutes = (time.monotonic() - began) / 60
    sys.stdout.write(
        f"{province.today:%d/%m/%Y}, {where}, {asked.workers} workers, {minutes:.1f} minutes\n"
    )
    sys.stderr.writelines(f"{why}\n" for why in tally.why[:SAID])
    if len(tally.why) > SAID:
        sys.stderr.write(f"… and {len(tally.why) - SAID} more\n")
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
