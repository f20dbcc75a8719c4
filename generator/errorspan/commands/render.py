"""`errorspan render`: the course in a folder, for another site generator."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from errorspan.authoring.configuration import files
from errorspan.authoring.settings import Settings
from errorspan.commands.opening import configuration, course_of, settings_of
from errorspan.commands.options import config_option
from errorspan.commands.telling import Failure, in_words, left_out
from errorspan.site import folder, zensical
from errorspan.text.errors import GeneratorError

_SECONDS = 0.5
"""How often a watch looks for changes; less often where looking takes long."""


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--zensical", "for_zensical", is_flag=True, help="Write zensical.toml and docs/, for `zensical build`.")
@click.option(
    "--variant", type=click.Choice(["modern", "classic"]), help="Zensical's look.  [default: modern]", show_choices=True
)
@click.option("--watch", is_flag=True, help="Write again whenever the course changes, until Ctrl-C.")
@config_option
def render(
    directory: Path, *, for_zensical: bool, variant: zensical.Variant | None, watch: bool, config_file: Path
) -> None:
    """Write every page of the course into a folder, as Markdown and assets.

    Another site generator can build them: the folder holds the site's own docs, the generated pages, and the styles and
    the script that they need. What was written is listed in the folder; only that is ever replaced or taken away.
    """
    if variant and not for_zensical:
        raise click.UsageError("--variant is for --zensical.")

    def write() -> tuple[folder.Written, list[str]]:
        course, site = course_of(config_file), configuration(config_file)
        found = zensical.gather(course, site, variant) if for_zensical else folder.gather(course, site)
        sources = [course.root / name for name in _sources(course.settings, site.values)]
        written = folder.write(directory, found.files, sources)
        for what in found.left:
            click.echo(f"left out: {what}", err=True)
        return written, left_out(course, ())

    if not watch:
        written, failed = write()
        click.echo(f"{written.files} files in {directory}")
        if failed:
            raise Failure("\n".join(failed))
        return
    with suppress(KeyboardInterrupt):
        for _ in _changes(config_file.resolve()):
            try:
                with in_words():
                    written, failed = write()
            except click.ClickException as error:
                error.show()
            else:
                click.echo(f"{written.files} files in {directory}: {written.changed} new, {written.removed} taken away")
                for line in failed:
                    click.echo(line, err=True)


def _sources(settings: Settings, config: Mapping[str, Any]) -> list[str]:
    """Return the folders that people write, from where the configuration stands."""
    overrides = zensical.overrides_of(config)
    return [settings.topics, folder.docs_of(config), *([overrides] if overrides else [])]


def _changes(config_file: Path) -> Iterator[None]:
    """Yield once, and again after each change of what a course is made of."""
    places = {config_file}
    while True:
        with suppress(GeneratorError, click.ClickException):  # what is known to be there stays watched
            sources = _sources(settings_of(config_file), configuration(config_file).values)
            places |= {*files(config_file), *(config_file.parent / name for name in sources)}
        seen = _seen(places)
        yield
        began = time.monotonic()
        while _seen(places) == seen:
            time.sleep(max(_SECONDS, 10 * (time.monotonic() - began)))
            began = time.monotonic()


def _seen(places: Collection[Path]) -> dict[str, tuple[int, ...]]:
    """Return what tells a file that was saved anew, of all files in these places."""
    below = (Path(where, name) for place in places for where, _, names in os.walk(place) for name in names)
    seen: dict[str, tuple[int, ...]] = {}
    for path in (*places, *below):
        with suppress(OSError):
            found = path.lstat()
            seen[str(path)] = (found.st_mtime_ns, found.st_size, found.st_ino)
    return seen
