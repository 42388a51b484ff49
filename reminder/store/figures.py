"""The figures of each office of a province, as last reckoned, and the list of offices by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, select

from reminder.store.database import EVERY, OfficeDatabase
from reminder.store.offices import OfficeState, Stores
from reminder.store.records import meta_moment, words
from reminder.store.tables import Shape, address, meta, office, office_figures

LAST_TICK = "last_tick"  # in the table meta


@dataclass(frozen=True, kw_only=True, slots=True)
class OfficeFigures:
    """What is told of an office in the list."""

    at: datetime  # when it was reckoned
    open: int  # begun, and not closed
    late: int  # of them
    long_late: int  # of these, for long
    undated: int  # open, and without a date
    people: int
    reached: int  # of the people, those whom a channel reaches
    late_work: str = "[]"  # JSON: the latest of the late, each a list of values


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """An office as the list has it."""

    id: str
    name: str
    province: str
    fault: str  # why it is not ticked
    last_tick: datetime | None
    figures: OfficeFigures | None  # None: not reckoned yet


@dataclass(frozen=True, slots=True)
class Sums:
    """The figures of many offices together."""

    offices: int = 0
    open: int = 0
    late: int = 0
    long_late: int = 0
    undated: int = 0
    unreached: int = 0  # offices of which nobody is reached
    behind: int = 0  # offices with late work
    faulty: int = 0


FIGURES = Shape(office_figures, OfficeFigures)
_F, _O = office_figures.c, office.c
_ABOUT = 5  # columns of an office before those of its figures
_LINES = (
    select(_O.id, _O.name, _O.province, _O.fault, meta.c.value, *_F)
    .select_from(office)
    .outerjoin(office_figures, _F.office == _O.id)
    .outerjoin(meta, and_(meta.c.office == _O.id, meta.c.name == LAST_TICK))
    .where(_O.state == OfficeState.ACTIVE.value)
)


class FiguresTable:
    """The figures of many offices."""

    def __init__(self, stores: Stores) -> None:
        self._database = stores.database
        self._every = OfficeDatabase(stores.database, EVERY)
        self._put = stores.database.insert(office_figures, *(set(FIGURES.places) - {"office"}))

    def keep(self, office_id: str, figures: OfficeFigures) -> None:
        """Keep the figures of an office, in the place of older ones."""
        with OfficeDatabase(self._database, office_id).writing() as connection:
            connection.execute(self._put, FIGURES.columns(figures))

    def line(self, office_id: str) -> Listed | None:
        """Return an office that is served, as the database shows it to that office alone."""
        with OfficeDatabase(self._database, office_id).reading() as connection:
            found = connection.raw.execute(_LINES.where(_O.id == words(office_id))).all()
        return next(map(_listed, found), None)

    def lines(
        self, *, province: str = "", behind: bool = False, limit: int, skip: int = 0
    ) -> list[Listed]:
        """Return the offices, the worst first: faulty, late for long, late, in want of dates.

        `behind`: those with late work only, which a fault does not bring to the top.
        """
        number = [func.coalesce(_F[name], 0).desc() for name in ("long_late", "late", "undated")]
        asked = _of(province, _LINES)
        asked = asked.where(_F.late > 0) if behind else asked.order_by((_O.fault == "").asc())
        asked = asked.order_by(*number, _O.name, _O.id)
        return list(map(_listed, self._every.all(asked.limit(limit).offset(skip))))

    def sums(self, *, province: str = "") -> Sums:
        """Return the figures of all offices together."""
        numbers = [func.coalesce(func.sum(_F[n]), 0) for n in ("open", "late", "long_late",
                                                               "undated")]  # fmt: skip
        asked = (
            select(
                func.count(),
                *numbers,
                func.count().filter(_F.reached == 0),
                func.count().filter(_F.late > 0),
                func.count().filter(_O.fault != ""),
            )
            .select_from(office)
            .outerjoin(office_figures, _F.office == _O.id)
            .where(_O.state == OfficeState.ACTIVE.value)
        )
        [found] = self._every.all(_of(province, asked))
        return Sums(*map(int, found))

    def provinces(self) -> list[str]:
        """Return the provinces of the offices."""
        asked = (
            select(_O.province)
            .where(_O.state == OfficeState.ACTIVE.value, _O.province != "")
            .distinct()
            .order_by(_O.province)
        )
        return [name for (name,) in self._every.all(asked)]

    def served_by(self, mail: str, channels: Sequence[str]) -> list[tuple[str, str]]:
        """Return (office, person) of those who have an address on such a channel.

        `mail`: that address in lower case.
        """
        a = address.c
        asked = (
            select(a.office, a.recipient)
            .join(office, _O.id == a.office)
            .where(
                func.lower(a.value) == words(mail),
                a.channel.in_(channels),
                _O.state == OfficeState.ACTIVE.value,
            )
            .distinct()
            .order_by(a.office, a.recipient)
        )
        return [(row.office, row.recipient) for row in self._every.all(asked)]


def _of(province: str, asked: Select[Any]) -> Select[Any]:
    return asked.where(_O.province == words(province)) if province else asked


def _listed(row: Sequence[Any]) -> Listed:
    about, figures = row[:_ABOUT], row[_ABOUT:]
    known = figures[FIGURES.places["at"]] is not None
    return Listed(
        id=about[0],
        name=about[1],
        province=about[2],
        fault=about[3],
        last_tick=meta_moment(LAST_TICK, about[4]),
        figures=FIGURES.read(figures) if known else None,
    )
