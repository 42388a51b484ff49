"""The table of `make bench`: each figure beside its goal, and every part in it."""

from __future__ import annotations

from collections.abc import Iterator

from bench.__main__ import left_out, whole
from bench.rows import Row, at_least, at_most, row, table


def test_a_figure_stands_beside_its_goal_and_says_whether_that_is_met() -> None:
    """At the goal is met; what has no goal says nothing."""
    rows = [
        row("rate", "30", "20", figure=1.5, goal=at_least(1.5)),
        row("start, s", "0.8", "0.3", figure=2.67, goal=at_most(2)),
        row("rows", "7"),
    ]
    assert table(rows, markdown=True).splitlines() == [
        "| What     | Here | Peer | Figure | Goal  | Met |",
        "|----------|------|------|--------|-------|-----|",
        "| rate     | 30   | 20   | 1.5    | ≥ 1.5 | yes |",
        "| start, s | 0.8  | 0.3  | 2.67   | ≤ 2   | NO  |",
        "| rows     | 7    |      |        |       |     |",
    ]


def test_a_part_that_fails_misses_its_goal_and_keeps_the_rows_before() -> None:
    """The other parts are measured all the same."""

    def part() -> Iterator[Row]:
        yield row("first", "1")
        raise TimeoutError("nothing came of it")

    assert list(whole("mail", part)) == [
        Row(what="first", ours="1"),
        Row(what="mail", ours="failed: nothing came of it", met=False),
    ]


def test_a_part_for_which_no_time_is_left_says_how_to_run_it() -> None:
    """It counts as neither met nor missed."""
    assert list(left_out("page")) == [Row(what="page", ours="left out: make bench BENCH=page")]
