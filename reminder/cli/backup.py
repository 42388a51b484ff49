"""`reminder backup`, `reminder restore`: a verified copy, and back again."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reminder.app import bootstrap
from reminder.cli.options import Config
from reminder.domain.calendar import local
from reminder.domain.errors import ReminderError

if TYPE_CHECKING:
    from reminder.files.settings import Settings


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
    from reminder.store.records import ENDED, StoreRefusedError
    from reminder.store.store import open_store

    settings = bootstrap.load_settings(config)
    if not target.parent.is_dir():
        raise ReminderError(
            f"không có thư mục {target.parent}: cắm ổ đĩa ấy hoặc tạo thư mục rồi sao lại"
        )
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
        events = store.head()[0]
    size = f"{target.stat().st_size / 1e6:.1f}".replace(".", ",")
    print(f"Đã sao và kiểm tra: {target} ({events} ghi nhận, {size} MB).")
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
    if done.aside is not None:
        lacks = (
            "; bản này không đọc được nên không biết còn thiếu gì" if done.missing is None
            else f"; {done.missing} ghi nhận ở đó không có trong bản vừa khôi phục" if done.missing
            else ""
        )  # fmt: skip
        print(f"Dữ liệu trước đó giữ ở {done.aside}{lacks}.")
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
