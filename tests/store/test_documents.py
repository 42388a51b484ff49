"""The texts of plans and people: each version is kept, a number is given once."""

from __future__ import annotations

from dataclasses import replace

from reminder.store.documents import Version
from reminder.store.store import Store
from tests.store.samples import NOW, minutes

FIRST = Version(
    name="cchc-2024",
    version=1,
    text="[plan]\n",
    sha256="0" * 64,
    by="chi",
    at=NOW,
    why="lấy từ tệp",
)
SECOND = replace(FIRST, version=2, text="", at=minutes(1), why="không còn dùng")
PEOPLE = replace(FIRST, name="people", text="")


def test_the_newest_version_of_each_text_is_found(store: Store) -> None:
    """Those before it are kept; a number that is taken is not given again."""
    assert (store.documents(), store.document_marks()) == ([], [])
    assert [store.add_version(each) for each in (FIRST, PEOPLE, SECOND)] == [True] * 3
    assert not store.add_version(replace(SECOND, by="lan"))
    assert store.documents() == [SECOND, PEOPLE]
    assert store.document_marks() == [("cchc-2024", 2), ("people", 1)]


def test_versions_are_listed_from_the_newest_a_page_at_a_time(store: Store) -> None:
    for number in range(1, 6):
        store.add_version(replace(FIRST, version=number))
    listed = [v.version for v in store.versions("cchc-2024", limit=3)]
    before = [v.version for v in store.versions("cchc-2024", below=3, limit=3)]
    assert (listed, before, store.versions("people")) == ([5, 4, 3], [2, 1], [])
