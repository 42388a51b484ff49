"""The order in which the dispatcher sends what it has leased."""

from __future__ import annotations

from reminder.app.dispatcher import in_order
from reminder.domain.outbox import Draft, Outbound, Row, RowState
from reminder.domain.payloads import Forged
from reminder.services.deliver import Rendered
from tests.services.world import at

NOW = at("31/01", "08:00")


def leased(number: int, address: str, kind: str = "notice") -> Rendered:
    """A leased message; all are of one moment, and differ by their numbers."""
    draft = Draft(
        slot=NOW,
        recipient=address,
        kind=kind,
        subject="",
        channel="email",
        payload=Forged(number=number),
        due_at=NOW,
    )
    row = Row(id=number, draft=draft, state=RowState.LEASED, due_at=NOW)
    message = Outbound(subject="", text="", html="")
    return Rendered(row=row, address=address, message=message, key="", day=NOW.date())


def test_a_message_that_is_tried_again_stands_before_those_that_waited_behind_it() -> None:
    """In the places of its chat, so that no other chat loses its turn; answers go before all."""
    waiting = [leased(3, "a"), leased(5, "b"), leased(4, "a")]
    tried_again = [leased(2, "a"), leased(1, "b"), leased(9, "a", kind="reply")]
    found = in_order([*waiting, *tried_again])
    assert [each.row.id for each in found] == [9, 2, 1, 3, 4, 5]
