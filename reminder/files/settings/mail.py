"""[email] and [inbox]: the servers by which mail goes out and comes back."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field, SecretStr, model_validator

from reminder.core.tokens import LONGEST_BASE
from reminder.files.settings.base import Section, fault
from reminder.files.settings.values import (
    AuthservId,
    File,
    Host,
    Line,
    MailAddress,
    Port,
    Security,
    Trust,
    Whole,
)

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_INBOX_PORTS = {"starttls": 143, "tls": 993, "none": 143}
_NAMED = re.compile(r"\s*(.*?)\s*<([^<>]*)>\s*")


class EmailSection(Section):
    """[email]: without a host it is off."""

    host: Host = Field(default="", description='tên máy chủ thư, ví dụ "smtp.example.vn"')
    port: Port = Field(default=587, description="số cổng: 587 (starttls), 465 (tls) hoặc 25 (none)")
    security: Security = Field(default="starttls", description='"starttls", "tls" hoặc "none"')
    username: Line = Field(default="", description="tên đăng nhập máy chủ thư")
    password: SecretStr = Field(default=SecretStr(""), description="mật khẩu, trong dấu nháy kép")
    sender: MailAddress = Field(
        default="", description='địa chỉ thư gửi đi, ví dụ "nhacviec@example.vn"'
    )
    sender_name: Line = Field(default="Nhắc việc", description="tên người gửi, trên một dòng")
    ca_file: File | None = Field(
        default=None, description="tên tệp chứng thư (PEM) của máy chủ thư"
    )

    @property
    def is_on(self) -> bool:
        return bool(self.host)

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        """The usual port of the security; “Nhắc việc <a@b.vn>” taken apart."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        security = str(data.get("security", "starttls")).strip().lower()
        if security in _PORTS:
            data.setdefault("port", _PORTS[security])
        sender = data.get("sender")
        if isinstance(sender, str) and (found := _NAMED.fullmatch(sender)):
            data["sender"] = found[2].strip()
            data.setdefault("sender_name", found[1].strip('" ') or "Nhắc việc")
        return data

    @model_validator(mode="after")
    def _whole(self) -> EmailSection:
        if self.host and not self.sender:
            raise fault("sender", 'thiếu `sender`: thư gửi từ địa chỉ nào? Ví dụ "a@example.vn"')
        if self.sender and "host" not in self.model_fields_set:
            raise fault("host", 'thiếu `host`: tên máy chủ thư, ví dụ "smtp.example.vn"')
        password = bool(self.password.get_secret_value())
        if self.host and bool(self.username) != password:
            has, lacks = ("password", "username") if password else ("username", "password")
            raise fault(lacks, f"có `{has}` mà thiếu `{lacks}`")
        return self


class InboxSection(Section):
    """[inbox]: without a host nobody reads answers by mail."""

    host: Host = Field(default="", description='tên máy chủ thư đến, ví dụ "imap.example.vn"')
    port: Port = Field(default=993, description="số cổng: 993 (tls), 143 (starttls, none)")
    security: Security = Field(default="tls", description='"tls", "starttls" hoặc "none"')
    username: Line = Field(default="", description="tên đăng nhập hộp thư")
    password: SecretStr = Field(default=SecretStr(""), description="mật khẩu, trong dấu nháy kép")
    folder: Line = Field(
        default="INBOX", min_length=1, description='tên thư mục thư đến, ví dụ "INBOX"'
    )
    processed: Line = Field(
        default="Da-xu-ly",
        min_length=1,
        description='tên thư mục chứa thư đã xử lý, ví dụ "Da-xu-ly"',
    )
    address: MailAddress = Field(
        default="", description='địa chỉ của hộp thư ấy, ví dụ "nhacviec@example.vn"'
    )
    trust: Trust = Field(default="auth-results", description='"auth-results" hoặc "token"')
    authserv_id: AuthservId = Field(
        default="",
        description="tên mà máy chủ thư ghi ở đầu dòng Authentication-Results, "
        'ví dụ "mx.example.vn"',
    )
    poll_seconds: Annotated[Whole, Field(ge=1, le=1500)] = Field(
        default=60, description="số giây giữa hai lần xem hộp thư, từ 1 đến 1500"
    )
    ca_file: File | None = Field(
        default=None, description="tên tệp chứng thư (PEM) của máy chủ thư đến"
    )

    @property
    def is_on(self) -> bool:
        return bool(self.host)

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        """The usual port of the security."""
        if not isinstance(data, dict):
            return data
        security = str(data.get("security", "tls")).strip().lower()
        return {"port": _INBOX_PORTS[security], **data} if security in _INBOX_PORTS else data

    @model_validator(mode="after")
    def _whole(self) -> InboxSection:
        if not self.host:
            if self.address and "host" not in self.model_fields_set:
                raise fault("host", 'thiếu `host`: tên máy chủ thư đến, ví dụ "imap.example.vn"')
            return self
        if not self.username:
            raise fault("username", "thiếu `username`: đăng nhập hộp thư bằng tên nào?")
        if not self.password.get_secret_value():
            raise fault("password", "thiếu `password`: mật khẩu của hộp thư")
        if not self.address:
            words = "thiếu `address`: thư trả lời về địa chỉ nào? Ví dụ"
            raise fault("address", f'{words} "nhacviec@example.vn"')
        if len(self.address.partition("@")[0]) > LONGEST_BASE:
            raise fault(
                "address",
                f"phần trước @ của `address` dài quá {LONGEST_BASE} ký tự: "
                "máy còn phải thêm mã nhận thư trả lời vào sau đó",
            )
        if self.trust == "auth-results" and not self.authserv_id:
            raise fault(
                "authserv_id",
                'thiếu `authserv_id`: trust = "auth-results" cần biết máy chủ thư tự xưng là gì '
                "trong dòng Authentication-Results; máy chủ không ghi dòng ấy thì đặt "
                'trust = "token"',
            )
        if self.folder == self.processed:
            raise fault("processed", "`processed` phải khác `folder`")
        return self
