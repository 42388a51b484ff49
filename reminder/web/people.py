"""The people: how each is reached, invitations, addresses that are tried again; days off."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from reminder.decisions.outcome import reads_all
from reminder.domain.ledger import Absence
from reminder.domain.outbox import AddressSource, Invited
from reminder.domain.people import Person
from reminder.services.status import unreachable
from reminder.understanding.model import Command
from reminder.understanding.verbs import Verb
from reminder.web.acts import Result, day_in, recorded
from reminder.web.pages import flash, refused
from reminder.web.signin import ask_again
from reminder.web.site import FieldError, Visit, form_of, forms_at, is_nonce, shown_at
from reminder.web.words import ABOVE, INCOMPLETE

GONE = "Không có người này trong danh sách."
NONE = "Ở đây không mời được: chưa kênh nhắn tin nào được cài đặt."


def routes() -> list[Route]:
    """The pages of people and days off, and their forms."""
    forms = {
        "/nguoi/{id}/moi": invite,
        "/nguoi/{id}/go": unbind,
        "/nguoi/{id}/thu-lai": revive,
        "/nghi-phep": record_absence,
    }
    return [*shown_at({"/nguoi": people, "/nghi-phep": days_off}), *forms_at(forms)]


async def people(visit: Visit) -> Response:
    """Who is reached how, and who is away."""
    if not reads_all(visit.sender):
        return await refused(visit, ABOVE)
    return await visit.page("people.html", mark="", make=partial(_people, visit))


def _people(visit: Visit) -> dict[str, Any]:
    office, context = visit.office, visit.context
    invited = {k.name for k in office.known if k.addresses is AddressSource.INVITATION}
    rows = [
        {
            "id": person.id,
            "name": person.name,
            "title": person.title,
            "units": context.units(person.units),
            "ways": context.channels(office.ways(person.id)),
            "away": office.away_until(person.id, context.today),
            "bound": any(
                a.recipient == person.id and a.channel in invited for a in office.addresses
            ),
            "dead": [
                (context.channel(a.channel), a.dead_since)
                for a in office.addresses
                if a.recipient == person.id and a.dead_since
            ],
        }
        for person in office.files.people
    ]
    return {
        "rows": rows,
        "reach": unreachable(office, office.speaking(visit.now)),
        "invites": visit.site.invite is not None,
        "flash": flash(visit),
        "here": "/nguoi",
    }


async def _of_office(visit: Visit) -> Person | Response:
    """The person of the address, for the office; or the page that says why not."""
    if not visit.sender.office:
        return await refused(visit, "Việc này của Văn phòng.")
    person = visit.office.people.get(visit.request.path_params["id"])
    if person is None:
        return await refused(visit, GONE, 404)
    again = await ask_again(visit, await form_of(visit.request))
    return again or person


async def invite(visit: Visit) -> Response:
    """Make an invitation, and show it once."""
    person = await _of_office(visit)
    if isinstance(person, Response):
        return person
    make = visit.site.invite
    if make is None:
        return await refused(visit, NONE, 422)
    made: Invited = await visit.site.do(lambda: make(person))
    await visit.note("people", f"mời {person.id}")
    return await visit.page(
        "invited.html", person=person, made=made, picture=picture(made.url), here="/nguoi"
    )


def picture(url: str) -> str:
    """Return the QR code of an address as SVG without a style; empty of none."""
    if not url:
        return ""
    import segno  # 20 ms, for invitations alone

    drawn = io.BytesIO()
    segno.make(url, micro=False).save(
        drawn, kind="svg", xmldecl=False, svgns=False, omitsize=True, nl=False, svgclass="qr",
        lineclass=None, title="Mã QR của lời mời",
    )  # fmt: skip
    return drawn.getvalue().decode()


async def unbind(visit: Visit) -> Response:
    """Forget somebody's chats, and end the sessions of the page."""

    def forget(person: Person) -> str:
        store, office = visit.site.service.store, visit.office
        known = [k for k in office.known if k.addresses is AddressSource.INVITATION]
        with store.together():
            gone = [k.title for k in known if store.unbind(person.id, k.name)]
            store.end_sessions(*(s.hash for s in store.sessions(person.id)))
        if not gone:
            return f"{person.name} chưa gắn tài khoản nào; đã thoát trang ở mọi nơi."
        return f"Đã ghi. Đã gỡ {', '.join(gone)} của {person.name}, và thoát trang ở mọi nơi."

    return await _changed(visit, "gỡ", forget)


async def revive(visit: Visit) -> Response:
    """Try addresses again that were given up."""

    def again(person: Person) -> str:
        dead = visit.site.service.store.revive_addresses(person.id)
        if not dead:
            return f"{person.name} không có địa chỉ nào hỏng."
        titles = ", ".join(visit.context.channel(each.channel) for each in dead)
        return f"Đã ghi. {titles} của {person.name} dùng lại từ lần nhắc tới."

    return await _changed(visit, "thử lại", again)


async def _changed(visit: Visit, what: str, change: Callable[[Person], str]) -> Response:
    person = await _of_office(visit)
    if isinstance(person, Response):
        return person
    mark = (await form_of(visit.request)).get("nonce")
    if not is_nonce(mark):
        return await refused(visit, INCOMPLETE, 422)
    said = await visit.site.do(lambda: change(person))
    await visit.note("people", f"{what} {person.id}")
    visit.site.keep(mark, said)
    return RedirectResponse(f"/nguoi?ghi={mark}", 303)


# ---- days off


async def days_off(visit: Visit) -> Response:
    """The days off that are told, and the form that tells others."""
    return await visit.page("days_off.html", mark="", make=partial(_days_off, visit))


def _days_off(visit: Visit) -> dict[str, Any]:
    office, today = visit.office, visit.context.today
    everybody = reads_all(visit.sender)
    found: list[Absence] = sorted(office.absences, key=lambda a: (a.since, a.person))
    names = office.files.names
    return {
        "rows": [
            {"name": names[a.person], "since": a.since, "until": a.until}
            for a in found
            if a.until >= today and a.person in names
            if everybody or a.person == visit.person.id
        ],
        "people": [(p.id, p.name) for p in office.files.people] if visit.sender.office else [],
        "may": not visit.sender.only_reads,
        "flash": flash(visit),
        "here": "/nghi-phep",
        "typed": {},
    }


async def record_absence(visit: Visit) -> Response:
    """Tell days off, the own ones or as the office somebody's; or their end."""
    if visit.sender.only_reads:
        return await refused(visit, "Lãnh đạo chỉ xem.")
    form = await form_of(visit.request)
    fields, mark = form.first, form.get("nonce")
    if not is_nonce(mark):
        return await refused(visit, INCOMPLETE, 422)
    who = form.get("nguoi") if visit.sender.office else ""
    command = Command(verb=Verb.AWAY, person=who)
    result = Result("Xin chọn một người trong danh sách.", 422, "nguoi")
    if not who or who in visit.office.people:
        try:
            if not form.get("ve-som"):
                command = _from_to(command, visit, fields)
        except FieldError as fault:
            result = Result(fault.say, 422, fault.field)
        else:
            result = await recorded(visit, mark, lambda _: command)
    if result.status == 200:
        return RedirectResponse(f"/nghi-phep?ghi={mark}", 303)
    make = partial(_days_off, visit)
    return await visit.page(
        "days_off.html", result.status, make=lambda: make() | {"error": result, "typed": fields}
    )


def _from_to(command: Command, visit: Visit, fields: dict[str, str]) -> Command:
    today = visit.context.today
    since = day_in(fields, today, ("tu",))
    until = day_in(fields, today, ("den",)) if fields.get("den", "").strip() else since
    if until < since:
        raise FieldError("den", "Ngày cuối đứng trước ngày đầu")
    return replace(command, since=since, until=until)
