"""`make fuzz`: a standing attack on each parser of what strangers, officers and offices write.

Where atheris is installed, inputs are made by what they reach in the code; else by chance from the
same seeds. A fault is an exception that the parser does not promise, or an input that takes it more
than SLOW seconds; the input is kept in var/fuzz, and `--input FILE` plays it once more.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

NAMES = (
    *("typed", "mail", "token", "update", "plan", "years", "school", "people", "calendar"),
    *("settings", "document", "word"),
)
FOLDER = Path("var/fuzz")
LONGEST = 65_536  # bytes of an input
SLOW = 10.0  # seconds of processor time; a machine that is watched takes several times as long
SIGNS = (b"\0", b"\xff", b"\n", b"\r\n", b" ", b'"', b"(", b"<", b"=?", b"\xe2\x80\x8b")
MEMORY = 2048  # megabytes


class SlowError(Exception):
    """An input took too long."""


def timed(take: Callable[[bytes], None], data: bytes) -> None:
    """Have `data` taken; SlowError if it takes too long."""
    begun = time.process_time()
    take(data)
    if (took := time.process_time() - begun) > SLOW:
        raise SlowError(f"{took:.1f} s for {len(data)} bytes")


def varied(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """One of the seeds with pieces of it, or of others, cut out, doubled, moved or altered."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 8)):
        at, length = chance.randrange(len(data) + 1), chance.choice((1, 2, 8, 64, 512))
        piece = bytes(data[at : at + length])
        match chance.randrange(6):
            case 0:
                del data[at : at + length]
            case 1:
                data[at:at] = piece * chance.choice((1, 2, 30))
            case 2:
                other = chance.choice(seeds)
                start = chance.randrange(len(other) + 1)
                data[at:at] = other[start : start + length]
            case 3:
                data[at : at + length] = chance.randbytes(len(piece))
            case 4:
                data[at : at + 1] = chance.choice(SIGNS)
            case _:
                to = chance.randrange(len(data) + 1)
                data[to:to] = piece
    return bytes(data[:LONGEST])


def by_chance(name: str, seconds: float, seed: int) -> int:
    """Attack a target with varied seeds; return how many inputs it took."""
    from tests.fuzz.targets import TARGETS

    target = TARGETS[name]
    seeds, chance = target.seeds(), random.Random(seed)
    runs, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        data = varied(seeds, chance)
        try:
            timed(target.take, data)
        except Exception:
            (FOLDER / f"{name}-fault").write_bytes(data)
            raise
        runs += 1
    return runs


def by_coverage(name: str, seconds: float, seed: int) -> None:
    """Attack a target with atheris, which ends the process: with 0, or at the first fault."""
    import atheris

    with atheris.instrument_imports(include=["reminder"]):
        from tests.fuzz.targets import TARGETS
    target = TARGETS[name]
    corpus = FOLDER / f"{name}-corpus"
    corpus.mkdir(exist_ok=True)
    for number, data in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(data)
    atheris.Setup(
        [
            *(sys.argv[0], str(corpus), f"-max_total_time={seconds:.0f}", f"-max_len={LONGEST}"),
            *(f"-rss_limit_mb={MEMORY}", f"-timeout={3 * SLOW:.0f}", f"-seed={seed}"),
            *(f"-artifact_prefix={FOLDER / name}-", "-print_final_stats=1"),
        ],
        lambda data: timed(target.take, data),
    )
    atheris.Fuzz()


def attack(name: str, seconds: float, seed: int) -> bool:
    """Attack a target in a process of its own, and print a line on it; whether it held."""
    log = FOLDER / f"{name}.log"
    with log.open("w") as out:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "tests.fuzz.campaign", name),
                *("--here", "--minutes", str(seconds / 60), "--seed", str(seed)),
            ],
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        )
    said = log.read_text(errors="replace")
    runs = re.findall(r"number_of_executed_units: (\d+)", said)
    verdict = "held" if done.returncode == 0 else f"FAULT: see {log} and {FOLDER}/{name}-*"
    print(f"{name:10} {int(runs[-1]) if runs else 0:>10,} inputs  {verdict}", flush=True)
    return done.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(NAMES), help=", ".join(NAMES))
    parser.add_argument("--minutes", type=float, default=10.0, help="of all targets together")
    parser.add_argument("--seed", type=int, default=2024)
    parser.add_argument("--input", type=Path, help="play one input, without catching its fault")
    parser.add_argument("--here", action="store_true", help="attack in this process")
    given = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    seconds = given.minutes * 60 / len(given.names)
    if given.input:
        from tests.fuzz.targets import TARGETS

        timed(TARGETS[given.names[0]].take, given.input.read_bytes())
    elif given.here and find_spec("atheris"):
        by_coverage(given.names[0], seconds, given.seed)
    elif given.here:
        runs = by_chance(given.names[0], seconds, given.seed)
        print(f"number_of_executed_units: {runs}")
    else:
        how = "by coverage (atheris)" if find_spec("atheris") else "by chance: no atheris"
        print(f"{given.minutes:g} minutes, {how}")
        held = [attack(name, seconds, given.seed) for name in given.names]
        sys.exit(not all(held))


if __name__ == "__main__":
    main()
