"""Dispatch: waiting nudges through python-telegram-bot to a server that answers at once.

Here each message is leased, rendered, sent, and on record as sent (a commit with synchronous=FULL)
before it counts; the peer is a bare loop of `bot.send_message` with the same message, the same
number in flight, and nothing on record. From the first arrival at the server to the end. “A text
each”: no two of our messages are alike, so that each is rendered for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise

from bench.rows import Row, at_least, at_most, in_turn, row
from bench.sides import client, folder, result, server, stats, until_sent

MANY = 3000
PACED = 200  # messages with the real limits on: seven seconds


def run() -> Iterator[Row]:
    """The rows, one after the other."""
    for count, flight, same, different in ((1000, 1, 0.6, 0.9), (1000, 8, 0.8, 1.1)):
        peer, ours, apart = in_turn(
            partial(_peer, count, flight),
            partial(daemon_rate, count, flight),
            partial(daemon_rate, count, flight, "--apart"),
        )
        name = f"dispatch of {count}, {flight} in flight"
        for words, rate, least in (("", ours, same), (", a text each", apart, different)):
            yield row(
                f"{name}{words}, a second",
                f"{rate:.0f}", f"{peer:.0f}", figure=rate / peer, goal=at_least(least),
            )  # fmt: skip
    peer, ours = _peer(MANY, 8), daemon_rate(MANY, 8)
    yield row(
        f"dispatch of {MANY}, 8 in flight, a second (one round)",
        f"{ours:.0f}", f"{peer:.0f}", figure=ours / peer, goal=at_least(0.8),
    )  # fmt: skip
    jitters = (0.0, 0.05)
    with ThreadPoolExecutor() as pool:  # both at once: they wait most of the time
        paced = tuple(pool.map(_paced, jitters))
    for jitter, (rate, refused) in zip(jitters, paced, strict=True):
        name = f"under the real limits, {jitter * 1e3:.0f} ms of jitter each way"
        held = None if jitter else at_least(0.95)  # a jittering line is paced by what it does
        yield row(f"{name}: a second", f"{rate:.2f}", figure=rate / 30, goal=held)
        yield row(f"{name}: 429s", f"{refused}", figure=refused, goal=at_most(0))


def _peer(count: int, flight: int) -> float:
    with server() as url:
        words = ("--count", str(count), "--flight", str(flight))
        end = result("bench.peers", "send", url, *words)["end"]
        return count / float(end - stats(url)["arrivals"][0])


def daemon_rate(count: int, flight: int, *more: str) -> float:
    with server() as url, folder() as place:
        words = ("--count", str(count), "--flight", str(flight), *more)
        end = result("bench.ours", "send", url, place, *words)["end"]
        return count / float(end - stats(url)["arrivals"][0])


def _paced(jitter: float) -> tuple[float, int]:
    with (
        server("--limits", "--jitter", str(jitter)) as url,
        folder() as place,
        client("bench.ours", "send", url, place, "--count", str(PACED), "--paced") as process,
    ):
        until_sent(url, PACED, process)
        seen = stats(url)
        arrivals = sorted(seen["arrivals"])
        assert all(a <= b for a, b in pairwise(arrivals))
        rate = (len(arrivals) - 1) / (arrivals[-1] - arrivals[0])
        return rate, int(seen["refused"])
