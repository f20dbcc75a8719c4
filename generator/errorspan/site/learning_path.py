"""Lay out the learning path: the course's modules, and where an author wants them shown.

`<errorspan-path></errorspan-path>` in a page of the docs is the place. A build of MkDocs puts the path into the page's
HTML; a folder for another generator has Markdown, where what stands in code is told by the signs around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from posixpath import relpath
from typing import NamedTuple

from errorspan.authoring.modules import Module

PAGES = (".md", ".markdown", ".mdown", ".mkdn", ".mkd")
"""How the names of pages end, as MkDocs has it."""

FRAGMENT = ""
"""Where the path stands among the pages of a course: nowhere, because it is no file but a part of files."""

_TAG = r"<errorspan-path\s*>\s*</errorspan-path\s*>"
_IN_HTML = re.compile(rf"<p>\s*{_TAG}\s*</p>|{_TAG}")
_IN_LINE = re.compile(rf"(?P<code>(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`))|{_TAG}")
_FENCE = re.compile(r"[\s>]*(?P<signs>`{3,}|~{3,})(?P<after>.*)")
_HREF = re.compile(r'(?<= href=")')


class Stage(NamedTuple):
    """A module, and its topics' ids; the first of them has this number on the path."""

    module: Module | None
    first: int
    topics: tuple[str, ...]


def stages(modules: Sequence[Module], topics: Iterable[str]) -> list[Stage]:
    """Return the path through these topics; last comes a stage without a module, of those that stand in none."""
    found: list[Stage] = []
    first = 1
    for module in modules:
        found.append(Stage(module, first, tuple(module.topics)))
        first += len(module.topics)
    placed = {topic for stage in found for topic in stage.topics}
    return [*found, Stage(None, first, tuple(topic for topic in topics if topic not in placed))]


def in_html(html: str, path: str, here: str, listing: str) -> str:
    """Return a page of HTML, in the folder `here`, with the path where its author wants it.

    The path's links lead from the folder of the list of exercises, `listing`.
    """
    return _IN_HTML.sub(lambda _: _leading(path, here, listing), html)


def in_markdown(data: bytes, path: str, uri: str, listing: str, *, directory_urls: bool) -> bytes:
    """Return a page of the docs with the path where its author wants it, but for what is a block or a piece of code."""
    if b"<errorspan-path" not in data:
        return data
    page = PurePosixPath(uri)
    apart = directory_urls and page.stem not in {"index", "README"}
    text = data.decode("utf-8", "surrogateescape")
    filled = _filled(text, _leading(path, str(page.with_suffix("") if apart else page.parent), listing))
    return "".join(filled).encode("utf-8", "surrogateescape")


def _leading(path: str, here: str, listing: str) -> str:
    return _HREF.sub(f"{relpath(f'/{listing}', f'/{here}')}/", path)


def _filled(text: str, path: str) -> Iterator[str]:
    fence = ""
    for line in text.splitlines(keepends=True):
        found = _FENCE.match(line)
        if fence:
            ends = found and found["signs"].startswith(fence) and not found["after"].strip()
            fence = "" if ends else fence
            yield line
        elif found and not (found["signs"][0] == "`" and "`" in found["after"]):
            fence = found["signs"]
            yield line
        else:
            yield _IN_LINE.sub(lambda found: found["code"] or path, line)
