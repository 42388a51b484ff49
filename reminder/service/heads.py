"""The ledger's heads that were told elsewhere: what a forger of the whole chain can't take back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reminder.core.errors import ReminderError
from reminder.ports import Broken, Store

SHORTEST = 8  # hex digits of a head that is typed: 32 bits, beyond chance
_TYPED = re.compile(rf"\s*(\d{{1,9}})\s*[:=]\s*([0-9a-f]{{{SHORTEST},64}})\s*")
_WHOLE = re.compile(r"[0-9a-f]{64}")
EVERY_ROW = 10_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A head of the ledger as it was told: how many events there were, and the last one's hash."""

    number: int
    hash: str  # lower case hex; whole, or its beginning
    row: int = 0  # of the outbox, which carried it; 0: typed by the operator
    slot: datetime | None = None  # of that row


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What the ledger came to, held against what was told."""

    told: tuple[Told, ...]  # by number
    broken: Broken | None
    against: tuple[Told, ...] = ()  # those that the first broken event contradicts
    agreed: int = 0  # the last number up to which a head that was told agrees


def typed(text: str) -> Told:
    """A head as a digest prints it: 123:ab12cd34ef56ab12; ReminderError if it is none."""
    found = _TYPED.fullmatch(text.lower())
    if found is None:
        raise ReminderError(
            f"“{text:.80}” không phải mã sổ: ghi số mục, dấu hai chấm và mã mục cuối như trong bản "
            f"tổng hợp (ít nhất {SHORTEST} ký tự), ví dụ 123:ab12cd34ef56ab12"
        )
    return Told(number=int(found[1]), hash=found[2])


def carried(store: Store) -> list[Told]:
    """The heads that the outbox says were told, in digests of any state, the oldest first.

    ReminderError where a row carries something else in its place: the program never writes that.
    """
    found = []
    for row in reversed(store.rows(limit=EVERY_ROW)):
        head = row.draft.payload.get("head")
        if head is None:
            continue
        match head:
            case [int(number), str(hash_)] if number >= 0 and _WHOLE.fullmatch(hash_):
                found.append(Told(number=number, hash=hash_, row=row.id, slot=row.draft.slot))
            case _:
                raise ReminderError(
                    f"tin số {row.id} trong hàng đợi ghi một mã sổ mà máy không bao giờ ghi: "
                    "cơ sở dữ liệu đã bị sửa; xin lấy lại bản sao lưu"
                )
    return found


def verify(store: Store, more: Sequence[Told] = ()) -> Verdict:
    """Holds the ledger against its own chain, the heads of past digests, and `more`."""
    told = sorted([*carried(store), *more], key=lambda each: each.number)
    # A digest of an empty ledger says nothing that could be held against it.
    told = [each for each in told if each.number]
    broken = store.verify([(each.number, each.hash) for each in told])
    if broken is None:
        return Verdict(told=tuple(told), broken=None)
    if broken.what == "rewritten":
        against = [each for each in told if each.number == broken.number]
    else:
        against = [each for each in told if each.number >= broken.number]
    sound = [each.number for each in told if each.number < broken.number]
    return Verdict(
        told=tuple(told), broken=broken, against=tuple(against), agreed=max(sound, default=0)
    )
