"""`reminder import-office`, `reminder export-office`: what they make of a ward's settings."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from reminder.app.bootstrap import pause
from reminder.cli.transfer import export_office, import_office
from reminder.domain.errors import ReminderError
from reminder.files.documents import OWN
from reminder.services.proof import verify
from reminder.store.offices import Stores
from reminder.store.store import open_store
from reminder.store.transfer import counted
from tests.conftest import ROOT
from tests.fakes.blank import lay_blank
from tests.postgres import Server
from tests.store.test_transfer import lived
from tests.waiting import until

SETTINGS = f"""
[plan]
files = ["{(ROOT / "data/plan2024.toml").as_posix()}"]
[telegram]
token = "1:secret"
bot_name = "nhacviec_bot"
[schedule]
slot = "08:30"
[report]
authority = "UBND phường An Khê"
[backup]
keep = 5
"""


@pytest.fixture
def province(tmp_path: Path) -> Path:
    """The settings of a province, whose database is there."""
    url = f"sqlite:///{tmp_path / 'tinh.db'}"
    lay_blank(tmp_path / "tinh.db")
    (tmp_path / "tinh.toml").write_text(f'[store]\nurl = "{url}"\n', encoding="utf-8")
    return tmp_path / "tinh.toml"


@pytest.fixture
def ward(tmp_path: Path) -> Path:
    """The file of a ward that has hardly begun, and its settings beside it."""
    lay_blank(tmp_path / "r.db")
    with closing(open_store(f"sqlite:///{tmp_path / 'r.db'}", exclusive=False, sleep=pause)) as one:
        one.set_meta("mail_secret", "ab" * 32)
    (tmp_path / "reminder.toml").write_text(SETTINGS, encoding="utf-8")
    return tmp_path / "r.db"


def test_a_wards_settings_become_an_account_and_its_own_settings(
    province: Path, ward: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The secret is named, and in no table; the trial run changes nothing."""
    settings = tmp_path / "reminder.toml"
    import_office(ward, office="00123", settings=settings, dry_run=True, config=province)
    with closing(
        open_store(f"sqlite:///{tmp_path / 'tinh.db'}", exclusive=False, sleep=pause)
    ) as s:
        assert Stores(s).offices() == []
    assert not (tmp_path / "secrets").exists()
    capsys.readouterr()
    import_office(ward, office="00123", settings=settings, secrets=tmp_path / "secrets",
                  as_json=True, config=province)  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    file = tmp_path / "secrets/00123-telegram"
    assert (told["name"], told["secrets"]) == (
        "UBND phường An Khê",
        {"00123-telegram": f"file:{file}"},
    )
    assert file.read_text(encoding="utf-8") == "1:secret\n"
    with closing(
        open_store(f"sqlite:///{tmp_path / 'tinh.db'}", exclusive=False, sleep=pause)
    ) as s:
        stores = Stores(s)
        (account,) = stores.accounts()
        assert json.loads(account.settings) == {"bot_name": "nhacviec_bot"}
        assert stores.links() == [("00123", "telegram", "00123-telegram")]
        texts = {one.name: one.text for one in stores.of("00123").documents()}
        assert (set(texts), told["rows"]["document"]) == ({"cchc-2024", OWN}, 2)
        assert (
            texts[OWN] == '[schedule]\nslot = "08:30"\n[report]\nauthority = "UBND phường An Khê"\n'
        )
    assert any("[backup]" in line for line in told["notes"])


def test_a_ward_without_a_plan_or_with_an_account_that_is_none_stays_where_it_is(
    province: Path, ward: Path, tmp_path: Path
) -> None:
    with pytest.raises(ReminderError, match="phường chưa có kế hoạch nào: ghi --plans"):
        import_office(ward, office="00123", config=province)
    with pytest.raises(ReminderError, match="không có tài khoản bot loại telegram"):
        import_office(ward, office="00123", settings=tmp_path / "reminder.toml",
                      account=["telegram=bot"], config=province)  # fmt: skip
    open_store(f"sqlite:///{ward}", exclusive=True, sleep=pause).close()


def test_an_office_that_leaves_has_the_files_to_run_by_itself(
    province: Path, ward: Path, tmp_path: Path
) -> None:
    """Its secrets are for a person to write; nothing is written over."""
    import_office(ward, office="00123", settings=tmp_path / "reminder.toml", config=province)
    out, files = tmp_path / "out.db", tmp_path / "out"
    export_office("00123", out, leave=True, files=files, config=province)
    assert sorted(path.name for path in files.iterdir()) == ["plan-cchc-2024.toml", "reminder.toml"]
    written = (files / "reminder.toml").read_text(encoding="utf-8")
    assert (f'url = "sqlite:///{out}"' in written, "1:secret" in written) == (True, False)
    assert '[schedule]\nslot = "08:30"' in written
    with pytest.raises(ReminderError, match="đã có tệp"):
        export_office("00123", out, config=province)
    with pytest.raises(ReminderError, match="không có phường “x”"):
        export_office("x", tmp_path / "x.db", config=province)


_REMINDER = (sys.executable, "-c", "from reminder.cli import main; main()")


@pytest.fixture
def call(ward: Path, tmp_path: Path, postgres_url: str) -> list[str]:
    """The command that imports a ward which has lived."""
    with closing(open_store(f"sqlite:///{ward}", exclusive=False, sleep=pause)) as one:
        lived(one)
    config = tmp_path / "tinh.toml"
    config.write_text(f'[store]\nurl = "{postgres_url}"\n', encoding="utf-8")
    return [
        *_REMINDER, "import-office", str(ward), "--office", "00123", "--config", str(config),
        "--settings", str(tmp_path / "reminder.toml"), "--secrets", str(tmp_path / "secrets"),
    ]  # fmt: skip


@pytest.fixture
def expected(call: list[str], ward: Path) -> dict[str, int]:
    """How many rows of each table the ward has."""
    del call
    with closing(open_store(f"sqlite:///{ward}", exclusive=False, sleep=pause)) as one:
        return counted(one)


@pytest.mark.thorough
def test_an_import_that_is_killed_on_its_way_is_done_by_the_same_call(
    call: list[str],
    expected: dict[str, int],
    postgres: Server,
    postgres_database: str,
    postgres_url: str,
    ward: Path,
) -> None:
    """The half of it is nowhere; meanwhile no daemon begins on the ward's file."""
    with closing(postgres.connect(postgres_database)) as holder, holder.transaction():
        holder.execute("LOCK TABLE meta IN SHARE MODE")  # the writes of marks wait
        process = subprocess.Popen(call, stderr=subprocess.PIPE)
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
            " AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO meta%%'"
        )
        asyncio.run(until(lambda: postgres.ask(waiting, [postgres_database])[0][0] == 1))
        process.kill()
        process.communicate()
    with closing(open_store(postgres_url, exclusive=False, sleep=pause)) as s:
        asyncio.run(until(lambda: not postgres.ask(waiting, [postgres_database])[0][0]))
        assert Stores(s).offices() == []
    with pytest.raises(ReminderError, match="run that “reminder import-office” again"):
        open_store(f"sqlite:///{ward}", exclusive=True, sleep=pause)
    again = subprocess.run(call, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr) == (0, "")
    with closing(open_store(postgres_url, exclusive=False, sleep=pause)) as s:
        assert counted(s.of("00123")) | {"document": 0, "meta": 0} == (
            expected | {"document": 0, "meta": 0}
        )
        assert verify(s.of("00123")).broken is None


@pytest.mark.thorough
def test_of_two_imports_at_once_one_comes_about(
    call: list[str], expected: dict[str, int], postgres_url: str, ward: Path
) -> None:
    """Of one file, or of two copies of it under two ids; the other is refused in a sentence."""
    copy = ward.with_name("copy.db")
    shutil.copy(ward, copy)
    other = [*call[:4], str(copy), "--office", "00124", *call[7:]]
    started = [
        subprocess.Popen(each, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for each in (call, call, other)
    ]
    said = [(each.communicate(), each.returncode) for each in started]
    assert sorted(code for _, code in said) == [0, 1, 1], said
    refused = [told.strip() for (_, told), code in said if code]
    assert [told for told in refused if "\n" in told or "Traceback" in told] == []
    with closing(open_store(postgres_url, exclusive=False, sleep=pause)) as s:
        (made,) = Stores(s).offices()
        assert counted(s.of(made.id))["event"] == expected["event"]
        assert verify(s.of(made.id)).broken is None
