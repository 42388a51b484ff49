"""Questions at a terminal: one line each, with the answer that Enter gives in brackets."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

import typer

from reminder.domain.text import fold, one_line

YES = frozenset({"c", "co", "y", "yes", "dung", "ok", "vang", "u"})
NO = frozenset({"k", "khong", "n", "no", "sai", "thoi"})


def at_terminal() -> bool:
    """Return whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def line(prompt: str) -> str:
    """Return the line that is typed behind `prompt`; Abort at the end of the input."""
    with suppress(ImportError):  # Windows has none
        import readline  # noqa: F401  `input` edits and recalls lines with it
    try:
        return one_line(input(prompt), 1000)
    except EOFError:
        print()
        raise typer.Abort from None


def text(question: str, default: str = "", check: Callable[[str], str] | None = None) -> str:
    """Return the answer; while `check` returns what is wrong with it, ask again."""
    shown = f" [{default}]" if default else ""
    while True:
        answer = line(f"{question}{shown}: ") or default
        fault = check(answer) if check else "" if answer else "Xin gõ một câu trả lời."
        if not fault:
            return answer
        print(f"  {fault}")


def yes(question: str, *, default: bool) -> bool:
    """Return whether the answer is yes."""
    while True:
        answer = fold(line(f"{question} [{'C/k' if default else 'c/K'}] ")).strip(" .")
        if answer in YES or not answer:
            return default if not answer else True
        if answer in NO:
            return False
        print("  Xin gõ c (có) hoặc k (không).")


def agreed(question: str, given: bool, act: str = "ghi") -> bool:
    """Return whether a change is agreed to, by --yes or at the terminal; if not, say so."""
    if given or (at_terminal() and yes(question, default=False)):
        return True
    how = "" if at_terminal() else f" {act.capitalize()}: thêm --yes."
    print(f"Chưa {act} gì.{how}")
    return False


def choice(question: str, options: Sequence[str], default: int = 1) -> int:
    """Return the number of the option that is chosen, from 1."""
    print(question)
    for number, option in enumerate(options, start=1):
        print(f"  {number}. {option}")

    def check(answer: str) -> str:
        known = answer.isdecimal() and 1 <= int(answer) <= len(options)
        return "" if known else f"Xin gõ một số từ 1 đến {len(options)}."

    return int(text("Chọn số", str(default), check))


def secret(question: str) -> str:
    """Return what is typed unseen; empty if nothing is."""
    try:
        return getpass.getpass(f"{question} (gõ không hiện chữ): ").strip()
    except EOFError:
        print()
        raise typer.Abort from None
