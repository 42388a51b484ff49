"""`reminder run`, `reminder sandbox`, `reminder reload`."""

from __future__ import annotations

import gc
import sys

from reminder.app import bootstrap
from reminder.cli.options import Config
from reminder.domain.errors import ReminderError


def run(config: Config = None) -> None:
    """Run the daemon: nudge, listen, remember. Ends on SIGTERM or Ctrl-C, within 10 seconds."""
    gc.disable()  # while modules load all of it would be looked at in vain; wiring has it on again
    # Where click and rich are installed httpx loads a command line of its own with them: 50 ms.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    # What only a daemon needs takes half a second to load.
    from reminder.app import wiring
    from reminder.app.logs import follow

    follow(bootstrap.load_settings(config))
    wiring.run(config)


def sandbox() -> None:
    """Try the whole program on a made-up office, with a clock that jumps. Nothing is sent.

    Without a terminal it plays a story: the nudges of January, /done 1c, a late 4b, the digest.
    """
    from reminder.app import sandbox as room
    from reminder.app.logs import set_up

    set_up("text", "error", [])
    if sys.stdin.isatty() and sys.stdout.isatty():
        room.converse(iter(sys.stdin), sys.stdout)
    else:
        room.play(sys.stdout)


def reload(config: Config = None) -> None:
    """Have the running daemon take up changed files now; a faulty one is told here, and refused."""
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
