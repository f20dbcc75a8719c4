"""Take all topics of a site together: read them, replay their runs, ask for what is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from errorspan.answers.outputs import Assessment
from errorspan.authoring.configuration import settings as settings_in
from errorspan.authoring.modules import strangers
from errorspan.authoring.settings import Settings, fitting, read_settings
from errorspan.authoring.topics import BESIDE, Broken, Topic, dropped, named_by, read_topics
from errorspan.browser import engines
from errorspan.browser.engines import Engine, Kept
from errorspan.models.batches import Batches
from errorspan.models.client import Client
from errorspan.models.connection import deprecations
from errorspan.models.hand import Hand
from errorspan.pipeline import Pipeline
from errorspan.proof import agreeing, correcting, framing, harnesses, proofs, reviews, witnessed
from errorspan.proof.evidence import Evidence
from errorspan.record.manifest import Recorded
from errorspan.record.outbox import JOURNALS
from errorspan.record.record import Record
from errorspan.runs.progress import Listener
from errorspan.runs.run import Run
from errorspan.steps.table import SOLVE, STEPS, Step, Tier
from errorspan.text import disk
from errorspan.text.errors import InputError, shown

MAX_TESTS = 256 * 1024
"""Bytes of one test file."""


class Course:
    """The topics of a site, by id, and where their records are; apart, those that are broken, and left out."""

    def __init__(self, root: Path, settings: Settings, topics: Sequence[Topic], broken: Sequence[Broken] = ()) -> None:
        self.root = root
        self.settings = settings
        self.topics = {topic.id: topic for topic in topics}
        self.broken = {topic.id: topic for topic in broken}
        self._kept: dict[Engine, Kept | None] = {}

    @classmethod
    def read(cls, config_file: Path, extra: Mapping[str, Any], options: Any = None) -> Course:
        """Read a site's settings, the plugin's `options` or else those in `extra`, and its topic files.

        Raises:
            InputError: a setting does not fit, a module of them names no topic, or the topics' folder cannot be read.
        """
        root = config_file.parent
        settings = read_settings(config_file, extra, options)
        course = cls(root, settings, *read_topics(root / settings.topics, root))
        if unknown := list(strangers(settings.modules, sorted(course.topics.keys() | course.broken.keys()))):
            given = settings_in(config_file, extra, options)
            raise InputError(given.fault(place, what) for place, what in unknown)
        return course

    @classmethod
    def sketch(cls, config_file: Path, extra: Mapping[str, Any], options: Any = None) -> Course:
        """Return as much of a course as can be told where it cannot be read: which pages it would have."""
        root, settings = config_file.parent, fitting(extra, options)
        try:
            return cls(root, settings, *read_topics(root / settings.topics, root))
        except InputError:
            return cls(root, settings, ())

    def chosen(self, ids: Collection[str], *, leave_out: bool = False) -> list[Topic]:
        """Return the topics of these ids, all where none is given; with `leave_out`, without those that are broken.

        Raises:
            InputError: there is no such topic, or it is broken; with all its faults.
        """
        known = ", ".join(self.topics)
        ids = [named_by(name) for name in ids]
        if faults := [
            fault
            for name in ids
            if name not in self.topics and not (leave_out and name in self.broken)
            for fault in (
                self.broken[name].faults if name in self.broken else [f"there is no topic {name!r} (known: {known})"]
            )
        ]:
            raise InputError(faults)
        return [topic for topic in self.topics.values() if not ids or topic.id in ids]

    def only(self, ids: Iterable[str]) -> Course:
        """Return the course as if it had these topics alone, the broken ones among them.

        Raises:
            InputError: there is no such topic.
        """
        ids = dict.fromkeys(map(named_by, ids))
        every = {**self.topics, **self.broken}
        if faults := [f"there is no topic {name!r} (known: {', '.join(every)})" for name in ids if name not in every]:
            raise InputError(faults)
        topics = [topic for topic in self.topics.values() if topic.id in ids]
        return Course(self.root, self.settings, topics, [topic for topic in self.broken.values() if topic.id in ids])

    def record(self, topic: Topic) -> Record:
        """Return the record of a topic."""
        return self.record_of(topic.id)

    def record_of(self, id_: str) -> Record:
        """Return the record of a topic, also where the topic is gone."""
        name = f"{self.settings.topics}/runs/{id_}"
        return Record(name, self.root / name, self.root / JOURNALS / id_, self.root)

    @property
    def faults(self) -> list[str]:
        """Return what is wrong with the topics that are left out."""
        return [fault for name in sorted(self.broken) for fault in self.broken[name].faults]

    def at_hand(self, engine: Engine) -> Kept | None:
        """Return an engine that runs programs in a browser, if it is at hand and whole."""
        if engine not in self._kept:
            try:
                self._kept[engine] = engines.kept(self.root, engine)
            except InputError:  # a build says so, where an exercise needs it
                self._kept[engine] = None
        return self._kept[engine]

    @property
    def abandoned(self) -> list[str]:
        """Return the folders of records whose topic is not there any more, or is named otherwise."""
        name = f"{self.settings.topics}/runs"
        try:
            runs = disk.below(self.root, self.root / name, name)
            names = sorted(path.name for path in runs.iterdir() if path.is_dir() and not _aside(path.name))
        except (OSError, InputError):  # there is none yet; where it cannot be read, each of its topics says so
            names = []
        known = self.topics.keys() | self.broken.keys()
        return [shown(f"{self.settings.topics}/runs/{name}") for name in names if name not in known]

    @cached_property
    def beside(self) -> Mapping[str, Sequence[Path]]:
        """Return the paths of all test files, by topic: to look for each topic's own would look at all, each time."""
        found: defaultdict[str, list[Path]] = defaultdict(list)
        for path in sorted((self.root / self.settings.topics).iterdir()):
            beside = BESIDE.fullmatch(path.name)
            if beside and ".tests." in path.name and not dropped(path.name):
                found[beside["topic"]].append(path)
        return found

    def tests(self, topic: Topic) -> dict[str, bytes]:
        """Return a topic's test files by name: its tests, and what stands beside them; none where there are no tests.

        Raises:
            InputError: one is too large, or cannot be read.
        """
        paths = self.beside.get(topic.id, [])
        if harnesses.of(topic.id, [path.name for path in paths]) is None:
            return {}
        files: dict[str, bytes] = {}
        faults: list[str] = []
        for path in paths:
            name = f"{self.settings.topics}/{path.name}"
            try:
                with path.open("rb") as file:
                    files[path.name] = file.read(MAX_TESTS + 1)
            except OSError as error:
                faults.append(f"{name}:1: cannot be read ({error.strerror})")
            else:
                if len(files[path.name]) > MAX_TESTS:
                    faults.append(f"{name}:1: expected at most {MAX_TESTS:,} bytes (got more)")
        if faults:
            raise InputError(faults)
        return files

    def _play(self, topic: Topic, client: Client | Batches | Hand | None = None, **how: Any) -> Run:
        """Play a topic, and lay beside its run what speaks for its key: a proof, and a review."""
        name = reviews.named(self.root, f"{self.settings.topics}/{topic.id}")
        review = reviews.read(self.root / name, name)

        def correct(recorded: Recorded, assessment: Any) -> Any:
            if review and review.applies(recorded.entry.digest) and isinstance(assessment, Assessment):
                return correcting.corrected(assessment, review)
            return assessment

        record = self.record(topic)
        run = Pipeline(topic, record, self.settings, client, correct=correct, **how).run()
        recorded, assessment = run.recorded_assessment, run.assessment
        if recorded is None or assessment is None:
            return run
        applies = review is not None and review.applies(recorded.entry.digest)
        tests = self.tests(topic)
        original = Assessment.read(recorded.recorded.text) if applies and review and review.corrects else None
        answers = [run.outputs[step] for step in proofs.TIERS.values()]
        proof = proofs.read(record.own(proofs.FILE), f"{record.name}/{proofs.FILE}")
        evidence = Evidence(
            proof=proof,
            source=witnessed.source(proof) if proof else "recorded",
            bound=proofs.bound(assessment, answers, tests, topic.requires) if tests else None,
            review=review if applies else None,
            stale_review=None if applies else review,
            original=original,
            files=tests,
            agreed=agreeing.read(record.own(agreeing.FILE), f"{record.name}/{agreeing.FILE}"),
            frame=framing.frame(topic.id, assessment.language, tests, self.settings.topics),
            tests=harnesses.told(topic.id, tests, self.settings.topics),
            undecided=correcting.asides(original, assessment, review) if original and review else (),
        )
        return replace(run, evidence=evidence)

    def replay(
        self,
        ids: Collection[str] = (),
        *,
        steps: Sequence[Step] = STEPS,
        refresh: bool = False,
        recover: bool = False,
        leave_out: bool = False,
    ) -> list[Run]:
        """Return the runs of these topics, all where none is given, as far as their records have them, without a call.

        Where none is given, or with `leave_out`, a topic that cannot be replayed is left out from here on. With
        `recover`, replies that were received before a run was stopped are taken into the record; else nothing is
        written. What can be asked of `steps` is open.

        Raises:
            InputError: there is no such topic, or files of one that is given are corrupt; with all faults.
        """
        runs: list[Run] = []
        faults: list[str] = []
        for topic in self.chosen(ids, leave_out=leave_out):
            try:
                runs.append(self._play(topic, steps=steps, refresh=refresh, recover=recover))
            except InputError as error:
                found = error.faults
            except OSError as error:
                found = (f"{self.record(topic).name}:1: cannot be read ({error.strerror})",)
            else:
                continue
            faults += found
            if leave_out or not ids:
                self.broken[topic.id] = Broken(topic.id, self.topics.pop(topic.id).path, found)
        if faults and ids and not leave_out:
            raise InputError(faults)
        return runs

    def ask(  # noqa: PLR0913 - how models are asked
        self,
        topics: Sequence[Topic],
        client: Client | Batches | None = None,
        *,
        steps: Sequence[Step] = STEPS,
        refresh: bool = False,
        listen: Listener,
        stopping: Callable[[], None] = lambda: None,
    ) -> list[Run]:
        """Return the runs, asking models for what is missing of these steps; topics go side by side.

        Ctrl-C lets calls in flight finish, because they are paid for, and starts no other;
        `stopping` is called at once.
        """
        client = client or Client(self.settings)

        def played(topic: Topic) -> Run:
            try:
                return self._play(topic, client, steps=steps, refresh=refresh, listen=listen)
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

    def hand_in(self, topic: Topic, hand: Hand) -> Run:
        """Return the run with what somebody asked by hand; where that does not count, its pass is open still."""
        return self._play(topic, hand, steps=STEPS + SOLVE)

    def deprecations(self, topics: Sequence[Topic], steps: Sequence[Step] = STEPS) -> list[str]:
        """Say which models that these topics ask the SDK lists as deprecated. Imports the SDK."""
        tiers = {step.asks(order) for step in steps for order in step.passes}
        asked = ((self.settings.model(tier, topic), tier) for topic in topics for tier in Tier if tier in tiers)
        models = {one.model: tier for one, tier in asked if not one.server}
        return deprecations({tier: model for model, tier in models.items()})


def _aside(name: str) -> bool:
    """Tell whether a folder beside the records is none: half written, or hidden."""
    return name.endswith(disk.HALF) or dropped(name)
