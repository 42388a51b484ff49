"""Plans and people in the database: read as files are, recorded by who saw the newest."""

from __future__ import annotations

from pathlib import Path

import pytest

from reminder.domain.errors import FileError
from reminder.domain.schedule import Scheduler
from reminder.files.documents import Documents, Sources, StaleVersionError, sources_of
from reminder.files.toml import Text
from reminder.services.office import Files
from tests.conftest import ROOT
from tests.fakes.blank import memory_store
from tests.services.world import at, documents_in

PLAN = (ROOT / "data/plan2024.toml").read_text(encoding="utf-8")
AN = '[[person]]\nid = "an"\nname = "An"\nunit = "tu-phap"\n'
NOW = at("05/02", "09:00")


@pytest.fixture
def documents(scheduler: Scheduler) -> Documents:
    return documents_in(memory_store(), scheduler)


def put(documents: Documents, name: str, text: str, seen: int) -> Files:
    return documents.record(name, text, seen=seen, by="chi", why="sửa", at=NOW)[1]


def test_a_text_is_recorded_with_who_when_and_why(documents: Documents) -> None:
    """Its lines end as this program's do, whatever a browser sends."""
    files = put(documents, "cchc-2024", PLAN.replace("\n", "\r\n"), 0)
    files = put(documents, "people", AN, 0)
    assert ([p.id for p in files.plans], [p.id for p in files.people]) == (["cchc-2024"], ["an"])
    kept = documents.newest("cchc-2024")
    assert kept is not None
    found = (kept.version, kept.text, kept.by, kept.at, kept.why)
    assert found == (1, PLAN, "chi", NOW, "sửa")
    assert sources_of(documents.store.documents()) == Sources(
        [Text("cchc-2024", PLAN)], Text("people", AN)
    )


def test_who_saw_an_older_version_is_refused_and_told_who_changed_it(documents: Documents) -> None:
    put(documents, "cchc-2024", PLAN, 0)
    put(documents, "cchc-2024", PLAN.replace("VBQPPL", "văn bản"), 1)
    with pytest.raises(StaleVersionError, match=r"cchc-2024 vừa thay đổi \(chi, bản 2\)"):
        put(documents, "cchc-2024", PLAN, 1)
    assert documents.store.document_marks() == [("cchc-2024", 2)]


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("cchc-2024", PLAN.replace("year = 2024", "year = nay"), "cchc-2024:18: "),
        ("cchc-2025", PLAN, "cchc-2025: `id` là “cchc-2024”"),
        ("people", AN.replace("tu-phap", "thue"), "people:4: không có bộ phận “thue”"),
        ("cchc-2024", "", "cchc-2024: phải còn ít nhất một kế hoạch"),
    ],
)
def test_a_faulty_text_is_refused_with_its_lines_and_nothing_is_kept(
    documents: Documents, name: str, text: str, fault: str
) -> None:
    put(documents, "cchc-2024", PLAN, 0)
    with pytest.raises(FileError) as refused:
        put(documents, name, text, 1 if name == "cchc-2024" else 0)
    assert str(refused.value).startswith(fault)
    assert documents.store.document_marks() == [("cchc-2024", 1)]


def test_a_unit_that_people_are_in_is_not_taken_from_the_plan(documents: Documents) -> None:
    """The texts are read together, as they would count."""
    put(documents, "cchc-2024", PLAN, 0)
    put(documents, "people", AN.replace("tu-phap", "van-hoa-thong-tin"), 0)
    without = PLAN.replace("[unit.van-hoa-thong-tin]", "[unit.van-hoa-truyen-thong]")
    without = without.replace('"van-hoa-thong-tin"', '"van-hoa-truyen-thong"')
    with pytest.raises(FileError, match="people:4: không có bộ phận “van-hoa-thong-tin”"):
        put(documents, "cchc-2024", without, 1)


def test_files_are_taken_up_once(documents: Documents, tmp_path: Path) -> None:
    """Texts that the database has are never written over by files."""
    people = tmp_path / "people.toml"
    people.write_text(AN, encoding="utf-8")
    sources = Sources([ROOT / "data/plan2024.toml"], people)
    assert documents.take_up(sources, NOW) == ["cchc-2024", "people"]
    assert documents.take_up(sources, NOW) == []
    whys = [(v.name, v.version, v.by, v.why) for v in documents.store.documents()]
    assert whys == [
        ("cchc-2024", 1, "", "lấy từ tệp plan2024.toml"),
        ("people", 1, "", "lấy từ tệp people.toml"),
    ]
