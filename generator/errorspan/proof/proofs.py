"""Hold what execution showed of an answer key: `proof.json` beside a run, and what follows from it.

Variants of the exercise's program are built from its own spans and corrections, and a topic's tests run on each. A key
is proved where the corrected program passes every test, the program as shown fails, each error left in alone fails,
and each correction alone makes a test pass that failed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from errorspan.answers.outputs import Assessment, Error, Implementation
from errorspan.answers.shape import faults_in
from errorspan.record.manifest import Day
from errorspan.text.errors import InputError, shown

FILE = "proof.json"
FORMAT: Literal[1] = 1

CORRECTED, SHOWN = "corrected", "shown"
TIERS = {"mid": "mid_implementation", "weak": "weak_implementation"}

Programs = Mapping[str, str]
Word = Annotated[str, AfterValidator(lambda text: shown(text, 300))]
"""What tests say: strangers' text, on one line."""


class Variant(BaseModel):
    """What the tests said of one variant: the message of each that failed.

    `stopped` says why not all of them had their turn: they do not load, or the program hung or ended the process.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    passed: int = Field(ge=0)
    failed: dict[Word, Word] = {}
    skipped: list[Word] = []
    unplayed: list[Word] = []
    stopped: Word | None = None

    @property
    def fails(self) -> bool:
        """Tell whether something is wrong with the program, as far as the tests go."""
        return bool(self.failed or self.stopped)

    def outcome(self, test: str) -> Literal["passes", "fails", "skipped", "not run"]:
        """Return how a test went."""
        if test in self.failed:
            return "fails"
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
    """What `errorspan verify` saw, when and with what. `tests`: the names of all of them, in order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = FORMAT
    at: Day
    bound: Bound
    python: Word
    packages: dict[Word, Word]
    sandbox: Word
    tests: list[Word]
    variants: dict[str, Variant]

    def proved(self, assessment: Assessment) -> list[Error]:
        """Return the errors that are shown to be some: the corrected program is right, and each alone breaks it."""
        return [] if self.faults_of_all() else [error for error in assessment.errors if not self.faults_of(error)]

    def faults(self, assessment: Assessment) -> list[str]:
        """Return what execution has against the key, a clause each; none where every error is proved."""
        return self.faults_of_all() or [fault for error in assessment.errors for fault in self.faults_of(error)]

    def columns(self, assessment: Assessment) -> dict[str, list[tuple[str, str]]]:
        """Return the variants that were played as a table's columns: groups of names with their titles."""
        ids = [error.id for error in assessment.errors]
        groups = {
            "Errors left": [(CORRECTED, "none"), (SHOWN, "all")],
            "Only this one left": [(f"error-{one}", one) for one in ids],
            "Only this one corrected": [(f"correction-{one}", one) for one in ids],
            "Answers": [(tier, tier) for tier in TIERS],
        }
        played = {title: [one for one in columns if one[0] in self.variants] for title, columns in groups.items()}
        return {title: columns for title, columns in played.items() if columns}

    def faults_of(self, error: Error) -> list[str]:
        """Return what execution has against one error."""
        alone, corrected = self.variants.get(f"error-{error.id}"), self.variants.get(f"correction-{error.id}")
        if alone is None or corrected is None or SHOWN not in self.variants:
            return [f"error {error.id} has not been tried"]
        faults = [] if alone.fails else [f"error {error.id}, left in alone, fails no test"]
        if not any(corrected.outcome(test) == "passes" for test in self.variants[SHOWN].failed):
            faults.append(f"correcting error {error.id} alone makes no failing test pass")
        return faults

    def repeats(self, known: Proof) -> bool:
        """Tell whether it shows what is known already; messages and versions may differ from run to run."""
        return self._shows() == known._shows()

    def _shows(self) -> dict[str, object]:
        outcomes = {
            name: (bool(variant.stopped), [variant.outcome(test) for test in self.tests])
            for name, variant in self.variants.items()
        }
        return {"bound": self.bound, "sandboxed": self.sandbox != "none", "tests": self.tests, "outcomes": outcomes}

    def first_failure(self, error: Error) -> tuple[str, str] | None:
        """Return the first test that an error fails by itself, and its message."""
        alone = self.variants.get(f"error-{error.id}")
        return next(iter(alone.failed.items()), None) if alone else None

    def faults_of_all(self) -> list[str]:
        """Return what execution has against the key as a whole: as long as there is any, no error is proved."""
        right, wrong = self.variants.get(CORRECTED), self.variants.get(SHOWN)
        if right is None or wrong is None:
            return ["no variant has been tried"]
        if not self.tests:
            return [right.stopped or "there is no test"]
        faults = [f"the corrected program fails {test}: {message}" for test, message in right.failed.items()]
        if right.stopped:
            faults.append(f"the corrected program does not get through its tests: {right.stopped}")
        faults += [f"{test} was skipped" for test in right.skipped]
        faults += [f"{test} had no turn" for test in right.unplayed]
        return faults if wrong.fails else [*faults, "the program as shown fails no test"]


def variants(assessment: Assessment) -> Programs:
    """Return the programs that prove a key: all corrected, as shown, each error alone, each correction alone."""
    ids = [error.id for error in assessment.errors]
    alone = {f"error-{one}": assessment.corrected(*(other for other in ids if other != one)) for one in ids}
    corrected = {f"correction-{one}": assessment.corrected(one) for one in ids}
    return {CORRECTED: assessment.corrected(*ids), SHOWN: assessment.code, **alone, **corrected}


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
    try:
        return Proof.model_validate_json(path.read_bytes()) if path.is_file() else None
    except OSError as error:
        raise InputError([f"{name}:1: cannot be read ({error.strerror})"]) from None
    except ValidationError as error:
        raise InputError(faults_in(name, error, "delete the file: `errorspan verify` writes it anew")) from None


def written(proof: Proof) -> str:
    """Return the text of a proof's file."""
    told = proof.model_dump(mode="json", exclude_defaults=True) | {"format": FORMAT}
    return json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _digest(values: object) -> str:
    return sha256(json.dumps(values, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
