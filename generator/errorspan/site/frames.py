"""Put bodies into a theme's frame, which is rendered once for pages of one shape.

A shape is all that a theme can tell two pages by, but for titles, descriptions, the topic's id, and bodies. For these
the theme is given marks that nobody can guess, and what it makes is cut where they stand. Before such a frame is used,
a page is made both ways; where they differ, each page of the shape is rendered by itself.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from jinja2 import Environment
from markupsafe import Markup
from mkdocs.commands.build import get_context
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as MkDocsPage
from mkdocs.utils import write_file

from errorspan.site.bodies import Body

EVENTS = ("nav", "pre_page", "page_read_source", "page_markdown", "page_content", "page_context", "post_page")
"""What plugins do to pages one by one, and to the navigation, which may name some."""

OWN = ("nav", "env", "post_build")
"""Events that frames need."""

SEARCH = ("material.plugins.search.", "mkdocs.contrib.search")
HARMLESS = (*SEARCH, "material.plugins.privacy.", "material.plugins.offline.", "errorspan.")
"""Plugins that do to a page what they do to its frame, by the beginnings of their modules' names."""

_TOLD = ("title", "description")

_TITLE = "Q &lt;u&gt; &amp; &#34;r&#34;  s"  # whoever reads a title twice, or its blanks, gives itself away

log = get_plugin_logger("errorspan")


class Framed(File):
    """A page of the site that MkDocs does not make: it is written as it is told."""

    def __init__(self, of: File, content: Callable[[], bytes]) -> None:
        super().__init__(
            of.src_uri, None, of.dest_dir, of.use_directory_urls, dest_uri=of.dest_uri, inclusion=of.inclusion
        )
        self.abs_src_path = of.abs_src_path
        self.generated_by = of.generated_by
        self._written = content

    def is_documentation_page(self) -> bool:
        """Say that MkDocs has nothing to read, and nothing to render."""
        return False

    def copy_file(self, dirty: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - MkDocs' own
        """Write it."""
        write_file(self._written(), self.abs_dest_path)


class Place(NamedTuple):
    """Where a page is: below a folder that has one for each topic. `listing`: the list above it."""

    file: File
    folder: str
    topic: str
    listing: File | None

    def named(self, uri: str, other: str) -> str:
        """Return an address of the page as that of another topic's."""
        ours = f"{self.folder}/{self.topic}/"
        return f"{self.folder}/{other}/{uri.removeprefix(ours)}" if uri.startswith(ours) else uri


@dataclass(frozen=True)
class Frame:
    """What a theme puts around a body: stretches of text, and between them what stands there in each page."""

    parts: tuple[str, ...]

    def filled(self, values: Mapping[str, str]) -> str:
        """Return a page."""
        return "".join(values[part] if place % 2 else part for place, part in enumerate(self.parts))


class Frames:
    """The frames of a build."""

    def __init__(self, config: MkDocsConfig) -> None:
        self._config = config
        self._made: dict[str, Frame | None] = {}
        self.env: Environment | None = None
        self.nav: Navigation | None = None
        self.files: Files | None = None

    def page(self, place: Place, body: Body, html: str) -> str:
        """Return a page as MkDocs would have it, with all that other plugins do to it."""
        shape = _shape(place, body, html)
        if shape not in self._made:
            self._made[shape] = self._frame(place, body, html)
        frame = self._made[shape]
        title, description = body.title, str(body.meta.get("description", ""))
        if frame is None:
            return self._rendered(place, place.topic, (title, description), body, html)
        return frame.filled(_values(place.topic, title, description, html))

    def _frame(self, place: Place, body: Body, html: str) -> Frame | None:
        """Return the frame of a page's shape; None where a page in it would not be as the theme renders it."""
        sign = f"x{secrets.token_hex(12)}"
        topic, title, description, inside = (f"{sign}{letter}" for letter in "tnde")
        heading = f"<h1>{inside}</h1>" if "<h1" in html else inside
        text = self._rendered(place, topic, (f"<b>{title}</b>", f"<b>{description}</b>"), body, heading)
        marks = {
            heading: "html",
            f"<b>{title}</b>": "title",
            f"<b>{description}</b>": "description",
            title: "title, plain",
            description: "description, plain",
            topic: "topic",
        }
        found = re.split(f"({'|'.join(map(re.escape, marks))})", text)
        frame = Frame(tuple(marks[part] if at % 2 else part for at, part in enumerate(found)))
        probe = "q-1"
        made = frame.filled(_values(probe, _TITLE, _TITLE, html)) if sign not in "".join(found[::2]) else ""
        if made == self._rendered(place, probe, (_TITLE, _TITLE), body, html):
            return frame
        log.info("The theme renders pages like %s one by one: a frame around all would differ", place.file.src_uri)
        return None

    def _rendered(self, place: Place, topic: str, told: tuple[str, str], body: Body, html: str) -> str:
        """Return a page as its theme renders it, for a topic of this id, and with this title and description."""
        config, env, nav, files = self._config, self.env, self.nav, self.files
        if env is None or nav is None or files is None:
            raise RuntimeError("pages are framed once a build has its theme")
        src_uri, dest_uri = (place.named(uri, topic) for uri in (place.file.src_uri, place.file.dest_uri))
        file = File(src_uri, None, config.site_dir, config.use_directory_urls, dest_uri=dest_uri)
        file.inclusion = place.file.inclusion
        file.generated_by = place.file.generated_by
        file.edit_uri = None
        page = MkDocsPage(None, file, config)
        page.meta = body.meta | {key: said for key, said in zip(_TOLD, told, strict=True) if key in body.meta}
        page.markdown, page.content, page.toc = "", html, body.toc
        if place.listing:
            page.parent = place.listing.page  # type: ignore[assignment]
        page.active = True
        config._current_page = page  # noqa: SLF001 - as MkDocs says which page it is at
        try:
            context = get_context(nav, files, config, page)
            template = env.get_template(str(page.meta.get("template", "main.html")))
            for event in _of("page_context", config, but=SEARCH):
                changed = event(context, page=page, config=config, nav=nav)
                context = context if changed is None else changed
            output = template.render(context)
            for event in _of("post_page", config, but=("errorspan.",)):
                changed = event(output, page=page, config=config)
                output = output if changed is None else changed
            return output
        finally:
            page.active = False
            config._current_page = None  # noqa: SLF001


def hindered(config: MkDocsConfig) -> str | None:
    """Say what needs pages that MkDocs makes itself, if something does."""
    for event in EVENTS:
        for method in _of(event, config, but=HARMLESS):
            name = next((name for name, one in config.plugins.items() if one is getattr(method, "__self__", 0)), None)
            return f"{name or getattr(method, '__module__', 'a hook')} takes part in pages or in the navigation"
    if any(not any(map(_ours, config.plugins.events.get(event, ()))) for event in OWN):
        return f"the hook hands on none of {', '.join(f'on_{event}' for event in OWN)}"
    if config.repo_url and (config.edit_uri or config.edit_uri_template):
        return "each page has a link to its source"
    return None


def _of(event: str, config: MkDocsConfig, but: tuple[str, ...]) -> Iterator[Callable[..., Any]]:
    """Yield what takes part in an event, but for plugins of these modules."""
    for method in config.plugins.events.get(event, ()):
        owner = getattr(method, "__self__", None)
        module = type(owner).__module__ if owner is not None else getattr(method, "__module__", "")
        if not f"{module}.".startswith(but):
            yield method


def _ours(method: Callable[..., Any]) -> bool:
    return type(getattr(method, "__self__", None)).__module__.startswith("errorspan.")


def _shape(place: Place, body: Body, html: str) -> str:
    told = {key: value for key, value in body.meta.items() if key not in _TOLD}
    toc = [heading.model_dump() for heading in body.headings]
    where = place.named(place.file.dest_uri, "*")
    there = ["<h1" in html, *(key in body.meta for key in _TOLD)]
    shape = [where, told, toc, there, place.file.inclusion.name]
    return json.dumps(shape, sort_keys=True, default=str)


def _values(topic: str, title: str, description: str, html: str) -> dict[str, str]:
    return {
        "html": html,
        "title": title,
        "title, plain": Markup(title).striptags(),
        "description": description,
        "description, plain": Markup(description).striptags(),
        "topic": topic,
    }
