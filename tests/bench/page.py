"""Measure what a student waits for who runs a correction in the page: the first time, and again.

    python tests/bench/page.py [--slower 4] [--site DIR]

Prints one Markdown table: seconds from the press of the button to the verdict, for this course's exercises, one in each
language that a browser runs. The site is built if none is named, with the engines that are at hand.

DevTools' own throttling slows the page and no worker (measured: 1.2 s of work took 6.5 s in the page and 2.0 s in a
worker at a rate of 4), and the tests run in a worker. So all of the browser's processes together are stopped three
quarters of the time, in turns of 40 ms; the server is not. What else runs on the machine counts, so let it be quiet.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from conftest import MKDOCS, ROOT
from errorspan.browser import trying

TURN = 0.04
SPARE = 6
"""Seconds in which the next worker gets ready on a machine that is not slowed: while a student reads what came out."""
EXERCISES = {"free-slots": "Python", "cart-totals": "JavaScript", "leaderboard": "TypeScript"}
MEND = """\
id => {
  const element = document.querySelector("errorspan-exercise");
  const { running } = element;
  const note = element.querySelector(`.es-note[data-error="${id}"]`);
  const field = note.querySelector("textarea");
  field.value = field.value + " ";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  const said = note.querySelector(".es-bench .es-ran");
  return new Promise((done) => {
    const start = performance.now();
    const watch = setInterval(() => {
      if (element.playing || !said.textContent) return;
      clearInterval(watch);
      done([(performance.now() - start) / 1000, said.textContent]);
    }, 5);
    note.querySelector('[data-action="run"]').click();
  });
}
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve files without a word."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@click.command()
@click.option("--slower", type=float, default=4, show_default=True, help="By how much the browser is slowed.")
@click.option("--only", type=click.Choice([*EXERCISES]), multiple=True, help="These exercises; may be given again.")
@click.option("--site", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A site that is built.")
def main(slower: float, only: tuple[str, ...], site: Path | None) -> None:
    """Measure what a student waits for."""
    with TemporaryDirectory() as folder:
        if site is None:
            site = Path(folder) / "site"
            subprocess.run([*MKDOCS, "build", "--quiet", "--site-dir", str(site)], cwd=ROOT, check=True)
        click.echo(f"| {slower:g} times slower | first run | second run | … and what was said |\n|---|--:|--:|---|")
        with _serving(site) as url:
            for topic in only or EXERCISES:
                with sync_playwright() as playwright, _slowed(slower) as port:
                    browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", timeout=120_000)
                    first, second, said = _measured(browser, f"{url}/exercises/{topic}/", SPARE * slower)
                    click.echo(f"| {EXERCISES[topic]}: {topic} | {first:.1f} s | {second:.2f} s | {said} |")


def _measured(browser: Browser, url: str, spare: float) -> tuple[float, float, str]:
    page = browser.contexts[0].new_page()
    page.set_default_timeout(300_000)
    page.goto(url)
    key = page.request.get(f"{url}key.js").text()
    error = json.loads(f"[{key[key.index('(') + 1 : -3]}]")[1]["errors"][0]
    page.locator(".es-gutter-number").nth(error["segments"][0][0] - 1).click()
    page.locator("[data-action=check]").click()
    page.locator(".es-score").wait_for()
    seen: list[Any] = []
    for _ in range(2):
        seen.append(page.evaluate(MEND, error["id"]))
        time.sleep(spare)
    return seen[0][0], seen[1][0], seen[1][1]


@contextmanager
def _slowed(slower: float) -> Iterator[int]:
    """Yield the port at which a browser is told what to do; its processes run a part of the time."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    root = ["--no-sandbox"] if trying.AS_ROOT else []
    with TemporaryDirectory(ignore_cleanup_errors=True) as home:
        command = [trying.find(), "--headless", f"--user-data-dir={home}", f"--remote-debugging-port={port}", *root]
        shown = subprocess.Popen(
            [*command, "--disable-dev-shm-usage", "--no-first-run", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(3)
        over = threading.Event()
        turns = threading.Thread(target=_in_turns, args=(shown.pid, slower, over))
        turns.start()
        try:
            yield port
        finally:
            over.set()
            turns.join()
            os.killpg(shown.pid, signal.SIGTERM)
            shown.wait(20)


def _in_turns(group: int, slower: float, over: threading.Event) -> None:
    while slower > 1 and not over.is_set():
        os.killpg(group, signal.SIGSTOP)
        time.sleep(TURN * (1 - 1 / slower))
        os.killpg(group, signal.SIGCONT)
        time.sleep(TURN / slower)


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


if __name__ == "__main__":
    main()
