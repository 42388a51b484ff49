"""Files, settings and the store for daemon and commands; the only module that reads the clock.

What only a running daemon needs (Telegram, mail, the database) is imported where it is used, so
that `reminder plan check` starts quickly.
"""

from __future__ import annotations

import logging
import sysconfig
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reminder.app.channels import CHANNELS, channel_names, known_channels, one_way, quotas
from reminder.domain.calendar import local_day
from reminder.domain.errors import FileError, Problem, ReminderError
from reminder.domain.ledger import Event
from reminder.domain.people import Person
from reminder.domain.plan import Plan
from reminder.domain.schedule import Policy, Scheduler
from reminder.files.calendar import holiday_name, load_calendar
from reminder.files.plan import load_plan
from reminder.files.settings import DEFAULT_PATH, Settings, environment, settings_path
from reminder.files.settings import load_settings as read_settings
from reminder.files.toml import Source, Text

if TYPE_CHECKING:
    from reminder.domain.weblinks import WebLinks
    from reminder.files.documents import Documents, Sources
    from reminder.ops.backups import Backups
    from reminder.services.office import Files, Office
    from reminder.services.service import Service
    from reminder.store.store import Store

log = logging.getLogger(__name__)

_CHOSEN: ContextVar[str] = ContextVar("office", default="")  # what --office says

_ROOT = Path(__file__).resolve().parents[2]  # of a checkout
_SHARE = Path(sysconfig.get_path("data")) / "share" / "reminder"  # of an installed wheel


@contextmanager
def choosing(office: str) -> Iterator[None]:
    """Have commands within the block be about this office; empty: about the only one."""
    token = _CHOSEN.set(office)
    try:
        yield
    finally:
        _CHOSEN.reset(token)


def chosen() -> str:
    """Return which office --office names; empty: none."""
    return _CHOSEN.get()


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def now() -> datetime:
    """Return the current time, UTC."""
    return SystemClock().now()


def time_of(store: Store) -> datetime:
    """Return the time that the roles go by: of many offices on one server that of its clock."""
    from reminder.ops.supervisor import SharedClock
    from reminder.store.accounts import Accounts
    from reminder.store.offices import Stores

    if store.database.is_sqlite or not Stores(store).is_many():
        return now()
    clock = SharedClock(SystemClock(), Accounts(store.database).time)
    clock.compare()
    return clock.now()


def today() -> date:
    """Return the current day in local time."""
    return local_day(now())


def pause(seconds: float) -> None:
    """Sleep while another process ends."""
    time.sleep(seconds)


def shipped(relative: str, *, here: bool = True) -> Path:
    """Return the path of a shipped file: in `here`, the checkout, or beside the package."""
    folders = [Path(), _ROOT, _SHARE] if here else [_ROOT, _SHARE]
    for folder in folders:
        if (folder / relative).is_file():
            return folder / relative
    return Path(relative)


def plan_paths(given: Sequence[Path]) -> list[Path]:
    """Return the plan files given; else those in data/ but drafts; else the one shipped."""
    if given:
        return list(given)
    found = sorted(p for p in Path("data").glob("plan*.toml") if not p.match("*.draft.toml"))
    return found or [shipped("data/plan2024.toml")]


def plan_folder(given: Sequence[Path]) -> Path | None:
    """Return where the office keeps its plan files; None where it has none of its own."""
    if given:
        return given[-1].parent
    return Path("data") if Path("data").is_dir() else None


def plan_sources(given: Sequence[Path] | None, config: Path | None = None) -> Sequence[Source]:
    """Return the plans that a command reads: `given`, else those of the database or files."""
    if given:
        return given
    try:
        settings = load_settings(config)
    except NoSettingsError:
        return plan_paths([])
    if not chosen():
        _need_office(settings)
    return plan_paths([]) if settings.plan.source == "files" else current(settings).plans


def _need_office(settings: Settings) -> None:
    """Raise ReminderError where there are many offices, and none is chosen: no file is theirs."""
    from reminder.store.offices import has_offices

    if settings.store.url.startswith("sqlite") or not has_offices(settings.store.url):
        return
    with all_offices(settings) as store:
        _of_chosen(settings, store)


def plan_source(given: Path, config: Path | None = None) -> Source:
    """Return a file, or where there is none the text of the database that is named so.

    “cchc-2026” is its newest version, “cchc-2026@3” the third.
    """
    name, _, number = str(given).partition("@")
    with suppress(NoSettingsError):
        settings = load_settings(config)
        there = settings.plan.source == "database" and not _missing(settings)
        if given.exists() or not there or (number and not number.isdecimal()):
            return given
        with database(config) as store:
            found = store.version(name, int(number) if number else None)
        if found:
            return Text(str(given), found.text)
    return given


def load_plans(paths: Sequence[Source], load: Callable[[Source], Plan] = load_plan) -> list[Plan]:
    """Return all plans, or one FileError with the faults of all files."""
    plans: list[Plan] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            plan = load(path)
        except FileError as error:
            problems += error.problems
            continue
        if plan.id in {p.id for p in plans}:
            problems.append(Problem(str(path), None, f"kế hoạch “{plan.id}” có hai tệp"))
        plans.append(plan)
    if problems:
        raise FileError(problems)
    return plans


def scheduler_for(
    plans: Sequence[Plan],
    days: Sequence[date] = (),
    *,
    calendar: Path | None = None,
    policy: Policy | None = None,
) -> Scheduler:
    """Return the scheduler, with a calendar of all years of the plans and of `days`."""
    years = [day.year for plan in plans for day in (plan.first_day, plan.last_due)]
    years += [day.year for day in days]
    path = calendar or shipped("config/calendar.toml")
    return Scheduler(load_calendar(path, years), policy or Policy())


class NoSettingsError(ReminderError):
    """There is neither a settings file nor an environment variable with settings."""


# Variables of these sections are a set-up without a file, as containers have it. The image sets
# [watch] itself, so that one proves nothing.
_SECTIONS = ("store", "plan", *(wiring.traits.name for wiring in CHANNELS))
_SET_UP_BY = tuple(f"REMINDER_{section.upper()}__" for section in _SECTIONS)


def load_settings(config: Path | None) -> Settings:
    """Return the settings file with the environment over it; NoSettingsError without either."""
    environ = environment()
    if settings_path(config, environ) is None and not any(
        name.startswith(_SET_UP_BY) for name, value in environ.items() if value
    ):
        raise NoSettingsError(
            f"không thấy tệp cài đặt: đã tìm {DEFAULT_PATH.absolute()}. Đứng ở thư mục "
            "của máy nhắc việc (/srv/reminder) rồi gõ lại, hoặc thêm --config TỆP, hoặc đặt biến "
            "REMINDER_CONFIG"
        )
    found = read_settings(config, environ)
    if not chosen():
        return found
    # Of many offices each has its plans and people in the database.
    return replace(found, plan=replace(found.plan, source="database", files=(), people=None))


def settings_of(config: Path | None, *, secrets: bool = False) -> Settings:
    """Return the settings of the office that a command is about.

    `secrets`: a missing one is a ReminderError; else what names it stands in its place.
    """
    settings = load_settings(config)
    if not chosen() or _missing(settings):
        return settings
    with all_offices(settings) as store:
        of_one = _of_chosen(settings, store, secrets=secrets)
    return of_one[0] if of_one else settings


def sources(settings: Settings, store: Store | None) -> Sources:
    """Return where plans and people are: in the database if [plan] source says so, else in files.

    A database that holds none yet takes up those of the files (`documents`).
    """
    from reminder.files.documents import Sources, sources_of

    if settings.plan.source == "database" and store is not None:
        found = sources_of(store.documents())
        if found.plans:
            return found
    return Sources(plan_paths(settings.plan.files), settings.plan.people)


def current(settings: Settings) -> Sources:
    """`sources`, for what has no open store; no database is made."""
    if settings.plan.source == "files" or _missing(settings):
        return sources(settings, None)
    with all_offices(settings) as store:
        if of_one := _of_chosen(settings, store):
            from reminder.files.documents import PEOPLE, sources_of

            found = sources_of(of_one[1].documents())
            return found if found.people else found._replace(people=Text(PEOPLE, ""))
        return sources(settings, store)


def documents(settings: Settings, store: Store, at: datetime) -> Documents | None:
    """Return the texts in the database, which takes up the files' at first; None: files count."""
    from reminder.files.documents import Documents, Sources

    if settings.plan.source == "files":
        return None
    found = Documents(store, lambda texts: files_of(settings, texts, at))
    if taken := found.take_up(Sources(plan_paths(settings.plan.files), settings.plan.people), at):
        log.info(
            "[plan] source = database: it takes up %s from the files, which no longer count",
            ", ".join(taken),
        )
    return found


def read_files(settings: Settings, at: datetime, store: Store | None = None) -> Files:
    """Return the plans, people and calendar; raise FileError with the faults of all files.

    Without a `store` those in the database are not found.
    """
    return files_of(settings, sources(settings, store), at)


def files_of(
    settings: Settings,
    texts: Sources,
    at: datetime,
    *,
    load: Callable[[Source], Plan] = load_plan,
    schedule: Callable[..., Scheduler] = scheduler_for,
) -> Files:
    """Return the plans and people of these texts; FileError with the faults of all.

    `load` reads a plan, `schedule` makes the scheduler, where these are shared.
    """
    from reminder.files.people import load_people
    from reminder.services.office import Files

    plans = load_plans(texts.plans, load)
    people: tuple[Person, ...] = ()
    if texts.people is not None:
        units = {unit.id: unit for plan in plans for unit in plan.units}
        people = load_people(texts.people, units, known_channels(), channel_names(settings))
    scheduler = schedule(
        plans,
        [local_day(at)],
        calendar=settings.plan.calendar,
        policy=settings.schedule,
    )
    return Files(
        plans=tuple(plans),
        people=people,
        scheduler=scheduler,
        letterhead=settings.report,
    )


def backups(settings: Settings) -> Backups | None:
    """Return the daily copies; None where [backup] daily is off."""
    from reminder.ops.backups import Backups
    from reminder.store.database import file_of, name_of

    database, section = file_of(settings.store.url), settings.backup
    if not section.daily:
        return None
    stem, suffix = (database.stem, ".db") if database else (name_of(settings.store.url), ".dump")
    return Backups(
        stem=stem,
        suffix=suffix,
        database=database,
        folder=section.folder or (database.parent if database else Path("var")) / "backups",
        second_folder=section.second_folder,
        keep=section.keep,
        hour=section.hour,
    )


def watched(settings: Settings, config: Path | None) -> list[Path]:
    """Return the files that the daemon rereads when they change."""
    found, people = [*plan_paths(settings.plan.files)], settings.plan.people
    if settings.plan.source == "database":
        found, people = [], None
    optional = (people, settings.plan.calendar, settings_path(config, environment()))
    return [*found, *filter(None, optional)]


@dataclass(frozen=True)
class Opened:
    """The office for a command, which may run beside the daemon."""

    settings: Settings
    office: Office
    store: Store
    now: datetime


def _missing(settings: Settings) -> Path | None:
    """Return the file of the database, if there is none yet."""
    from reminder.store.database import file_of

    path = file_of(settings.store.url)
    return path if path is not None and not path.exists() else None


def _refuse_lost(settings: Settings) -> None:
    """ReminderError if there is no database, and copies of one: it was lost.

    A new one would know nobody's address and nothing that was done.
    """
    database = _missing(settings)
    if database is None or (kept := backups(settings)) is None:
        return
    for folder in filter(None, (kept.folder, kept.second_folder)):
        if found := kept.copies(folder):
            raise ReminderError(
                f"Không thấy cơ sở dữ liệu {database}, mà ở {folder} còn bản sao của nó. Lấy lại: "
                f"reminder restore {found[-1]}. Muốn bắt đầu lại từ đầu: chuyển các bản sao ấy đi "
                "chỗ khác."
            )


def need_database(config: Path | None) -> None:
    """ReminderError if there is no database yet: a command that only reads makes none.

    Typed in the wrong folder it would else find an empty ledger, and call that whole.
    """
    if path := _missing(load_settings(config)):
        raise ReminderError(
            f"chưa có dữ liệu ở {path}: đứng ở thư mục của máy nhắc việc (/srv/reminder) rồi gõ "
            "lại, hoặc ghi [store] url"
        )


@contextmanager
def all_offices(settings: Settings) -> Iterator[Store]:
    """Open the database with all its offices, beside a daemon; it is made if there is none."""
    from reminder.store.store import open_store

    with closing(open_store(settings.store.url, exclusive=False, sleep=pause)) as store:
        yield store


@contextmanager
def database(config: Path | None) -> Iterator[Store]:
    """Opens the database alone: nothing of it, and no file but the settings, need be readable."""
    settings = load_settings(config)
    with all_offices(settings) as store:
        of_one = _of_chosen(settings, store)
        yield of_one[1] if of_one else store


@contextmanager
def texts(config: Path | None) -> Iterator[Documents]:
    """Open the texts in the database; raise ReminderError where plans are files."""
    settings = load_settings(config)
    with all_offices(settings) as store:
        if _of_chosen(settings, store):
            from reminder.app.offices import documents_of
            from reminder.store.offices import Stores

            yield documents_of(Stores(store), settings, chosen(), time_of(store), files_of)
            return
        found = documents(settings, store, now())
        if found is None:
            raise ReminderError(
                'kế hoạch đang nằm trong tệp: sửa tệp, hoặc ghi source = "database" dưới [plan] '
                "trong config/reminder.toml"
            )
        yield found


def recorded_events(config: Path | None) -> list[Event]:
    """Return the ledger where there is a database, else nothing: no database is made."""
    try:
        if _missing(load_settings(config)):
            return []
    except NoSettingsError:
        return []
    with database(config) as store:
        return [recorded.event for recorded in store.events()]


@contextmanager
def office(config: Path | None, *, secrets: bool = False) -> Iterator[Opened]:
    """Opens the files and the database for one command, and closes them after it.

    `secrets`: it sends, so that those of the office's accounts must be there.
    """
    settings, store, files = _open_one(load_settings(config), secrets=secrets)
    with closing(store):
        recorded = store.events()
        office = replace(
            office_of(settings, files),
            events=tuple(r.event for r in recorded),
            last_number=recorded[-1].number if recorded else 0,
            addresses=tuple(store.addresses()),
        )
        yield Opened(settings=settings, office=office, store=store, now=time_of(store))


def need_served(store: Store) -> None:
    """Raise ReminderError for a retired office: what is recorded or sent there reaches nobody."""
    if store.office:
        from reminder.app.offices import served
        from reminder.store.offices import Stores

        served(store.office, Stores(store).marks([store.office]).get(store.office))


def _open_one(settings: Settings, *, secrets: bool) -> tuple[Settings, Store, Files]:
    """Open the office that a command is about: the one of many that is chosen, or the only one."""
    from reminder.store.store import open_store, refuse_moved

    if not _missing(settings):
        store = open_store(settings.store.url, exclusive=False, sleep=pause)
        try:
            at = time_of(store)
            if of_one := _of_chosen(settings, store, secrets=secrets):
                from reminder.files.documents import sources_of

                settings, mine = of_one
                return settings, mine, files_of(settings, sources_of(mine.documents()), at)
            refuse_moved(store.database)
            return settings, store, read_files(settings, at, store)
        except BaseException:
            store.close()
            raise
    return settings, *open_office(settings, now(), exclusive=False)


def _of_chosen(
    settings: Settings, store: Store, *, secrets: bool = False
) -> tuple[Settings, Store] | None:
    from reminder.app.offices import of_chosen

    return of_chosen(settings, store, chosen(), secrets=secrets)


def open_office(settings: Settings, at: datetime, *, exclusive: bool) -> tuple[Store, Files]:
    """Open the store and read the files; where these are files they are read first.

    A daemon's, `exclusive`, takes up the files' texts where the database is to have them.
    StoreRefusedError for a file that was moved into a database of many offices.
    """
    from reminder.store.store import open_store, refuse_moved

    files = None if settings.plan.source == "database" else read_files(settings, at)
    _refuse_lost(settings)
    store = open_store(settings.store.url, exclusive=exclusive, sleep=pause)
    try:
        if exclusive:
            documents(settings, store, at)
        else:
            refuse_moved(store.database)
        files = files or read_files(settings, at, store)
    except BaseException:
        store.close()
        raise
    return store, files


def office_of(settings: Settings, files: Files) -> Office:
    """Return the office with its files, without anything that was recorded.

    Its id is [office] id; where none is written the one that the newest plan gives it.
    """
    from reminder.services.office import Office

    newest = max(files.plans, key=lambda plan: plan.year, default=None)
    return Office(
        files=files,
        id=settings.office.id or (newest.office if newest else ""),
        channels=channel_names(settings),
        one_way=one_way(settings),
        quotas=quotas(settings),
        known=known_channels(),
    )


def service_of(settings: Settings, store: Store, files: Files, links: WebLinks | None) -> Service:
    """Return the use cases of the office."""
    from reminder.messages.rows import RowRenderer
    from reminder.services.service import Service

    return Service(
        store=store,
        renderer=RowRenderer(holiday_name, links).render,
        office=office_of(settings, files),
        patience=settings.delivery.patience,
        tell_after=settings.delivery.tell_after,
        reads_mail=settings.inbox.is_on,
    )
