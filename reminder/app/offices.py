"""One office of many: its settings and texts, and which of them a command is about."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from reminder.domain.errors import ReminderError
from reminder.files.documents import Documents, Sources, sources_of
from reminder.files.settings import (
    ACCOUNT_SECRETS,
    OfficeSection,
    Settings,
    account_section,
    environment,
    own_settings,
    secret_of,
)
from reminder.files.toml import Source, nearest
from reminder.services.deliver import MAILBOX
from reminder.services.office import Files
from reminder.services.status import Marks, marks
from reminder.store.offices import Mark, OfficeState, Stores
from reminder.store.store import Store

OF_ONE = (
    "--role chia việc của nhiều phường, mà cơ sở dữ liệu này là của một phường: gõ reminder run; "
    "thêm phường bằng reminder office add"
)
NAMED = 5  # offices that a refusal lists


def of_chosen(
    settings: Settings, store: Store, office: str, *, secrets: bool = False
) -> tuple[Settings, Store] | None:
    """Return settings and store of the office that a command is about; None: there is only one.

    `office` is the id that the command was given; it may be empty where there is only one.
    With `secrets` a missing secret is a ReminderError; else its reference stands in its place.
    """
    stores = Stores(store)
    if not stores.is_many():
        if office:
            raise ReminderError("cơ sở dữ liệu này chỉ có một cơ quan: bỏ --office")
        return None
    if not office:
        found = [each.id for each in stores.offices()]
        some = ", ".join(found[:NAMED]) + (" …" if len(found) > NAMED else "")
        raise ReminderError(
            f"cơ sở dữ liệu này có {len(found)} phường: thêm --office MÃ (có: {some or 'chưa có'};"
            " xem reminder office list)"
        )
    mark = stores.marks([office]).get(office)
    if mark is None:
        raise unknown(stores, office)
    own = sources_of(stores.of(office).documents()).own
    found_settings = office_settings(settings, office, mark, own, _held if not secrets else _needed)
    return found_settings, stores.of(office)


def unknown(stores: Stores, office: str) -> ReminderError:
    """Return the error of an office that there is not."""
    known = [each.id for each in stores.offices(state=None)]
    near = nearest(office, known)
    return ReminderError(f"không có phường “{office}”{near or ': xem reminder office list'}")


def _needed(reference: str) -> str:
    return secret_of(reference, environment())


def _held(reference: str) -> str:
    try:
        return _needed(reference)
    except ReminderError:
        return stand_in(reference)


def stand_in(reference: str) -> str:
    """Return what stands in the place of a secret, where only that there is one is asked."""
    return reference.replace("/", "|")  # a token has no slash


def served(office: str, mark: Mark | None) -> Mark:
    """Return the mark of an office that is served; raise ReminderError of another."""
    if mark is None:
        raise ReminderError(f"không có phường “{office}”: xem reminder office list")
    if mark.state is OfficeState.RETIRED:
        raise ReminderError(f"phường “{office}” đã thôi dùng: xem reminder office show {office}")
    return mark


def office_settings(
    base: Settings,
    office: str,
    mark: Mark,
    own: Source | None,
    secret: Callable[[str], str] | None = None,
) -> Settings:
    """Return the settings of one office of many; FileError with all faults of its own.

    `secret` makes a secret of its reference; without it `stand_in` is there.
    """
    secret = secret or stand_in
    found = own_settings(own, base) if own is not None else base
    sections: dict[str, Any] = {kind: getattr(Settings(), kind) for kind in ACCOUNT_SECRETS}
    for each in mark.accounts:
        held = secret(each.secret)
        sections[each.channel] = _section(each.channel, each.settings, held, each.account)
    url = base.web.url if base.web.is_on else ""
    web = replace(found.web, base_url=f"{url}/p/{office}") if url else found.web
    plan = replace(base.plan, files=(), people=None, source="database")
    return replace(found, office=OfficeSection(office), plan=plan, web=web, **sections)


@lru_cache(256)  # an account serves many offices
def _section(kind: str, settings: str, secret: str, account: str) -> Any:
    return account_section(kind, json.loads(settings), secret, f"tài khoản {account}")


def marks_of(stores: Stores, office: str, own: Marks) -> Marks:
    """Return the marks of an office of many: its own, with those of its accounts and of all."""
    used = {channel: account for _, channel, account in stores.links(office_id=office)}
    heard, all_ = stores.heard(), marks(stores.of(""), ())
    known = {channel: heard[account] for channel, account in used.items() if account in heard}
    polled = {channel: it.at for channel, it in known.items() if it.at and channel != MAILBOX}
    down = {one.id: one.down_since for one in stores.accounts() if one.down_since}
    return replace(
        own,
        polled=polled,
        last_poll=max(polled.values(), default=None),
        down={channel: down[account] for channel, account in used.items() if account in down},
        deaf={channel: it.deaf_since for channel, it in known.items() if it.deaf_since},
        inbox_looked=known[MAILBOX].at if MAILBOX in known else None,
        last_backup=all_.last_backup,
        last_backup_away=all_.last_backup_away,
    )


def documents_of(
    stores: Stores,
    base: Settings,
    office: str,
    at: datetime,
    files_of: Callable[[Settings, Sources, datetime], Files],
) -> Documents:
    """Return the texts of one office of many; `files_of` reads them."""
    mark = served(office, stores.marks([office]).get(office))

    def make(texts: Sources) -> Files:
        return files_of(office_settings(base, office, mark, texts.own), texts, at)

    return Documents(stores.of(office), make)
