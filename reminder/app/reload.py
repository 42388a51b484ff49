"""Rereads changed files while the program runs; refuses faulty ones and tells the office.

A people file that lost many people at once is refused too, since an editor that crashed may have
left half of it. `reminder reload` accepts it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reminder.app import bootstrap
from reminder.domain.errors import FileError, Problem, ReminderError
from reminder.domain.payloads import FilesRefused
from reminder.domain.people import Person
from reminder.files.settings import Settings
from reminder.ops.supervisor import Clock
from reminder.services.office import to_offices
from reminder.services.service import Service
from reminder.store.records import StoreBusyError

log = logging.getLogger(__name__)

FEW = 2  # people that may go at once from the smallest office
NAMED = 5  # of those who are gone


@dataclass
class Reloader:
    """Rereads the files when their content has changed, and refuses faulty ones."""

    service: Service
    settings: Settings
    config: Path | None
    clock: Clock
    apply: Callable[[Settings, Settings], list[str]]  # old, new → sections that need a new start
    seen: str = ""
    asked: str = ""
    refused: str = ""
    notify: Callable[[str], None] = lambda _: None  # takes systemd's words for a reload

    def __post_init__(self) -> None:
        self.seen = self._content(self.settings)
        self.asked = self.service.store.meta("reload") or ""

    def check(self) -> bool:
        """Look for changes; True if files were reread, or refused."""
        asked = self.service.store.meta("reload") or ""
        content = self._content(self.settings)
        if content in (self.seen, self.refused) and asked == self.asked:
            return False
        before, self.asked = self.asked, asked
        self.notify("RELOADING=1")
        try:
            return self._reload(meant=asked != before)
        except StoreBusyError:
            self.asked = before  # tried again at the next look
            raise
        except ReminderError as error:
            self._refuse(error, content)
            return True
        finally:
            self.notify("READY=1")

    def _reload(self, *, meant: bool) -> bool:
        now = self.clock.now()
        # Before all reading: what is saved while this reads is another change, for the next look.
        content = self._content(bootstrap.load_settings(self.config))
        settings = bootstrap.load_settings(self.config)
        files = bootstrap.read_files(settings, now)
        if not meant:
            _refuse_mass_removal(
                settings.plan.people, self.service.office.files.people, files.people
            )
        lines = self.service.reload(files, now)
        self.service.patience = settings.delivery.patience
        later = self.apply(self.settings, settings)
        if later:
            log.warning("%s: changed, but applied at the next start only", ", ".join(later))
        self.settings, self.refused = settings, ""
        self.seen = content
        answer = " ".join((self.asked, str(len(lines)), *later))
        self.service.store.set_meta("reloaded", answer)
        return True

    def _refuse(self, error: ReminderError, content: str) -> None:
        problems = str(error).splitlines()
        for line in problems:
            log.error("refused, the old files go on: %s", line)
        now, office = self.clock.now(), self.service.office
        digest = hashlib.sha256(content.encode()).hexdigest()[:12]
        drafts = to_offices(office, FilesRefused(problems=tuple(problems)), now, subject=digest)
        meta = {"reloaded": f"{self.asked} refused"}
        self.service.store.record([], unit_names={}, drafts=drafts, meta=meta, at=now)
        self.refused = content  # only now: if the database is busy the office must still be told

    def _content(self, settings: Settings) -> str:
        """A hash of all watched files; a missing file counts as empty."""
        found = hashlib.sha256()
        for path in bootstrap.watched(settings, self.config):
            try:
                found.update(path.read_bytes() + b"\0")
            except OSError:
                found.update(b"\1")
        return found.hexdigest()


def _refuse_mass_removal(
    path: Path | None, before: Sequence[Person], after: Sequence[Person]
) -> None:
    """FileError if more than a third of the people, and more than a few, are gone."""
    there = {person.id for person in after}
    gone = [person.id for person in before if person.id not in there]
    if len(gone) <= max(FEW, len(before) // 3):
        return
    who = ", ".join(gone[:NAMED]) + (" …" if len(gone) > NAMED else "")
    words = (
        f"thiếu {len(gone)} trong {len(before)} người ({who}), như tệp mới lưu được một nửa: xin"
        " lưu lại cho đủ; nếu đúng là bỏ họ, gõ: reminder reload"
    )
    raise FileError([Problem(str(path or "people.toml"), None, words)])
