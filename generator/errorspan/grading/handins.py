"""Read what students hand in: strangers' files, each by itself.

Three kinds are read: what an exam's page saves, saved progress, and the suspend data of a SCORM package.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from errorspan.answers.shape import faults_in
from errorspan.authoring.topics import Strict
from errorspan.text import disk, objects
from errorspan.text.errors import InputError
from errorspan.text.source import decoded

MAX_BYTES = 1024 * 1024
WAY_OUT = "have it handed in again"

M = TypeVar("M", bound=BaseModel)

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
Time = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$")
]
LineNumber = Annotated[int, Field(ge=1, le=10_000)]
Lines = Annotated[list[LineNumber], Field(max_length=10_000)]


def _told(text: str) -> str:
    if not text.strip():
        raise ValueError("expected text that is not blank")
    return text.strip()


class Written(Strict):
    """What is written of a place: the lines `from` to `to`, what is wrong there, and what should stand there."""

    first: LineNumber = Field(alias="from")
    to: LineNumber
    name: Annotated[str, StringConstraints(max_length=1000)] | None = None
    fix: Annotated[str, StringConstraints(max_length=4000)] | None = None


class HandIn(Strict):
    """What a student hands in of an exam."""

    exercise: Annotated[str, StringConstraints(max_length=80, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    digest: Digest
    who: Annotated[str, StringConstraints(max_length=100), AfterValidator(_told)]
    began: Time | None = None
    handed: Time | None = None
    marks: Lines
    unsure: Lines = Field([])
    answers: Annotated[list[Written], Field(max_length=200)] = Field([])

    @property
    def minutes(self) -> float | None:
        """Return how long it took, as far as the student's clock tells."""
        try:
            began, handed = (datetime.fromisoformat(time) for time in (self.began or "", self.handed or ""))
        except ValueError:
            return None
        return round((handed - began).total_seconds() / 60, 1)


class HandInFile(Strict):
    """A file that an exam's page saves."""

    errorspan: Literal[1]
    handin: HandIn


class _Kept(BaseModel):
    """Base of what a browser keeps: other versions keep more."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class Ran(_Kept):
    """What tests said of a correction."""

    fix: str
    verdict: Literal["right", "breaks", "wrong"]


class Work(_Kept):
    """What a student did to an error: whether the answer is open, the correction, and what tests said of it."""

    fix: Annotated[str, StringConstraints(max_length=100_000)] | None = None
    shown: bool = False
    ran: Ran | None = None


class Attempt(_Kept):
    """An attempt, as the browser counted it."""

    score: Annotated[float, Field(ge=0, le=100)] | None = None
    hints: Annotated[int, Field(ge=0)] = 0
    revealed: bool = False
    uncovered: bool = False


class State(_Kept):
    """What a browser keeps of one version of an exercise."""

    marks: Lines = []
    unsure: Lines = []
    hints: Annotated[list[str], Field(max_length=100)] = []
    attempts: Annotated[list[Attempt], Field(max_length=10_000)] = []
    ended: Literal["checked", "revealed"] | None = None
    work: dict[str, Work] = {}
    who: Annotated[str, StringConstraints(max_length=100)] | None = None
    began: Time | None = None
    handed: Time | None = None
    answers: Annotated[list[dict[str, Any]], Field(max_length=1000)] = []


class ProgressFile(_Kept):
    """What the list of exercises saves: by exercise, and by digest."""

    errorspan: Literal[1]
    progress: dict[str, dict[str, State]]


class SuspendData(_Kept):
    """What a SCORM package leaves with a platform: by digest."""

    version: Literal[1]
    states: dict[str, State]


class Sheet(NamedTuple):
    """What one file holds of one version of an exercise: an exam that is handed in, or a browser's progress.

    `exercise` is None where only its digest is known.
    """

    file: str
    exercise: str | None
    digest: str
    handin: HandIn | None = None
    state: State | None = None


def read(path: Path) -> list[Sheet]:
    """Return what a file holds.

    Raises:
        InputError: it is none of those that students hand in.
    """
    name = str(path)
    text = _text(path, name)
    known = _keys(text)
    if "progress" in known:
        kept = _validated(ProgressFile, text, name)
        return [_sheet(name, exercise, *one) for exercise, all_ in kept.progress.items() for one in all_.items()]
    if "states" in known:
        suspended = _validated(SuspendData, json.dumps(json.loads(text, object_hook=_unpressed)), name)
        return [_sheet(name, None, *one) for one in suspended.states.items()]
    handin = _validated(HandInFile, text, name).handin
    return [Sheet(name, handin.exercise, handin.digest, handin)]


def _text(path: Path, name: str) -> str:
    if path.is_dir():
        raise InputError([f"{name}:1: is a folder; name the files in it"])
    if disk.waits(path):
        raise InputError([f"{name}:1: cannot be read (it is no file)"])
    with disk.reading(path), path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise InputError([f"{name}:1: expected at most {MAX_BYTES:,} bytes (got more); {WAY_OUT}"])
    return decoded(content, name)


def _keys(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _validated(model: type[M], text: str, name: str) -> M:
    try:
        return objects.validated(model, text)
    except ValidationError as error:
        raise InputError(faults_in(name, error, WAY_OUT, text, model)) from None


def _sheet(name: str, exercise: str | None, digest: str, state: State) -> Sheet:
    """Return what a browser keeps of a version of an exercise; as a hand-in, where it was one."""
    if not state.handed:
        return Sheet(name, exercise, digest, state=state)
    written = [{key: one[key] for key in one if key != "hidden"} for one in state.answers if not one.get("hidden")]
    told = state.model_dump(include={"who", "began", "handed", "marks", "unsure"}) | {"answers": written}
    text = json.dumps({"exercise": exercise or "unknown", "digest": digest, **told})
    return Sheet(name, exercise, digest, _validated(HandIn, text, name))


def _unpressed(value: dict[str, Any]) -> Any:
    """Return a list that a SCORM package writes as a table, its head first."""
    head, rows = value.get("#"), value.get("rows")
    if not isinstance(head, list) or not isinstance(rows, list):
        return value
    return [dict(zip(map(str, head), row, strict=False)) if isinstance(row, list) else row for row in rows]
