"""A line to a server on this machine, which a test can cut."""

from __future__ import annotations

import asyncio
from contextlib import suppress

PIECE = 65536  # bytes that are passed on at once, at most


class Relay:
    """Passes bytes both ways; heirs say at which piece the line is cut."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.open: set[asyncio.Task[None]] = set()
        self.ends: set[asyncio.StreamWriter] = set()

    def cut_from_server(self, data: bytes) -> bool:  # noqa: ARG002 - for heirs
        """Whether the line is cut in the middle of this piece."""
        return False

    async def cut_to_server(self, data: bytes, reader: asyncio.StreamReader) -> bool:  # noqa: ARG002
        """Whether the line is cut before this piece arrives."""
        return False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either end or a cut ends it."""
        task = asyncio.current_task()
        if task is not None:
            self.open.add(task)
            task.add_done_callback(self.open.discard)
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        self.ends |= {writer, back}
        up = asyncio.create_task(self._up(reader, back, writer))
        try:
            while data := await there.read(PIECE):
                if self.cut_from_server(data):
                    writer.write(data[: len(data) // 2])
                    break
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            up.cancel()
            for end in (writer, back):
                end.close()
                self.ends.discard(end)

    async def _up(
        self, reader: asyncio.StreamReader, back: asyncio.StreamWriter, line: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(PIECE):
                if await self.cut_to_server(data, reader):
                    line.close()
                    break
                back.write(data)
                await back.drain()
        back.close()
