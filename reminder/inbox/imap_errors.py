"""What goes wrong on a line to a mailbox, in words for whoever runs the program."""

from __future__ import annotations

import imaplib
import socket
import ssl

from imap_tools.errors import ImapToolsError

# What goes wrong on a line; the last four are imaplib's own, at an answer that it can't parse.
TROUBLES = (
    *(OSError, EOFError, imaplib.IMAP4.error, ImapToolsError),
    *(ValueError, LookupError, TypeError, AttributeError),
)


def reason(error: Exception, otherwise: str, where: str) -> str:
    """Why the mailbox at `where` can't be read; `otherwise`: what it is if it can't be told."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message or "không kiểm tra được"
        return f"chứng thư của máy chủ thư đến {where} không hợp lệ: {why}"
    if isinstance(error, socket.gaierror):
        return f"không tìm thấy máy chủ thư đến {where}: xem lại tên máy và mạng"
    if isinstance(error, ConnectionRefusedError):
        return f"máy chủ thư đến {where} không mở cổng ấy"
    if isinstance(error, ssl.SSLError):
        return (
            f"không lập được kết nối mã hóa với máy chủ thư đến {where}: xem lại security và port"
        )
    if isinstance(error, imaplib.IMAP4.error) and "TLS" in str(error):
        return f"máy chủ thư đến {where} không có STARTTLS: xem lại security và port"
    if isinstance(error, imaplib.IMAP4.abort | ConnectionError | EOFError):
        return f"máy chủ thư đến {where} đã đóng kết nối"
    if isinstance(error, TimeoutError):
        return f"máy chủ thư đến {where} không trả lời"
    return otherwise
