"""Gather what the topics of a course contribute to a MkDocs site, and write it where MkDocs need not make it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from posixpath import dirname
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as MkDocsPage
from mkdocs.structure.toc import TableOfContents

from errorspan.course import Course
from errorspan.site import bodies, frames
from errorspan.site.blocks import put_back
from errorspan.site.contributing import Contributing, Contribution, Sheet
from errorspan.site.finishing import contributed
from errorspan.site.frames import Framed, Frames, Place
from errorspan.site.pages import NEXT, Making, Page, following
from errorspan.site.summary import Summary

_FRAMED = {InclusionLevel.NOT_IN_NAV, InclusionLevel.EXCLUDED}

log = get_plugin_logger("errorspan")


class Gathered:
    """What the topics of a course contribute to one build: their pages, and what stands in them, when it is needed.

    `unsearched` asks searches to leave a page out, and is told where it is.
    """

    def __init__(self, unsearched: Callable[[str, str], str]) -> None:
        self._unsearched = unsearched
        self._made: list[Contribution] = []
        self._by_uri: dict[str, Contribution] = {}
        self._onward: Mapping[str, str] = {}
        self._frames: Frames | None = None
        self._named: frozenset[str] = frozenset()
        self._framed: list[tuple[Framed, str]] = []

    def of(self, course: Course, making: Making, config: MkDocsConfig, *, asks: bool, dirty: bool) -> list[Summary]:
        """Gather what a course's topics contribute, and return what is to know of them outside of their pages."""
        why = "a build is dirty" if dirty else frames.hindered(config) or bodies.unforeseen(config)
        if why:
            log.info("MkDocs makes every page of a topic by itself: %s", why)
            contributing = Contributing(course, making)
        else:
            self._frames = Frames(config)
            contributing = Contributing(course, making, bodies.Reader(config).body, bodies.reading(config))
        self._made = contributed(course, contributing, log, asks=asks)
        contributing.forget()
        self._named = frozenset(_named(config.nav))
        self._by_uri = {page.uri: one for one in self._made for page in one.pages}
        summaries = [one.summary for one in self._made]
        self._onward = following(summaries, making)
        return summaries

    @property
    def pages(self) -> Iterator[Page]:
        """Yield the pages of all topics, without what stands in them."""
        for one in self._made:
            yield from one.pages

    def content(self, page: Page) -> str:
        """Return what stands in a page before it is read, the key of an exercise included."""
        if page.uri not in self._by_uri:
            return page.content
        sheet, onward = self._sheet(page.uri)
        return put_back(sheet.text, sheet.blocks).replace(NEXT, onward)

    def key(self, of: File, uri: str) -> Framed:
        """Return a file for the key at this address of the course, which goes where `of` goes."""
        return Framed(of, lambda: self._sheet(uri)[0].text.encode())  # noqa: PLW0108 - it is read when it is written

    def framed(self, page: Page, file: File, files: Files) -> Framed | None:
        """Return a file in place of one that MkDocs would make; None where it has to make it."""
        if not self._frames or page.uri not in self._by_uri or file.inclusion not in _FRAMED or page.uri in self._named:
            return None
        listing = files.get_file_from_path(page.above) if page.above else None
        topic = self._by_uri[page.uri].summary.id
        place = Place(file, dirname(page.above or ""), topic, listing)
        made = Framed(file, lambda: self._written(place, page))
        self._framed.append((made, page.uri))
        return made

    def see(self, nav: Navigation, files: Files) -> None:
        """Remember what frames show of a site."""
        if self._frames:
            self._frames.nav, self._frames.files = nav, files

    def dress(self, env: Environment) -> None:
        """Remember the theme."""
        if self._frames:
            self._frames.env = env

    def found(self, config: MkDocsConfig) -> Iterator[File]:
        """Yield the files of framed pages that searches may find."""
        for file, uri in self._framed:
            if file.inclusion is not InclusionLevel.EXCLUDED and not self._answers(uri):
                MkDocsPage(None, file, config)  # a sitemap asks a file's page for its address
                yield file

    def index(self, config: MkDocsConfig) -> None:
        """Put framed pages into the index of a search: of an exercise, what its first block says."""
        known = [getattr(plugin, "search_index", None) for plugin in config.plugins.values()]
        searches = [add for index in known if (add := getattr(index, "add_entry_from_context", None))]
        told = {one.uri: one for made in self._made for one in made.head.searched}
        for file, uri in self._framed if searches else ():
            if uri in told and file.inclusion is not InclusionLevel.EXCLUDED:
                one = told[uri]
                page = {"title": one.title, "meta": one.meta, "toc": TableOfContents([]), "url": file.url}
                for add in searches:
                    add(SimpleNamespace(**page, content=one.html))

    def _written(self, place: Place, page: Page) -> bytes:
        sheet, onward = self._sheet(page.uri)
        if self._frames is None or sheet.body is None:
            raise RuntimeError(f"{page.uri} was not read")
        html = put_back(sheet.body.html, sheet.blocks)
        whole = self._frames.page(place, sheet.body, html.replace(NEXT, onward))
        whole = self._unsearched(whole, page.uri) if page.answers else whole
        return whole.encode("utf-8", errors="xmlcharrefreplace")

    def _sheet(self, uri: str) -> tuple[Sheet, str]:
        of = self._by_uri[uri]
        return of.sheet(uri), self._onward.get(of.summary.id, "")

    def _answers(self, uri: str) -> bool:
        return any(answers for one, _, answers in self._by_uri[uri].head.pages if one == uri)


def _named(nav: Any) -> Sequence[str]:
    """Return the pages that a site's own navigation names."""
    if isinstance(nav, str):
        return [nav]
    below = nav.values() if isinstance(nav, Mapping) else nav if isinstance(nav, list) else ()
    return [name for one in below for name in _named(one)]
