"""After an older copy took the database's place: what was said since the copy may come twice.

The copy does not know what the program has said after it. The ticks make it up as after a stop, one
message a recipient; those that may have been said already say so. Answers by mail are read again
from where they were put away; what is answered to them may have been said too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from reminder.core.desk import Inbound
from reminder.core.outbox import Draft
from reminder.core.schedule import MessageKind
from reminder.ports import RESTORED
from reminder.service.office import Office
from reminder.service.recipients import unpacked

AGAIN = "again"  # in a payload: it may have been said by the run that the copy does not know of
Place = tuple[object, ...]  # kind, then unit, key and stage of an item; a digest's kind alone
_INSTANT = timedelta(microseconds=1)


def maybe_said(office: Office, metas: Mapping[str, str], since: datetime) -> set[Place]:
    """What was due after `since` and before the restore; nothing where there was none since."""
    kept = metas.get(RESTORED)
    until = datetime.fromisoformat(kept) if kept else since
    if until <= since:
        return set()
    first, last = since + _INSTANT, until + _INSTANT
    found = office.scheduler.messages(office.plans, office.by_key, first, last)
    places: set[Place] = {
        (m.kind.value, m.unit, item.key, str(item.stage)) for m in found for item in m.items
    }
    return places | {(m.kind.value,) for m in found if m.kind is MessageKind.DIGEST}


def marked(drafts: Sequence[Draft], said: set[Place]) -> list[Draft]:
    """`drafts`, those that hold anything of `said` marked as possible repeats."""
    if not said:
        return list(drafts)
    return [_again(draft) if _holds(draft, said) else draft for draft in drafts]


def answered(inbound: Inbound, drafts: Sequence[Draft]) -> list[Draft]:
    """What is said to `inbound`; marked where it is read again. An edit is the same twice."""
    if not inbound.again:
        return list(drafts)
    return [draft if draft.kind == "edit" else _again(draft) for draft in drafts]


def _again(draft: Draft) -> Draft:
    return replace(draft, payload={**draft.payload, AGAIN: True})


def _holds(draft: Draft, said: set[Place]) -> bool:
    return (draft.kind,) in said or any(
        (draft.kind, unit, item.key, str(item.stage)) in said
        for unit, items in unpacked(draft.payload).items()
        for item in items
    )
