"""What is installed, and as whom it runs."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.conftest import ROOT

PINNED = re.compile(r"([a-z0-9.-]+)(?:\[[a-z,]+\])?==[^ ;]+( ; .+)?")


def named(requirement: str) -> str:
    return re.split(r"[\[<>=!;~ ]", requirement.lower(), maxsplit=1)[0].replace("_", "-")


@pytest.mark.parametrize("development", [False, True])
def test_every_dependency_is_locked_to_one_version(*, development: bool) -> None:
    """Each line names one version, and each range of pyproject.toml has its line."""
    name = "requirements-dev.lock" if development else "requirements.lock"
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not PINNED.fullmatch(line)] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = project["project"]["dependencies"]
    wanted += project["dependency-groups"]["dev"] if development else []
    locked = {named(line).replace(".", "-") for line in lines}
    assert {named(each).replace(".", "-") for each in wanted} <= locked


def test_the_image_runs_as_nobody_in_particular() -> None:
    """The last stage of the Dockerfile names a user before it names the command."""
    last = (ROOT / "Dockerfile").read_text(encoding="utf-8").rpartition("\nFROM ")[2]
    users = re.findall(r"(?m)^USER (\S+)", last[: last.index("\nCMD ")])
    assert users
    assert users[-1] not in ("root", "0")
