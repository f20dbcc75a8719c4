"""Take all topics of a site together: read them, replay their runs, ask for what is missing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from generator.client import Client, deprecations
from generator.errors import InputError
from generator.pipeline import Listener, Pipeline
from generator.record import Record
from generator.runs import Run
from generator.settings import Settings, read_settings
from generator.topics import Topic, read_topics


class Course:
    """The topics of a site, by id, and where their records are."""

    def __init__(self, root: Path, settings: Settings, topics: Sequence[Topic]) -> None:
        self.root = root
        self.settings = settings
        self.topics = {topic.id: topic for topic in topics}

    @classmethod
    def read(cls, config_file: Path, extra: Mapping[str, Any]) -> Course:
        """Read a site's settings and topic files.

        Raises:
            InputError: with every fault of every file.
        """
        root = config_file.parent
        settings = read_settings(extra, config_file)
        return cls(root, settings, read_topics(root / settings.topics, root))

    def chosen(self, ids: Collection[str]) -> list[Topic]:
        """Return the topics of these ids, all where none is given.

        Raises:
            InputError: there is no such topic.
        """
        known = ", ".join(self.topics)
        ids = [name.rpartition("/")[2].removesuffix(".yml") for name in ids]  # a shell completes a file's path
        unknown = [name for name in ids if name not in self.topics]
        if unknown:
            raise InputError(f"there is no topic {name!r} (known: {known})" for name in unknown)
        return [topic for topic in self.topics.values() if not ids or topic.id in ids]

    def record(self, topic: Topic) -> Record:
        """Return the record of a topic."""
        folder = self.root / self.settings.topics / "runs" / topic.id
        return Record(f"{self.settings.topics}/runs/{topic.id}", folder, self.root / ".cache" / "errorspan" / topic.id)

    def replay(self, topics: Sequence[Topic], *, refresh: bool = False, recover: bool = False) -> list[Run]:
        """Return the runs as far as their records have them, without a call.

        With `recover`, replies that were received before a run was stopped are taken into the record; else nothing is
        written.

        Raises:
            InputError: files of records are corrupt; with the faults of all of them.
        """
        runs: list[Run] = []
        faults: list[str] = []
        for topic in topics:
            try:
                runs.append(Pipeline(topic, self.record(topic), self.settings, refresh=refresh, recover=recover).run())
            except InputError as error:
                faults += error.faults
        if faults:
            raise InputError(faults)
        return runs

    def ask(
        self,
        topics: Sequence[Topic],
        *,
        refresh: bool = False,
        listen: Listener,
        stopping: Callable[[], None] = lambda: None,
    ) -> list[Run]:
        """Return the runs, asking models for what is missing; topics go side by side.

        Ctrl-C lets calls in flight finish, because they are paid for, and starts no other;
        `stopping` is called at once.
        """
        client = Client(self.settings)

        def played(topic: Topic) -> Run:
            try:
                return Pipeline(topic, self.record(topic), self.settings, client, refresh=refresh, listen=listen).run()
            except BaseException:
                client.stopped.set()  # no topic goes on where one cannot be kept
                raise

        with ThreadPoolExecutor(min(self.settings.max_calls, len(topics) or 1)) as pool:
            try:
                return list(pool.map(played, topics))
            except BaseException:
                client.stopped.set()
                stopping()
                pool.shutdown(cancel_futures=True)
                raise

    def deprecations(self, topics: Sequence[Topic]) -> list[str]:
        """Say which models of these topics the SDK lists as deprecated. Imports the SDK."""
        models = {
            self.settings.model(tier, topic): tier for topic in topics for tier in type(topic.models).model_fields
        }
        return deprecations({tier: model for model, tier in models.items()})
