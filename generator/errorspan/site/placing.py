"""Place a course's pages among the files of a MkDocs site, where other plugins add and move some too."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files, InclusionLevel, set_exclusions

from errorspan.authoring.configuration import NAME
from errorspan.authoring.settings import ASSETS_FOLDER, Settings
from errorspan.site.blocks import set_aside
from errorspan.site.frames import Framed
from errorspan.site.gathering import Gathered
from errorspan.site.links import KEY, in_the_way
from errorspan.site.pages import Page

LEFT_OUT = {InclusionLevel.EXCLUDED, InclusionLevel.DRAFT}
"""Of a site that is built."""

ASSETS = Path(__file__).with_name("assets")
NOWHERE = ASSETS / "errorspan.js"
"""Stands for assets that are no file: the plugin privacy reads each from one, and finds no link elsewhere in this."""


def add(pages: Sequence[Page], files: Files, config: MkDocsConfig) -> None:
    """Add a file for every page, before other plugins look for one; what the site excludes is excluded.

    static-i18n takes only what lies in the docs for a page, and trips over what lies nowhere.

    Raises:
        PluginError: the docs have a file of that address.
    """
    uris, left = [page.uri for page in pages], InclusionLevel.EXCLUDED
    counts = [file for file in files if file.inclusion is not left and file.src_dir not in set(config.theme.dirs)]
    own = {file.src_uri for file in counts} | {uri for uri in uris if files.get_file_from_path(uri)}
    for there, uri in in_the_way(uris, own, directory_urls=config.use_directory_urls):
        raise PluginError(f"errorspan: {uri} is generated; {config.docs_dir}/{there} is in its way")
    for page in pages:
        if page.file:
            file = File.generated(config, page.uri, abs_src_path=str(page.file))
        else:
            file = File.generated(config, page.uri, content=page.content)
            below = ASSETS if page.uri.startswith(f"{ASSETS_FOLDER}/") else Path(config.docs_dir)
            source = below / page.uri.removeprefix(f"{ASSETS_FOLDER}/")
            made = below == ASSETS and not source.is_file()
            file.abs_src_path = str(NOWHERE if made else source)
        set_exclusions([file], config)
        if file.inclusion is InclusionLevel.INCLUDED and not page.in_nav:
            file.inclusion = InclusionLevel.NOT_IN_NAV
        if posixpath.basename(page.uri) != KEY:
            files.append(file)


def settle(made: Mapping[str, Page], files: Files, config: MkDocsConfig, gathered: Gathered) -> dict[str, list[str]]:
    """Give pages their content, wherever other plugins have moved them, and exercises their keys beside them.

    From here on a page's source is the topic file, so that plugins find its dates; lists are generated. Returns the
    blocks of HTML that were set aside, by page.
    """
    blocks: dict[str, list[str]] = {}
    written = Path(config.config_file_path)
    for file in list(files):
        page = made.get(file.src_uri)
        if page is None or not file.is_documentation_page():
            continue
        if framed := gathered.framed(page, file, files):
            files.remove(file)
            files.append(framed)
        else:  # to parse the blocks took two fifths of a build
            file.content_string, blocks[page.uri] = set_aside(gathered.content(page))
        for one in filter(None, (file, framed)):  # with a new content, MkDocs forgets where a file was written
            one.abs_src_path = str(written.parent / page.source if page.source else written)
            one.generated_by = None if page.source else NAME
            one.edit_uri = _leading(written.parent / page.source, config.docs_dir) if page.source else None
        if key := made.get(f"{posixpath.dirname(page.uri)}/{KEY}"):
            place = f"{posixpath.dirname(file.dest_uri)}/{KEY}"
            files.append(beside := gathered.key(File.generated(config, place, content=""), key.uri))
            set_exclusions([beside], config)
            beside.inclusion = min(beside.inclusion, file.inclusion, key=lambda level: level.value)
    return blocks


def placed(made: Mapping[str, Page], files: Files) -> set[str]:
    """Return where in the site the pages of a course are, and the keys beside them."""
    there = [file for file in files if file.inclusion not in LEFT_OUT]
    pages = {
        file.dest_uri
        for file in there
        if file.src_uri in made and (isinstance(file, Framed) or file.is_documentation_page())
    }
    keys = {f"{posixpath.dirname(uri)}/{KEY}" for uri in pages}
    return pages | keys.intersection(file.dest_uri for file in there)


def folders(file: File, files: Files, settings: Settings) -> tuple[str, str]:
    """Return the folders of the site in which a page is, and the list of exercises that belongs to it."""
    listing = files.get_file_from_path(f"{settings.exercises_folder}/index.md")
    place = posixpath.dirname(listing.dest_uri) if listing else settings.exercises_folder
    return posixpath.dirname(file.dest_uri), place


def _leading(path: Path, folder: str) -> str | None:
    """Return how a link leads from a folder to a file; None where both are on other drives of Windows."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return None
