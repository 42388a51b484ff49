"""Waits that end: each takes so many seconds at most, and then says what it waited for."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
LONGEST = 30.0  # seconds, of a busy machine


async def until(
    holds: Callable[[], bool],
    seconds: float = LONGEST,
    *,
    pause: float = 0.002,
    more: Callable[[], object] = lambda: "",
) -> None:
    """Until `holds` is true; `more` tells what else is known where it never is."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not holds():
        if loop.time() > end:
            waited_for = inspect.getsource(holds).strip()
            raise TimeoutError(f"not within {seconds:g} s: {waited_for} {more()}")
        await asyncio.sleep(pause)


async def within(work: Awaitable[T], what: str, seconds: float = LONGEST) -> T:
    """What `work` comes to; TimeoutError names it as `what`."""
    try:
        return await asyncio.wait_for(work, seconds)
    except TimeoutError as error:
        raise TimeoutError(f"{what}: not within {seconds:g} s") from error
