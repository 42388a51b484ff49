"""Each message as the code renders it from the plan of 2024, for docs/samples.

Write them anew with `python -m tests.messages.samples`; in that folder the digest's picture with
`chromium --headless --hide-scrollbars --window-size=720,1180 --screenshot=tong-hop-tuan.png
tong-hop-tuan.html`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reminder.domain.outbox import Outbound
from reminder.domain.payloads import Help, NotDone, NotYourUnit, Seen, StatusAsked, Stranger
from reminder.messages import compose
from tests.messages import digest_scenes, scenes
from tests.messages.office import ROOT, key

FOLDER = ROOT / "docs" / "samples"
PATTERNS = ("*.txt", "*.html", "*.ics")


def messages() -> dict[str, Outbound]:
    """Every sample, by the name of its file."""
    return {
        "nhac-ngay-thuong": scenes.morning("2024-01-26", "tu-phap"),
        "nhac-truoc-tet": scenes.morning(
            "2024-02-07", "tu-phap", "van-phong", events=scenes.february()
        ),
        "nhac-thay-nguoi-nghi": scenes.standing_in(),
        "nhac-hai-bo-phan": scenes.morning(
            "2024-02-07", "tu-phap", "van-phong", events=scenes.february()[:-1]
        ),
        "nhac-han-chu-nhat": scenes.morning("2024-03-29", "van-phong", events=scenes.spring()),
        "nhac-dung-han": scenes.morning("2024-01-31", "tu-phap", events=scenes.JANUARY),
        "nhac-qua-han": scenes.morning("2024-02-01", "tu-phap", events=scenes.JANUARY),
        "nhac-qua-han-nhieu-thang": scenes.months_late(),
        "nhac-sau-gia-han": scenes.granted_nudge(),
        "nhac-gui-lai": compose.repeated(scenes.morning("2024-01-26", "tu-phap")),
        "nhac-da-co-nguoi-xong": scenes.edited(),
        "cap-nhat-quy": scenes.morning("2024-03-07", "tu-phap", events=scenes.spring("tu-phap")),
        "cap-nhat-quy-tra-loi": scenes.updated(),
        "bao-van-phong": scenes.office_escalation(),
        "bao-lanh-dao": scenes.leaders_escalation(),
        "bao-lanh-dao-da-xong": scenes.closed_word(leaders=True),
        "bao-van-phong-da-xong": scenes.closed_word(leaders=False),
        "xac-nhan-xong": scenes.done_alone(),
        "xac-nhan-xong-mot-phan": scenes.done_shared(),
        "xac-nhan-1d-hay-1dd": scenes.done_or_1dd(),
        "da-xong-tu-truoc": scenes.already(),
        "hoi-phan-nao": scenes.which(),
        "hoi-phan-con-lai": scenes.which_left(),
        "hoi-viec-nao": scenes.which_task(),
        "chao-cong-chuc": scenes.welcome("tu-phap"),
        "chao-van-phong": scenes.welcome("van-phong"),
        "chao-lanh-dao": scenes.welcome("lanh-dao"),
        "nguoi-la": scenes.reply(Stranger()),
        "khac-bo-phan": scenes.reply(NotYourUnit(key=key("1c"))),
        "tra-loi-chua-xong": scenes.reply(NotDone(key=key("1c"))),
        "tra-loi-da-ro": scenes.reply(Seen(keys=(key("1c"),))),
        "tra-loi-xong-chua": scenes.reply(StatusAsked(key=key("1c"))),
        "tra-loi-trinh-ky": scenes.submitted(),
        "bat-dau-theo-doi": scenes.plan_start(),
        "bat-dau-dau-nam": scenes.early_start(),
        "xin-gia-han-da-quyet": scenes.extension_decided_message(),
        "dat-han-ngay-nao": scenes.which_day(),
        "xin-gia-han": scenes.extension(),
        "xin-gia-han-cho-quyet": scenes.extension_waiting(),
        "gia-han-dong-y": scenes.decided(granted=True),
        "gia-han-khong-dong-y": scenes.decided(granted=False),
        "loi-dia-chi": scenes.notice("address"),
        "loi-dia-chi-thu": scenes.notice("mailbox"),
        "loi-nhom": scenes.notice("group"),
        "loi-bo-phan-trong": scenes.notice("unit"),
        "loi-van-phong-trong": scenes.notice("office"),
        "loi-kenh": scenes.notice("channel"),
        "loi-tin-chet": scenes.notice("letter"),
        "tong-hop-tuan": digest_scenes.march(),
        "tong-hop-tuan-05-02": digest_scenes.february(),
        "tong-hop-tuan-yen": digest_scenes.quiet(),
        "tong-hop-truoc-ke-hoach": digest_scenes.too_early(),
        "dan-nhom-zalo": digest_scenes.pasted(),
        "tro-giup-cong-chuc": scenes.reply(Help(office=False, leader=False)),
        "tro-giup-van-phong": scenes.reply(Help(office=True, leader=False)),
        "tro-giup-lanh-dao": scenes.reply(Help(office=False, leader=True)),
    }


def shown(message: Outbound) -> str:
    """A message as a text file: what Telegram is sent, its buttons, and the plain form."""
    rows = "\n".join(" ".join(f"[{a.label}]" for a in row) for row in message.actions)
    parts = [f"Tiêu đề thư: {message.subject}", "--- Telegram", message.html]
    parts += [rows] if rows else []
    return "\n".join([*parts, "--- Không có nút bấm", message.text, ""])


def files() -> dict[Path, str]:
    """Each sample's file and its content."""
    written = {}
    for name, message in messages().items():
        written[FOLDER / f"{name}.txt"] = shown(message)
        if name.startswith(("nhac-", "cap-nhat-quy", "bao-", "tong-hop-tuan")):
            footed = compose.with_footer(message, "Thư tự động của máy nhắc việc.")
            written[FOLDER / f"{name}.html"] = replace(footed).mail_html
    ((_, _, calendar),) = scenes.morning("2024-01-26", "tu-phap").attachments
    written[FOLDER / "nhac-ngay-thuong.ics"] = calendar.decode()
    return written


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for pattern in PATTERNS:
        for old in FOLDER.glob(pattern):
            old.unlink()
    for path, text in files().items():
        path.write_bytes(text.encode())


if __name__ == "__main__":
    main()
