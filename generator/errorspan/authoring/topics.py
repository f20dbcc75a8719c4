"""Read topic files: what authors write."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from errorspan.text import disk, source
from errorspan.text.errors import InputError
from errorspan.text.expected import CONTROL, UNTOLD
from errorspan.text.syntax import lexer

ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
ID_LENGTH = 80
SUFFIXES = (".yml", ".yaml")

SHORTEST, LONGEST = 8, 150
"""Lines of any exercise."""
SIZES = {"beginner": "20-40", "intermediate": "30-60", "advanced": "40-80"}
"""Lines of an exercise by level, where a topic says nothing else."""

BESIDE = re.compile(r"(?P<topic>[^.]*)\.(review\.ya?ml|tests\.[A-Za-z0-9.]+)")
"""Files that stand beside a topic's: a review, and tests with what they need."""

_DROPPING = re.compile(
    r"[.#].*|.*[~#]|.*\.(?:sw[a-z]|bak|orig|rej|tmp|pyc|save|part|crswap|kate-swp)|Thumbs\.db|desktop\.ini"
)
"""Files that editors, version control and systems leave beside the ones they are about, and that nobody wrote."""

_REQUIRED = re.compile(r"[A-Za-z0-9._\-\[\], <>=!~*+]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


def _clean(text: str) -> str:
    if not text.strip():
        raise ValueError("expected text that is not blank")
    if found := _CONTROL.search(text):
        raise PydanticCustomError(CONTROL, "holds {sign}", {"sign": f"U+{ord(found[0]):04X}"})
    return text.strip()


def _highlighted(name: str) -> str:
    if lexer(name) is None:
        raise ValueError("expected a language as the highlighter names it, such as 'python'")
    return name


def _package(line: str) -> str:
    """Refuse what a person could not paste into a shell, with an address or a condition, or another sign of its own."""
    try:
        required = Requirement(line)
    except InvalidRequirement:
        required = None
    if required is None or required.url or required.marker or not _REQUIRED.fullmatch(line):
        raise ValueError("expected a package by its name, with or without versions, such as 'numpy>=2'")
    return line


def _ranged(text: str) -> str:
    found = re.fullmatch(r"([0-9]{1,3})-([0-9]{1,3})", text)
    if not found or not SHORTEST <= int(found[1]) <= int(found[2]) <= LONGEST:
        raise ValueError(f"expected the least and the most lines, within {SHORTEST} and {LONGEST}, such as '30-60'")
    return text


def _only_a_name(value: Any) -> Any:
    """Refuse a model's address and key, in words of their own: a topic file may be a stranger's."""
    if isinstance(value, dict):
        raise PydanticCustomError(
            UNTOLD,
            "expected a name: a model's, or one of named_models in the site's settings, where alone stands which "
            "server is asked, with which key, and how (got keys and values)",
        )
    return value


Line = Annotated[str, StringConstraints(max_length=120, pattern=r"^[^\n]*$"), AfterValidator(_clean)]
LongLine = Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\n]*$"), AfterValidator(_clean)]
Paragraphs = Annotated[str, StringConstraints(max_length=4000), AfterValidator(_clean)]
Language = Annotated[Line, AfterValidator(_highlighted)]
Package = Annotated[Line, AfterValidator(_package)]
Excerpt = Annotated[str, AfterValidator(_ranged)]
Level = Literal["beginner", "intermediate", "advanced"]
Mode = Literal["practice", "exam"]
MOST_ATTEMPTS = 10
CALLED = r"^[A-Za-z_$][A-Za-z0-9_$]*(\.[A-Za-z_$][A-Za-z0-9_$]*)*$"

ModelId = Annotated[str, StringConstraints(max_length=120, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$")]

ModelName = Annotated[ModelId, BeforeValidator(_only_a_name)]


class Strict(BaseModel):
    """Base of what people write: no key beyond those named, and nothing of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class TierModels(Strict):
    """The model of each tier, where a topic has its own: by its name, or by one that the site's settings define."""

    author: ModelName | None = Field(None, description="writes categories, catalog, challenge and assessment")
    mid: ModelName | None = Field(None, description="solves the challenge: the better of the two")
    weak: ModelName | None = Field(None, description="solves the challenge: the one that makes the mistakes")
    judge: ModelName | None = Field(None, description="compares the two implementations, blindly")
    first_solver: ModelName | None = Field(None, description="solves the exercise without its key")
    second_solver: ModelName | None = Field(None, description="solves it too, by itself")


class Trial(Strict):
    """What a student tries inputs on, to show that the code is wrong."""

    call: Annotated[str, StringConstraints(max_length=120, pattern=CALLED)] = Field(
        description="the function of the exercise that gets the input, such as `merge`"
    )
    examples: Annotated[list[LongLine], Field(min_length=1, max_length=5)] = Field(
        description="one to five inputs as a student types them, such as `[[1, 3], [2, 5]]`: the arguments of the call"
    )


class TopicFile(Strict):
    """What an author writes."""

    title: Line = Field(description="the topic, as a learner would name it")
    language: Language | None = Field(None, description="the programming language of the challenge, such as `python`")
    level: Level | None = Field(None, description="whom the exercise is for: `beginner`, `intermediate` or `advanced`")
    focus: LongLine | None = Field(None, description="the subtopic that the challenge is about")
    brief: Paragraphs | None = Field(None, description="what learners should take away, and constraints")
    concepts: Annotated[list[Line], Field(max_length=8)] = Field(
        [], description="up to eight ideas that the exercise trains; shown in the list, found by the search"
    )
    lines: Excerpt | None = Field(
        None, description="how long the exercise's code is, without blank lines and comments, such as `30-60`"
    )
    mode: Mode | None = Field(
        None,
        description="`exam`: neither run nor key are published, and students hand their answers in as a file; "
        "`practice`: a check tells them; without it, as the site sets it",
    )
    models: TierModels = Field(TierModels(), description="models of this topic's own, per tier")
    max_attempts: Annotated[int, Field(ge=1, le=MOST_ATTEMPTS)] | None = Field(
        None, description="how often a challenge is set before the topic is given up, 1 to 10"
    )
    requires: Annotated[list[Package], Field(max_length=20)] = Field(
        [], description="the packages that the topic's tests need, such as `numpy>=2`"
    )
    trial: Trial | None = Field(
        None, alias="try", description="what a student may give inputs to, where tests run in the page"
    )


_UNTOLD = {"id", "path", "mode", "models", "max_attempts", "lines", "requires", "trial"}


class Topic(TopicFile):
    """A topic: one `topics/<id>.yml`."""

    id: str
    path: str = Field(description="the file, from the project's root")

    @property
    def size(self) -> tuple[int, int]:
        """Return how many lines its exercise's code has at the least and at the most, blank ones and comments aside."""
        least, most = (self.lines or SIZES[self.level or "intermediate"]).split("-")
        return int(least), int(most)

    @property
    def told(self) -> dict[str, Any]:
        """Return what it says to those who answer: not how it is run, nor where it stands."""
        return self.model_dump(exclude=_UNTOLD, exclude_defaults=True)


class Broken(NamedTuple):
    """A topic that is left out, with what is wrong with it. `path`: what stands in the folder under its id."""

    id: str
    path: str
    faults: tuple[str, ...]

    @property
    def addressed(self) -> bool:
        """Tell whether a topic of this id can have a page."""
        return _fits(self.id)


def read_topics(folder: Path, root: Path) -> tuple[list[Topic], list[Broken]]:
    """Return the topics of a folder, and those that cannot be read, by id.

    Raises:
        InputError: the folder cannot be read.
    """
    if link := disk.link(root, folder):
        name = _named(link, root)
        raise InputError([f"{name}:1: is a symbolic link, and none is followed; name the folder that it leads to"])
    if not folder.is_dir():
        raise InputError([f"{_named(folder, root)}:1: is no folder; topics are expected there, one `<id>.yml` each"])
    try:
        found = sorted(path for path in folder.iterdir() if not dropped(path.name))
    except OSError as error:
        raise InputError([f"{_named(folder, root)}:1: cannot be read ({error.strerror})"]) from None
    of: dict[str, list[Path]] = {}
    for path in found:
        if beside := BESIDE.fullmatch(path.name):
            of.setdefault(beside["topic"], []).append(path)
        elif path.suffix in SUFFIXES:
            of.setdefault(path.stem, []).append(path)
    topics: list[Topic] = []
    broken: list[Broken] = []
    for name, paths in sorted(of.items()):
        written, *others = sorted(paths, key=lambda path: bool(BESIDE.fullmatch(path.name)))
        try:
            topics.append(_read(name, written, others, folder, root))
        except InputError as error:
            broken.append(Broken(name, _named(written, root), error.faults))
        except OSError as error:
            file = _named(written, root)
            broken.append(Broken(name, file, (f"{file}:1: cannot be read ({error.strerror})",)))
    return topics, broken


_OF_A_RECORD = re.compile(r"(?:^|/)runs/(?P<topic>[^/]+)(?:/attempt-[0-9]+(?:/[^/]+)?|/[^/]+\.(?:json|md))?$")
"""A record's folder, or something in it."""


def dropped(name: str) -> bool:
    """Tell whether a file is what an editor left, such as `.#x.yml`, `x.yml~` or `x.tests.py.orig`."""
    return bool(_DROPPING.fullmatch(name))


def named_by(path: str) -> str:
    """Return the id of the topic that a person names: by itself, or by a file or folder of it, as a shell completes."""
    parts = [part for part in re.split(r"[/\\]", path) if part not in {"", "."}] or [path]
    if beside := BESIDE.fullmatch(parts[-1]):
        return beside["topic"]
    if found := _OF_A_RECORD.search("/".join(parts)):
        return found["topic"]
    return parts[-1].removesuffix(".yml").removesuffix(".yaml")


def _read(name: str, written: Path, others: Sequence[Path], folder: Path, root: Path) -> Topic:
    """Read a topic's file; the others are those that share its id, or stand beside it.

    Raises:
        InputError: with every fault of all of them.
    """
    place = Path(os.path.realpath(folder))  # resolve() raises on loops
    path = _named(written, root)
    faults: list[str] = []
    topic = None
    if BESIDE.fullmatch(written.name):
        faults = [
            f"{_named(other, root)}:1: belongs to no topic: there is no {name}.yml beside it; rename or remove it"
            for other in (written, *others)
        ]
    elif not _fits(name):
        faults = [f"{path}:1: expected a name of a-z, 0-9 and single hyphens, {ID_LENGTH} at most (got {name!r})"]
    elif Path(os.path.realpath(written)).parent != place:
        faults = [f"{path}:1: is a link to a file of another folder"]
    else:
        try:
            made = source.read(written, path).validated(TopicFile)
            said = {field.alias or key: getattr(made, key) for key, field in TopicFile.model_fields.items()}
            topic = Topic(id=name, path=path, **said)
        except InputError as error:
            faults = list(error.faults)
    if len(reviews := [_named(other, root) for other in others if ".review." in other.name]) > 1:
        faults.append(f"{reviews[1]}:1: {reviews[0]} reviews {name!r} already; rename or remove one of them")
    for other in others:
        if not BESIDE.fullmatch(other.name):
            faults.append(f"{_named(other, root)}:1: the id {name!r} is {path}'s already; rename or remove one of them")
        elif not other.is_file() or Path(os.path.realpath(other)).parent != place:
            faults.append(f"{_named(other, root)}:1: is no file of this folder")
    if faults or topic is None:
        raise InputError(faults)
    return topic


def _fits(name: str) -> bool:
    return bool(ID.fullmatch(name)) and len(name) <= ID_LENGTH


def _named(path: Path, root: Path) -> str:
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
    return name if name.isprintable() else ascii(name)[1:-1]
