"""What is installed, and as whom it runs."""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from itertools import chain

import pytest

from tests.conftest import ROOT

PINNED = re.compile(r"([a-z0-9.-]+)(?:\[[a-z,]+\])?==[^ ;]+( ; .+)?")


def named(requirement: str) -> str:
    return re.split(r"[\[<>=!;~ ]", requirement.lower(), maxsplit=1)[0].replace("_", "-")


LOCKS = ("requirements.lock", "requirements-postgres.lock", "requirements-dev.lock")


@pytest.mark.parametrize("name", LOCKS)
def test_every_dependency_is_locked_to_one_version(name: str) -> None:
    """Each line names one version, and each range of pyproject.toml has its line."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not PINNED.fullmatch(line)] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = project["project"]["dependencies"]
    if name == "requirements-dev.lock":
        wanted += project["dependency-groups"]["dev"]
    elif name == "requirements-postgres.lock":
        wanted += chain.from_iterable(project["project"]["optional-dependencies"].values())
    locked = {named(line).replace(".", "-") for line in lines}
    assert {named(each).replace(".", "-") for each in wanted} <= locked


def test_the_image_runs_as_nobody_in_particular() -> None:
    """The last stage of the Dockerfile names a user before it names the command."""
    last = (ROOT / "Dockerfile").read_text(encoding="utf-8").rpartition("\nFROM ")[2]
    users = re.findall(r"(?m)^USER (\S+)", last[: last.index("\nCMD ")])
    assert users
    assert users[-1] not in ("root", "0")


# Licences under which a program of the office's own terms may use a library as it is.
FREE = re.compile(
    r"(?i)\b(?:MIT|BSD|Apache|PSF|Python Software Foundation|ISC|MPL|Mozilla Public|Unlicense|Zlib|"
    r"LGPL|Lesser General Public)"
)
STRICT = re.compile(r"(?i)\bA?GPL|\bGNU (?:Affero )?General Public")


def licence(metadata: PackageMetadata) -> str:
    """What a distribution says of its licence, in any of the places for it."""
    named = [line for line in metadata.get_all("Classifier", []) if line.startswith("License ::")]
    said = next((metadata[key] for key in ("License-Expression", "License") if key in metadata), "")
    return " ".join([said[:200], *named])


def test_no_library_is_under_the_gpl_alone() -> None:
    """Of all that is locked and installed; of two licences one is free to choose."""
    locked = {
        PINNED.fullmatch(line)[1]  # type: ignore[index]
        for name in LOCKS
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
    }
    found = {}
    for name in sorted(locked):
        with suppress(PackageNotFoundError):  # another platform's
            found[name] = licence(metadata(name))
    assert len(found) > 50
    kinds = {name: re.split(r" OR ", said) for name, said in found.items()}
    assert [name for name, of in kinds.items() if not any(map(FREE.search, of))] == []
    assert [name for name, of in kinds.items() if all(map(STRICT.search, of))] == []
    assert STRICT.search("GPL-3.0-only")
    assert STRICT.search("License :: OSI Approved :: GNU General Public License v3 (GPLv3)")
    assert not STRICT.search(found["python-telegram-bot"])  # the LGPL
