"""Keep `mkdocs serve` answering while people write: with pages of what was saved last, or with what is wrong."""

from __future__ import annotations

import errno
import logging
import os
import socket
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import MkDocsException, PluginError
from mkdocs.plugins import get_plugin_logger

from errorspan.site.filling import templates

if TYPE_CHECKING:  # only serving needs it
    from mkdocs.livereload import LiveReloadServer

PACKAGE = Path(__file__).parent.parent
MAX_PORT = 65535

log = get_plugin_logger("errorspan")


class Watch:
    """Have a change of a file build the site anew, also of files that are named while it is served."""

    def __init__(self) -> None:
        self._server: LiveReloadServer | None = None
        self._watched: set[str] = set()

    def start(self, server: LiveReloadServer) -> None:
        """Go on from here; MkDocs watches by itself what was named until now."""
        self._server = server

    def of(self, config: MkDocsConfig, paths: Sequence[Path]) -> None:
        """Watch these, and what overrides the theme."""
        overrides = [Path(config.theme.custom_dir)] if config.theme.custom_dir else []
        named = {str(path) for path in (*paths, *overrides) if path.exists()}
        config.watch.extend(sorted(named.difference(config.watch)))
        if self._server:
            for path in self._watched - named:  # a folder that was away is not watched any more
                self._server.unwatch(path)
            for path in named - self._watched:
                self._server.watch(path)
        self._watched = named


def digests(files: Sequence[Path] = ()) -> dict[Path, str]:
    """Return the digests of the generator's own code, and of these files."""
    found = {}
    for path in (*sorted(PACKAGE.rglob("*.py")), *files):
        try:
            found[path] = sha256(path.read_bytes()).hexdigest()
        except OSError:  # it is being replaced
            found[path] = ""
    return found


def outdated(loaded: dict[Path, str], root: Path) -> list[str]:
    """Tell of code that was changed after it was loaded: Python goes on with what it has."""
    now = digests([path for path in loaded if not path.is_relative_to(PACKAGE)])
    changed = sorted(path for path in loaded.keys() | now.keys() if loaded.get(path) != now.get(path))
    restart = "was changed after `mkdocs serve` had loaded it; stop that (Ctrl-C) and start it again"
    return [f"{_named(path, root)}:1: {restart}" for path in changed]


def serves() -> bool:
    """Tell whether MkDocs was called to serve: what it tells plugins is another thing with `--clean`."""
    context = click.get_current_context(silent=True)
    return context is not None and context.info_name == "serve"


def hold_free(host: str, port: int) -> None:
    """Hold that an address can be served at; MkDocs itself would end in a traceback, after a whole build.

    Raises:
        PluginError: it is taken, or is none of this machine's.
    """
    within, address = (socket.AF_INET6, f"[{host}]") if ":" in host else (socket.AF_INET, host)
    with socket.socket(within) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            tried.bind((host, port))
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            taken = getattr(error, "errno", 0) == errno.EADDRINUSE and port < MAX_PORT
            other = f"-a {address}:{port + 1}` tries the next" if taken else "-a ADDRESS:PORT` tries another"
            told = f"errorspan: nothing can be served at {address}:{port} ({why}); `mkdocs serve {other}"
            raise PluginError(told) from None


def answering(build: Callable[[], None], site: Path) -> Callable[[], None]:
    """Return a build that writes into every page of the site why it failed, where it fails.

    MkDocs would let each request wait for a build that succeeds.
    """
    page = templates().get_template("failed.html.j2")  # now: whoever edits templates may break this one too

    def answered() -> None:
        pages = {site / "index.html", *site.rglob("*.html")}
        trace = ""
        with _overheard() as said:
            try:
                build()
            except MkDocsException as error:
                why = [told for level, told in said if level >= logging.ERROR] or [told for _, told in said]
                why.append(str(error))
            except Exception as error:  # noqa: BLE001 - whatever it is: no request may wait for it
                why, trace = [_placed(error)], traceback.format_exc()
            else:
                return
        log.error("%s\nThe build failed; every page says so until this is mended.", trace or why[-1])
        html = page.render(why=why, trace=trace)
        for path in pages.union(site.rglob("*.html")):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(html, "utf-8")
            os.utime(path, (0, 0))  # a dirty build makes pages anew that are older than their source

    return answered


def _placed(error: Exception) -> str:
    """Return an error with the place in the site's own files that it came from, such as an override's line."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame
        for frame in frames
        if Path(frame.filename).is_relative_to(Path.cwd()) and "site-packages" not in frame.filename
    ]
    frame = (own or frames)[-1]
    return f"{_named(Path(frame.filename), Path.cwd())}:{frame.lineno}: {type(error).__name__}: {error}"


@contextmanager
def _overheard() -> Iterator[list[tuple[int, str]]]:
    """Gather what MkDocs tells of a build: its errors often say only that there was one."""
    said: list[tuple[int, str]] = []
    hearing = logging.Handler(logging.WARNING)
    hearing.emit = lambda record: said.append((record.levelno, record.getMessage()))  # type: ignore[method-assign]
    told = logging.getLogger("mkdocs")
    told.addHandler(hearing)
    try:
        yield said
    finally:
        told.removeHandler(hearing)


def _named(path: Path, root: Path) -> str:
    return next(
        (path.relative_to(above).as_posix() for above in (root, PACKAGE.parent) if path.is_relative_to(above)),
        str(path),
    )
