"""Say where pages stand, and how one leads to another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from posixpath import basename, dirname, join, relpath, splitext
from unicodedata import normalize

from pathspec.gitignore import GitIgnoreSpec

from errorspan.authoring.settings import Settings

KEY = "key.js"

_MARKDOWN = {".markdown", ".mdown", ".mkdn", ".mkd", ".md"}


def in_the_way(made: Iterable[str], own: Iterable[str], *, directory_urls: bool) -> Iterator[tuple[str, str]]:
    """Yield files of a site's own that have the address of one that is generated, each with that.

    `exercises.md`, `exercises/README.md` and `exercises/index.html` have that of `exercises/index.md`; so has
    `Exercises.md`, which some machines write to the same place.
    """

    def place(uri: str) -> str:
        return normalize("NFC", _address(uri, directory_urls=directory_urls)).casefold()

    taken = {place(uri): uri for uri in own}
    for uri in made:
        if there := taken.get(place(uri)):
            yield there, uri


def _address(uri: str, *, directory_urls: bool) -> str:
    """Return where in a site a file of its docs goes."""
    stem, ending = splitext(uri)
    if ending not in _MARKDOWN:
        return uri
    folder, name = dirname(stem), basename(stem)
    if name in {"index", "README"}:
        return join(folder, "index.html")
    return f"{stem}/index.html" if directory_urls else f"{stem}.html"


def shown_of(made: Iterable[str], excluded: GitIgnoreSpec) -> Iterator[str]:
    """Yield the generated files that patterns leave in a site; a key goes with its exercise."""
    for uri in made:
        page = f"{dirname(uri)}/index.md" if basename(uri) == KEY else uri
        if not excluded.match_file(uri) and not excluded.match_file(page):
            yield uri


@dataclass(frozen=True)
class Links:
    """Addresses of a course's pages, as a page in the folder `here` names them.

    `index` is what a link to a folder needs: `index.html` where no server adds it.
    """

    settings: Settings
    index: str = ""
    here: str = ""

    @property
    def exercises(self) -> str:
        """Return the address of the list of exercises."""
        return self._to(self.settings.exercises_folder)

    @property
    def runs(self) -> str:
        """Return the address of the list of runs."""
        return self._to(self.settings.runs_folder)

    def exercise(self, topic: str) -> str:
        """Return the address of a topic's exercise."""
        return self._to(f"{self.settings.exercises_folder}/{topic}")

    def key(self, topic: str) -> str:
        """Return the address of the key of a topic's exercise."""
        return self._to(f"{self.settings.exercises_folder}/{topic}/key")

    def run(self, topic: str, part: str = "") -> str:
        """Return the address of a topic's run, or of a page below it."""
        return self._to("/".join(filter(None, [self.settings.runs_folder, topic, part])))

    def _to(self, folder: str) -> str:
        return f"{relpath(f'/{folder}', f'/{self.here}')}/{self.index}"
