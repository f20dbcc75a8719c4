"""Serve a project with `mkdocs serve`, and read its pages as a browser would."""

from __future__ import annotations

import html
import socket
import subprocess
import threading
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
        self.said = ""
        self._hearing = threading.Thread(target=self._hear, daemon=True)  # a pipe that nobody empties stops who writes
        self._hearing.start()

    def _hear(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self.said += line

    def starts(self) -> bool:
        """Tell whether it holds its port, and has seen the files that it watches; False where it has ended."""
        deadline = time.monotonic() + 120
        while "Serving on" not in self.said and self.process.poll() is None:
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)
        return self.process.poll() is None

    def ends(self) -> str:
        """End it; return what it said."""
        self.process.kill()
        self.process.wait()
        self._hearing.join()
        return self.said

    def get(self, page: str, timeout: float = 60) -> str:
        """Return a page's text; a request that waits for a build which never succeeds fails."""
        with urllib.request.urlopen(self.url + page, timeout=timeout) as reply:
            return html.unescape(reply.read().decode())

    def shows(self, page: str, wanted: str, but: str = "\0") -> str:
        """Return a page once it holds what is wanted."""
        deadline = time.monotonic() + 60
        content = ""
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.ends()
            try:
                content = self.get(page)
            except urllib.error.HTTPError as error:
                content = f"{error.code}"
            if wanted in content and but not in content:
                return content
            time.sleep(0.1)
        pytest.fail(f"{page} does not come to hold {wanted!r} without {but!r}: {content}")


@contextmanager
def serving(project: Project, *more: str, within: Path | None = None) -> Iterator[Served]:
    """Serve a project, with the package in another folder if one is given."""
    if within:
        project.environment["PYTHONPATH"] = str(within)
    for _ in range(5):
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            port = int(listening.getsockname()[1])
        served = Served(project.start("mkdocs", "serve", "-a", f"127.0.0.1:{port}", *more), port)
        try:
            if served.starts():
                yield served
                return
        finally:
            said = served.ends()
        if "nothing can be served at" not in said:  # another took the port meanwhile
            break
    pytest.fail(f"it is not served: {said}")
