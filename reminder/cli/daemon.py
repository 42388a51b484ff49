"""`reminder run`, `sandbox`, `reload`, `backup`, `restore`: the program and its data."""

from __future__ import annotations

import gc
import sys
from contextlib import closing
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reminder.app import bootstrap
from reminder.cli import asking
from reminder.cli.options import Config, day_option, option
from reminder.domain.calendar import local
from reminder.domain.errors import ReminderError
from reminder.files.toml import check_target

if TYPE_CHECKING:
    from reminder.files.settings import Settings


Role = StrEnum("Role", ["worker", "tick", "web"])


def run(
    role: Annotated[
        list[Role] | None,
        option(
            "VAI",
            "Nhiều phường trên PostgreSQL: chỉ làm việc này, ghi được nhiều lần. worker gửi tin, "
            "tick tính giờ nhắc, web là trang và chỗ nhận tin.",
        ),
    ] = None,
    config: Config = None,
) -> None:
    """Chạy máy nhắc việc: nhắc, nghe, ghi nhớ. Dừng bằng Ctrl-C hoặc SIGTERM, trong 10 giây.

    Không có --role thì một tiến trình làm cả.
    """
    url, many = bootstrap.load_settings(config).store.url, _has_offices(config)
    if role and not many and url.startswith("sqlite"):
        from reminder.app.offices import OF_ONE

        raise ReminderError(OF_ONE)
    gc.disable()  # loading modules makes no garbage; wiring enables it again
    # Where click and rich are installed httpx loads a command line of its own with them: 50 ms.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    # What only a daemon needs takes half a second to load.
    from reminder.app.logs import catch_strays, follow

    follow(bootstrap.load_settings(config))
    catch_strays()
    if role or many:
        from reminder.province import roles

        roles.run(config, [each.value for each in role or ()])
    else:
        from reminder.app import wiring

        wiring.run(config)


def _has_offices(config: Path | None) -> bool:
    from reminder.store.offices import has_offices

    return has_offices(bootstrap.load_settings(config).store.url)


def web(config: Config = None) -> None:
    """Chạy riêng trang theo dõi, bên cạnh `reminder run`: nhiều tiến trình, sau một máy trung gian.

    Cùng tệp cài đặt và cơ sở dữ liệu; mỗi tiến trình một địa chỉ, đặt bằng REMINDER_WEB__LISTEN.
    Điều quyết trên trang được `reminder run` gửi đi trong nửa phút.
    """
    # What only a server needs takes half a second to load.
    from reminder.app import wiring
    from reminder.app.logs import catch_strays, follow

    if _has_offices(config):
        raise ReminderError(
            "cơ sở dữ liệu này có nhiều phường, mà reminder web là trang của một phường chạy "
            "riêng: gõ reminder run --role web"
        )
    follow(bootstrap.load_settings(config))
    catch_strays()
    wiring.run_page(config)


def sandbox(
    plan: Annotated[
        Path | None, option("TỆP", "Kế hoạch này, thay cho kế hoạch năm 2024 đi kèm.")
    ] = None,
    people: Annotated[
        Path | None, option("TỆP", "Người trong tệp này, thay cho mỗi bộ phận một người.")
    ] = None,
    start: Annotated[date | None, day_option("Đồng hồ ảo bắt đầu từ ngày này.", "--from")] = None,
) -> None:
    """Thử cả chương trình, đồng hồ nhảy tới chỗ có tin. Không gửi gì đi.

    Không có cửa sổ lệnh thì diễn một câu chuyện ba tuần: tin nhắc tháng 01, /done 1c, 4b quá hạn,
    bản tổng hợp; có --plan thì diễn ba tuần đầu của kế hoạch ấy. Ở cửa sổ lệnh: tiếp, tuần sau, vai
    AI, giúp, thoát; còn lại gõ như công chức.
    """
    from reminder.app import sandbox as room
    from reminder.app.logs import set_up

    set_up("text", "error", [])
    if people is not None and plan is None:
        raise ReminderError("--people đi cùng --plan: bộ phận của những người ấy có trong kế hoạch")
    trial = room.Trial(plan=plan, people=people, start=start)
    if asking.at_terminal():
        room.converse(_typed, sys.stdout, trial=trial, today=bootstrap.today())
    else:
        room.play(sys.stdout, trial=trial, today=bootstrap.today())


def _typed(prompt: str) -> str | None:
    try:
        return asking.line(prompt)
    except typer.Abort:
        return None


def reload(config: Config = None) -> None:
    """Báo máy đang chạy nhận tệp vừa sửa ngay bây giờ; tệp có lỗi thì nói rõ và không nhận."""
    if _has_offices(config):
        raise ReminderError(
            "nhiều phường chung một cơ sở dữ liệu thì không cần reload: kế hoạch, cán bộ, tài "
            "khoản vừa đổi được nhận trong vòng một phút; đổi tệp cài đặt thì khởi động lại các "
            "tiến trình"
        )
    settings = bootstrap.load_settings(config)
    if settings.plan.source == "files":
        bootstrap.read_files(settings, bootstrap.now())
    with bootstrap.office(config) as office:
        asked = bootstrap.now().isoformat()
        office.store.set_meta("reload", asked)
        for _ in range(60):
            answer = office.store.meta("reloaded") or ""
            if answer.startswith(asked):
                changes, *later = answer.removeprefix(asked).split()
                if changes == "refused":
                    raise ReminderError("máy nhắc việc không nhận tệp mới: xem lý do trong nhật ký")
                print(f"Đã nhận tệp mới: {changes} thay đổi.")
                if later:
                    print(f"Còn chờ khởi động lại chương trình: {', '.join(later)}.")
                return
            bootstrap.pause(0.25)
    raise ReminderError(
        "tệp mới không có lỗi, nhưng 15 giây không thấy máy nhắc việc trả lời: `reminder run` có "
        "đang chạy không?"
    )


def backup(
    target: Annotated[
        Path, typer.Argument(metavar="TỆP", help="Bản sao ghi vào đâu; thư mục phải có sẵn.")
    ],
    config: Config = None,
) -> None:
    """Sao dữ liệu ra một tệp, máy đang chạy hay đã dừng; bản sao được kiểm tra rồi mới để đó.

    Máy tự sao mỗi ngày một bản: xem [backup] trong tệp cài đặt.
    """
    from reminder.store.database import file_of
    from reminder.store.offices import Stores
    from reminder.store.records import ENDED, StoreRefusedError
    from reminder.store.store import open_store

    settings = bootstrap.load_settings(config)
    if not target.parent.is_dir():
        raise ReminderError(
            f"không có thư mục {target.parent}: cắm ổ đĩa ấy hoặc tạo thư mục rồi sao lại"
        )
    check_target(target)
    url = settings.store.url
    database = file_of(url)
    if database is not None and not database.exists():
        raise ReminderError(f"chưa có dữ liệu ở {database}: không có gì để sao")
    try:
        store = open_store(url, exclusive=True, sleep=bootstrap.pause, wait=0)
    except StoreRefusedError:  # a daemon has it; anything else is told by the next line
        store = open_store(url, exclusive=False, sleep=bootstrap.pause)
    else:
        if not store.meta(ENDED):  # no daemon runs: all that was sent is on record
            store.set_meta(ENDED, bootstrap.now().isoformat())
    with closing(store):
        store.backup(str(target))
        stores = Stores(store)
        offices = f"{len(stores.offices(state=None))} phường, " if stores.is_many() else ""
        events = stores.count_events()
    size = f"{target.stat().st_size / 1e6:.1f}".replace(".", ",")
    print(f"Đã sao và kiểm tra: {target} ({offices}{events} ghi nhận, {size} MB).")
    if database is not None and target.stat().st_dev == database.stat().st_dev:
        print("Bản sao này nằm cùng ổ đĩa với dữ liệu: ổ ấy hỏng thì mất cả hai.")


def restore(
    source: Annotated[Path, typer.Argument(metavar="TỆP", help="Bản sao đã lấy bằng `backup`.")],
    config: Config = None,
) -> None:
    """Lấy lại dữ liệu từ một bản sao; phải dừng máy trước. Dữ liệu cũ được giữ bên cạnh."""
    from reminder.store.restore import restore as put_back

    settings = bootstrap.load_settings(config)
    done = put_back(source, settings.store.url, bootstrap.now(), sleep=bootstrap.pause)
    upto = "chưa chạy lần nào"
    if done.ticked is not None:
        at = local(done.ticked)
        upto = f"dữ liệu đến {at:%H:%M} ngày {at:%d/%m/%Y}"
    print(f"Đã khôi phục từ {source}: {upto}, {done.events} ghi nhận.")
    aside = done.aside or (done.schema and f"lược đồ {done.schema} của cùng cơ sở dữ liệu")
    if aside:
        lacks = (
            "; bản này không đọc được nên không biết còn thiếu gì" if done.missing is None
            else f"; {done.missing} ghi nhận ở đó không có trong bản vừa khôi phục" if done.missing
            else ""
        )  # fmt: skip
        print(f"Dữ liệu trước đó giữ ở {aside}{lacks}.")
    print(
        _what_follows(settings)
        if done.ran_on
        else "Khi chạy lại, máy làm tiếp đúng từ chỗ đã dừng."
    )


def _what_follows(settings: Settings) -> str:
    made_up = (
        "Khi chạy lại, máy nhắc bù từ lúc ấy; tin nào có thể đã gửi thì ghi "
        "“(có thể là tin gửi lại)”."
    )
    by_hand = "sau lúc ấy phải ghi lại: reminder done."
    if not settings.inbox.is_on:
        return f"{made_up} Trả lời của cán bộ {by_hand}"
    folder = settings.inbox.processed
    return (
        f"{made_up} Trả lời bằng thư sau lúc ấy được đọc lại từ thư mục “{folder}”; "
        f"trả lời qua Telegram {by_hand}"
    )
