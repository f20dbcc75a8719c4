"""A folder that Zensical builds: pages, the site's configuration as Zensical reads it, templates.

Zensical reads TOML, and runs no hook and no plugin but its own. Formats are as of version 0.0.73.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, time
from functools import partial
from importlib.resources import files
from types import FunctionType
from typing import Any, Literal

import tomli_w

from errorspan.authoring.settings import Settings
from errorspan.course import Course
from errorspan.site import folder
from errorspan.site.filling import FRONT
from errorspan.site.folder import Content, Gathered
from errorspan.site.pages import SCRIPTS, STYLES
from errorspan.text.errors import shown
from errorspan.text.source import Source

Variant = Literal["modern", "classic"]

FILE = "zensical.toml"
DOCS = "docs"
OVERRIDES = "overrides"
ANSWERS = "errorspan-answers.html"

_SAME = (
    "site_name",
    "site_url",
    "site_description",
    "site_author",
    "copyright",
    "repo_url",
    "repo_name",
    "edit_uri",
    "edit_uri_template",
    "remote_branch",
    "remote_name",
    "use_directory_urls",
    "dev_addr",
    "draft_docs",
    "not_in_nav",
    "validation",
    "nav",
    "extra_css",
    "extra_javascript",
    "extra_templates",
    "extra",
    "theme",
    "plugins",
    "markdown_extensions",
)
_DONE = {"docs_dir", "exclude_docs", "site_dir", "watch", "strict", "hooks"}
"""Keys that `render` itself obeys, or that mean nothing for a folder that is written anew."""
_HOOK = "generator/hook.py"
_PLUGIN = "errorspan"
_PLUGINS = """
    api-autonav autorefs awesome-nav blog callouts exclude gh-admonitions glightbox include-markdown literate-nav
    llmstxt macros markdown-exec markdownextradata meta mike minify mkdocs-audio mkdocs-autoapi mkdocs-nav-weight
    mkdocs-video mkdocstrings offline privacy redirects rss search social table-reader tags
"""
_HEAD = """\
# Written by `errorspan render --zensical` from the site's own configuration: change that. A copy of this file under
# another name is yours, for `zensical build -f`.

"""


def gather(course: Course, site: Source, variant: Variant | None = None) -> Gathered:
    """Return the files of a folder that Zensical builds, and what of the site has no place there.

    Raises:
        InputError: as `folder.gather`.
    """
    config, docs = site.values, folder.gather(course, site)
    made = {f"{DOCS}/{uri}": content for uri, content in docs.files.items()}
    made |= {f"{DOCS}/{uri}": _marked(docs.files[uri]) for uri in docs.answers}
    templates = files("errorspan.site").joinpath(OVERRIDES)
    made |= {f"{OVERRIDES}/{entry.name}": entry.read_bytes() for entry in templates.iterdir()}
    left = list(docs.left)
    if name := overrides_of(config):
        own = folder.copied(course.root, site, ("theme", "custom_dir"), name)
        made |= {f"{OVERRIDES}/{uri}": content for uri, content in own.files.items()}
        left += own.left
    values, lost = project(config, course.settings, variant)
    made[FILE] = (_HEAD + tomli_w.dumps({"project": values})).encode()
    return Gathered(made, left + lost)


def overrides_of(config: Mapping[str, Any]) -> str | None:
    """Return the folder of a site's own templates, from where its configuration stands."""
    theme = config.get("theme")
    return theme.get("custom_dir") if isinstance(theme, Mapping) else None


def project(
    config: Mapping[str, Any], settings: Settings, variant: Variant | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Return a site's configuration as Zensical reads it, and what has no equivalent there."""
    left = [f"{key}: Zensical has no such setting" for key in config if key not in _SAME and key not in _DONE]
    left += [f"hooks: {hook}: Zensical runs no hook" for hook in config.get("hooks") or () if hook != _HOOK]
    extensions = _named(config.get("markdown_extensions"))
    plugins = [(name, options) for name, options in _named(config.get("plugins")) if name != _PLUGIN]
    left += [
        f"plugins: {name}: Zensical 0.0.73 did not have it; one that has not ignores it without a word"
        for name, _ in plugins
        if name.removeprefix("material/") not in _PLUGINS.split()
    ]
    extra = config.get("extra") or {}
    values = {key: config[key] for key in _SAME if key in config} | {
        "theme": _theme(config.get("theme"), variant, left),
        "extra_css": [*(config.get("extra_css") or ()), *STYLES],
        "extra_javascript": [*(config.get("extra_javascript") or ()), *SCRIPTS],
        "extra": {key: extra[key] for key in extra if key != "generator" or isinstance(extra[key], bool)},
        "plugins": [{name: options} if options else name for name, options in plugins],
        "markdown_extensions": [{name: options} if options else name for name, options in extensions],
    }
    if not values.get("nav"):  # Zensical makes one of the pages
        below = (f"/{folder}/*/" for folder in (settings.exercises_folder, settings.runs_folder))
        values["not_in_nav"] = "\n".join([*str(values.get("not_in_nav") or "").splitlines(), *below]) + "\n"
    return _toml(values, "", left), left


def _marked(content: Content) -> Content:
    """Give a page that holds answers the template of such pages."""
    return (
        content.replace(FRONT.encode(), f"{FRONT}template: {ANSWERS}\n".encode(), 1)
        if isinstance(content, bytes)
        else content
    )


def _named(entries: Any) -> Iterator[tuple[str, Any]]:
    """Yield names and options of plugins or extensions, which MkDocs takes as a list or as a mapping."""
    for entry in [entries] if isinstance(entries, Mapping) else entries or ():
        yield from entry.items() if isinstance(entry, Mapping) else [(str(entry), None)]


def _theme(theme: Any, variant: Variant | None, left: list[str]) -> dict[str, Any]:
    options = dict(theme) if isinstance(theme, Mapping) else {"name": theme}
    name = options.pop("name", None)
    if name not in {None, "material", "zensical"}:
        left.append(f"theme: {name}: Zensical has only its own")
        options = {"language": options["locale"]} if options.get("locale") else {}
    kept = {"variant": "modern"} | options | ({"variant": variant} if variant else {})
    return kept | {"custom_dir": OVERRIDES}


def _toml(value: Any, place: str, left: list[str]) -> Any:
    """Return a value as TOML, and Zensical, can take it; without null, and without Python that has no name."""
    if isinstance(value, Mapping):
        inner = {str(key): _toml(value[key], f"{place}.{key}".strip("."), left) for key in value}
        return {key: inner[key] for key in inner if inner[key] is not None}
    if isinstance(value, list | tuple):
        return [item for entry in value if (item := _toml(entry, place, left)) is not None]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    said = _said(value)
    if said is None:
        left.append(f"{place}: {shown(value, 60)} cannot be written as TOML")
    return said


def _said(value: Any) -> Any:
    if isinstance(value, date | time):  # TOML has them, and Zensical ends with an error
        return value.isoformat()
    if isinstance(value, FunctionType | type):
        return f"{value.__module__}.{value.__qualname__}".replace("material.extensions.", "zensical.extensions.")
    if isinstance(value, partial) and value.func.__module__ == "pymdownx.slugs":
        return {"object": "pymdownx.slugs.slugify", "kwds": value.keywords}
    return None
