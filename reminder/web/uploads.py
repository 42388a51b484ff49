"""Documents that are sent in: received in pieces, kept in a file, read one after another.

The reading runs in a process of its own (`importing.drafting`), which a thread waits for. What it
made is kept here until its page is opened, and the file until then too: after a restart the page
begins the reading again.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from reminder.domain.errors import ReminderError
from reminder.domain.plan import Plan
from reminder.importing.drafting import Drafted, draft_apart
from reminder.web.words import INCOMPLETE

LARGEST = 20 * 1024 * 1024  # bytes of a document that is sent in
AROUND = 64 * 1024  # bytes of the other fields, and of what parts them
THROWN_AWAY = 4 * LARGEST  # more is read, so that the browser shows why it was refused
STEADY = 256 * 1024  # bytes for which the connection lasts anew
FIELDS = 10


class UploadError(ReminderError):
    """A form with a file that is not taken; the text is one sentence that says why."""


class UploadTooLargeError(UploadError):
    """A file beyond the limit."""


@asynccontextmanager
async def received(request: Request) -> AsyncIterator[FormData]:
    """Give the form in the body; a large file in it lies on disk, until the block ends."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise UploadError(INCOMPLETE)
    try:
        form = await MultiPartParser(
            request.headers, _body(request), max_files=1, max_fields=FIELDS, max_part_size=AROUND
        ).parse()
    except (MultiPartException, ClientDisconnect):
        raise UploadError("Tệp gửi lên chưa trọn. Xin gửi lại.") from None
    try:
        yield form
    finally:
        await form.close()


async def _body(request: Request) -> AsyncGenerator[bytes, None]:
    """Yield the body as long as it comes steadily; UploadTooLargeError at its end if it is."""
    size, told = 0, 0
    async for piece in request.stream():
        size += len(piece)
        if size - told >= STEADY:
            told = size
            request.scope.get("prolong", lambda: None)()
        if size <= LARGEST + AROUND:
            yield piece
        elif size > THROWN_AWAY:
            break
    if size > LARGEST + AROUND:
        raise UploadTooLargeError(
            f"Tệp lớn hơn {LARGEST // 1024 // 1024} MB. Xin bỏ ảnh trong tệp, hoặc tách phần kế "
            "hoạch ra tệp riêng rồi gửi lại."
        )


@dataclass
class Job:
    """The reading of one document."""

    pages: tuple[int, int] = (0, 0)  # read, of how many
    begun: bool = False
    made: Drafted | None = None
    refused: str = ""
    ended: threading.Event = field(default_factory=threading.Event)


class Reader:
    """Reads the documents in a folder, one after another."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = threading.Lock()
        self._jobs: dict[str, Job] = {}

    def keep(self, import_id: str, file: BinaryIO) -> None:
        """Keep a document until it is read; UploadError if the disk does not take it."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            with os.fdopen(os.open(self._path(import_id), flags, 0o600), "wb") as kept:
                shutil.copyfileobj(file, kept)
        except OSError as error:
            raise UploadError(
                f"Máy không ghi được tệp: {error.strerror}. Xin báo quản trị."
            ) from None

    def _path(self, import_id: str) -> Path:
        return self._folder / f"nhap-{import_id}"

    def job(self, import_id: str, name: str, likes: Mapping[str, Plan], asked: Asked) -> Job:
        """Return the reading of a document; begun here where it is not, as after a restart."""
        found = self._jobs.get(import_id)
        if found is None:
            found = self._jobs[import_id] = Job()
            like = likes.get(asked.like)
            run = (found, self._path(import_id), name, like, asked.year)
            threading.Thread(target=self._run, args=run, daemon=True).start()
        return found

    def _run(self, job: Job, path: Path, name: str, like: Plan | None, year: int | None) -> None:
        def progress(done: int, pages: int) -> None:
            job.pages = (done, pages)

        try:
            with self._turn:
                job.begun = True
                job.made = draft_apart(path, name, like=like, year=year, progress=progress)
        except ReminderError as error:
            job.refused = str(error)
        except Exception as error:  # noqa: BLE001  its page must not wait for ever
            job.refused = f"không đọc được {name}: {type(error).__name__}"
        finally:
            job.ended.set()

    def forget(self, import_id: str) -> None:
        """Drop what was read, and the file."""
        self._jobs.pop(import_id, None)
        with suppress(OSError):
            self._path(import_id).unlink()


@dataclass(frozen=True)
class Asked:
    """How a document is to be read."""

    like: str = ""  # the id of the plan whose units and short titles are used
    year: int | None = None  # where the document does not say it
