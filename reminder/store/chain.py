"""The ledger's chain: each event's hash covers the event and all before it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from reminder.ports import Broken

GENESIS = "0" * 64  # the hash before the first event


def link(previous: str, columns: Mapping[str, Any]) -> str:
    """Hex SHA-256 over the hash before and the canonical JSON of an event's columns but its hash.

    Canonical: keys sorted, no spaces, ASCII, values as the table keeps them.
    """
    said = {name: value for name, value in columns.items() if name != "hash"}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), default=repr)
    return sha256(f"{previous}{canonical}".encode()).hexdigest()


def first_broken(
    rows: Iterable[Mapping[str, Any]], head: tuple[int, str], heads: Mapping[int, str]
) -> Broken | None:
    """The first of `rows` (all columns of `event`, by number) that breaks the chain to `head`."""
    number, previous = 0, GENESIS
    for row in rows:
        number += 1
        if row["number"] != number:
            return Broken(number=number, what="missing")
        if row["hash"] != link(previous, row):
            return Broken(number=number, what="changed")
        if heads.get(number, row["hash"]) != row["hash"]:
            return Broken(number=number, what="rewritten")
        previous = row["hash"]
    return _wrong_end(number, previous, head, heads)


def _wrong_end(
    number: int, last: str, head: tuple[int, str], heads: Mapping[int, str]
) -> Broken | None:
    if head[0] < number:
        return Broken(number=head[0] + 1, what="added")
    if max(head[0], *heads, 0) > number:
        return Broken(number=number + 1, what="missing")
    if head[1] != last:
        return Broken(number=number, what="changed")
    return None
