"""An answer: `/done 1c` and its undoing in turn, from the update to the arrival of the reply.

The peer is a handler of python-telegram-bot that answers at once, and remembers nothing. Here the
event, the answer and the mark of the update are committed first.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from statistics import quantiles

from bench.rows import Row, at_most, in_turn, row
from bench.sides import client, folder, server, stats, until

SCRIPT = ("/done 1c", "/undo 1c")
TIMES = 40  # that each is said in a round
WARM = 4  # of the first that do not count


def run() -> Iterator[Row]:
    """The rows."""
    tails: dict[str, list[float]] = {"peer": [], "ours": []}
    peer, ours = in_turn(partial(_peer, tails["peer"]), partial(_ours, tails["ours"]))
    yield row(
        "/done 1c to its reply, p50, ms",
        f"{ours * 1e3:.1f}",
        f"{peer * 1e3:.1f}",
        figure=ours / peer,
        goal=at_most(1.6),
    )
    ends = [quantiles(tails[side], n=100)[98] for side in ("ours", "peer")]
    yield row(
        "/done 1c to its reply, p99 of all rounds, ms",
        f"{ends[0] * 1e3:.1f}",
        f"{ends[1] * 1e3:.1f}",
        figure=ends[0] / ends[1],
        goal=at_most(2),
    )


def _talk(module: str, url: str, *words: str) -> list[float]:
    with client(module, "answer", url, *words):
        until(lambda: len(stats(url)["took"]) >= len(SCRIPT) * TIMES, pause=0.05)
        took = stats(url)["took"]
    return list(took[:: len(SCRIPT)][WARM:])


def _peer(tail: list[float]) -> float:
    with server("--rounds", str(TIMES), "--script", *SCRIPT) as url:
        took = _talk("bench.peers", url)
    tail += took
    return sorted(took)[len(took) // 2]


def _ours(tail: list[float]) -> float:
    with server("--rounds", str(TIMES), "--script", *SCRIPT) as url, folder() as place:
        took = _talk("bench.ours", url, place)
    tail += took
    return sorted(took)[len(took) // 2]
