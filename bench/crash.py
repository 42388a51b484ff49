"""Crash: a thousand mails due at one instant, and `kill -9` three times in between.

All of a sender's processes are killed when the mail server has a quarter, a half and three quarters
of the mails, and started again on what lies on disk; Redis, celery's broker, lives on. Lost is what
never came. What came again is marked where it says that it may be a repeat.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import celery_peer
from bench.mail import COUNT, asked, keep_texts, mails, sink, written
from bench.rows import Row, at_most, row
from bench.sides import started, until
from reminder.messages.compose import REPEAT

KILLS = 3
STILL = 1.0  # seconds without a mail, after which none is under way
_TO = re.compile(rb"(?im)^To: *(.+?)\r?$")


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What became of the mails."""

    lost: int
    marked: int  # of those that came again
    unmarked: int


def run() -> Iterator[Row]:
    """The rows, one after the other."""
    what = f"{KILLS} times kill -9 amid {COUNT} mails"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = crashed(folder, COUNT)
        yield row(f"{what}: lost", f"{ours.lost}", figure=ours.lost, goal=at_most(0))
        unmarked = f"{ours.unmarked}"
        yield row(f"{what}: twice, unmarked", unmarked, figure=ours.unmarked, goal=at_most(0))
        yield row(f"{what}: twice, marked", f"{ours.marked}")
        for peer, crash in _peers(folder, keep_texts(folder / "ours", folder / "texts.json")):
            tally = crash()
            yield row(f"{what}, {peer}: lost", f"{ours.lost}", f"{tally.lost}")
            yield row(f"{what}, {peer}: twice, unmarked", unmarked, f"{tally.unmarked}")
    if not celery_peer.installed():
        yield row(f"{what}, celery", celery_peer.WHY_NOT)


def _peers(folder: Path, texts: Path) -> Iterator[tuple[str, Callable[[], Tally]]]:
    yield "APScheduler", partial(_apscheduler, folder, texts)
    if celery_peer.installed():
        yield "celery", partial(_celery, folder, texts, late=False)
        yield "celery with acks_late", partial(_celery, folder, texts, late=True)


def crashed(folder: Path, count: int) -> Tally:
    """What becomes of our mails."""
    place = folder / "office"
    place.mkdir()
    with _server(folder / "ours") as port:
        words = ("bench.ours", "mail", str(port), str(place), "--count", str(count))
        _killed(port, count, lambda n: started(*words, *["--resumed"] * bool(n)), _has_ended)
    return judged(mails(folder / "ours"), count)


def _apscheduler(folder: Path, texts: Path) -> Tally:
    with _server(folder / "apscheduler") as port:
        given = ("--texts", str(texts), "--store", str(folder / "jobs.db"))
        words = ("bench.peers", "mail-apscheduler", str(port), *given)
        _killed(port, COUNT, lambda _: started(*words), _has_ended)
    return judged(mails(folder / "apscheduler"), COUNT)


def _celery(folder: Path, texts: Path, *, late: bool) -> Tally:
    place = folder / f"celery-{late}"
    with _server(place) as port, celery_peer.queue(place, port, texts, late=late) as queue:
        _killed(port, COUNT, lambda _: queue.worker(), lambda _: not queue.left())
    return judged(mails(place), COUNT)


def _server(kept: Path) -> AbstractContextManager[int]:
    kept.mkdir()
    return sink(str(kept))


def _killed(
    port: int,
    count: int,
    sender: Callable[[int], AbstractContextManager[subprocess.Popen[str]]],
    is_over: Callable[[subprocess.Popen[str]], bool],
) -> None:
    """Start the sender again and again; the last is through when no mail comes any more."""
    for kill in range(KILLS):
        some = count * (kill + 1) // (KILLS + 1)
        with sender(kill):
            until(partial(_have_come, port, some))
    with sender(KILLS) as process:
        until(lambda: is_over(process) and time.time() - asked(port)[2] > STILL)


def _have_come(port: int, some: int) -> bool:
    return bool(asked(port)[0] >= some)


def _has_ended(process: subprocess.Popen[str]) -> bool:
    return process.poll() is not None


def judged(came: Sequence[bytes], count: int) -> Tally:
    """What became of `count` mails, each to somebody else."""
    by_reader: dict[bytes, list[bytes]] = {}
    for mail in came:
        found = _TO.search(mail)
        assert found is not None
        by_reader.setdefault(found[1], []).append(mail)
    again = [written(mail)["plain"] for copies in by_reader.values() for mail in copies[1:]]
    marked = sum(REPEAT in text for text in again)
    return Tally(lost=count - len(by_reader), marked=marked, unmarked=len(again) - marked)
