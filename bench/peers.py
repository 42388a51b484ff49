"""What a user would take instead, in a process of its own: python -m bench.peers WORD …

Bare python-telegram-bot, with nothing remembered and nothing durable; and APScheduler with one job
a reminder in its SQLAlchemy job store.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import threading
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


def mail_loop(port: int, path: str) -> float:
    """A bare loop of smtplib, a connection a mail; seconds of the processor a mail."""
    from bench.mail import send, texts_of

    texts = texts_of(path)
    began = time.process_time()
    for text in texts:
        send(port, text)
    return (time.process_time() - began) / len(texts)


_SPENT: list[float] = []  # the process's time at the begin of each job


def _job(port: int, path: str, number: int) -> None:
    from bench.mail import send, texts_of

    _SPENT.append(time.process_time())
    send(port, texts_of(path)[number])


def mail_apscheduler(port: int, path: str, store: str) -> float:
    """One job a mail, all due at once; seconds of the processor a mail.

    `store`: the jobs' database; what is in it already is gone on with.
    """
    from datetime import UTC, datetime, timedelta
    from pathlib import Path

    from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
    from apscheduler.schedulers.background import BackgroundScheduler

    from bench.mail import texts_of

    new, ended = not Path(store).exists(), threading.Semaphore(0)
    scheduler = BackgroundScheduler(
        jobstores={"default": SQLAlchemyJobStore(url=f"sqlite:///{store}")},
        timezone="UTC",
        job_defaults={"misfire_grace_time": None},
    )
    due = datetime.now(UTC) - timedelta(seconds=1)
    scheduler.start(paused=True)
    for number in range(len(texts_of(path)) if new else 0):
        scheduler.add_job(_job, "date", run_date=due, args=(port, path, number))
    scheduler.add_listener(lambda _: ended.release(), EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    count = len(scheduler.get_jobs())
    scheduler.resume()
    for _ in range(count):
        ended.acquire()
    spent = time.process_time() - (_SPENT or [0.0])[0]
    scheduler.shutdown()
    return spent / max(1, count)


def main() -> None:
    """Runs one peer; prints what it found as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["send", "answer", "mail-loop", "mail-apscheduler"])
    parser.add_argument("base_url")  # a mail server's port
    parser.add_argument("--texts", help="of the mails")
    parser.add_argument("--store", help="the database of the jobs")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--flight", type=int, default=1)
    given = parser.parse_args()
    if given.what == "answer":
        return answer(given.base_url)
    if given.what == "mail-loop":
        print(json.dumps({"cpu": mail_loop(int(given.base_url), given.texts)}))
        return None
    if given.what == "mail-apscheduler":
        spent = mail_apscheduler(int(given.base_url), given.texts, given.store)
        print(json.dumps({"cpu": spent}))
        return None
    print(json.dumps({"end": asyncio.run(send(given.base_url, given.count, given.flight))}))
    return None


if __name__ == "__main__":
    main()
