"""Waits that end: each takes so many seconds at most, and then says what it waited for."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
LONGEST = 120.0  # seconds: a test that is through in three may take a minute under heavy load


async def until(
    holds: Callable[[], bool],
    seconds: float = LONGEST,
    *,
    pause: float = 0.002,
    more: Callable[[], object] = lambda: "",
    moves: Callable[[], object] = lambda: None,
    apart: bool = False,
) -> None:
    """Until `holds` is true; `more` tells what else is known where it never is.

    The time begins anew whenever what `moves` returns changes. `apart`: `holds` is called in a
    thread, as it should be if it talks to a server, so that a daemon on this loop goes on.
    """
    loop = asyncio.get_running_loop()
    end, seen = loop.time() + seconds, moves()
    while not (await asyncio.to_thread(holds) if apart else holds()):
        if (now := moves()) != seen:
            end, seen = loop.time() + seconds, now
        if loop.time() > end:
            raise TimeoutError(f"not within {seconds:g} s: {_source(holds)} {more()}")
        await asyncio.sleep(pause)


def _source(holds: Callable[[], bool]) -> str:
    """Return the text of a condition: its source, where it has one."""
    try:
        return inspect.getsource(holds).strip()
    except TypeError:  # such as a partial
        return repr(holds)


async def within(work: Awaitable[T], what: str, seconds: float = LONGEST) -> T:
    """What `work` comes to; TimeoutError names it as `what`."""
    try:
        return await asyncio.wait_for(work, seconds)
    except TimeoutError as error:
        raise TimeoutError(f"{what}: not within {seconds:g} s") from error
