"""Play tests in a real Chromium, by the script that students' pages play them with."""

from __future__ import annotations

import json
import os
import queue
import secrets
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from errorspan.browser import tasks
from errorspan.browser.engines import Kept
from errorspan.proof.proofs import Failed, Variant
from errorspan.text.errors import InputError

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
PATIENCE = 300
"""Seconds in which a browser has played one program, or is given up."""
MOST = 1 << 22

_PAGE = """<!doctype html><meta charset="utf-8"><title>Tests</title><body><script src="errorspan.runner.js"></script>
<script>
(async () => {
  const tell = (what) => fetch("said", { method: "POST", body: JSON.stringify(what) });
  for (const [name, task] of Object.entries(await (await fetch("tasks.json")).json()))
    await tell([name, await errorspanRunner.play(task)]);
})();
</script>
"""

AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
"""Then a Chromium does not start but without its own sandbox."""


def find() -> str:
    """Return the path of a Chromium: the one that CHROME names, or an installed one.

    Raises:
        InputError: there is none.
    """
    asked = os.environ.get("CHROME")
    known = [asked] if asked else [*map(shutil.which, NAMES), MAC]
    found = next((path for path in known if path and Path(path).is_file()), None)
    if found is None:
        where = f"{asked} is not there" if asked else "there is none"
        raise InputError([f"--browser: needs a Chromium, and {where}; install one, or name it in CHROME"])
    return found


def version(browser: str) -> str:
    """Return what a browser calls itself, with its version."""
    try:
        done = subprocess.run([browser, "--version"], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return "Chromium"
    return " ".join(done.stdout.split()[:3]) or "Chromium"


def play(
    browser: str, played: Mapping[str, Mapping[str, Any]], kept: Kept | None, tests: Sequence[str], place: str
) -> Iterator[tuple[str, Variant]]:
    """Yield what tests said of each task, by its name; faults name `place`.

    Raises:
        InputError: the browser says nothing, or the engine does not start in it.
    """
    files = {"": _PAGE.encode(), tasks.RUNNER: tasks.runner().encode(), "tasks.json": json.dumps(played).encode()}
    if kept:
        files |= {f"{tasks.FOLDER}/{kept.engine.folder}/{script.name}": script.read_bytes() for script in kept.scripts}
    said: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
    with _serving(files, said.put) as url, _open(browser, url):
        for _ in played:
            try:
                name, told = said.get(timeout=PATIENCE)
            except queue.Empty:
                raise InputError([f"{place}:1: --browser: {browser} has said nothing for {PATIENCE} seconds"]) from None
            yield name, _variant(told, tests, place)


def _variant(told: Mapping[str, Any], tests: Sequence[str], place: str) -> Variant:
    if told["stopped"] == "engine":
        raise InputError([f"{place}:1: --browser: its engine has not started there"])
    if broken := told.get("broken"):
        raise InputError([f"{place}:1: --browser: the tests do not load there: {broken['message']}"])
    failed, erred = (
        {test: Failed(message=str(one.get("message") or "no message")) for test, one in told[how].items()}
        for how in ("failed", "erred")
    )
    erred = {test: one for test, one in erred.items() if test not in failed}
    had = {*told["passed"], *told["skipped"], *failed, *erred}
    return Variant(
        passed=len(told["passed"]),
        failed=failed,
        erred=erred,
        skipped=told["skipped"],
        unplayed=[test for test in tests if test not in had],
        stopped=told["stopped"],
    )


@contextmanager
def _serving(files: Mapping[str, bytes], put: Callable[[Any], None]) -> Iterator[str]:
    """Serve files below a path that nobody can guess, to this machine alone, and hear what is posted there."""
    below = f"/{secrets.token_urlsafe()}/"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix(below)
            known = files.get(name) if self.path.startswith(below) else None
            self.send_response(404 if known is None else 200)
            kind = {".js": "text/javascript", ".json": "application/json"}.get(Path(name).suffix, "text/html")
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(known or b"")))
            self.end_headers()
            self.wfile.write(known or b"")

        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            if self.path == f"{below}said" and size <= MOST:
                put(json.loads(self.rfile.read(size)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{below}"
        finally:
            server.shutdown()


@contextmanager
def _open(browser: str, url: str) -> Iterator[None]:
    """Show a page to a browser that nobody sees, and that knows nothing of its user."""
    root = ["--no-sandbox"] if AS_ROOT else []
    quiet = ["--disable-background-networking", "--disable-component-update", "--no-first-run", "--mute-audio"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        command = [browser, "--headless", f"--user-data-dir={home}", "--remote-debugging-port=0", *root, *quiet]
        shown = subprocess.Popen(  # noqa: S603 - the browser that was found or named
            [*command, "--disable-dev-shm-usage", url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield
        finally:
            shown.terminate()
            try:
                shown.wait(10)
            except subprocess.TimeoutExpired:
                shown.kill()
                shown.wait()
