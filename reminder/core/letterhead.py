"""Who writes to whom: what stands at the head and foot of the office's own papers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reminder.core.plan import Plan
from reminder.core.text import fold

DOTS = "…………"  # for a person to fill in
_COMMITTEE = "Ủy ban nhân dân"


@dataclass(frozen=True, kw_only=True, slots=True)
class Letterhead:
    """The names on a paper; what is empty is taken from the plan, or left as dots.

    No person's name: the signature stays empty on a draft.
    """

    parent: str = ""  # cơ quan chủ quản trực tiếp; an Ủy ban nhân dân has none on its papers
    authority: str = ""  # “Ủy ban nhân dân phường …”
    symbol: str = ""  # behind “BC-” in the paper's number: UBND
    place: str = ""  # địa danh, before the date
    addressees: tuple[str, ...] = ()  # Kính gửi
    recipients: tuple[str, ...] = ()  # Nơi nhận, between “Như trên” and “Lưu”
    archive: str = "VT"  # behind “Lưu:”
    on_behalf: str = ""  # “TM. ỦY BAN NHÂN DÂN”
    signer: str = "Chủ tịch"  # the title of who signs
    subject: str = ""  # trích yếu without the period; empty: from the plan's own task

    @property
    def is_committee(self) -> bool:
        return fold(self.authority).startswith(fold(_COMMITTEE))

    @property
    def lines(self) -> tuple[str, ...]:
        """The authority's name as it stands at the head: ỦY BAN NHÂN DÂN / PHƯỜNG …"""
        if not self.is_committee:
            return (self.authority.upper(),)
        size = len(_COMMITTEE.split())
        words = self.authority.upper().split()
        return tuple(line for line in (" ".join(words[:size]), " ".join(words[size:])) if line)


def filled(letterhead: Letterhead, plan: Plan) -> Letterhead:
    """`letterhead` with its gaps filled from what `plan` knows of its own office."""
    leaders = plan.by_unit[plan.leaders].name
    authority = letterhead.authority or _authority(leaders)
    named = replace(letterhead, authority=authority)
    return replace(
        named,
        symbol=named.symbol or ("UBND" if named.is_committee else DOTS),
        place=named.place or DOTS,
        addressees=named.addressees or (DOTS,),
        recipients=named.recipients or (leaders,),
        on_behalf=named.on_behalf or (f"TM. {_COMMITTEE}" if named.is_committee else ""),
    )


def _authority(leaders: str) -> str:
    """“Lãnh đạo UBND phường” → “Ủy ban nhân dân phường …………”: its own name is for the settings."""
    _, found, kind = leaders.partition("UBND")
    return f"{_COMMITTEE}{kind} {DOTS}" if found else DOTS
