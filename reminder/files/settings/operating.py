"""What an operator decides: copies of the database, how the program is watched, its log."""

from __future__ import annotations

from datetime import time
from typing import Annotated

from pydantic import Field, SecretStr, model_validator

from reminder.files.settings.base import Section, fault
from reminder.files.settings.values import Clock, File, Format, Level, Listen, Url, Whole


class BackupSection(Section):
    """[backup]: the daily copy of a SQLite database."""

    folder: File | None = Field(
        default=None, description='tên thư mục, ví dụ "backups"; không ghi: backups cạnh dữ liệu'
    )
    second_folder: File | None = Field(
        default=None, description='tên thư mục có sẵn trên ổ đĩa khác, ví dụ "/mnt/usb/nhac-viec"'
    )
    keep: Annotated[Whole, Field(ge=1, le=400)] = Field(
        default=14, description="số bản sao được giữ, từ 1 đến 400"
    )
    hour: Clock = Field(
        default=time(2, 30), description='giờ:phút trong dấu nháy kép, ví dụ "02:30"'
    )

    @model_validator(mode="after")
    def _two_places(self) -> BackupSection:
        if self.second_folder is not None and self.second_folder == self.folder:
            raise fault("second_folder", "`second_folder` phải khác `folder`: nên ở ổ đĩa khác")
        return self


class WatchSection(Section):
    """[watch]: how others see that the program lives; empty: not at all."""

    listen: Listen = Field(
        default="", description='địa chỉ:cổng trên máy này, ví dụ "127.0.0.1:9464"'
    )
    heartbeat_url: Url = Field(
        default=SecretStr(""),
        description='địa chỉ http(s) liền một mạch, ví dụ "https://hc.example/ping/..."',
    )

    @property
    def place(self) -> tuple[str, int] | None:
        """Host and port; None: not listened at."""
        host, _, port = self.listen.rpartition(":")
        return (host.strip("[]"), int(port)) if self.listen else None


class LogSection(Section):
    """[log]: what the program says of itself, on stderr."""

    format: Format = Field(default="text", description='"text" hoặc "json"')
    level: Level = Field(default="info", description='"debug", "info", "warning" hoặc "error"')
