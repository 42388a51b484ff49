"""What a process of a province is made of, and what a module adds to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from reminder.channels import Hook
from reminder.engine.port import Engine, Handler
from reminder.files.settings import Settings
from reminder.ops.metrics import Metrics
from reminder.ops.supervisor import Clock, Worker
from reminder.province.cache import OfficeCache
from reminder.store.offices import Stores

if TYPE_CHECKING:
    from prometheus_client import Metric
    from starlette.types import ASGIApp

T = TypeVar("T")


@dataclass(kw_only=True)
class Province:
    """What all parts of a process share. `worker.stop` is set when the process ends."""

    settings: Settings
    stores: Stores
    cache: OfficeCache
    engine: Engine
    clock: Clock
    worker: Worker = field(default_factory=Worker)
    metrics: Metrics = field(default_factory=Metrics)

    async def do(self, work: Callable[[], T]) -> T:
        """Run `work` in the store's one thread."""
        return await self.worker.do(work)


async def nothing() -> None:
    """Close nothing."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one module does in a process."""

    handlers: Mapping[str, Handler] = field(default_factory=dict)  # the engine's role → its work
    every: Sequence[tuple[float, str, str]] = ()  # period, role and key, as Engine.every
    hooks: Mapping[str, Hook] = field(default_factory=dict)  # path → what a provider posts to it
    app: ASGIApp | None = None  # the pages; the hooks and probes come before it
    figures: Callable[[], Awaitable[Iterable[Metric]]] | None = None  # for /metrics
    end: Callable[[], Awaitable[None]] = nothing  # closes what it holds, after the engine's end
