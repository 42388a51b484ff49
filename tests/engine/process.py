"""A process with an engine: `python -m tests.engine.process URL`.

It runs the role “send”, and tells each begin and end on a line. Each word that it reads names a
key, of which a run ends then.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from datetime import timedelta

from reminder.engine import queue
from reminder.engine.queue import PgQueue
from tests.engine.kit import Gate


def tell(*words: str) -> None:
    """Write a line for the test."""
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


class Told(Gate):
    """A gate that tells what passes it; at the stop it lets all go, and wakes them anew."""

    def __init__(self, engine: PgQueue, stop: asyncio.Event) -> None:
        super().__init__()
        self._engine, self._stop = engine, stop

    async def __call__(self, key: str) -> None:
        tell("begun", key)
        try:
            await super().__call__(key)
        except asyncio.CancelledError:
            tell("lost", key)
            raise
        if self._stop.is_set():
            await self._engine.wake("send", key)
        tell("ended", key)


async def main(url: str) -> None:
    """Run until SIGTERM."""
    engine, stop = PgQueue(url), asyncio.Event()
    gate, loop = Told(engine, stop), asyncio.get_running_loop()

    def read() -> None:
        words = os.read(sys.stdin.fileno(), 4096)
        if not words:
            os._exit(1)  # the test has died
        for key in words.decode().split():
            gate.let_go(key)

    def end() -> None:
        stop.set()
        for key in gate.begun:
            gate.let_go(key)

    loop.add_reader(sys.stdin, read)
    loop.add_signal_handler(signal.SIGTERM, end)
    tell("ready")
    await engine.run({"send": gate}, stop)


if __name__ == "__main__":
    queue.BEAT = timedelta(seconds=2)  # the test freezes processes, on a machine that may be slow
    logging.basicConfig()
    asyncio.run(main(sys.argv[1]))
