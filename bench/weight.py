"""Weight: from the start to the first poll, memory, the first message, and an idle hour's CPU.

Both are whole processes, started as a user starts them: `reminder run` with Telegram and mail
beside a bare polling bot of python-telegram-bot. The first message of a slot is one nudge, from the
beginning of the slot's minute to its arrival. The idle hour is scaled from one minute, in which all
that recurs falls at least once: tick, sweeps, looks at the files. Meanwhile the first message of a
slot is waited for.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.ours import office
from bench.rows import Row, at_most, in_turn, row
from bench.sides import client, folder, result, server, stats, until

IDLE = 60.0  # seconds that both are watched at once
SETTLE = 3.0  # seconds after the first poll


def run() -> Iterator[Row]:
    """The rows."""
    memory: dict[str, float] = {}
    with server() as url, folder() as place:
        config = _office(place, url)
        _daemon(config, url, memory)  # once, so that the database is there
        peer, ours = in_turn(lambda: _peer(memory), lambda: _daemon(config, url, memory))
        with ThreadPoolExecutor() as pool:
            coming = pool.submit(_first_message)
            idle_ours, idle_peer = _idle(config, url)
            first = coming.result()
    yield row(
        "start to first poll, s", f"{ours:.2f}", f"{peer:.2f}", figure=ours / peer, goal=at_most(2)
    )
    yield row(
        "memory after start, MB",
        f"{memory['ours']:.0f}",
        f"{memory['peer']:.0f}",
        figure=memory["ours"],
        goal=at_most(85),
    )
    yield row(
        "the first message after its slot, s", f"{first:.3f}", figure=first, goal=at_most(0.1)
    )
    yield row(
        "CPU while idle, %",
        f"{idle_ours:.3f}",
        f"{idle_peer:.3f}",
        figure=idle_ours,
        goal=at_most(0.05),
    )


def _office(place: str, url: str) -> Path:
    """The settings of an office with Telegram and mail."""
    config = office(Path(place), url)
    mail = '[email]\nhost = "127.0.0.1"\nsender = "nhac@phuong.example.vn"\n'
    config.write_text(config.read_text("utf-8") + mail, "utf-8")
    return config


def _first_message() -> float:
    """Seconds from the slot to its first message's arrival."""
    with server() as url, folder() as place:
        slot = float(result("bench.ours", "slot", url, place)["slot"])
        return float(stats(url)["arrivals"][0]) - slot


def _first_poll(url: str, began: float) -> float:
    """Seconds from `began` to the first poll after it."""
    until(lambda: any(at > began for at in stats(url)["polled"]), pause=0.01)
    return float(min(at for at in stats(url)["polled"] if at > began)) - began


def _peer(memory: dict[str, float]) -> float:
    with server() as url:
        began = time.time()
        with client("bench.peers", "answer", url) as process:
            took = _first_poll(url, began)
            time.sleep(0.5)
            memory["peer"] = _resident(process.pid)
        return took


def _running(config: Path) -> subprocess.Popen[bytes]:
    """The daemon, as its user starts it."""
    words = ["-c", "from reminder.cli import main; main()", "run", "--config", str(config)]
    out = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, *words], stdout=out, stderr=out)


def _daemon(config: Path, url: str, memory: dict[str, float]) -> float:
    began = time.time()
    with _running(config) as process:
        took = _first_poll(url, began)
        time.sleep(0.5)
        memory["ours"] = _resident(process.pid)
        process.terminate()
    return took


def _idle(config: Path, here: str) -> tuple[float, float]:
    """Both at once, so that they meet the same minute. Ours makes its daily copy in it."""
    began = time.time()
    with (
        server() as there,
        _running(config) as ours,
        client("bench.peers", "answer", there) as peer,
    ):
        for url in (here, there):
            _first_poll(url, began)
        time.sleep(SETTLE)
        before = _cpu(ours.pid), _cpu(peer.pid)
        time.sleep(IDLE)
        used = _cpu(ours.pid) - before[0], _cpu(peer.pid) - before[1]
        ours.terminate()
    return used[0] / IDLE * 100, used[1] / IDLE * 100


def _resident(pid: int) -> float:
    """Megabytes, of /proc: Linux only."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = next(line for line in lines if line.startswith("VmRSS:"))
    return int(found.split()[1]) / 1024


def _cpu(pid: int) -> float:
    """Seconds, to the nanosecond: /proc/PID/stat counts in hundredths, too coarse here."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
