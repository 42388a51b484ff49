"""The API keeps to its own description: schemathesis makes requests from it, sound and not."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reminder.domain.tokens import hash_code
from reminder.store.web import Token
from reminder.web.server import PageServer
from tests.waiting import within
from tests.web.browser import Town
from tests.web.test_crashes import port

__all__ = ["port"]  # a fixture


@pytest.mark.thorough
@pytest.mark.asyncio
async def test_schemathesis_finds_no_failure(town: Town, port: int, tmp_path: Path) -> None:
    """All of its checks, for the office, without the limit of 30 acts a minute."""
    town = replace(town, base=f"http://127.0.0.1:{port}")
    service, until = town.world.service, town.now + timedelta(days=1)
    service.limits.spoken.most = service.limits.told.most = 10**9
    token = Token(hash=hash_code("nv_1"), person="chi", name="1", acts=True, expires_at=until)
    town.world.store.add_token(token)
    page = PageServer(town.app, "127.0.0.1", port)
    assert await page.start()
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
        *("run", f"{town.base}/api/v1/openapi.json", "--checks", "all", "--no-color"),
        *("-H", "Authorization: Bearer nv_1", "--max-examples", "20", "--generation-deterministic"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=tmp_path,
    )
    said, _ = await within(run.communicate(), "schemathesis")
    await page.stop()
    assert run.returncode == 0, said.decode()
    assert town.world.events()  # it got as far as that
