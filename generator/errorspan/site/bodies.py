"""Hold what a page is once its Markdown is read: a body, which a theme puts into its frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import markdown
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page as MkDocsPage
from mkdocs.structure.toc import AnchorLink, TableOfContents
from pydantic import BaseModel, ConfigDict

from errorspan.site.blocks import set_aside

_KNOWN = ("markdown.extensions.", "pymdownx.", "material.extensions.", "mkdocs.")
"""Where extensions come from that make of a page what stands in it."""


class Heading(BaseModel):
    """A heading of a page, and those below it."""

    model_config = ConfigDict(frozen=True)

    title: str
    id: str
    level: int
    below: tuple[Heading, ...] = ()


class Body(BaseModel):
    """A page as MkDocs reads it: `html` has empty places for the blocks of HTML that the page brings along."""

    model_config = ConfigDict(frozen=True)

    title: str
    meta: dict[str, Any]
    html: str
    headings: tuple[Heading, ...] = ()

    @property
    def toc(self) -> TableOfContents:
        """Return the headings as a theme has them."""
        return TableOfContents(list(map(_link, self.headings)))


class Reader:
    """Reads a site's pages. What is around their blocks is alike in many, and read once."""

    def __init__(self, config: MkDocsConfig) -> None:
        self._config = config
        self._read: dict[str, tuple[str, tuple[Heading, ...]]] = {}

    def body(self, uri: str, content: str) -> tuple[Body, list[str]]:
        """Read a page, and return its blocks of HTML apart."""
        text, blocks = set_aside(content)
        file = File.generated(self._config, uri, content=text)
        page = MkDocsPage(None, file, self._config)
        page.read_source(self._config)
        around = page.markdown or ""
        if around not in self._read:
            page.render(self._config, Files([file]))
            self._read[around] = page.content or "", tuple(map(_heading, page.toc))
        html, headings = self._read[around]
        return Body(title=str(page.title), meta=dict(page.meta), html=html, headings=headings), blocks


def reading(config: MkDocsConfig) -> Mapping[str, Any]:
    """Say how a site's pages are read: by which extensions, with which options."""
    return {
        "extensions": list(config.markdown_extensions),
        "options": dict(config.mdx_configs),
        "addresses": config.use_directory_urls,
    }


def unforeseen(config: MkDocsConfig) -> str | None:
    """Say why a page may be read differently tomorrow, where that is so: an extension reads what is in no page."""
    reader = markdown.Markdown()
    for name in config.markdown_extensions:
        options = config.mdx_configs.get(name, {})
        module = type(reader.build_extension(name, options)).__module__
        if not module.startswith(_KNOWN):
            return f"the Markdown extension {name} is not known"
        if options.get("auto_append"):
            return f"the Markdown extension {name} appends files to each page"
    return None


def _heading(link: AnchorLink) -> Heading:
    return Heading(title=link.title, id=link.id, level=link.level, below=tuple(map(_heading, link.children)))


def _link(heading: Heading) -> AnchorLink:
    link = AnchorLink(heading.title, heading.id, heading.level)
    link.children = list(map(_link, heading.below))
    return link
