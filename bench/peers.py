"""What a user would take instead, in a process of its own: python -m bench.peers WORD …

Bare python-telegram-bot, with nothing remembered and nothing durable; and APScheduler with one job
a reminder in its SQLAlchemy job store.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time

# The nudge that this project sends in the same trial: its text, its format, its buttons.
TEXT = """<b>Nhắc việc</b> · Thứ Sáu 26/01
• <b>1c</b> Kế hoạch cải cách hành chính năm 2024: còn 5 ngày, hạn Thứ Tư 31/01
Xong thì bấm nút, hoặc gõ <code>/done 1c</code>; cần thêm ngày: <code>gia hạn 1c 05/02</code>"""
BUTTONS = (("✅ Đã xong 1c", "d|1c"), ("⏰ Mai nhắc lại", "s|1c"), ("✍️ Vướng mắc", "n|1c"))
TOKEN = "4242:bench"


async def send(base_url: str, count: int, flight: int) -> float:
    """`count` messages by a bare loop, `flight` of them at once; when the last was accepted."""
    from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
    from telegram.request import HTTPXRequest

    from bench.quiet import quiet

    quiet()
    waiting = iter(range(1, count + 1))
    pool = HTTPXRequest(connection_pool_size=16)
    async with Bot(TOKEN, base_url=base_url, request=pool) as bot:

        async def loop() -> None:
            for chat in waiting:
                await bot.send_message(
                    chat,
                    TEXT,
                    parse_mode="HTML",
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                    reply_markup=InlineKeyboardMarkup(
                        [
                            [InlineKeyboardButton(label, callback_data=data)]
                            for label, data in BUTTONS
                        ]
                    ),
                )

        await asyncio.gather(*(loop() for _ in range(flight)))
        return time.time()


def answer(base_url: str) -> None:
    """A handler that answers at once, as the library's own examples have it."""
    from telegram import Update
    from telegram.ext import ApplicationBuilder, CommandHandler, ContextTypes

    from bench.quiet import quiet

    quiet()

    async def done(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        if update.message:
            await update.message.reply_text("Đã ghi: 1c xong.")

    app = ApplicationBuilder().token(TOKEN).base_url(base_url).build()
    app.add_handler(CommandHandler(["done", "undo"], done))
    app.run_polling(timeout=50)


def main() -> None:
    """Runs one peer; prints what it found as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["send", "answer"])
    parser.add_argument("base_url")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--flight", type=int, default=1)
    given = parser.parse_args()
    if given.what == "answer":
        return answer(given.base_url)
    print(json.dumps({"end": asyncio.run(send(given.base_url, given.count, given.flight))}))
    return None


if __name__ == "__main__":
    main()
