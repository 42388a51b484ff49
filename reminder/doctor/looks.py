"""All the looks, in the order in which a person would mend what they find."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import httpx

from reminder.app import bootstrap
from reminder.app.channels import channel_names
from reminder.doctor import local, network
from reminder.doctor.check import Check, fault, ok, warn
from reminder.domain.errors import ReminderError
from reminder.files.settings import Settings
from reminder.ops.backups import Backups
from reminder.services.office import CONSOLE, Files
from reminder.store.records import BACKED_UP, BACKED_UP_AWAY
from reminder.store.store import Store, open_store


def at_home(config: Path | None, now: datetime) -> Iterator[Check]:
    """What lies on this machine: each finding as soon as it is known. Changes nothing."""
    try:
        settings = bootstrap.load_settings(config)
    except bootstrap.NoSettingsError as error:
        yield fault("settings", f"{error}.")
        return
    except ReminderError as error:
        for line in str(error).splitlines():
            yield fault("settings", line, "sửa tệp cài đặt rồi chạy lại")
        return
    path = bootstrap.settings_path(config)
    yield ok("settings", f"Cài đặt: {path or 'không có tệp, chỉ có biến môi trường'}.")
    channels = [name for name in channel_names(settings) if name != CONSOLE]
    if not channels:
        words = "Chưa cài Telegram hay thư: tin chỉ hiện trên màn hình."
        yield warn("channels", words, "ghi [telegram] token hoặc [email] host")
    files: Files | None = None
    try:
        files = bootstrap.read_files(settings, now)
    except ReminderError as error:
        for line in str(error).splitlines():
            yield fault("plan", line, "sửa tệp ấy; máy đang chạy vẫn dùng bản cũ")
    else:
        yield from local.files(files, now)
        yield from local.people_file(settings.plan.people, files, path)
    yield from _database(settings, files, channels, now)
    yield from _on_disk(settings, config)


def _database(
    settings: Settings, files: Files | None, channels: list[str], now: datetime
) -> Iterator[Check]:
    url = settings.store.url
    unreadable = local.file(url)
    if unreadable is not None:
        yield unreadable
        return
    try:
        with closing(open_store(url, exclusive=False, sleep=bootstrap.pause)) as store:
            yield local.ledger(store)
            yield from local.daemon(url, store, now)
            if files is not None and files.people:
                yield local.people(files, store.addresses(), channels, now)
            yield from _copies(bootstrap.backups(settings), store, now)
    except ReminderError as error:
        yield fault("database", f"Không đọc được dữ liệu: {error}.", "xem docs/operations.md")


def _copies(found: Backups | None, store: Store, now: datetime) -> Iterator[Check]:
    if found is not None:
        yield from local.copies(found, store.meta(BACKED_UP), store.meta(BACKED_UP_AWAY), now)


def _on_disk(settings: Settings, config: Path | None) -> Iterator[Check]:
    found = bootstrap.backups(settings)
    if found is not None:
        folders = [f for f in (found.folder, found.second_folder) if f is not None]
        yield from local.space([found.database.parent, *folders])
        data_files = local.data_files(found.database, folders)
    else:
        data_files = []
    yield from local.rights(data_files, bootstrap.secret_files(config))


def beyond(settings: Settings, now: datetime) -> Iterator[Check]:
    """What needs the network; sends nothing."""
    date, source = "", ""
    with httpx.Client(timeout=network.TIMEOUT) as client:
        if settings.telegram.is_on:
            token = settings.telegram.token.get_secret_value()
            check, date = network.telegram(settings.telegram.base_url, token, client)
            source = "Telegram"
            yield check
        if url := settings.watch.heartbeat_url.get_secret_value():
            check, other = network.heartbeat(url, client)
            yield check
            if not date:
                date, source = other, "nơi nhận nhịp tim"
        if settings.telegram.is_on or settings.watch.heartbeat_url.get_secret_value():
            yield network.clock(date, now, source)
        if settings.watch.place is not None:
            yield from network.page(*settings.watch.place, client)
