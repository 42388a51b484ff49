"""The documentation is tested: each command has help and an example, each setting a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from reminder.cli import app
from reminder.decisions.outcome import head
from reminder.domain.calendar import vn_date
from reminder.domain.plan import occurrences, origin
from reminder.files.plan import read_plan
from reminder.understanding.model import CommandError
from reminder.understanding.parse import parse
from reminder.understanding.verbs import Reader, Verb
from tests.conftest import ROOT
from tests.files.test_plan import PLAN
from tests.messages import samples
from tests.understanding.commands_kit import OFFICE

DOCS = ROOT / "docs"
GUIDES = ("huong-dan-can-bo.md", "huong-dan-van-phong.md")
READ_ON = date(2024, 1, 30)  # the guides' examples are of these weeks


def commands(group: typer.Typer, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for command in group.registered_commands:
        assert command.callback is not None
        yield (*path, command.name or command.callback.__name__)
    for sub in group.registered_groups:
        assert sub.typer_instance is not None
        alone = sub.typer_instance.registered_callback
        if alone is not None and alone.invoke_without_command:
            yield (*path, str(sub.name))
        yield from commands(sub.typer_instance, (*path, str(sub.name)))


@pytest.mark.parametrize("command", list(commands(app)), ids=" ".join)
def test_each_command_explains_itself_with_an_example(command: tuple[str, ...]) -> None:
    """--help says what it does, and shows an example that names the command."""
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    if command != ("version",):
        assert f"reminder {' '.join(command)}" in " ".join(result.stdout.split())
        assert "Ví dụ" in result.stdout


@pytest.mark.parametrize("command", list(commands(app)), ids=" ".join)
def test_each_command_stands_in_the_readme(command: tuple[str, ...]) -> None:
    """The list of commands in the README is whole."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"reminder {' '.join(command)}" in readme


def listed_modules() -> dict[str, list[str]]:
    """The modules in CONTRIBUTING's list, by package."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for line in text.split("```\nreminder/\n")[1].split("```")[0].splitlines():
        name = line.split()[0]
        if line.startswith("    "):
            found[list(found)[-1]].append(name)
        else:
            found[name.rstrip("/")] = []
    return found


def test_each_module_stands_in_contributing() -> None:
    """CONTRIBUTING lists every module of every package once, and no other."""
    assert {package: sorted(names) for package, names in listed_modules().items()} == {
        folder.name: sorted(
            str(module.relative_to(folder))
            for module in folder.rglob("[!_]*.py")
            if "migrations" not in module.parts
        )
        for folder in (ROOT / "reminder").iterdir()
        if (folder / "__init__.py").exists()
    }


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/performance.md", "docs/reliability.md"])
def test_each_named_file_exists(page: str) -> None:
    """A file that a page names by its folder, such as `domain/ledger.py`, is there."""
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?:[\w*-]+/)+[\w*-]+\.(?:py|j2|toml|md))`", text)
    places = (ROOT / "reminder", ROOT)
    assert named
    assert [n for n in named if not any(list(place.glob(n)) for place in places)] == []


def test_each_named_function_exists() -> None:
    """What CONTRIBUTING names as the place to change something stands in the sources."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.split("## Where to change what")[1].split("## The packages")[0]
    named = {name.removesuffix("()") for name in re.findall(r"`([\w.]+(?:\(\))?)`", table)}
    names = {
        name.rpartition(".")[2] for name in named if not name.endswith((".py", ".j2", ".toml"))
    }
    files = [path for path in (ROOT / "reminder").rglob("*") if path.suffix in (".py", ".j2")]
    written = {
        word
        for path in (*files, ROOT / "config/reminder.toml")
        for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))
    }
    assert (sorted(names - written), len(names) > 30) == ([], True)


def spans(guide: str) -> list[str]:
    """What a guide shows as something to type."""
    return re.findall(r"`([^`\n]+)`", (DOCS / guide).read_text(encoding="utf-8"))


@pytest.mark.parametrize("guide", GUIDES)
def test_what_a_guide_says_to_type_is_understood(guide: str) -> None:
    """Each command with a slash, and each example about a task, is a command to the office."""
    typed = [s for s in spans(guide) if s.startswith("/") or re.search(r"\b\d[a-zđ]\b|\bBC\b", s)]
    typed = [s for s in typed if not s.startswith("reminder ") and s not in PARTS]
    misread = {s: r.say for s in typed if isinstance(r := parse(s, READ_ON, OFFICE), CommandError)}
    assert (misread, len(typed) > 8) == ({}, True)


@pytest.mark.parametrize(
    ("reader", "guide"), [(Reader.OFFICER, GUIDES[0]), (Reader.OFFICE, GUIDES[1])]
)
def test_each_verb_of_the_help_stands_in_the_guide(reader: Reader, guide: str) -> None:
    """By one of its names, or as it is spoken."""
    shown = spans(guide)
    missing = [
        verb.value
        for verb in Verb
        if reader in verb.row.help
        and not any(
            span.startswith((*(f"/{name}" for name in verb.row.names), head(verb)))
            for span in shown
        )
    ]
    assert missing == []


# Codes and keys that a guide only names.
PARTS = frozenset({"BC", "1dd", "1d9"})


@pytest.mark.parametrize("guide", GUIDES)
def test_what_a_guide_says_to_run_is_a_command(guide: str) -> None:
    """`reminder …` names a command of the program."""
    known = {" ".join(command) for command in commands(app)}
    run = [s.removeprefix("reminder ") for s in spans(guide) if s.startswith("reminder ")]
    unknown = [s for s in run if not any(f"{s} ".startswith(f"{name} ") for name in known)]
    assert unknown == []


def test_links_lead_somewhere() -> None:
    """Every relative link of the README and the documents leads to a file."""
    broken = [
        f"{page.name}: {target}"
        for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.glob("*.md"))
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_the_buttons_that_the_office_is_told_of_are_there() -> None:
    """Each label in a table's column “Bấm” is one that a message to the office carries."""
    guide = (DOCS / "huong-dan-van-phong.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\|[^|]*\| ([^|]+) \| `", guide, flags=re.MULTILINE)
    told = {row.split(", rồi")[0] for row in rows if row.strip() and "---" not in row}
    carried = {
        button.label
        for message in samples.messages().values()
        for row in message.actions
        for button in row
    }
    assert len(told) >= 8
    assert {
        label for label in told if not any(f"{each} ".startswith(f"{label} ") for each in carried)
    } == set()


FORMAT = (DOCS / "plan-format.md").read_text(encoding="utf-8")
RULES = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in FORMAT.splitlines()
    if line.startswith("| ") and "`" in line.split("|")[2]
]
HEAD = PLAN[: PLAN.index("  due =")]  # all but the rule


@pytest.mark.parametrize(("keys", "told"), [row[1:] for row in RULES], ids=[r[0] for r in RULES])
def test_each_rule_of_the_plan_format_gives_the_days_it_says(
    keys: str, told: str, tmp_path: Path
) -> None:
    """The table's keys, written into a plan: no advice, and the days of the third column."""
    path = tmp_path / "mau.toml"
    path.write_text(HEAD + "\n".join(re.findall(r"`([^`]+)`", keys)), encoding="utf-8")
    plan, advice = read_plan(path)
    found = occurrences(plan)
    dues = ", ".join(vn_date(o.due, year=True) for o in found if o.due) or "never"
    opens = f"; open from {vn_date(found[0].opens, year=True)}" if "open from" in told else ""
    assert (f"{dues}{opens}", advice) == (told.partition(", until")[0], ())


def test_the_examples_of_the_plan_format_are_plans(tmp_path: Path) -> None:
    """The head, the units and the task of the page, put together; and each kind of years."""
    blocks = re.findall(r"```toml\n(.*?)```", FORMAT, re.DOTALL)
    head, task, several, school = blocks[:4]
    units = [
        f'[unit.{name}]\nname = "{name}"\n' for name in ("van-phong", "lanh-dao", "van-hoa-xa-hoi")
    ]
    text = "\n".join((head, '2 = "Phần hai"', *units, task))
    text = text.replace('2 = "Phần hai"\n', "").replace("[unit.tu", '2 = "Phần hai"\n\n[unit.tu')
    path = tmp_path / "mau.toml"
    path.write_text(text, encoding="utf-8")
    plan, advice = read_plan(path)
    assert [o.key.period for o in occurrences(plan)] == [f"2024-{n:02}" for n in range(1, 13)]
    assert (
        [a.message for a in advice],
        origin(plan, plan.tasks[0], plan.tasks[0].deliverables[0]),
    ) == (
        ["bộ phận “Tư pháp”: nên ghi mã “tu-phap”"],
        "mục 2.c, bảng 1, dòng 8, KH-2024.docx",
    )
    years = []
    for block in (several, school):
        path.write_text(text.replace("year = 2024\n", block.partition("\n")[2]), encoding="utf-8")
        years.append([p.dated_name for p in read_plan(path)[0].years])
    assert years == [[f"năm {year}" for year in range(2026, 2031)], ["năm 2026–2027"]]
