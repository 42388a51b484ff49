"""A mail server that takes everything at once, in a process of its own: python -m bench.sink

It offers what a submission server does but for TLS and a login, neither of which a client here asks
for. Prints its port; `XSTAT` answers with how many mails arrived, when the first and when the last.
With a folder as argument it keeps each mail there.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

_HELLO = b"250-sink\r\n250-8BITMIME\r\n250 SIZE 33554432\r\n"


class Sink:
    """The mails so far."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.arrivals: list[float] = []

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One session (RFC 5321)."""
        writer.write(b"220 sink\r\n")
        try:
            while line := await reader.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    writer.write(b"354 go on\r\n")
                    content = await reader.readuntil(b"\r\n.\r\n")
                    if self.folder is not None:
                        (self.folder / f"{len(self.arrivals)}.eml").write_bytes(content)
                    self.arrivals.append(time.time())
                    writer.write(b"250 taken\r\n")
                elif verb in (b"EHLO", b"HELO"):
                    writer.write(_HELLO)
                elif verb == b"XSTA":
                    ends = self.arrivals[:1] + self.arrivals[-1:]
                    seen = [len(self.arrivals), *(ends or [0.0, 0.0])]
                    writer.write(b"250 %b\r\n" % json.dumps(seen).encode())
                elif verb == b"QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                else:
                    writer.write(b"250 ok\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


async def main() -> None:
    """Serves until it is killed; prints its port first."""
    server = await asyncio.start_server(
        Sink(Path(sys.argv[1]) if sys.argv[1:] else None).converse,
        "127.0.0.1",
        0,
        backlog=200,
        limit=1 << 25,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
