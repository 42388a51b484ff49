"""A page that opens on the daemon's machine alone is of no use to who reads a mail elsewhere."""

from __future__ import annotations

import pytest

from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.domain.weblinks import WebLinks
from reminder.messages.rows import RowRenderer
from tests.services.world import EMAIL, at, world


@pytest.mark.parametrize(
    ("here", "linked"), [(False, {"an", "binh", "chi", "dung"}), (True, set())]
)
def test_mails_have_links_where_readers_can_open_them(
    plan2024: Plan, scheduler: Scheduler, here: bool, linked: set[str]
) -> None:
    """Nudges and the weekly digest alike."""
    found = world(plan2024, scheduler, bound=(), start=at("28/01", "07:00"))
    page = WebLinks(base_url="http://127.0.0.1:8080", secret=b"s", here=here)
    found.service.renderer = RowRenderer(links=page).render
    for day in ("29/01", "31/01"):
        found.tick(at(day, "08:00"))
    mails = [each for each in found.outgoing if each.row.draft.channel == EMAIL]
    got = {each.row.draft.recipient for each in mails if page.base_url in repr(each.message)}
    assert (got, {each.row.draft.recipient for each in mails} >= {"chi"}) == (linked, True)
