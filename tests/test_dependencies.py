"""What imports what: the libraries that pyproject.toml declares, and the program's own modules."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

from tests.conftest import ROOT

# Read by zoneinfo where the system has no time zones, and by Starlette for forms with files.
DATA = {"tzdata", "python-multipart"}


@cache
def modules() -> dict[str, Path]:
    """The program's modules and their files."""
    paths = (ROOT / "reminder").rglob("*.py")
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in paths
    }


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, at its top, for types only, or late."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                within = f"{node.module}.{alias.name}"
                yield within if within in modules() else node.module


def test_every_dependency_is_imported_and_every_import_is_declared() -> None:
    """A distribution counts as imported if any of its modules is."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    declared = {re.split(r"[\[<>=~! ;]", line)[0] for line in lines}
    names = {name.partition(".")[0] for path in modules().values() for name in imported(path)}
    others = names - set(sys.stdlib_module_names) - {"reminder"}
    known = packages_distributions()
    found = {name.lower().replace("_", "-") for module in others for name in known[module]}
    assert found == declared - DATA


def test_no_modules_import_each_other() -> None:
    """Neither directly nor in a circle, nor by a late import."""
    graph = {name: set(imported(path)) - {name} for name, path in modules().items()}
    TopologicalSorter(graph).prepare()
