"""Decide from what execution showed whether each error of a key is one, and whether its corrections hold.

Format 2 decides an error on two programs: where it alone is left, a test must fail that the corrected program passes.
Errors hide each other, so that a single correction mends nothing is no refutation. What the tests themselves do wrong,
and what they say on one run and not on the next, decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from errorspan.answers.outputs import Assessment, Error
from errorspan.proof.proofs import CORRECTED, SHOWN, Failed, Proof, Variant

MEANINGLESS = {
    *("SyntaxError", "IndentationError", "TabError", "ImportError", "ModuleNotFoundError", "BuildError"),
    *("NameError", "UnboundLocalError", "ReferenceError", "AttributeError", "TypeError"),
}
"""Where every test ends with one and the same of these, the program does not run, and nothing else is said of it."""

_UNBUILT = {"SyntaxError", "IndentationError", "TabError", "BuildError"}
_NOT_BUILT = re.compile(
    r"\b(?:does not|doesn't|fails to|cannot|can't|will not|won't) (?:compile|build|parse|load)\b", re.IGNORECASE
)
_NOT_THERE = re.compile(
    r"\b(?:not|never|isn't) (?:defined|imported|declared)\b|\bundefined\b|\bundeclared\b"
    r"|\b(?:has|have) no (?:attribute|method|field)\b"
    r"|\b(?:does not|doesn't|do not) exist\b|\bmissing import\b|\bis no (?:function|method)\b|\bis not a function\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.;!?,]\s|\n")
_NAMED = re.compile(r"['`\"](\w+)['`\"]|\b(\w+) is not (?:defined|a function)")


class Outcome(NamedTuple):
    """What follows for one error, and why, in words. `test`: one that tells, and how it went."""

    verdict: Literal["proved", "refuted", "undecided"]
    why: str
    test: tuple[str, Failed] | None = None


class Flaw(NamedTuple):
    """What execution has against a key: the error that a person must change, or the test that the program fails."""

    what: str
    error: str | None = None
    test: str | None = None


@dataclass(frozen=True)
class Decided:
    """What execution says of a key: of each error by its id, and of the corrections together."""

    outcomes: dict[str, Outcome]
    flaws: tuple[Flaw, ...]

    @property
    def proved(self) -> list[str]:
        """Return the errors that are shown to be some."""
        return [id_ for id_, outcome in self.outcomes.items() if outcome.verdict == "proved"]

    @property
    def against(self) -> list[Flaw]:
        """Return what execution has against the key."""
        refuted = ((id_, said.why) for id_, said in self.outcomes.items() if said.verdict == "refuted")
        return [*self.flaws, *(Flaw(why, error=id_) for id_, why in refuted)]

    @property
    def faults(self) -> list[str]:
        """Return what execution has against the key, a clause each."""
        return [flaw.what for flaw in self.against]

    @property
    def undecided(self) -> list[str]:
        """Return why errors are neither proved nor refuted, a clause each."""
        return [why for verdict, why, _ in self.outcomes.values() if verdict == "undecided"]

    @property
    def holds(self) -> bool:
        """Tell whether every error is proved, and every correction holds."""
        return not self.flaws and len(self.proved) == len(self.outcomes)


def decided(proof: Proof, assessment: Assessment) -> Decided:
    """Decide a key by the rules of the proof's format."""
    if proof.format == 1:
        return _as_in_format_1(proof, assessment)
    outcomes = {error.id: _outcome(proof, assessment, error) for error in assessment.errors}
    return Decided(outcomes, tuple(_flaws(proof, assessment)))


def meaningless(variant: Variant, tests: Iterable[str]) -> Failed | None:
    """Return the one error with which all of these tests end, where it says only that the program does not run."""
    failures = [variant.failed.get(test) or variant.erred.get(test) for test in tests]
    if variant.unloaded:
        return Failed(message=variant.unloaded, error=variant.unloaded.partition(":")[0])
    first = failures[0] if failures else None
    same = first and all(one and (one.error, one.message) == (first.error, first.message) for one in failures)
    return first if first and same and first.error in MEANINGLESS else None


def says_just_that(error: Error, failed: Failed) -> bool:
    """Tell whether an error's own words claim that the program does not run, in this very way."""
    words = f"{error.description}\n{error.concept}"
    if failed.error and re.search(rf"\b{re.escape(failed.error)}\b", words):
        return True
    if failed.error in _UNBUILT:
        return bool(_NOT_BUILT.search(words))
    names = {name for found in _NAMED.finditer(failed.message) for name in found.groups() if name}
    return any(
        _NOT_THERE.search(sentence) and re.search(rf"\b{re.escape(name)}\b", sentence)
        for sentence in _SENTENCE.split(words)
        for name in names
    )


def deciding(proof: Proof) -> list[str]:
    """Return the tests that tell something: the corrected program passes them, each time."""
    right = proof.variants.get(CORRECTED)
    return [one for one in proof.tests if right and one not in proof.unstable and right.outcome(one) == "passes"]


def _outcome(proof: Proof, assessment: Assessment, error: Error) -> Outcome:
    number, alone = error.id, proof.variants.get(f"error-{error.id}")
    if alone is None:
        return Outcome("undecided", f"error {number} has not been tried")
    telling = deciding(proof)
    if not telling:
        return Outcome("undecided", f"error {number}: no test tells anything of the corrected program")
    failed = [(test, alone.failed[test]) for test in telling if test in alone.failed]
    if (same := meaningless(alone, telling)) is None:
        if failed:
            return Outcome("proved", f"error {number}, left in alone, fails {failed[0][0]}", failed[0])
        return _unfailed(proof, error, alone, telling)
    return _unrun(proof, assessment, error, same)


def _unrun(proof: Proof, assessment: Assessment, error: Error, same: Failed) -> Outcome:
    """Decide an error that keeps the program from running: by its own words, or where another is left in, too."""
    number, telling = error.id, deciding(proof)
    if says_just_that(error, same):
        why = f"error {number}, left in alone, keeps the program from running ({same.message}), as it claims"
        return Outcome("proved", why, (telling[0], same))
    for other in assessment.errors:
        base, pair = proof.variants.get(f"error-{other.id}"), proof.variants.get(paired(number, other.id))
        if base and pair and not meaningless(pair, telling):
            mends = [(test, pair.failed[test]) for test in telling if test in pair.failed]
            if mend := next((one for one in mends if base.outcome(one[0]) == "passes"), None):
                return Outcome("proved", f"error {number} fails {mend[0]} where error {other.id} is left in, too", mend)
    why = f"error {number}, left in alone, keeps the program from running ({same.message}), which is not what it claims"
    return Outcome("undecided", why)


def paired(one: str, other: str) -> str:
    """Return the name of the variant in which these two errors are left."""
    return "errors-" + "-".join(sorted((one, other)))


def _unfailed(proof: Proof, error: Error, alone: Variant, telling: list[str]) -> Outcome:
    """Say what it means that an error alone fails no test."""
    number = error.id
    erred = next(iter((test, alone.erred[test]) for test in telling if test in alone.erred), None)
    if erred:
        said = f"error {number}, left in alone: {erred[0]} errs itself ({erred[1].message})"
        return Outcome("undecided", said, erred)
    if lacking := next((test for test in telling if alone.outcome(test) != "passes"), None):
        return Outcome("undecided", f"error {number}, left in alone: {lacking} had no turn, or was skipped")
    if wrong := next((test for test in proof.variants[CORRECTED].failed if test in alone.failed), None):
        said = f"error {number}, left in alone, fails only what the corrected program fails, too, such as {wrong}"
        return Outcome("undecided", said)
    if proof.unstable:
        said = f"error {number}: {proof.unstable[0]} does not end the same way each time on the same program"
        return Outcome("undecided", said)
    shown, single = proof.variants.get(SHOWN), proof.variants.get(f"correction-{number}")
    if shown and single and (mended := [one for one in shown.failed if single.outcome(one) == "passes"]):
        said = f"error {number}, left in alone, fails no test, but its correction alone mends {mended[0]}"
        return Outcome("undecided", f"{said}: another correction mends it, too")
    return Outcome("refuted", f"error {number}, left in alone, fails no test")


def _flaws(proof: Proof, assessment: Assessment) -> Iterator[Flaw]:
    """Yield what the corrections leave or make wrong, and which one does where execution tells."""
    right, shown = proof.variants.get(CORRECTED), proof.variants.get(SHOWN)
    if right is None or shown is None:
        return
    for test, failed in right.failed.items():
        if test in proof.unstable:
            continue
        without = [
            error.id
            for error in assessment.errors
            if (alone := proof.variants.get(f"error-{error.id}")) and alone.outcome(test) == "passes"
        ]
        worked = ", which the program as shown passes" if shown.outcome(test) == "passes" else ""
        if without:
            said = f"with the correction of error {without[0]} the program fails {test}{worked}: {failed.message}"
            yield Flaw(said, error=without[0])
        else:
            yield Flaw(f"the corrected program fails {test}{worked}: {failed.message}", test=test)
    if not shown.fails and not proof.unstable and not shown.erred:
        yield Flaw("the program as shown fails no test")


def _as_in_format_1(proof: Proof, assessment: Assessment) -> Decided:
    """Decide as format 1 did: each correction alone must mend a test, and any fault of all refutes each."""
    flaws = _flaws_in_format_1(proof)
    outcomes = {error.id: _outcome_in_format_1(proof, error) for error in assessment.errors}
    if flaws:
        outcomes = {id_: Outcome("undecided", f"error {id_}: {flaws[0]}") for id_ in outcomes}
    return Decided(outcomes, tuple(map(Flaw, flaws)))


def _outcome_in_format_1(proof: Proof, error: Error) -> Outcome:
    number = error.id
    alone, corrected = proof.variants.get(f"error-{number}"), proof.variants.get(f"correction-{number}")
    if alone is None or corrected is None or SHOWN not in proof.variants:
        return Outcome("refuted", f"error {number} has not been tried")
    faults = [] if alone.fails else [f"error {number}, left in alone, fails no test"]
    if not any(corrected.outcome(test) == "passes" for test in proof.variants[SHOWN].failed):
        faults.append(f"correcting error {number} alone makes no failing test pass")
    first = next(iter(alone.failed.items()), None)
    if faults:
        return Outcome("refuted", "; ".join(faults), first)
    return Outcome("proved", f"error {number}, left in alone, fails {first[0] if first else 'its tests'}", first)


def _flaws_in_format_1(proof: Proof) -> list[str]:
    right, wrong = proof.variants.get(CORRECTED), proof.variants.get(SHOWN)
    if right is None or wrong is None:
        return ["no variant has been tried"]
    if not proof.tests:
        return [right.stopped or "there is no test"]
    faults = [f"the corrected program fails {test}: {failed.message}" for test, failed in right.failed.items()]
    if right.stopped:
        faults.append(f"the corrected program does not get through its tests: {right.stopped}")
    faults += [f"{test} was skipped" for test in right.skipped]
    faults += [f"{test} had no turn" for test in right.unplayed]
    return faults if wrong.fails else [*faults, "the program as shown fails no test"]
