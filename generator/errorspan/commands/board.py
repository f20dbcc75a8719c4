"""Show on a terminal what is asked at the moment."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from errorspan.runs.progress import Progress, Tally, name
from errorspan.text.errors import shown


class Board:
    """Show what is asked at the moment, a row for each topic."""

    def __init__(self, topics_of: Sequence[str], tally: Tally) -> None:
        self._tally = tally
        self._asked: dict[str, list[str]] = {topic: [] for topic in topics_of}
        self._answered = dict.fromkeys(topics_of, 0)
        self._told = dict.fromkeys(topics_of, "")

    def __call__(self, progress: Progress) -> None:
        """Take note of a call that was sent, or of its reply."""
        self._tally(progress)
        called = name(progress)
        if progress.reply is None:
            self._asked[progress.topic].append(called)
            return
        if called in self._asked[progress.topic]:
            self._asked[progress.topic].remove(called)
        self._answered[progress.topic] += not progress.faults
        self._told[progress.topic] = f"sent back: {shown(progress.faults[0])[:80]}" if progress.faults else ""

    def table(self) -> Group:
        """Return the board as it is now."""
        table = Table("topic", "answers", "asking", "", box=None)
        for topic, asked in self._asked.items():
            table.add_row(topic, str(self._answered[topic]), ", ".join(asked), Text(self._told[topic]))
        return Group(table, f" so far {self._tally.total}")
