"""Find everything that is wrong with a course at once: topics, records, tests, proofs, reviews and settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, NamedTuple

from errorspan.authoring.topics import Topic, dropped
from errorspan.course import Course
from errorspan.pipeline import read
from errorspan.proof import agreeing, harnesses, proofs, reviews
from errorspan.record.record import Record
from errorspan.runs.run import Run
from errorspan.runs.standing import waits
from errorspan.steps.table import Step, passes
from errorspan.text import objects, syntax
from errorspan.text.errors import InputError

Level = Literal["error", "warning", "note"]

_TOLD = re.compile(r"(?P<file>.+?):(?P<line>[0-9]+): (?:(?P<key>[^\s:]+): )?(?P<message>.*)", re.DOTALL)
_ROUND = re.compile(r"attempt-([1-9][0-9]*)/")
_OWN = {"run.json", proofs.FILE, agreeing.FILE}
_LANGUAGES = {".py": "python", ".mjs": "javascript", ".ts": "typescript"}
"""The languages of tests that can be read without running them."""
_BOUND = {"exercise": "the exercise", "tests": "the tests", "implementations": "the two solutions"}


class Fault(NamedTuple):
    """What is said of a place in a file. `topic`: whose it is, None where it is the course's."""

    file: str
    line: int
    key: str | None
    message: str
    topic: str | None
    level: Level = "error"

    def __str__(self) -> str:
        """Return it as every message is written: `file:line: key: what`."""
        return f"{self.file}:{self.line}: {f'{self.key}: ' if self.key else ''}{self.message}"


def told(sentence: str, topic: str | None = None, level: Level = "error") -> Fault:
    """Return what a message says, `file:line: key: what`, taken apart."""
    found = _TOLD.fullmatch(sentence)
    if found is None:
        return Fault("mkdocs.yml", 1, None, sentence, topic, level)
    return Fault(found["file"], int(found["line"]), found["key"], found["message"], topic, level)


def diagnosed(course: Course) -> Iterator[Fault]:
    """Yield everything that is wrong with topics, and as a note why students do not see what is not wrong."""
    for name, broken in sorted(course.broken.items()):
        yield from (told(fault, name) for fault in broken.faults)
    for topic in course.topics.values():
        yield from _of_topic(course, topic)


def _of_topic(course: Course, topic: Topic) -> Iterator[Fault]:
    record = course.record(topic)
    said: dict[str, Level] = {}
    for look in (_reviewed, _tested, _recorded, _proved):
        said |= dict.fromkeys(_found(look, course, topic, record), "error")
    try:
        [run] = course.replay([topic.id])
    except InputError as error:
        said |= dict.fromkeys(error.faults, "error")
    else:
        said |= dict.fromkeys([*run.faults, *run.solution_faults, *run.refutations, *_stale(run)], "error")
        said |= {remark: "warning" for remark in run.remarks if remark not in said}
        if not said and (why := waits(run, course.settings)):
            said[f"{topic.path}:1: {why}"] = "note"
    yield from (told(sentence, topic.id, level) for sentence, level in said.items())


def _found(
    look: Callable[[Course, Topic, Record], Iterable[str]], course: Course, topic: Topic, record: Record
) -> list[str]:
    try:
        return list(look(course, topic, record))
    except InputError as error:
        return list(error.faults)
    except OSError as error:
        return [f"{record.name}:1: cannot be read ({error.strerror})"]


def _reviewed(course: Course, topic: Topic, _: Record) -> Iterator[str]:
    name = reviews.named(course.root, f"{course.settings.topics}/{topic.id}")
    reviews.read(course.root / name, name)
    return iter(())


def _tested(course: Course, topic: Topic, _: Record) -> Iterator[str]:
    """Yield what is wrong with test files as texts; what they do, only a sandbox shows."""
    files = course.tests(topic)
    for name, content in files.items():
        language = _LANGUAGES.get(Path(name).suffix)
        text = content.decode("utf-8", "replace")
        if language and not syntax.unknown(text, language) and (line := syntax.broken(text, language)):
            yield f"{course.settings.topics}/{name}:{line}: does not parse"
    if not files:
        known = ", ".join(harnesses.tests(topic.id, one) for one in harnesses.HARNESSES)
        for path in course.beside.get(topic.id, ()):
            yield f"{course.settings.topics}/{path.name}:1: stands beside no tests, which are one of {known}"


def _recorded(_: Course, topic: Topic, record: Record) -> Iterator[str]:
    """Yield what is wrong with a record's files, each by itself, whether a run comes so far or not."""
    folder = record.own("")
    found = {
        path.relative_to(folder).as_posix()
        for path in (folder.rglob("*") if folder.is_dir() else ())
        if path.is_file() and not any(map(dropped, path.relative_to(folder).parts))
    }
    lost = {} if record.pending else {file: _line(record, file) for file in record.manifest.answers.keys() - found}
    strange = sorted(file for file in found - _OWN if not _step(file))
    meant = {file: _meant(file, [*lost, *_files(found)]) for file in strange}
    for file in sorted(found):
        if step := _step(file):
            yield from _misread(record, step, file)
    for file, name in meant.items():
        yield f"{record.name}/{file}:1: is no file of a record" + (f"; rename it to {name}" if name else "")
    for file, line in sorted(lost.items()):
        if file not in meant.values():
            mend = f"restore it from version control, or run {topic.id}: that asks for it again"
            yield f"{record.name}/run.json:{line}: answers.{file}: the file is missing; {mend}"


def _misread(record: Record, step: Step, file: str) -> list[str]:
    recorded = record.find(file)
    try:
        if recorded:
            read(record, step, recorded)
    except InputError as error:
        return list(error.faults)
    return []


def _step(file: str) -> Step | None:
    """Return the step whose answer a file of a record is, by its name."""
    number = int(found[1][:9]) if (found := _ROUND.match(file)) else 0
    return next((one.step for one in passes([number] if number else []) if one.file == file), None)


def _files(found: Iterable[str]) -> list[str]:
    """Return the names that a record may hold, in as many attempts as it has folders."""
    rounds = {int(one[1][:9]) for file in found if (one := _ROUND.match(file))}
    return [*_OWN, *(one.file for one in passes(sorted(rounds)))]


def _meant(file: str, names: Iterable[str]) -> str | None:
    return next(iter(get_close_matches(file, dict.fromkeys(names), n=1, cutoff=0.8)), None)


def _line(record: Record, file: str) -> int:
    """Return the line on which run.json begins to tell of a file."""
    return objects.lines(record.own("run.json").read_text("utf-8")).get(("answers", file), 1)


def _proved(_: Course, __: Topic, record: Record) -> Iterator[str]:
    proofs.read(record.own(proofs.FILE), f"{record.name}/{proofs.FILE}")
    agreeing.read(record.own(agreeing.FILE), f"{record.name}/{agreeing.FILE}")
    return iter(())


def _stale(run: Run) -> Iterator[str]:
    """Yield what stands beside a run and is of something that is there no more."""
    evidence = run.evidence
    if proof := evidence.stale_proof:
        file = f"{run.folder}/{proofs.FILE}:1"
        if evidence.bound is None:
            yield f"{file}: is stale: the topic has no tests any more; remove it"
        else:
            changed = " and ".join(
                said for key, said in _BOUND.items() if getattr(proof.bound, key) != getattr(evidence.bound, key)
            )
            again = f"`errorspan verify {run.topic.id}` proves anew"
            yield f"{file}: is stale: {changed} changed since; {again}"
    if review := evidence.stale_review:
        why = f"{review.by} reviewed another version; review it anew, or remove the file"
        yield review.fault(("assessment",), why)
