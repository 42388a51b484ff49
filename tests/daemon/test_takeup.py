"""Changed files under the running daemon: what is saved while they are read is not passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from reminder.files.settings import Settings
from reminder.takeup import Watch
from tests.daemon.kit import Mailbox, SetClock, mail_server, settings, wired_fast
from tests.service.world import at

AN = '[[person]]\nid = "an"\nname = "An"\nunit = "tu-phap"\nemail = "an@example.vn"\n'
CHI = AN.replace("an", "chi", 1)
DUNG = AN.replace("an", "dung", 1)


@pytest.mark.asyncio
async def test_a_file_that_is_saved_while_it_is_read_is_read_again(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    """Half of it is taken up, the rest comes before that is done: the next look takes all."""
    async with mail_server(mailbox) as port:
        wired = wired_fast(settings(tmp_path, None, port, people=AN), SetClock(at("23/01")))
        watch = getattr(wired.daemon.look, "__self__", None)
        assert isinstance(watch, Watch)
        people = tmp_path / "people.toml"

        def saved_meanwhile(_old: Settings, _new: Settings) -> list[str]:
            people.write_text(AN + CHI + DUNG, encoding="utf-8")
            return []

        watch.apply = saved_meanwhile
        people.write_text(AN + CHI, encoding="utf-8")
        found = []
        for _ in range(3):
            changed = await wired.daemon.do(watch.look)
            found.append((changed, list(wired.daemon.service.office.people)))
        wired.store.close()
    everybody = ["an", "chi", "dung"]
    assert found == [(True, ["an", "chi"]), (True, everybody), (False, everybody)]
