"""Fixtures of the daemon's tests."""

from __future__ import annotations

import pytest

from tests.app.kit import Mailbox


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture(autouse=True)
def timedeltas(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's coming type of retry_after, without its warning."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
