"""The server and a client, each in a process of its own: neither waits for the other's lock."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

LONGEST = 180.0  # seconds for what takes ten on a machine that has nothing else to do


@contextmanager
def server(*options: str) -> Iterator[str]:
    """The base_url of a fresh server."""
    with started("bench.server", *options) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        yield f"http://127.0.0.1:{port}/bot"


@contextmanager
def client(module: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A client that runs until it is through, or until we are."""
    with started(module, *words) as process:
        yield process


def until(reached: Callable[[], object], *, pause: float = 0.02) -> None:
    """Wait; TimeoutError if that takes too long."""
    end = time.monotonic() + LONGEST
    while not reached():
        if time.monotonic() > end:
            raise TimeoutError(f"nothing came of it in {LONGEST:.0f} s")
        time.sleep(pause)


def result(module: str, *words: str) -> dict[str, Any]:
    """What a client that ends by itself has found."""
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
        timeout=LONGEST,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def stats(base_url: str) -> dict[str, Any]:
    """What the server has seen."""
    with urllib.request.urlopen(f"{base_url}x/stats") as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def until_sent(base_url: str, count: int, process: subprocess.Popen[str]) -> None:
    """Wait until the server has taken or refused `count` messages, or their sender has ended.

    One that was refused waits for ever: the sender's clock stands still.
    """

    def is_over() -> bool:
        seen = stats(base_url)
        done = len(seen["arrivals"]) + int(seen["refused"])
        return process.poll() is not None or done >= count

    until(is_over, pause=0.1)


@contextmanager
def folder() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        yield name


@contextmanager
def started(module: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A process of `module`, killed at the end."""
    with killed_group([sys.executable, "-m", module, *words]) as process:
        yield process


@contextmanager
def killed_group(
    words: Sequence[str], environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A process, killed at the end with those that it has started."""
    process = subprocess.Popen(
        words,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
