"""What stops the program from below (database, lock, token), in the words of a terminal.

The errors are English, as the log is; whoever types a command reads them in Vietnamese.
"""

from __future__ import annotations

import re

_DATABASE = r"the database (?P<name>.+?)"
_DAEMON = r"daemon(?: \(process (?P<holder>\d+)\))?"
_SENTENCES = (
    (
        rf"{_DATABASE} is locked by another program(: no copy was made)?",
        "chương trình khác đang giữ dữ liệu {name}: đóng chương trình ấy rồi thử lại",
    ),
    (
        rf"{_DATABASE} (is read-only: give this|may not be written by this) user.*",
        "người dùng này không ghi được vào {name}: đổi chủ của tệp và thư mục ấy",
    ),
    (
        rf"{_DATABASE} can't be reached: .+ disk reports an error",
        "ổ đĩa của dữ liệu {name} báo lỗi: xem còn chỗ trống không, rồi xem ổ đĩa có hỏng không",
    ),
    (
        rf"{_DATABASE} can't grow: .+ disk is full",
        "ổ đĩa của dữ liệu {name} đã đầy: xóa bớt tệp rồi thử lại",
    ),
    (
        rf"{_DATABASE} can't be opened: .*",
        "không mở được dữ liệu {name}: xem quyền của thư mục, chỗ trống của ổ đĩa",
    ),
    (
        rf"{_DATABASE} can't be used: .+ no memory left",
        "hết bộ nhớ khi dùng dữ liệu {name}: đóng bớt chương trình rồi thử lại",
    ),
    (
        rf"{_DATABASE} is damaged: .*",
        ("dữ liệu {name} bị hỏng: dừng máy nhắc việc rồi gõ reminder restore và bản sao mới nhất"),
    ),
    (
        rf"{_DATABASE} is no SQLite file: .*",
        "{name} không phải tệp dữ liệu: chuyển tệp ấy đi, hoặc ghi tệp khác ở [store] url",
    ),
    (
        rf"{_DATABASE} was deleted or replaced while .*",
        (
            "dữ liệu {name} bị xóa hoặc bị thay khi máy nhắc việc đang chạy nên máy dừng: để "
            "tệp lại chỗ cũ, hoặc gõ reminder restore và bản sao mới nhất"
        ),
    ),
    (
        rf"{_DATABASE} holds tables of another program: .*",
        "{name} là dữ liệu của chương trình khác: ghi cơ sở dữ liệu khác ở [store] url",
    ),
    (
        rf"{_DATABASE} was written by a newer program .*",
        "dữ liệu {name} do bản mới hơn ghi: cài lại bản ấy, hoặc khôi phục bản sao cũ hơn",
    ),
    (
        rf"{_DATABASE} has another schema than .*",
        "dữ liệu {name} đã theo bản chương trình mới hơn: cài bản mới nhất",
    ),
    (
        r"(the database )?(?P<name>.+) can't be kept in SQLite's WAL mode .*",
        (
            "không dùng được dữ liệu {name} ở đó: đặt trên ổ đĩa của chính máy này, đừng ở "
            "thư mục mạng"
        ),
    ),
    (
        rf"another reminder {_DAEMON} runs on (?P<name>.+?): stop .*",
        (
            "máy nhắc việc khác{holder} đang chạy trên {name}: dừng máy ấy trước, hoặc ghi cơ "
            "sở dữ liệu khác ở [store] url"
        ),
    ),
    (
        rf"(?P<name>.+) must be migrated and a {_DAEMON} has it: .*",
        "cần nâng cấp {name} mà máy nhắc việc{holder} đang chạy: dừng máy ấy trước",
    ),
    (
        r"another reminder daemon has taken over (?P<name>.+) while .*",
        "máy nhắc việc khác đã nhận dữ liệu {name}: máy này dừng",
    ),
    (
        rf"{_DATABASE} has too many connections: .*",
        "máy chủ của {name} hết kết nối: tăng max_connections, hoặc chạy ít tiến trình hơn",
    ),
    (
        rf"{_DATABASE} is read-only: its server is a standby.*",
        "máy chủ của {name} chỉ cho đọc: trỏ [store] url tới máy chủ chính",
    ),
    (
        rf"{_DATABASE} does not let this role .*",
        "người dùng ở [store] url thiếu quyền: cho làm chủ cơ sở dữ liệu {name}",
    ),
    (
        rf"{_DATABASE} can't be reached \((?P<said>.*)\): .*",
        "không nối được với {name} ({said}): xem máy chủ có chạy không, địa chỉ có đúng không",
    ),
    (
        rf"{_DATABASE} can't be used now: all connections of this program are in use",
        "chương trình này đã dùng hết kết nối tới {name}: thử lại sau",
    ),
    (
        rf"{_DATABASE} can't be used now: its server is being stopped or started",
        "máy chủ của {name} đang dừng hoặc đang khởi động: thử lại sau",
    ),
    (
        rf"{_DATABASE} can't be used now: (?P<said>.*)",
        "chưa dùng được {name} lúc này ({said}): xem lại [store] url và máy chủ",
    ),
    (
        r"\[telegram\] token: Telegram does not accept it; .*",
        (
            "[telegram] token: Telegram không nhận mã bot: lấy lại mã ở @BotFather, ghi vào "
            "config/reminder.toml hoặc REMINDER_TELEGRAM__TOKEN"
        ),
    ),
    (
        r"(?P<name>.+) can't be written: a file stands where its folder should be",
        "không ghi được {name}: chỗ của thư mục có một tệp cùng tên",
    ),
    (
        r"(?P<name>.+) can't be written: it is no file",
        "không ghi được {name}: ở đó không phải một tệp",
    ),
    (
        r"(?P<name>.+) can't be written: (?P<said>.+)",
        "không ghi được {name}: {said}",
    ),
)
_SAID = {
    "No space left on device": "ổ đĩa đã đầy, xóa bớt tệp",
    "Permission denied": "người dùng này không có quyền ghi ở đó",
    "No such file or directory": "không có tệp hay thư mục ấy",
    "Read-only file system": "ổ đĩa chỉ cho đọc",
}


def in_vietnamese(sentence: str) -> str:
    """Return an error's sentence in Vietnamese; one that is not known as it is."""
    for pattern, words in _SENTENCES:
        if found := re.fullmatch(pattern, sentence, re.DOTALL):
            parts = {key: part or "" for key, part in found.groupdict().items()}
            if parts.get("holder"):
                parts["holder"] = f" (tiến trình {parts['holder']})"
            if "said" in parts:
                parts["said"] = _SAID.get(parts["said"], parts["said"])
            return words.format(**parts)
    return sentence
