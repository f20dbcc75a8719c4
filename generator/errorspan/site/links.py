"""Say where pages stand, and how one leads to another."""

from __future__ import annotations

from dataclasses import dataclass
from posixpath import relpath

from errorspan.authoring.settings import Settings


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

    def run(self, topic: str) -> str:
        """Return the address of a topic's run."""
        return self._to(f"{self.settings.runs_folder}/{topic}")

    def _to(self, folder: str) -> str:
        return f"{relpath(f'/{folder}', f'/{self.here}')}/{self.index}"
