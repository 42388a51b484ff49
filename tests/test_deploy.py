"""The unit and the image's recipe: checked by systemd itself, and against the program."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest

from reminder.app.dispatcher import DRAIN
from reminder.files.settings import load_settings
from tests.conftest import ROOT

UNIT = ROOT / "deploy/reminder.service"
analyze = shutil.which("systemd-analyze")


def test_the_wheel_has_what_the_program_looks_for() -> None:
    """Each file that `bootstrap.shipped` is asked for, and each page that comes along, is there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    sources = (path.read_text("utf-8") for path in (ROOT / "reminder").rglob("*.py"))
    asked = {name for text in sources for name in re.findall(r'shipped\("([^"]+)"', text)}
    assert {name for name in asked if shared.get(name) != f"share/reminder/{name}"} == set()
    assert {name for name in shared if not (ROOT / name).is_file()} == set()


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is here."""
    copy = tmp_path / UNIT.name
    text = UNIT.read_text("utf-8")
    copy.write_text(text.replace("/opt/reminder/bin/reminder", "/bin/true"), "utf-8")
    return copy


@pytest.mark.skipif(analyze is None, reason="no systemd here")
def test_systemd_has_nothing_to_say_against_the_unit(unit: Path) -> None:
    """No unknown key, no bad value; little is exposed (2.0 of 10 at most)."""
    assert analyze is not None
    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    judged = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=20", "--no-pager", unit],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert judged.returncode == 0, judged.stdout[-300:]


def test_the_units_times_fit_the_programs() -> None:
    """The end waits for the drain; a sign of life is asked for, and start-ups never give up."""
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT, "utf-8")
    service = parser["Service"]
    assert int(service["TimeoutStopSec"]) > DRAIN
    assert (service["Type"], service["Restart"]) == ("notify", "always")
    assert int(service["WatchdogSec"]) > 20  # signs of life come every 10 s at the latest
    assert parser["Unit"]["StartLimitIntervalSec"] == "0"


def test_the_image_listens_where_its_health_is_asked(tmp_path: Path) -> None:
    """The recipe's own setting is one, and HEALTHCHECK asks there; all that it copies is here."""
    recipe = (ROOT / "Dockerfile").read_text("utf-8")
    found = re.search(r"(REMINDER_WATCH__LISTEN)=(\S+)", recipe)
    assert found is not None
    empty = tmp_path / "reminder.toml"
    empty.touch()
    host, port = load_settings(empty, {found[1]: found[2]}).watch.place or ("", 0)
    assert f"http://{host}:{port}/healthz" in recipe
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", recipe, re.MULTILINE)
        for name in line.split()
    ]
    assert copied
    assert [name for name in copied if not (ROOT / name).exists()] == []
