"""Have each topic's pages made once, and not again until something that reaches them changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from posixpath import basename
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from errorspan.authoring.topics import Topic
from errorspan.browser import tasks
from errorspan.browser.editor import EDITOR
from errorspan.course import Course
from errorspan.proof import witnessed
from errorspan.record.shelf import Shelf
from errorspan.runs.run import Run
from errorspan.site.blocks import set_aside
from errorspan.site.bodies import Body
from errorspan.site.inputs import Inputs
from errorspan.site.links import KEY
from errorspan.site.pages import Making, Page, of_topic
from errorspan.site.summary import Summary

Reading = Callable[[str, str], tuple[Body, list[str]]]
"""Reads a page's Markdown, and returns its blocks of HTML apart."""


class Sheet(BaseModel):
    """A page of a topic, as it is kept. `text`: all of it, or what is around its `blocks` where it was read."""

    model_config = ConfigDict(frozen=True)

    uri: str
    text: str
    above: str | None
    answers: bool
    blocks: tuple[str, ...] = ()
    body: Body | None = None


class Searched(BaseModel):
    """What searches find of a page, where MkDocs does not make it: `html` is its first block."""

    model_config = ConfigDict(frozen=True)

    uri: str
    title: str
    meta: dict[str, Any]
    html: str


class Head(BaseModel):
    """What is known of a topic before its pages are read: its summary, which pages they are, and what they rest on.

    `witness`: the name of its proof, and whether that came out on this machine. `engines`: from where a page fetches
    what runs its tests, and the editor.
    """

    model_config = ConfigDict(frozen=True)

    summary: Summary
    pages: tuple[tuple[str, str | None, bool], ...]
    searched: tuple[Searched, ...]
    witness: tuple[str, bool] | None
    engines: list[dict[str, Any]]


_SHEETS = TypeAdapter(tuple[Sheet, ...])


@dataclass(frozen=True)
class Contribution:
    """What a topic contributes to a build. `sheets` gives its pages whole, which are not held here.

    `why`: what let them be made in this build; None where they are as they were kept.
    """

    head: Head
    sheets: Callable[[], Sequence[Sheet]]
    why: str | None = None

    @property
    def summary(self) -> Summary:
        """Return what is to know of it outside of its own pages."""
        return self.head.summary

    @property
    def pages(self) -> Iterator[Page]:
        """Yield its pages, without what stands in them."""
        for uri, above, answers in self.head.pages:
            yield Page(uri, "", source=self.summary.path if above else None, above=above, answers=answers)

    def sheet(self, uri: str) -> Sheet:
        """Return one of its pages, whole."""
        return next(sheet for sheet in self.sheets() if sheet.uri == uri)


class Contributing:
    """What the topics of a course contribute to a build; kept on a shelf, where there is one.

    `read` reads pages as they are to be kept; without it they are kept as they are written.
    """

    def __init__(self, course: Course, making: Making, read: Reading | None = None, markdown: Any = None) -> None:
        self._course = course
        self._making = making
        self._read = read
        self._shelf = Shelf(course.root)
        self._inputs = Inputs(course, making, markdown)
        self._last: tuple[str, tuple[Sheet, ...]] = ("", ())

    def kept(self, topic: Topic) -> Contribution | str:
        """Return what a topic contributes as it was kept, or why it has to be made."""
        key = self._inputs.key(topic.id)
        if key is None:
            return "replies wait for it, or its files are not all plain files"
        head = self._shelf.head(topic.id, key)
        if head is None:
            return "changed" if self._shelf.keys(topic.id) else "new"
        try:
            known = Head.model_validate_json(head)
        except (ValidationError, RecursionError):
            return "what was kept cannot be read"
        return self._other(topic, known) or Contribution(known, lambda: self._fetched(topic, key, known))

    def _other(self, topic: Topic, known: Head) -> str | None:
        """Say what is not any more as it was when something was kept, apart from what is in its key."""
        if (known.summary.id, known.summary.path) != (topic.id, topic.path) or not self._own(topic, known):
            return "what was kept is another topic's"
        if known.witness and witnessed.is_here(known.witness[0]) != known.witness[1]:
            return "its proof was tried on this machine, or is not known to have been any more"
        if known.engines != self._engines(known.summary.needs):
            return "a runtime was added, or taken away"
        return None

    def made(self, run: Run, why: str) -> Contribution:
        """Make what a topic contributes of its run, and keep it where that is finished."""
        topic = run.topic
        before = self._inputs.key(topic.id) if run.finished else None
        head, sheets = self._worked_out(run)
        packed = _SHEETS.dump_json(sheets)
        key = before and self._inputs.key(topic.id)
        if key and key == before and self._shelf.put(topic.id, key, head.model_dump_json().encode(), packed):
            return Contribution(head, lambda: self._fetched(topic, key, head), why)
        return Contribution(head, lambda: sheets, why)

    def forget(self) -> None:
        """Take away what was kept of topics that are gone for long."""
        self._shelf.forget(self._course.topics.keys() | self._course.broken.keys())

    def _worked_out(self, run: Run) -> tuple[Head, tuple[Sheet, ...]]:
        made = of_topic(run, self._making)
        proof = run.evidence.proof
        name = witnessed.name(proof) if proof else ""
        sheets = tuple(map(self._sheet, made.pages))
        head = Head(
            summary=made.summary,
            pages=tuple((sheet.uri, sheet.above, sheet.answers) for sheet in sheets),
            searched=tuple(_searched(sheets)),
            witness=(name, witnessed.is_here(name)) if proof else None,
            engines=self._engines(made.summary.needs),
        )
        return head, sheets

    def _sheet(self, page: Page) -> Sheet:
        known: dict[str, Any] = {"uri": page.uri, "above": page.above, "answers": page.answers}
        if self._read is None or basename(page.uri) == KEY:
            return Sheet(text=page.content, **known)
        body, blocks = self._read(page.uri, page.content)
        return Sheet(text=set_aside(page.content)[0], blocks=tuple(blocks), body=body, **known)

    def _fetched(self, topic: Topic, key: str, head: Head) -> tuple[Sheet, ...]:
        """Return pages from the shelf; should they have gone since, or be others, make them again."""
        if self._last[0] != key:  # a topic's pages are written one after another
            packed = self._shelf.body(topic.id, key)
            try:
                sheets = _SHEETS.validate_json(packed or b"")
            except (ValidationError, RecursionError):
                sheets = ()
            if tuple((sheet.uri, sheet.above, sheet.answers) for sheet in sheets) != head.pages:
                [run] = self._course.replay([topic.id])
                sheets = self._worked_out(run)[1]
            self._last = key, sheets
        return self._last[1]

    def _own(self, topic: Topic, head: Head) -> bool:
        """Tell whether pages stand where this topic's do."""
        folders = (self._making.settings.exercises_folder, self._making.settings.runs_folder)
        homes = tuple(f"{folder}/{topic.id}/" for folder in folders)
        return all(
            uri.startswith(homes)
            and ".." not in uri
            and basename(uri) in {"index.md", KEY}
            and above in {None, *(f"{folder}/index.md" for folder in folders)}
            for uri, above, _ in head.pages
        )

    def _engines(self, name: str | None) -> list[dict[str, Any]]:
        """Say from where a page fetches the engine of this name, and the editor."""
        engines = [*(one for one in tasks.ENGINES if one.name == name), EDITOR]
        return [tasks.fetching(self._making.at_hand(engine)) for engine in engines]


def _searched(sheets: Sequence[Sheet]) -> Iterator[Searched]:
    """Yield what searches find of pages that were read: nothing of those that hold answers."""
    for sheet in sheets:
        body = sheet.body
        if body and not sheet.answers and not (body.meta.get("search") or {}).get("exclude"):
            yield Searched(uri=sheet.uri, title=body.title, meta=body.meta, html="".join(sheet.blocks[:1]))
