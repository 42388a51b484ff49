"""Changed files under the running daemon: what is saved while they are read is not passed over."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from reminder.app.wiring import READ_AGAIN, Reloader
from reminder.domain.payloads import FilesRefused
from reminder.files.settings import Settings
from tests.app.kit import Mailbox, SetClock, mail_server, runs, settings, wired_fast
from tests.conftest import ROOT
from tests.services.world import at
from tests.waiting import until

AN = '[[person]]\nid = "an"\nname = "An"\nunit = "tu-phap"\nemail = "an@example.vn"\n'
CHI = AN.replace("an", "chi", 1)
NAMES = list("abcdefg")
DUNG = AN.replace("an", "dung", 1)


@pytest.mark.asyncio
async def test_a_file_that_is_saved_while_it_is_read_is_read_again(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    """Half of it is taken up, the rest comes before that is done: the next look takes all."""
    async with mail_server(mailbox) as port:
        wired = wired_fast(settings(tmp_path, None, port, people=AN), SetClock(at("23/01")))
        reloader = getattr(wired.daemon.reload, "__self__", None)
        assert isinstance(reloader, Reloader)
        people = tmp_path / "people.toml"

        def saved_meanwhile(_old: Settings, _new: Settings) -> list[str]:
            people.write_text(AN + CHI + DUNG, encoding="utf-8")
            return []

        reloader._apply = saved_meanwhile  # type: ignore[assignment]
        people.write_text(AN + CHI, encoding="utf-8")
        found = []
        for _ in range(3):
            changed = await wired.daemon.do(reloader.check)
            found.append((changed, list(wired.daemon.service.office.people)))
        wired.store.close()
    everybody = ["an", "chi", "dung"]
    assert found == [(True, ["an", "chi"]), (True, everybody), (False, everybody)]


@pytest.mark.asyncio
async def test_a_people_file_that_lost_many_at_once_is_refused_until_it_is_meant(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    """Saved half and sound as it stands: the office hears it once, all go on as they were;
    `reminder reload` takes it up. Few who leave are no riddle."""
    everybody = "".join(AN.replace("an", name, 1) for name in NAMES)
    fewer = everybody.split("[[person]]")
    async with mail_server(mailbox) as port:
        config = settings(tmp_path, None, port, people=everybody.replace("tu-phap", "van-phong", 1))
        wired = wired_fast(config, SetClock(at("23/01")))
        reloader = getattr(wired.daemon.reload, "__self__", None)
        assert isinstance(reloader, Reloader)
        office = wired.daemon.service

        async def saved(people: int) -> tuple[bool, list[str]]:
            text = "[[person]]".join(fewer[: people + 1]).replace("tu-phap", "van-phong", 1)
            (tmp_path / "people.toml").write_text(text, encoding="utf-8")
            return await wired.daemon.do(reloader.check), list(office.office.people)

        assert await saved(5) == (True, NAMES[:5])
        assert await saved(2) == (True, NAMES[:5])
        assert await saved(2) == (False, NAMES[:5])
        (told,) = await wired.daemon.do(lambda: wired.store.rows(kind="notice"))
        assert told.draft.recipient == "a"
        problem = (
            f"{tmp_path / 'people.toml'}: thiếu 3 trong 5 người (c, d, e), như tệp mới lưu được "
            "một nửa: xin lưu lại cho đủ; nếu đúng là bỏ họ, gõ: reminder reload"
        )
        assert told.draft.payload == FilesRefused(problems=(problem,))
        wired.store.set_meta("reload", "asked")
        assert await saved(2) == (True, NAMES[:2])
        wired.store.close()


@pytest.mark.asyncio
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
async def test_sighup_reloads_and_no_signal_kills_uncleanly(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    """As `reminder reload` does: also what a look by itself refuses."""
    everybody = "".join(AN.replace("an", name, 1) for name in NAMES)
    async with mail_server(mailbox) as port:
        config = settings(tmp_path, None, port, people=everybody)
        wired = wired_fast(config, SetClock(at("23/01")))
        wired.daemon.reload_seconds = 3600
        async with runs(wired):
            await until(lambda: wired.store.meta("last_tick") is not None)
            (tmp_path / "people.toml").write_text(AN, encoding="utf-8")
            signal.raise_signal(signal.SIGUSR1)
            signal.raise_signal(signal.SIGHUP)
            await until(lambda: list(wired.daemon.service.office.people) == ["an"])


@pytest.mark.asyncio
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
async def test_many_sighup_are_one_reload(
    tmp_path: Path, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And at most one more, for those that come while it is under way."""
    async with mail_server(mailbox) as port:
        wired = wired_fast(settings(tmp_path, None, port, people=AN), SetClock(at("23/01")))
        wired.daemon.reload_seconds = 3600
        reloads, works = 0, wired.daemon.reload_now

        async def counted() -> None:
            nonlocal reloads
            reloads += 1
            await works()

        monkeypatch.setattr(wired.daemon, "reload_now", counted)
        async with runs(wired):
            await until(lambda: wired.store.meta("last_tick") is not None)
            for _ in range(200):
                signal.raise_signal(signal.SIGHUP)
            await until(lambda: reloads > 0)
            await until(lambda: wired._reloading is not None and wired._reloading.done())
            assert reloads <= 2


@pytest.mark.asyncio
async def test_a_refused_plan_is_taken_once_it_is_mended(tmp_path: Path, mailbox: Mailbox) -> None:
    """Also where only the refused settings name its file."""
    async with mail_server(mailbox) as port:
        config = settings(tmp_path, None, port, people=AN)
        wired = wired_fast(config, SetClock(at("23/01")))
        reloader = getattr(wired.daemon.reload, "__self__", None)
        assert isinstance(reloader, Reloader)
        plan, [known] = tmp_path / "second.toml", wired.daemon.service.office.plans
        text = (ROOT / "data/plan2024.toml").read_text("utf-8")
        plan.write_text("[plan]\n", encoding="utf-8")
        before = config.read_text("utf-8")
        line = next(line for line in before.splitlines() if line.startswith("files"))
        config.write_text(before.replace(line, f"{line[:-1]}, {str(plan)!r}]"), encoding="utf-8")
        found = []
        for content in ("[plan]\n", "[plan]\n", text.replace('"cchc-2024"', '"second-2024"', 1)):
            plan.write_text(content, encoding="utf-8")
            changed = await wired.daemon.do(reloader.check)
            found.append((changed, len(wired.daemon.service.office.plans)))
        wired.store.close()
    assert known.id == "cchc-2024"
    assert found == [(True, 1), (False, 1), (True, 2)]


@pytest.mark.asyncio
async def test_files_that_nobody_touched_are_not_read_at_each_look(tmp_path: Path) -> None:
    """A write is seen whatever its times and size say, by the twelfth look at the latest."""
    people = tmp_path / "people.toml"
    wired = wired_fast(settings(tmp_path, None, 1, people=AN), SetClock(at("23/01")))
    reloader = getattr(wired.daemon.reload, "__self__", None)
    assert isinstance(reloader, Reloader)
    read: list[str] = []
    content = reloader._content

    def noted(settings: Settings) -> str:
        read.append(content(settings))
        return read[-1]

    reloader._content = noted  # type: ignore[method-assign]

    def looks(count: int) -> list[bool]:
        read.clear()
        return [reloader.check() for _ in range(count)]

    assert (looks(2), len(read)) == ([False] * 2, 2)
    assert (looks(READ_AGAIN), len(read)) == ([False] * READ_AGAIN, 1)
    wired.store.set_meta("reload", "asked")
    assert looks(1) == [True]
    assert (looks(READ_AGAIN), len(read)) == ([False] * READ_AGAIN, 2)
    # As of a file system whose clock ticks rarely: nothing shows that it was written.
    seen = dict(reloader._marks() or ())
    people.write_text(AN.replace('"An"', '"Ân"'), encoding="utf-8")
    reloader._marks = lambda: tuple(seen.items())  # type: ignore[method-assign]
    assert any(looks(READ_AGAIN))
    wired.store.close()
