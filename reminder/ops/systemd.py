"""systemd's notification protocol: datagrams to the socket that it names (sd_notify(3))."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Notifier:
    """Notifies systemd; does nothing without a socket."""

    address: str = ""  # empty: no socket
    watchdog: float | None = None  # most seconds between two WATCHDOG=1

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Notifier:
        """The notifier from the environment, as in sd_watchdog_enabled(3)."""
        span, process = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
        meant = span.isdecimal() and int(span) > 0 and process in ("", str(os.getpid()))
        return cls(environ.get("NOTIFY_SOCKET", ""), int(span) / 1e6 if meant else None)

    def say(self, *lines: str) -> None:
        """Send READY=1, STOPPING=1, WATCHDOG=1, STATUS=…; errors are logged."""
        if not self.address or not hasattr(socket, "AF_UNIX"):
            return
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.settimeout(1)
                out.connect(address)
                out.sendall("\n".join(lines).encode())
        except OSError as error:
            log.debug("systemd can't be notified: %s", error)

    async def watch(self, lives: Callable[[], bool], status: Callable[[], str]) -> None:
        """Send WATCHDOG=1 twice as often as asked while `lives`, until cancelled."""
        told = ""
        while True:
            words = status()
            if words != told:
                self.say(f"STATUS={words}")
                told = words
            if self.watchdog and lives():
                self.say("WATCHDOG=1")
            await asyncio.sleep(min(self.watchdog / 2 if self.watchdog else 10.0, 10.0))
