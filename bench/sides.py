"""The server and a client, each in a process of its own: neither waits for the other's lock."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def server(*options: str) -> Iterator[str]:
    """The base_url of a fresh server."""
    with started("bench.server", *options) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        yield f"http://127.0.0.1:{port}/bot"


@contextmanager
def client(module: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A client that runs until it is through, or until we are."""
    with started(module, *words) as process:
        yield process


def result(module: str, *words: str) -> dict[str, Any]:
    """What a client that ends by itself has found."""
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def stats(base_url: str) -> dict[str, Any]:
    """What the server has seen."""
    with urllib.request.urlopen(f"{base_url}x/stats") as answer:
        found: dict[str, Any] = json.load(answer)
    return found


@contextmanager
def folder() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        yield name


@contextmanager
def started(module: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A process of `module`, killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
