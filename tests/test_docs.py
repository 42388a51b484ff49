"""The documentation is tested: each command has help and an example, each setting a line."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

from reminder.cli import app
from tests.conftest import ROOT

DOCS = ROOT / "docs"


def commands(group: typer.Typer, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for command in group.registered_commands:
        assert command.callback is not None
        yield (*path, command.name or command.callback.__name__)
    for sub in group.registered_groups:
        assert sub.typer_instance is not None
        yield from commands(sub.typer_instance, (*path, str(sub.name)))


@pytest.mark.parametrize("command", list(commands(app)), ids=" ".join)
def test_each_command_explains_itself_with_an_example(command: tuple[str, ...]) -> None:
    """--help says what it does, and shows an example that names the command."""
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    if command != ("version",):
        assert f"reminder {' '.join(command)}" in " ".join(result.stdout.split())
        assert "Example" in result.stdout


@pytest.mark.parametrize("command", list(commands(app)), ids=" ".join)
def test_each_command_stands_in_the_readme(command: tuple[str, ...]) -> None:
    """The list of commands in the README is whole."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"reminder {' '.join(command)}" in readme


def test_links_lead_somewhere() -> None:
    """Every relative link of the README and the documents leads to a file."""
    broken = [
        f"{page.name}: {target}"
        for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.glob("*.md"))
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
