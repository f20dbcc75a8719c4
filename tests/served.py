"""Serve a project with `mkdocs serve`, and read its pages as a browser would."""

from __future__ import annotations

import html
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import Project


class Served:
    """A site that `mkdocs serve` serves."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}/sub/"

    def get(self, page: str, timeout: float = 20) -> str:
        """Return a page's text; a request that waits for a build which never succeeds fails."""
        with urllib.request.urlopen(self.url + page, timeout=timeout) as reply:
            return html.unescape(reply.read().decode())

    def shows(self, page: str, wanted: str, but: str = "\0") -> str:
        """Return a page once it holds what is wanted."""
        deadline = time.monotonic() + 60
        content = ""
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.process.communicate()[0]
            try:
                content = self.get(page)
            except urllib.error.HTTPError as error:
                content = f"{error.code}"
            except urllib.error.URLError as error:
                if not isinstance(error.reason, ConnectionRefusedError):
                    raise
            if wanted in content and but not in content:
                return content
            time.sleep(0.1)
        pytest.fail(f"{page} does not come to hold {wanted!r} without {but!r}: {content}")


@contextmanager
def serving(project: Project, *more: str, within: Path | None = None) -> Iterator[Served]:
    """Serve a project, with the package in another folder if one is given."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = int(listening.getsockname()[1])
    if within:
        project.environment["PYTHONPATH"] = str(within)
    process = project.start("mkdocs", "serve", "-a", f"127.0.0.1:{port}", *more)
    served = Served(process, port)
    try:
        served.shows("", "A course")
        time.sleep(0.7)  # it watches from here on
        yield served
    finally:
        process.kill()
        process.communicate()
