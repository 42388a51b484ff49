"""docs/security.md claims nothing without a test: each that it names exists."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))
SECTIONS = re.split(r"(?m)^## ", PAGE)[1:]


@cache
def named_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, found))


@pytest.mark.parametrize(("path", "name"), NAMED, ids=str)
def test_each_named_test_exists(path: str, name: str) -> None:
    assert name.startswith("test_")
    assert name in named_in(path)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda text: text.partition("\n")[0])
def test_each_threat_has_a_test(section: str) -> None:
    assert re.search(r"`tests/[\w/]+\.py::test_\w+`", section)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda text: text.partition("\n")[0])
def test_each_threat_says_what_remains(section: str) -> None:
    assert re.search(r"(?m)^\*What remains\.\* \w", section)


def test_every_reference_is_written_as_one() -> None:
    """No name of a test escapes the check by a slip of the pen."""
    assert len(re.findall(r"tests/[\w/]+\.py::", PAGE)) == len(
        re.findall(r"`tests/[\w/]+\.py::test_\w+`", PAGE)
    )
