"""Hold what execution showed of an answer key: `proof.json` beside a run.

Variants of the exercise's program are built from its own spans and corrections, and a topic's tests run on each. What
follows from it for each error is decided in `deciding`, by the rules of the proof's format.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from errorspan.answers.outputs import Assessment, Implementation
from errorspan.answers.shape import faults_in
from errorspan.record.manifest import Day
from errorspan.text import objects
from errorspan.text.errors import InputError, shown

FILE = "proof.json"
FORMAT: Literal[2] = 2
"""Format 1 had a message for each failed test, and another rule: see `deciding`."""

CORRECTED, SHOWN = "corrected", "shown"
TIERS = {"mid": "mid_implementation", "weak": "weak_implementation"}

_LONGEST = 500
_UNSEEN = {"Cf", "Cc", "Mn", "Me"}

Programs = Mapping[str, str]
Word = Annotated[str, AfterValidator(lambda text: shown(text, 300))]
"""What tests say: strangers' text, on one line."""
Value = Annotated[str, AfterValidator(lambda text: _bounded(shown(text[: 4 * _LONGEST])))]
"""What came out of a program, on one line, with every blank that is in it."""


class Failed(BaseModel):
    """How a test failed: what it says, and where the harness can tell, what went in, came out and should have come.

    `error`: the class of the exception, where it is no assertion's. `line`: of the topic's file of tests.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    message: Word = Field(description="what the test says")
    input: Value | None = Field(None, description="what went in")
    got: Value | None = Field(None, description="what came out")
    expected: Value | None = Field(None, description="what should have come")
    error: Word | None = Field(None, description="the class of the exception, where it is no assertion's")
    line: int | None = Field(None, description="the line of the topic's file of tests")

    @property
    def values(self) -> dict[str, str]:
        """Return what went in, came out and should have come, as far as it is known; what looks alike is told apart."""
        got, expected = _apart(self.got, self.expected)
        found = {"input": self.input, "got": got, "expected": expected}
        return {name: value for name, value in found.items() if value}


Failures = dict[
    Word, Annotated[Failed, BeforeValidator(lambda told: {"message": told} if isinstance(told, str) else told)]
]
"""By test; format 1 had the message alone."""


class Variant(BaseModel):
    """What the tests said of one variant: how each that failed did, and those that `erred` themselves.

    `stopped` says why not all of them had their turn; `unloaded`, why the program did not load.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    passed: int = Field(ge=0, description="how many tests passed")
    failed: Failures = Field({}, description="how each test that failed did, by its name")
    erred: Failures = Field({}, description="tests that erred themselves")
    skipped: list[Word] = Field([], description="tests that were skipped")
    unplayed: list[Word] = Field([], description="tests that had no turn")
    stopped: Word | None = Field(None, description="why not all had their turn")
    unloaded: Word | None = Field(None, description="why the program did not load")

    @property
    def fails(self) -> bool:
        """Tell whether something is wrong with the program, as far as the tests go."""
        return bool(self.failed or self.stopped)

    def outcome(self, test: str) -> Literal["passes", "fails", "errs", "skipped", "not run"]:
        """Return how a test went."""
        if test in self.failed:
            return "fails"
        if test in self.erred:
            return "errs"
        if test in self.skipped:
            return "skipped"
        return "not run" if test in self.unplayed else "passes"


class Bound(BaseModel):
    """What a proof is about, as SHA-256 digests: where one differs from what is there now, the proof is stale."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exercise: str = Field(description="the code, and each error's place and correction")
    tests: str = Field(description="the topic's test files, and the packages that they require")
    implementations: str = Field(description="the two tiers' answers")


class Proof(BaseModel):
    """What `errorspan verify` saw, when and with what. `tests`: the names of all of them, in order.

    `python`: what ran them, where they are Python's; `packages`: what else they needed, or ran them in its place.
    `conditions`: what was fixed of time zone, locale and seeds, and the clock as it stood when the tests began.
    `unstable`: those that did not end the same way each time on the same program. `remarks`: what else is no test.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1, 2] = Field(FORMAT, description="the format of the proof")
    at: Day = Field(description="the day")
    bound: Bound = Field(description="what it is about")
    python: Word | None = Field(None, description="the Python that ran the tests")
    packages: dict[Word, Word] = Field(description="what else they needed, or ran them, with versions")
    conditions: dict[Word, Word] = Field({}, description="what was fixed for them, such as the time zone")
    sandbox: Word = Field(description="what held the programs; `none` without")
    tests: list[Word] = Field(description="the names of all tests, in order")
    unstable: list[Word] = Field([], description="tests that did not end the same way each time")
    remarks: list[Word] = Field([], description="what else is no test")
    variants: dict[str, Variant] = Field(
        description="what the tests said of each program: `shown`, `corrected`, `error-1` …"
    )

    @property
    def runtime(self) -> str:
        """Return what ran the tests, with its version."""
        return f"Python {self.python}" if self.python else ", ".join(map(" ".join, sorted(self.packages.items())))

    def columns(self, assessment: Assessment) -> dict[str, list[tuple[str, str]]]:
        """Return the variants that were played as a table's columns: groups of names with their titles."""
        ids = [error.id for error in assessment.errors]
        groups = {
            "Errors left": [(CORRECTED, "none"), (SHOWN, "all")],
            "Only this one left": [(f"error-{one}", one) for one in ids],
            "Only these left": [
                (name, " and ".join(name.split("-")[1:])) for name in self.variants if name.startswith("errors-")
            ],
            "Only this one corrected": [(f"correction-{one}", one) for one in ids],
            "Answers": [(tier, tier) for tier in TIERS],
        }
        played = {title: [one for one in columns if one[0] in self.variants] for title, columns in groups.items()}
        return {title: columns for title, columns in played.items() if columns}

    def repeats(self, known: Proof) -> bool:
        """Tell whether it shows what is known already; messages, versions and the order may differ from run to run."""
        return self._shows() == known._shows()

    def _shows(self) -> dict[str, object]:
        outcomes = {
            name: (bool(variant.stopped), bool(variant.unloaded), {test: variant.outcome(test) for test in self.tests})
            for name, variant in self.variants.items()
        }
        told = {"format": self.format, "bound": self.bound, "sandboxed": self.sandbox != "none", "tests": {*self.tests}}
        return told | {"outcomes": outcomes, "unstable": {*self.unstable}, "remarks": len(self.remarks)}


def variants(assessment: Assessment) -> Programs:
    """Return the programs that decide a key: all corrected, as shown, each error alone, each correction alone."""
    ids = [error.id for error in assessment.errors]
    return {
        CORRECTED: left(assessment),
        SHOWN: assessment.code,
        **{f"error-{one}": left(assessment, one) for one in ids},
        **{f"correction-{one}": assessment.corrected(one) for one in ids},
    }


def left(assessment: Assessment, *ids: str) -> str:
    """Return the program in which these errors are left, and all others corrected."""
    others = [error.id for error in assessment.errors if error.id not in ids]
    return assessment.corrected(*others) if others else assessment.code


def bound(
    assessment: Assessment,
    implementations: Sequence[Implementation],
    tests: Mapping[str, bytes],
    requires: Sequence[str],
) -> Bound:
    """Say what a proof of these is about."""
    spans = [[error.id, assessment.span(error), error.correction] for error in assessment.errors]
    texts = [[name, tests[name].decode("utf-8", "replace").replace("\r\n", "\n")] for name in sorted(tests)]
    return Bound(
        exercise=_digest([assessment.language, assessment.code, spans]),
        tests=_digest([texts, sorted(requires)]),
        implementations=_digest([implementation.text for implementation in implementations]),
    )


def read(path: Path, name: str) -> Proof | None:
    """Return the proof in a file, if there is one; `name` is the file as messages name it.

    Raises:
        InputError: it is corrupt, or of a newer format.
    """
    text = b""
    try:
        return objects.validated(Proof, text := path.read_bytes()) if path.is_file() else None
    except OSError as error:
        raise InputError([f"{name}:1: cannot be read ({error.strerror})"]) from None
    except ValidationError as error:
        way_out = "delete the file: `errorspan verify` writes it anew"
        raise InputError(faults_in(name, error, way_out, text, Proof)) from None


def written(proof: Proof) -> str:
    """Return the text of a proof's file."""
    told: dict[str, Any] = proof.model_dump(mode="json", exclude_defaults=True) | {"format": proof.format}
    return json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _bounded(line: str) -> str:
    return line if len(line) <= _LONGEST + 1 else f"{line[:_LONGEST]}…"


def _apart(got: str | None, expected: str | None) -> tuple[str | None, str | None]:
    """Return two values, with their blanks and their signs beyond ASCII spelled out where they only look the same."""
    if not got or not expected or got == expected or _look(got) != _look(expected):
        return got, expected
    return _spelled(got), _spelled(expected)


def _look(text: str) -> str:
    """Return what a reader sees of a text: no marks of their own, and all blanks as one."""
    signs = unicodedata.normalize("NFKC", text)
    return " ".join("".join(sign for sign in signs if unicodedata.category(sign) not in _UNSEEN).split())


def _spelled(text: str) -> str:
    return "".join("␣" if sign == " " else sign if sign.isascii() else f"⟨U+{ord(sign):04X}⟩" for sign in text)


def _digest(values: object) -> str:
    return sha256(json.dumps(values, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
