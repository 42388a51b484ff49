"""Scripted faults: what a test wants to go wrong, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from .http import Misbehaviour, Response
from .limits import too_many
from .model import ApiError

# "timeout": never taken, never answered. "timeout-after": taken, never answered.
# "reset-before": the connection dies first. "reset-after": taken, then the connection dies.
FaultName = Literal["timeout", "timeout-after", "reset-before", "reset-after"]

_PROXY = (502, 504)  # these come from the proxy in front of the server, as HTML


@dataclass
class Fault:
    """One kind of fault for one method (or any, with `*`), `times` times."""

    method: str
    status: int | FaultName
    times: int
    retry_after: int | None = None
    description: str | None = None

    @property
    def takes_the_request(self) -> bool:
        """True when the request has its effect although no answer arrives."""
        return self.status in ("timeout-after", "reset-after")

    def reply(self) -> Response | Misbehaviour:
        """What the client gets to see."""
        if isinstance(self.status, str):
            return "hang" if self.status.startswith("timeout") else "reset"
        if self.status in _PROXY:
            return proxy_page(self.status)
        raise self._error(self.status)

    def _error(self, status: int) -> ApiError:
        if status == 429 and self.retry_after is not None:
            return too_many(self.retry_after)
        words = self.description or HTTPStatus(status).phrase
        known = {} if self.retry_after is None else {"retry_after": self.retry_after}
        return ApiError(status, words, **known)


class Faults:
    """The faults that are still to happen, first scripted first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def script(self, fault: Fault) -> None:
        """Let it happen after those that were scripted before for the same method."""
        self._waiting.append(fault)

    def next_for(self, method: str) -> Fault | None:
        """The fault for this request, counted down; None when all goes well."""
        for fault in self._waiting:
            if fault.method in (method, "*"):
                fault.times -= 1
                self._waiting = [other for other in self._waiting if other.times > 0]
                return fault
        return None


def proxy_page(status: int) -> Response:
    """The proxy's page: not JSON, so a client that parses first loses the status."""
    title = f"{status} {HTTPStatus(status).phrase}"
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Response(status, page.encode(), {"Content-Type": "text/html"})
