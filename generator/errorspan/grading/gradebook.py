"""Grade what was handed in against a course's record, as it stands now."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from errorspan.course import Course
from errorspan.grading import handins, rules
from errorspan.grading.handins import WAY_OUT, HandIn, Sheet, State
from errorspan.site import pages
from errorspan.site.exercise import Exercise
from errorspan.text.errors import InputError, shown


@dataclass(frozen=True)
class Graded:
    """What one student did in one exercise. `who` is as typed, or the file's name, where it holds progress.

    `first` and `best` are scores as the student's browser counted them, `best` before the answers were shown; `texts`
    is what was written, by the lines that it is about. `right` and `tried`: corrections, compared with the answers.
    """

    who: str
    exercise: str
    exam: bool
    file: str
    marks: tuple[int, ...]
    unsure: tuple[int, ...]
    grade: rules.Grade | None
    right: int = 0
    tried: int = 0
    texts: tuple[tuple[str, str, str], ...] = ()
    minutes: float | None = None
    handed: str | None = None
    first: int | None = None
    best: int | None = None
    attempts: int | None = None


class Gradebook(NamedTuple):
    """What was graded, by student and exercise; what was wrong with files, and what is to be known of them."""

    rows: Sequence[Graded]
    faults: Sequence[str]
    notes: Sequence[str]
    exercises: Mapping[str, Exercise]


@dataclass
class Grading:
    """A course's exercises, against which files are graded, one by one; `home` is the folder that they all lie in."""

    exercises: Mapping[str, Exercise]
    home: Path | None = None
    graded: dict[tuple[str, str, bool], Graded] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, path: Path) -> None:
        """Grade a file; what is wrong with it breaks nothing but itself."""
        try:
            for sheet in handins.read(path):
                self._take(sheet)
        except InputError as error:
            self.faults += error.faults

    def _take(self, sheet: Sheet) -> None:
        exercise = self._exercise(sheet)
        if exercise is None:
            return
        made = (
            _of_exam(sheet, sheet.handin, exercise)
            if sheet.handin
            else _of_practice(sheet, sheet.state, exercise, _named(sheet.file, self.home))
        )
        if made is None:
            return
        key = (normalize("NFKC", made.who).casefold(), made.exercise, made.exam)
        if other := self.graded.get(key):
            where = f"{other.who!r} is in {other.file} too, for {made.exercise}"
            raise InputError(
                [f"{made.file}:1: who: {where}; that one is graded, leave out the one that does not count"]
            )
        self.graded[key] = made

    def _exercise(self, sheet: Sheet) -> Exercise | None:
        """Return the exercise of a sheet; None of progress in what has changed, or is not there any more.

        Raises:
            InputError: it is an exam, and not of an exercise as it stands now.
        """
        by_digest = {digest(one): one for one in self.exercises.values() for digest in (_shown, _graded)}
        here = self.exercises.get(sheet.exercise or "") or by_digest.get(sheet.digest)
        known = {_shown(here), _graded(here)} if here else set()
        if here and sheet.digest in known:
            return here
        what = sheet.exercise or "an exercise"
        if sheet.handin is None:
            if sheet.state and (sheet.state.attempts or sheet.state.marks):
                why = "has changed since" if here else "is no exercise of this course"
                self.notes.append(
                    shown(f"{sheet.file}: {what} {why}: its progress (version {sheet.digest}) is left out")
                )
            return None
        if here is None:
            listed = ", ".join(self.exercises) or "there is none"
            raise InputError([f"{sheet.file}:1: handin.exercise: expected one of {listed} (got {what!r})"])
        now = f"expected {_shown(here)}, the code of {what} as it stands now (got {sheet.digest})"
        way_out = "the exercise has changed since; grade this file with the record that the exam had"
        raise InputError([f"{sheet.file}:1: handin.digest: {now}; {way_out}"])


def graded(course: Course, files: Iterable[Path]) -> Gradebook:
    """Return what files of students are worth, those of the same student and exercise once."""
    runs, paths = course.replay(leave_out=True), list(files)
    home = Path(os.path.commonpath([path.absolute().parent for path in paths]))
    grading = Grading({run.topic.id: pages.exercise(run) for run in runs if run.graded and run.verdict}, home)
    for path in paths:
        grading.take(path)
    rows = sorted(grading.graded.values(), key=lambda row: (row.exercise, row.who.casefold(), row.exam))
    return Gradebook(rows, grading.faults, grading.notes, grading.exercises)


def _shown(exercise: Exercise) -> str:
    return exercise.as_exam().digest


def _graded(exercise: Exercise) -> str:
    return exercise.digest


def _of_exam(sheet: Sheet, handin: HandIn, exercise: Exercise) -> Graded:
    """Grade what was handed in.

    Raises:
        InputError: it marks what nobody can mark, or writes of what is not marked.
    """
    if faults := list(_impossible(sheet.file, handin, exercise)):
        raise InputError(faults)
    touched = [one for one in handin.answers if one.fix is not None]
    right = set().union(*(rules.mended(exercise, one.first, one.to, one.fix or "") for one in touched))
    return Graded(
        who=handin.who,
        exercise=exercise.id,
        exam=True,
        file=sheet.file,
        marks=tuple(sorted(set(handin.marks))),
        unsure=tuple(sorted({*handin.unsure} & {*handin.marks})),
        grade=rules.graded(exercise, handin.marks),
        right=len(right),
        tried=len(touched),
        texts=tuple(
            (_place(one.first, one.to), one.name or "", one.fix or "") for one in handin.answers if one.name or one.fix
        ),
        minutes=handin.minutes,
        handed=handin.handed,
    )


def _impossible(file: str, handin: HandIn, exercise: Exercise) -> Iterator[str]:
    lines = exercise.assessment.code.split("\n")
    for number, line in enumerate(handin.marks, 1):
        if line > len(lines) or not lines[line - 1].strip():
            most = f"a line of the code that is not blank, {len(exercise.lines)} at most"
            yield f"{file}:1: handin.marks.{number}: expected {most} (got {line}); {WAY_OUT}"
    end = 0
    for number, one in enumerate(handin.answers, 1):
        if not end < one.first <= one.to <= len(exercise.lines):
            expected = f"lines of the code behind those of the answer before, {len(exercise.lines)} at most"
            yield f"{file}:1: handin.answers.{number}: expected {expected} (got {_place(one.first, one.to)}); {WAY_OUT}"
        end = max(end, one.to)


def _named(file: str, home: Path | None) -> str:
    """Return what a student is called whose file does not say it: platforms name files, or folders, by students."""
    path = Path(file)
    return (path.absolute().relative_to(home) if home else Path(path.name)).with_suffix("").as_posix()


def _of_practice(sheet: Sheet, state: State | None, exercise: Exercise, who: str) -> Graded | None:
    """Return how far a browser says that a student is; None where nothing was checked."""
    if state is None or not state.attempts or sheet.digest != _graded(exercise):
        return None
    told = next((n for n, one in enumerate(state.attempts) if one.revealed or one.uncovered), len(state.attempts))
    own = [one.score for one in state.attempts[: told + 1] if not one.revealed and one.score is not None]
    first = state.attempts[0]
    tries = [
        work.ran.verdict == "right"
        if work.ran and work.ran.fix == work.fix
        else rules.is_answer(exercise, error, work.fix)
        for error in exercise.assessment.errors
        if (work := state.work.get(error.id)) and work.fix is not None and (work.shown or work.ran)
    ]
    tried = [one for one in tries if one is not None]
    return Graded(
        who=who,
        exercise=exercise.id,
        exam=False,
        file=sheet.file,
        marks=tuple(sorted(set(state.marks))),
        unsure=tuple(sorted({*state.unsure} & {*state.marks})),
        grade=rules.graded(exercise, state.marks, len(state.hints)) if state.ended == "checked" else None,
        right=sum(tried),
        tried=len(tried),
        first=round(first.score) if first.score is not None and not first.revealed else None,
        best=round(max(own)) if own else None,
        attempts=len(state.attempts),
    )


def _place(first: int, last: int) -> str:
    return f"{first}" if first == last else f"{first}-{last}"


def marked(rows: Iterable[Graded], exercise: str) -> Iterator[Graded]:
    """Yield the rows of an exercise whose marks stand: those that were handed in, or checked."""
    yield from (row for row in rows if row.exercise == exercise and row.grade)
