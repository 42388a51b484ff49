"""What the end-to-end tests share."""

from __future__ import annotations

import pytest


@pytest.fixture
def timedelta_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    """python-telegram-bot warns of the type of retry_after unless it is told which is wanted."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
