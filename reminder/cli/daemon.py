"""`reminder run`, `reminder sandbox`, `reminder reload`."""

from __future__ import annotations

import gc
import sys

from reminder.app import bootstrap
from reminder.cli.options import Config
from reminder.domain.errors import ReminderError


def run(config: Config = None) -> None:
    """Chạy máy nhắc việc: nhắc, nghe, ghi nhớ. Dừng bằng Ctrl-C hoặc SIGTERM, trong 10 giây."""
    gc.disable()  # while modules load all of it would be looked at in vain; wiring has it on again
    # Where click and rich are installed httpx loads a command line of its own with them: 50 ms.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    # What only a daemon needs takes half a second to load.
    from reminder.app import wiring
    from reminder.app.logs import follow

    follow(bootstrap.load_settings(config))
    wiring.run(config)


def sandbox() -> None:
    """Thử cả chương trình trên một cơ quan giả, đồng hồ nhảy tới chỗ có tin. Không gửi gì đi.

    Không có cửa sổ lệnh thì diễn một câu chuyện ba tuần: tin nhắc tháng 01, /done 1c, 4b quá hạn,
    bản tổng hợp.
    """
    from reminder.app import sandbox as room
    from reminder.app.logs import set_up

    set_up("text", "error", [])
    if sys.stdin.isatty() and sys.stdout.isatty():
        room.converse(iter(sys.stdin), sys.stdout)
    else:
        room.play(sys.stdout)


def reload(config: Config = None) -> None:
    """Báo máy đang chạy nhận tệp vừa sửa ngay bây giờ; tệp có lỗi thì nói rõ và không nhận."""
    settings = bootstrap.load_settings(config)
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
