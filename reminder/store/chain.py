"""The ledger's chain: each event's hash covers the event and all before it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from reminder.services.ports import Broken

GENESIS = "0" * 64  # the hash before the first event


def link(previous: str, columns: Mapping[str, Any]) -> str:
    """Hex SHA-256 over the hash before and the canonical JSON of an event's columns but its hash.

    Canonical: keys sorted, no spaces, ASCII, values as the table keeps them.
    """
    said = {name: value for name, value in columns.items() if name != "hash"}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), default=repr)
    return sha256(f"{previous}{canonical}".encode()).hexdigest()


def first_broken(
    rows: Iterable[Mapping[str, Any]], head: tuple[int, str], heads: Iterable[tuple[int, str]]
) -> Broken | None:
    """The first of `rows` (all columns of `event`, by number) that breaks the chain to `head`.

    `heads` as in Store.verify.
    """
    told: dict[int, list[str]] = defaultdict(list)
    for number, beginning in heads:
        told[number].append(beginning)
    number, previous, before = 0, GENESIS, ""
    for row in rows:
        number += 1
        what = _fault(row, number, previous, told.get(number, ()))
        if what:
            return Broken(number=number, what=what, before=before, at=str(row["at"]))
        previous, before = row["hash"], str(row["at"])
    return _wrong_end(number, previous, head, max(told, default=0), before)


def _fault(
    row: Mapping[str, Any], number: int, previous: str, beginnings: Iterable[str]
) -> str | None:
    if row["number"] != number:
        return "missing"
    if row["hash"] != link(previous, row):
        return "changed"
    agrees = all(row["hash"].startswith(beginning) for beginning in beginnings)
    return None if agrees else "rewritten"


def _wrong_end(
    number: int, last: str, head: tuple[int, str], told: int, before: str
) -> Broken | None:
    if head[0] < number:
        return Broken(number=head[0] + 1, what="added", at=before)
    if max(head[0], told) > number:
        return Broken(number=number + 1, what="missing", before=before)
    if head[1] != last:
        return Broken(number=number, what="changed", at=before)
    return None
