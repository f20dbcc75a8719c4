"""Put a course's pages into a MkDocs site."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from jinja2 import Environment
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import BasePlugin, CombinedEvent, event_priority, get_plugin_logger
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as MkDocsPage
from mkdocs.utils.templates import TemplateContext

from errorspan.authoring.configuration import PLUGIN
from errorspan.authoring.configuration import files as files_of
from errorspan.authoring.configuration import settings as settings_in
from errorspan.course import Course
from errorspan.site import faults, learning_path, placing, published
from errorspan.site.blocks import put_back
from errorspan.site.gathering import Gathered
from errorspan.site.pages import SCRIPTS, STYLES, Making, Page, assets, of_course
from errorspan.site.remarks import remark
from errorspan.site.serving import PACKAGE, Watch, answering, digests, hold_free, outdated, serves
from errorspan.site.words import language
from errorspan.text.errors import GeneratorError, InputError

if TYPE_CHECKING:  # only serving needs it
    from mkdocs.livereload import LiveReloadServer

SITEMAP = "sitemap.xml"
NOINDEX = '<meta name="robots" content="noindex">'

_END_OF_HEAD = re.compile(r"</head\b|<body\b", re.IGNORECASE)

log = get_plugin_logger("errorspan")

Command = Literal["build", "gh-deploy", "serve"]


class Site:
    """Take part in a build: read topics, replay or finish their runs, add their pages.

    The hook hands its methods to MkDocs, and the plugin is one.
    """

    options: Any = None
    """What the site sets with the plugin; None for the hook, whose settings stand in `extra.generator`."""

    def __init__(self) -> None:
        self._command: Command = "serve"
        self._serving = True
        self._dirty = False
        self._watch = Watch()
        self._loaded: dict[Path, str] = {}
        self._course: Course | None = None
        self._whole: Course | None = None
        self._faults: list[str] = []
        self._path = ""
        self._blocks: dict[str, list[str]] = {}
        self._gathered = Gathered(_unsearched)
        self._made: dict[str, Page] = {}
        self._placing: MkDocsConfig | None = None
        self._before: set[str] = set()
        self._placed: set[str] = set()

    def on_startup(self, *, command: Command, dirty: bool) -> None:
        """Remember what MkDocs was called for: only a build that nobody is served may ask a model."""
        self._command = command
        self._serving = command == "serve" or serves()  # with --clean, MkDocs calls it a build
        self._dirty = dirty

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Read the topics, and add the styles and the script of the pages."""
        file = Path(config.config_file_path)
        if serves() and self._course is None:  # on_serve would come too late, and with --no-livereload never
            hold_free(*config.dev_addr)
        with _told():
            _once(config)
            self._course, self._faults = self._read(file, config)
        topics = self._course.root / self._course.settings.topics
        self._watch.of(config, [*files_of(file), *self._hooks(config), topics, PACKAGE])
        config.extra_css.extend(path for path in STYLES if path not in config.extra_css)
        config.extra_javascript.extend(path for path in SCRIPTS if path not in config.extra_javascript)
        return config

    @event_priority(100)
    def _add_files(self, files: Files, config: MkDocsConfig) -> Files:
        """Add a page for everything that the course holds, before other plugins look for one."""
        course = self._course
        if course is None:
            raise PluginError("errorspan: on_files came before on_config")
        with _told():
            pages = [*self._pages(course, files, config), *assets()]
        self._made = {page.uri: page for page in pages}
        self._path = self._made.pop(learning_path.FRAGMENT).content
        placing.add(list(self._made.values()), files, config)
        return files

    @event_priority(-200)
    def _settle_files(self, files: Files, config: MkDocsConfig) -> Files:
        """Give pages their content, wherever other plugins have moved them."""
        self._blocks = placing.settle(self._made, files, config, self._gathered)
        self._made = {uri: replace(page, content="") for uri, page in self._made.items()}
        with _told():
            self._settle_site(config, files)
        return files

    def _settle_site(self, config: MkDocsConfig, files: Files) -> None:
        """Take away what an earlier build had published, and this one does not; serving has a site of its own.

        static-i18n has a site built once for each language, with the same configuration.
        """
        root, site = Path(config.config_file_path).parent, Path(config.site_dir)
        if config is not self._placing:
            self._placing = config
            self._before = self._placed if self._serving else published.noted(root, site)
            self._placed = set()
        self._placed |= placing.placed(self._made, files)
        if self._dirty:
            there = {file.dest_uri for file in files if file.inclusion not in placing.LEFT_OUT}
            published.sweep(site, self._before - self._placed - there)
        if not self._serving:
            published.note(root, site, self._placed)

    on_files = CombinedEvent(_add_files, _settle_files)

    @event_priority(100)  # other plugins see the page whole
    def on_page_content(self, html: str, *, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG002
        """Put the blocks of HTML back that Markdown had no business with, and a page of a topic below its list.

        A page of the site's own has the learning path where it asks for it.
        """
        made = self._made.get(page.file.src_uri)
        if made is None and self._course:
            return learning_path.in_html(html, self._path, *placing.folders(page.file, files, self._course.settings))
        listing = made and made.above and files.get_file_from_path(made.above)
        if listing and page.parent is None:  # a parent is active with its page: the list's tab, without the page in nav
            page.parent = listing.page  # type: ignore[assignment]
        return put_back(html, self._blocks.pop(page.file.src_uri, []))

    def on_template_context(
        self,
        context: TemplateContext,
        *,
        template_name: str,
        config: MkDocsConfig,
    ) -> TemplateContext:
        """Leave the pages that hold answers out of the sitemap."""
        if template_name == SITEMAP:
            known = cast("dict[str, Any]", context)
            found = [*self._for_searches(known["pages"]), *self._gathered.found(config)]
            known["pages"] = sorted(found, key=lambda file: file.url)
            by_language = known.get("i18n_alternates", {})  # which static-i18n lists in place of them
            known["i18n_alternates"] = {name: self._for_searches(pages) for name, pages in by_language.items()}
        return context

    def on_post_page(self, output: str, *, page: MkDocsPage, config: MkDocsConfig) -> str:  # noqa: ARG002
        """Ask web searches to leave the pages that hold answers out, in any theme."""
        return _unsearched(output, page.file.src_uri) if self._holds_answers(page.file) else output

    def _for_searches(self, pages: Iterable[File]) -> list[File]:
        return [file for file in pages if not self._holds_answers(file)]

    def _holds_answers(self, file: File) -> bool:
        made = self._made.get(file.src_uri)
        return made is not None and made.answers

    def on_nav(self, nav: Navigation, *, config: MkDocsConfig, files: Files) -> Navigation:  # noqa: ARG002
        """Remember the navigation, for frames."""
        self._gathered.see(nav, files)
        return nav

    @event_priority(-200)
    def on_env(self, env: Environment, *, config: MkDocsConfig, files: Files) -> Environment:  # noqa: ARG002
        """Remember the theme as all plugins leave it."""
        self._gathered.dress(env)
        return env

    @event_priority(100)
    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Have searches find exercises that MkDocs has not made itself, before they are written."""
        self._gathered.index(config)

    def on_serve(self, server: LiveReloadServer, *, config: MkDocsConfig, builder: Callable[[], None]) -> None:  # noqa: ARG002
        """Have the server answer where a later build fails, too."""
        self._serving = True
        self._watch.start(server)
        server.builder = answering(server.builder, Path(server.root))

    def _read(self, file: Path, config: MkDocsConfig) -> tuple[Course, list[str]]:
        """Return the course; while it is served, with what stands in the way of all its pages.

        Raises:
            InputError: something does, and it is not served.
        """
        self._loaded = self._loaded or digests(self._hooks(config))
        found = outdated(self._loaded, file.parent)
        if not found:
            try:
                self._whole = Course.read(file, config.extra, self.options)
            except InputError as error:
                found = list(error.faults)
            else:
                return self._whole, []
        if not self._serving:
            raise InputError(found)
        for fault in found:
            log.error(fault)
        return Course.sketch(file, config.extra, self.options), found

    def _hooks(self, config: MkDocsConfig) -> list[Path]:
        """Return the file of the hook that hands events to this, where one does."""
        handing = [hook for hook in config.plugins.values() if getattr(hook, "on_config", None) == self.on_config]
        return [Path(hook.__file__) for hook in handing if hasattr(hook, "__file__")]

    def _pages(self, course: Course, own: Files, config: MkDocsConfig) -> list[Page]:
        """Return the pages of the course; while it is served, of what is left out of it too."""
        spoken = language(config.theme)
        self._gathered = Gathered(_unsearched)
        if self._faults:
            known = [one for one in (self._whole, course) if one]  # a browser may be at an address of either
            instead = {page.uri: page for one in known for page in faults.of_all(one, self._faults, spoken)}
            return [page for page in instead.values() if not own.get_file_from_path(page.uri)]
        drafts = self._command == "serve"  # `serve --clean` shows what a build makes
        making = Making(
            course.settings, spoken, "" if config.use_directory_urls else "index.html", drafts, course.at_hand
        )
        asks = self._command == "build" and not self._serving
        made = self._gathered.of(course, making, config, asks=asks, dirty=self._dirty)
        remark(made, course, log)
        broken = [topic for _, topic in sorted(course.broken.items())] if self._serving else []
        told = [page for topic in broken for page in faults.of_topic(topic, course.settings, spoken)]
        there = [page for page in told if not own.get_file_from_path(page.uri)]
        return [*self._gathered.pages, *of_course(made, broken, making), *there]


class ErrorspanPlugin(Site, BasePlugin):  # type: ignore[type-arg,no-untyped-call]
    """The same as a plugin of MkDocs, named in `plugins`."""

    def load_config(self, options: dict[str, Any], config_file_path: str | None = None) -> tuple[list[Any], list[Any]]:  # noqa: ARG002
        """Keep the options; `on_config` checks them, and tells each fault with its line."""
        self.config = self.options = options
        return [], []


def _unsearched(html: str, name: str) -> str:
    told, ends = _END_OF_HEAD.subn(lambda found: NOINDEX + found[0], html, count=1)
    if not ends:
        log.warning("%s holds answers, and no </head> before which web searches could be told so", name)
    return told


def _once(config: MkDocsConfig) -> None:
    """Hold that a site has the plugin or the hook.

    Raises:
        InputError: it has both, or one of them twice.
    """
    taking = {
        name: getattr(plugin, "on_config", None) for name, plugin in config.plugins.items()
    }  # hooks are there too
    named = [name for name, method in taking.items() if isinstance(getattr(method, "__self__", None), Site)]
    if len(named) > 1:
        file, hooks = Path(config.config_file_path), list(config.hooks)
        marks = settings_in(file, {}, {}).marks
        places = [("hooks", hooks.index(name)) if name in hooks else PLUGIN for name in named]
        found = [marks.get(place) or marks.get(place[:1], (file.name, 1)) for place in places]
        lines = [f"{name}:{line}" for name, line in found]
        got = ", ".join(f"{name} at {line}" for name, line in zip(named, lines, strict=True))
        raise InputError([f"{lines[-1]}: expected one plugin or hook of Errorspan (got {got}); keep the plugin"])


@contextmanager
def _told() -> Iterator[None]:
    """Give MkDocs an error that it shows without a traceback."""
    try:
        yield
    except GeneratorError as error:
        raise PluginError(str(error)) from None
