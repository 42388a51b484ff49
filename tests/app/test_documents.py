"""The daemon on texts of the database: takes up the files once, then each new version."""

from __future__ import annotations

from pathlib import Path

import pytest

from reminder.app import bootstrap
from reminder.app.wiring import Reloader
from tests.app.kit import Mailbox, SetClock, mail_server, settings, wired_fast
from tests.services.world import at

NOW = at("23/01")


@pytest.mark.asyncio
async def test_the_first_start_takes_up_the_files_and_then_versions_count(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    """A changed file changes nothing any more; a recorded version is read at the next look."""
    async with mail_server(mailbox) as port:
        config = settings(tmp_path, None, port)
        text = config.read_text(encoding="utf-8").replace("[plan]", '[plan]\nsource = "database"')
        config.write_text(text, encoding="utf-8")
        wired = wired_fast(config, SetClock(NOW))
        service, store = wired.daemon.service, wired.store
        reloader = getattr(wired.daemon.reload, "__self__", None)
        assert isinstance(reloader, Reloader)
        people = tmp_path / "people.toml"
        people.write_text("", encoding="utf-8")
        looks = [await wired.daemon.do(reloader.check)]
        taken = (store.document_marks(), list(service.office.people))
        documents = bootstrap.documents(reloader.settings, store, NOW)
        assert documents is not None
        newest = documents.newest("people")
        assert newest is not None
        shorter = newest.text.rpartition("[[person]]")[0]
        documents.record("people", shorter, seen=1, by="chi", why="Chi chuyển đi", at=NOW)
        looks += [await wired.daemon.do(reloader.check) for _ in range(2)]
        left = list(service.office.people)
        opened = bootstrap.current(reloader.settings)
        wired.store.close()
    assert taken == ([("cchc-2024", 1), ("people", 1)], ["an", "binh", "chi"])
    assert (looks, left) == ([False, True, False], ["an", "binh"])
    assert [str(source) for source in (*opened.plans, opened.people)] == ["cchc-2024", "people"]
