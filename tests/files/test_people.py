"""The people file: what may be written, and how each slip is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.app.channels import known_channels
from reminder.domain.errors import FileError
from reminder.domain.people import Person
from reminder.domain.plan import Plan
from reminder.files.people import load_people
from tests.conftest import ROOT

UNITS = ("van-phong", "tu-phap", "lanh-dao")
PEOPLE = """\
[[person]]
id = "vp-1"
name = "Công chức Văn phòng"
unit = "van-phong"
email = "vp@xa.example"
channels = ["email", "telegram"]

[[person]]
id = "tp-1"
name = "Công chức Tư pháp"
unit = ["tu-phap", "van-phong"]
"""


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "people.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_sound_file_is_its_people(tmp_path: Path) -> None:
    """Channels stand as in the file; without them Telegram, and mail where there is an address."""
    assert load_people(written(tmp_path, PEOPLE), UNITS, known_channels()) == (
        Person(
            id="vp-1",
            name="Công chức Văn phòng",
            units=("van-phong",),
            email="vp@xa.example",
            channels=("email", "telegram"),
        ),
        Person(
            id="tp-1",
            name="Công chức Tư pháp",
            units=("tu-phap", "van-phong"),
            channels=("telegram",),
        ),
    )


def test_who_names_no_channel_gets_those_in_use(tmp_path: Path) -> None:
    """Of the channels that people are invited to; mail where there is an address."""
    path = written(tmp_path, PEOPLE)
    settings = (("zalo",), ("zalo", "telegram", "email"), ("email",))
    found = [load_people(path, UNITS, known_channels(), in_use)[1].channels for in_use in settings]
    assert found == [("zalo",), ("telegram", "zalo"), ("telegram",)]


def test_a_units_name_gets_its_id(tmp_path: Path, plan2024: Plan) -> None:
    """A name or a spelling in place of the id."""
    path = written(tmp_path, PEOPLE.replace('unit = "van-phong"', 'unit = "Văn phòng"'))
    with pytest.raises(FileError) as caught:
        load_people(path, plan2024.by_unit, known_channels())
    assert [str(problem) for problem in caught.value.problems] == [
        f"{path}:4: ghi mã bộ phận, không ghi tên “Văn phòng”; viết: van-phong"
    ]


def test_an_office_may_begin_with_nobody(tmp_path: Path) -> None:
    """An empty file is sound."""
    assert load_people(written(tmp_path, "# chưa có ai\n"), UNITS, known_channels()) == ()


def test_the_sample_serves_every_unit_of_the_plan(plan2024: Plan) -> None:
    """config/people.toml names somebody for each unit, with addresses that lead nowhere."""
    people = load_people(
        ROOT / "config/people.toml", {unit.id for unit in plan2024.units}, known_channels()
    )
    assert {u for person in people for u in person.units} == {u.id for u in plan2024.units}
    assert all(person.email.endswith(".example") for person in people)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'unit = "van-phong"',
            'unit = "van-phog"',
            "4: không có bộ phận “van-phog”; có phải là “van-phong”?",
        ),
        (
            'unit = "van-phong"',
            'unit = "xyz"',
            "4: không có bộ phận “xyz”; có: lanh-dao, tu-phap, van-phong",
        ),
        ('unit = "van-phong"', "unit = []", "4: `unit` trống: người này thuộc bộ phận nào?"),
        ('unit = "van-phong"\n', "", "1: thiếu `unit`: người này thuộc bộ phận nào?"),
        ('unit = "van-phong"', "unit = 3", "4: `unit` phải là danh sách"),
        ('id = "tp-1"', 'id = "vp-1"', "9: `id` “vp-1” đã dùng cho một người khác"),
        ('id = "vp-1"', 'id = "Anh Ba"', "2: `id` chỉ gồm chữ thường không dấu"),
        ('id = "vp-1"', 'id = "group:tu-phap"', "2: `id` chỉ gồm chữ thường không dấu"),
        ('id = "vp-1"\n', "", "1: thiếu `id`"),
        ('name = "Công chức Văn phòng"', 'name = ""', "3: thiếu `name`"),
        ("vp@xa.example", "vp.xa.example", "5: “vp.xa.example” không phải địa chỉ thư"),
        ("vp@xa.example", "vp@xa..example", "5: “vp@xa..example” không phải địa chỉ thư"),
        ("vp@xa.example", "a@b.vn, c@d.vn", "5: “a@b.vn, c@d.vn” không phải địa chỉ thư"),
        (
            'email = "vp@xa.example"\n',
            "",
            "5: có kênh “email” mà thiếu `email`: ghi địa chỉ thư",
        ),
        ("vp@xa.example", "", "5: `email` trống mà kênh “email” cần địa chỉ thư"),
        ('"telegram"]', '"telegam"]', "6: không có kênh “telegam”; có phải là “telegram”?"),
        ('"telegram"]', '"fax"]', "6: không có kênh “fax”; có: telegram, zalo, email"),
        ('["email", "telegram"]', "[]", "6: `channels` trống: cần ít nhất một kênh"),
        ('email = "vp', 'e-mail = "vp', "5: không có khóa “e-mail”; có phải là “email”?"),
        ("[[person]]\nid = \"vp-1\"", "[person]\nid = \"vp-1\"", "bảng này ghi hai lần ngoặc"),
    ],
)  # fmt: skip
def test_each_slip_is_told_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    """One clear sentence, the line, and the nearest right word."""
    assert old in PEOPLE
    path = written(tmp_path, PEOPLE.replace(old, new, 1))
    with pytest.raises(FileError) as caught:
        load_people(path, UNITS, known_channels())
    assert any(told in str(p).removeprefix(f"{path}:") for p in caught.value.problems), str(
        caught.value
    )


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """A clerk mends the file in one go."""
    path = written(tmp_path, '[[person]]\nid = "A"\nunit = "x"\n\n[[persons]]\nid = "b"\n')
    with pytest.raises(FileError) as caught:
        load_people(path, UNITS, known_channels())
    assert [p.line for p in caught.value.problems] == [1, 2, 3, 5]


@given(data=st.data())
def test_a_damaged_file_is_people_or_a_clear_refusal(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever happens to the file, the answer is people or a FileError that names it."""
    lines = PEOPLE.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at] = data.draw(st.sampled_from(lines) | st.text(max_size=30))
    text = "\n".join(lines).encode("utf-8", "replace")
    path = written(tmp_path_factory.getbasetemp(), text)
    found = outcome(path)
    assert found
    assert all(line.startswith(str(path)) for line in found) or found == ["sound"]


def outcome(path: Path) -> list[str]:
    """The faults of a people file, or “sound”. Anything else is raised."""
    try:
        load_people(path, UNITS, known_channels())
    except FileError as error:
        return [str(problem) for problem in error.problems]
    return ["sound"]
