"""Checks of this machine: settings, files, database, copies, disk space, permissions."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from reminder.app import bootstrap
from reminder.app.channels import channel_names, known_channels
from reminder.doctor import Check, fault, ok, warn
from reminder.doctor.postgres import server
from reminder.domain.calendar import local
from reminder.domain.errors import ReminderError
from reminder.files.settings import (
    Settings,
    WebSection,
    environment,
    secret_files,
    secret_of,
    settings_path,
)
from reminder.files.toml import Source
from reminder.ops.backups import Backups
from reminder.province.operators import of_account, of_office
from reminder.services import proof
from reminder.services.office import CONSOLE, Files, Office
from reminder.services.status import Marks, calendar_years, marks, unreachable
from reminder.store.database import Database
from reminder.store.files import integrity, lock_of
from reminder.store.offices import Account, Heard, OfficeRecord, Stores
from reminder.store.store import BUSY, SHIPPED, Store, open_store, schema_version

_NAMED = 8  # of those whom nothing reaches


_MEND = {
    "files": "sửa tệp ấy; máy đang chạy vẫn dùng bản cũ",
    "database": "lấy văn bản ra bằng reminder plan get, sửa, đưa lại bằng reminder plan put",
}


def checks(config: Path | None, now: datetime) -> Iterator[Check]:
    """Yield the results for this machine; nothing is changed."""
    if (yield from read_settings(config)) is None:
        return
    settings, path = bootstrap.settings_of(config), settings_path(config, environment())
    channels = channel_names(settings)
    if channels == (CONSOLE,) and bootstrap.chosen():
        words = "Phường chưa dùng tài khoản nào để gửi tin."
        yield fault("channels", words, "reminder office account link")
    elif channels == (CONSOLE,):
        words = "Chưa cài Telegram, Zalo hay thư: tin chỉ hiện trên màn hình."
        yield warn("channels", words, "ghi [telegram] token, [zalo] token hoặc [email] host")
    office: Office | None = None
    try:
        texts = bootstrap.current(settings)
        files = bootstrap.files_of(settings, texts, now)
    except ReminderError as error:
        for line in str(error).splitlines():
            yield fault("plan", line, _MEND[settings.plan.source])
    else:
        office = Office(files=files, channels=channels, known=known_channels())
        yield _plans(office, now)
        yield _calendar(office, now)
        yield from _people_file(texts.people, files, path)
        yield from _editors(settings.web.editors, office)
    copied = None if bootstrap.chosen() else bootstrap.backups(settings)
    yield from _database(settings.store.url, office, copied, now)
    yield from around(settings, config, copied)


def read_settings(config: Path | None) -> Generator[Check, None, Settings | None]:
    """Yield whether the settings can be read, and return them; None: they can't."""
    try:
        settings = bootstrap.load_settings(config)
    except bootstrap.NoSettingsError as error:
        yield fault("settings", f"{error}.")
        return None
    except ReminderError as error:
        for line in str(error).splitlines():
            yield fault("settings", line, "sửa tệp cài đặt rồi chạy lại")
        return None
    path = settings_path(config, environment())
    yield ok("settings", f"Cài đặt: {path or 'không có tệp, chỉ có biến môi trường'}.")
    return settings


def around(settings: Settings, config: Path | None, copied: Backups | None) -> Iterator[Check]:
    """Check the disks of database and copies, the page, and who may read data and secrets."""
    private: list[Path] = []
    if copied is not None:
        folders = [folder for folder in (copied.folder, copied.second_folder) if folder]
        beside = [copied.database.parent] if copied.database else []
        yield from space([*beside, *folders])
        private = _data_files(copied, folders)
    if settings.web.is_on:
        yield page(settings.web)
    yield from rights(private, secret_files(config, environment()))


def _database(
    url: str, office: Office | None, copied: Backups | None, now: datetime
) -> Iterator[Check]:
    try:
        if (unreadable := _unreadable(url)) is not None:
            yield unreadable
            return
        with closing(open_store(url, exclusive=False, sleep=bootstrap.pause)) as opened:
            store = opened.of(bootstrap.chosen())
            yield _ledger(store)
            noted = marks(store, (traits.name for traits in known_channels()))
            if store.office:
                yield from served(Stores(opened), store.office, bootstrap.time_of(opened))
            else:
                yield from daemon(url, noted, now)
            if office is not None and office.people:
                office = replace(office, addresses=tuple(store.addresses()))
                yield _people(office, now)
                yield from _unbound(office)
            if store.database.path is None and not store.office:
                yield from server(store.database, is_copied=copied is not None, is_many=False)
            if copied is not None:
                yield from copies(copied, noted.last_backup, noted.last_backup_away, now)
    except ReminderError as error:
        yield fault(
            "database",
            f"Không đọc được dữ liệu: {error.vietnamese}.",
            "xem docs/operations.md",
        )


def _plans(office: Office, now: datetime) -> Check:
    speaking = office.speaking(now)
    if not speaking:
        words = "Không còn kế hoạch nào nhắc việc, máy im lặng."
        return warn("plan", words, "viết kế hoạch năm nay theo docs/plan-format.md")
    tasks = sum(len(plan.tasks) for plan in speaking)
    return ok("plan", f"Kế hoạch {', '.join(plan.id for plan in speaking)}: {tasks} việc.")


def _people_file(path: Source | None, found: Files, settings: Path | None) -> Iterator[Check]:
    """Yield a people file that is missing or empty; it belongs beside the file `settings`."""
    remedy = "ghi ai ở bộ phận nào theo mẫu config/people.toml của chương trình"
    if path is None:
        wanted = (settings.parent if settings else Path("config")).absolute() / "people.toml"
        yield fault("people-file", f"Không có danh sách người: đã tìm {wanted}.", remedy)
    elif not found.people:
        yield warn("people-file", f"Danh sách người {path} chưa có ai.", remedy)


def _editors(editors: Sequence[str], office: Office) -> Iterator[Check]:
    """Yield who is named in [web] editors and may change nothing."""
    known = {p.id for p in office.people.values() if office.as_sender(p).office}
    if unknown := [editor for editor in editors if editor not in known]:
        words = f"[web] editors có {', '.join(unknown)}: không phải người của Văn phòng."
        yield warn("editors", words, "ghi mã người của Văn phòng, như trong danh sách người")


def _calendar(office: Office, now: datetime) -> Check:
    used = calendar_years(office, now)
    unknown = sorted(used & office.scheduler.calendar.unconfirmed)
    if unknown:
        years = ", ".join(map(str, unknown))
        return warn(
            "calendar",
            f"Lịch nghỉ năm {years} chưa đối chiếu với thông báo chính thức.",
            "sửa ngày nghỉ, làm bù trong config/calendar.toml rồi thêm năm vào `confirmed`",
        )
    return ok("calendar", f"Lịch nghỉ năm {', '.join(map(str, sorted(used)))} đã đối chiếu.")


def page(web: WebSection) -> Check:
    """Return whether others can hear what goes over the line to the page."""
    if not web.is_heard:
        return ok("page", f"Trang theo dõi: {web.url}.")
    words = (
        f"Trang theo dõi {web.url} đi qua http, không mã hóa: ai nghe được đường mạng thì đọc được "
        "trang và lấy được phiên đăng nhập."
    )
    return warn("page", words, "đặt sau máy chủ trung gian có https, xem docs/operations.md")


def _people(office: Office, now: datetime) -> Check:
    """Check for people whom no message reaches."""
    gone = unreachable(office, office.speaking(now))
    if not gone:
        return ok("people", f"Cả {len(office.people)} người trong danh sách đều có kênh nhận tin.")
    every = [one.person.name if one.person else f"bộ phận {one.unit}" for one in gone]
    names = list(dict.fromkeys(every))  # one person may stand for several units
    more = f" và {len(names) - _NAMED} nơi khác" if len(names) > _NAMED else ""
    return warn(
        "people",
        f"Chưa tin nào tới được: {', '.join(names[:_NAMED])}{more}.",
        "xem `reminder status`; mời bằng `reminder invite`, hoặc ghi địa chỉ vào people.toml",
    )


def _unbound(office: Office) -> Iterator[Check]:
    """Tell for each channel with typed codes who is not bound yet; their mail hides it."""
    for traits in office.known:
        if not traits.typed_codes or traits.name not in office.channels:
            continue
        people = [one for one in office.people.values() if traits.name in one.channels]
        open_ = [one for one in people if office.address(one.id, traits.name, dead=True) is None]
        if open_:
            more = f" và {len(open_) - _NAMED} người nữa" if len(open_) > _NAMED else ""
            names = ", ".join(f"{one.name} ({one.id})" for one in open_[:_NAMED])
            words = f"Chưa gắn {traits.title}: {names}{more}."
            yield warn("unbound", words, f"mời từng người: {traits.invite('MÃ')}")
        elif people:
            yield ok("unbound", f"Cả {len(people)} người dùng {traits.title} đều đã gắn.")


SILENT = timedelta(minutes=5)  # since the last tick of a daemon that runs
OWNERS = (
    "gõ lệnh bằng người dùng của máy nhắc việc (sudo -u reminder …); tệp đã thuộc người khác thì "
    "chown -R reminder: /srv/reminder/var"
)
_START = "chạy: systemctl start reminder (hoặc reminder run)"


def _unreadable(url: str) -> Check | None:
    """Return why the database can't be read; None if it can."""
    database = Database(url, busy=BUSY)
    try:
        path = database.path
        if path is not None and not path.exists():
            words = f"Chưa có dữ liệu ở {path}: sẽ được tạo ở lần chạy đầu."
            return warn("database", words, _START)
        if path is not None and not path.is_file():
            return fault("database", f"{path} không phải tệp: xem lại [store] url.")
        if path is not None and (kept_from := _forbidden(path)):
            words = f"Người dùng đang gõ lệnh không đọc, ghi được {kept_from}."
            return fault("database", words, OWNERS)
        if path is not None and (verdict := integrity(path)) != "ok":
            return fault(
                "database",
                f"Dữ liệu {path} hỏng ({verdict}).",
                "dừng máy nhắc việc rồi khôi phục bản sao mới nhất: reminder restore TỆP",
            )
        version = schema_version(database)
        if version < SHIPPED.version:
            words = f"Dữ liệu {database.name} của bản chương trình cũ."
            return warn("database", words, f"{_START}: dữ liệu được nâng cấp lúc ấy")
        if version > SHIPPED.version:
            words = f"Dữ liệu {database.name} của bản chương trình mới hơn bản này."
            return fault("database", words, "cài lại bản mới")
    except PermissionError as error:
        words = f"Người dùng đang gõ lệnh không vào được thư mục của {error.filename}."
        return fault("database", words, OWNERS)
    finally:
        database.close()
    return None


def _forbidden(path: Path) -> Path | None:
    """Return the database or its folder, if this user may not write it; SQLite needs both."""
    whose = os.access in os.supports_effective_ids
    wanted = os.R_OK | os.W_OK
    places = (path, path.parent)
    return next((p for p in places if not os.access(p, wanted, effective_ids=whose)), None)


def _ledger(store: Store) -> Check:
    """Read all rows; verify the ledger against its chain and the heads in digests."""
    if unreadable := store.unreadable():
        where = "; ".join(f"bảng {e.table} dòng {e.row}: {e.what}" for e in unreadable[:3])
        return fault(
            "database",
            f"Dữ liệu bị sửa ngoài chương trình, {len(unreadable)} dòng không đọc được ({where}).",
            "dừng máy nhắc việc rồi khôi phục bản sao trước đó: reminder restore TỆP",
        )
    broken = proof.verify(store).broken
    if broken is not None:
        return fault(
            "database",
            f"Sổ ghi đã bị sửa ngoài chương trình, từ ghi nhận số {broken.number} ({broken.what}).",
            "giữ nguyên tệp, tìm bản sao trước đó rồi báo người phụ trách",
        )
    return ok("database", f"Dữ liệu lành lặn; sổ ghi {store.head()[0]} việc còn nguyên chuỗi.")


def daemon(url: str, noted: Marks, now: datetime) -> Iterator[Check]:
    """Yield whether the daemon runs and ticks, and whether a channel refuses everything."""
    last = noted.last_tick
    when = f"quét lần cuối {local(last):%H:%M %d/%m/%Y}" if last else "chưa quét lần nào"
    with closing(Database(url, busy=BUSY)) as database:
        lock = lock_of(database)
        idle = lock.take()
        lock.release()
    if idle:
        yield warn("daemon", f"Máy nhắc việc không chạy ({when}).", _START)
    elif last is None or now - last > SILENT:
        yield fault(
            "daemon",
            f"Máy nhắc việc chạy mà không quét ({when}).",
            "xem dòng cuối của nhật ký; thường là ổ đĩa đầy hoặc dữ liệu bị khóa",
        )
    else:
        yield ok("daemon", f"Máy nhắc việc đang chạy, {when}.")
    for channel in known_channels():
        if since := noted.down.get(channel.name):
            words = f"Kênh {channel.name} từ chối mọi tin từ {local(since):%H:%M %d/%m/%Y}."
            yield fault(f"{channel.name}-down", words, channel.remedy)


def served(stores: Stores, office: str, now: datetime) -> Iterator[Check]:
    """Yield whether an office of many is served, and its accounts that fail."""
    record = stores.office(office)
    if record is None or record.retired_at is not None:
        yield warn("daemon", f"Phường {office} đã thôi dùng: không nhắc, không nhận tin.", "")
        return
    yield waits([record], now) or ok("daemon", f"{record.name} ({office}) được quét đúng giờ.")
    if record.fault:
        yield faulty(record)
    used = {account for _, _, account in stores.links(office_id=office)}
    heard = stores.heard()
    for account in stores.accounts():
        if account.id in used:
            yield from account_faults(account, heard.get(account.id))


def waits(offices: Iterable[OfficeRecord], now: datetime) -> Check | None:
    """Return the fault that no process ticks, if offices have been due for long."""
    late = [one.next_at for one in offices if one.next_at and now - one.next_at > SILENT]
    if not late:
        return None
    words = f"{len(late)} phường chờ quét, lâu nhất từ {local(min(late)):%H:%M %d/%m/%Y}."
    return fault(
        "daemon", words, "cho tiến trình reminder run --role tick chạy; xem nhật ký của nó"
    )


def faulty(record: OfficeRecord) -> Check:
    """Return the fault that keeps an office from being ticked."""
    found = of_office(record)
    return fault(found.name, found.sentence, found.remedy)


def account_faults(account: Account, heard: Heard | None) -> Iterator[Check]:
    """Yield what fails of an account, as its processes have noted it."""
    for found in of_account(account, heard):
        yield fault(found.name, found.sentence, found.remedy)
    try:
        secret_of(account.secret, environment())
    except ReminderError as error:
        name = f"Tài khoản {account.id} ({account.kind})"
        remedy = "không sao nếu nó chỉ có ở máy chạy worker; không thì đặt nó vào đó"
        yield warn("account-secret", f"{name}: ở đây không đọc được: {error}", remedy)


_MEGABYTE = 1_000_000
SCARCE = 500 * _MEGABYTE  # free space below which to warn
TOO_LITTLE = 50 * _MEGABYTE
_OTHERS = 0o077
OLD = timedelta(days=2)  # of a daily copy: one night was missed
TOO_OLD = timedelta(days=7)


def space(places: Iterable[Path]) -> Iterator[Check]:
    """Check the free space on the disks of the database and its copies."""
    seen: set[int] = set()
    for place in places:
        folder = next((p for p in (place, *place.parents) if _is_folder(p)), None)
        if folder is None or folder.stat().st_dev in seen:
            continue
        seen.add(folder.stat().st_dev)
        free = shutil.disk_usage(folder).free
        words = f"Ổ đĩa của {folder} còn trống {_size(free)}"
        if free < TOO_LITTLE:
            yield fault("disk", f"{words}: sắp không ghi được nữa.", "xóa bớt tệp trên ổ đĩa ấy")
        elif free < SCARCE:
            yield warn("disk", f"{words}.", "xóa bớt tệp trên ổ đĩa ấy trước khi đầy")
        else:
            yield ok("disk", f"{words}.")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # it lies in a folder that this user may not enter
        return False


def _size(free: int) -> str:
    megabytes = free / _MEGABYTE
    in_gigabytes = f"{megabytes / 1000:.1f} GB".replace(".", ",")
    return in_gigabytes if megabytes >= 1000 else f"{megabytes:.0f} MB"


def rights(private: Iterable[Path], holding: Iterable[Path]) -> Iterator[Check]:
    """Check for files that other users may read; `holding` are those with a secret."""
    if sys.platform == "win32":
        return  # rights are the folder's there: docs/operations.md
    fine = True
    for name, result, whose, paths in (
        ("rights", fault, "", private),
        ("secrets", warn, " tệp có bí mật", holding),
    ):
        if readable := [str(path) for path in paths if _is_open(path)]:
            fine = False
            words = f"Người khác trên máy đọc được{whose}: {', '.join(readable)}."
            yield result(name, words, f"chmod 600 {' '.join(readable)}")
    if fine:
        yield ok("rights", "Dữ liệu và bí mật chỉ chủ của chúng đọc được.")


def _is_open(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & _OTHERS)
    except OSError:
        return False


def copies(
    backups: Backups, last: datetime | None, last_away: datetime | None, now: datetime
) -> Iterator[Check]:
    """Yield how old the newest daily copies are; `last`…: when they were made."""
    if last is None and (found := backups.copies(backups.folder)):
        words = (
            f"Dữ liệu này chưa có bản sao nào, mà ở {backups.folder} có bản sao của dữ liệu khác"
        )
        remedy = f"dữ liệu cũ bị mất thì dừng máy rồi: reminder restore {found[-1]}"
        yield fault("backup", f"{words}.", remedy)
    else:
        yield _age("backup", backups.folder, last, now)
    name, second = "second-backup", backups.second_folder
    words = f"Thư mục bản sao thứ hai {second}"
    if second is None:
        words = "Chưa có bản sao ở ổ đĩa khác: ổ này hỏng thì mất cả dữ liệu lẫn bản sao."
        yield warn(name, words, "đặt [backup] second_folder")
    elif not _is_folder(second):
        yield fault(name, f"{words} không có.", "cắm ổ đĩa ấy, hoặc tạo thư mục")
    elif backups.database and _same_disk(second, backups.database.parent):
        yield warn(name, f"{words} nằm cùng ổ đĩa với dữ liệu.", "chọn thư mục ở ổ đĩa khác")
    else:
        yield _age(name, second, last_away, now)


def _age(name: str, folder: Path, made: datetime | None, now: datetime) -> Check:
    remedy = "xem nhật ký có dòng “backup failed” không; sao ngay: reminder backup TỆP"
    if made is None:
        return warn(name, f"Chưa có bản sao nào ở {folder}.", "để máy chạy qua giờ sao lưu")
    words = f"Bản sao cuối ở {folder}: {local(made):%H:%M %d/%m/%Y}"
    if now - made > TOO_OLD:
        return fault(name, f"{words}, đã quá 7 ngày.", remedy)
    if now - made > OLD:
        return warn(name, f"{words}, đã quá 2 ngày.", remedy)
    return ok(name, f"{words}.")


def _same_disk(one: Path, other: Path) -> bool:
    try:
        return one.stat().st_dev == other.stat().st_dev
    except OSError:
        return False


def _data_files(backups: Backups, folders: Sequence[Path]) -> list[Path]:
    """Return the database with SQLite's files beside it, and all copies."""
    database, beside = backups.database, []
    if database is not None and _is_folder(database.parent):
        beside = [*database.parent.glob(f"{database.name}*")]
    copies = f"*{backups.suffix}"
    return [
        *beside,
        *(f for folder in filter(_is_folder, folders) for f in sorted(folder.glob(copies))),
    ]
