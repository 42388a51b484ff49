"""The app of bench.celery_peer, which its worker loads; `python -m` fills the queue.

$BENCH_CELERY tells of the broker, the mail server, the texts, and when a task is acknowledged.
"""

from __future__ import annotations

import json
import os

from celery import Celery

from bench.mail import send, texts_of

GIVEN = json.loads(os.environ["BENCH_CELERY"])
TEXTS = texts_of(GIVEN["texts"])  # before the worker forks

app = Celery("bench.celery_app", broker=f"redis+socket://{GIVEN['socket']}")
app.conf.update(
    task_ignore_result=True,
    task_acks_late=GIVEN["late"],
    broker_transport_options={
        "visibility_timeout": GIVEN["visible"],
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        "unacked_restore_limit": 1000,
    },
)


@app.task  # type: ignore[untyped-decorator]
def mail(number: int) -> None:
    """Send one mail."""
    send(GIVEN["port"], TEXTS[number])


if __name__ == "__main__":
    with app.producer_or_acquire() as producer:
        for one in range(len(TEXTS)):
            app.send_task("bench.celery_app.mail", (one,), producer=producer)
