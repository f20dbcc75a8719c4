"""Hold what speaks for a run's key beside its own answers: a proof by execution, and a person's review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from errorspan.answers.outputs import Assessment
from errorspan.proof.agreeing import Agreed
from errorspan.proof.correcting import Aside
from errorspan.proof.deciding import Decided, decided
from errorspan.proof.proofs import Bound, Proof
from errorspan.proof.reviews import Review
from errorspan.proof.witnessed import Source


@dataclass(frozen=True)
class Evidence:
    """What stands beside a run.

    `source`: where the proof was run. `bound`: what a proof would be about now; None where the topic has no tests, or
    no exercise. `stale_review`: one of another assessment than the one recorded. `original`: the recorded assessment,
    where a review corrects it.
    `undecided`: stretches of the code that count neither way. `frame`: what stands around the code when it is tried.
    `tests`: the file of the topic's tests, as messages name it, and its text.
    `files`: the topic's test files. `agreed`: what a browser showed of them, once, on whatever was there.
    """

    proof: Proof | None = None
    source: Source = "recorded"
    bound: Bound | None = None
    review: Review | None = None
    stale_review: Review | None = None
    original: Assessment | None = None
    undecided: tuple[Aside, ...] = ()
    frame: str | None = None
    tests: tuple[str, str] | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    agreed: Agreed | None = None

    @property
    def stale_proof(self) -> Proof | None:
        """Return a proof of something else than what is there now."""
        return self.proof if self.proof and self.proof.bound != self.bound else None

    @property
    def valid_proof(self) -> Proof | None:
        """Return the proof, where it is of what is there now, and no mere claim."""
        return self._current if self.source != "claimed" else None

    @property
    def claim(self) -> Proof | None:
        """Return the proof of what is there now, where a pull request says so and it was not run here."""
        return self._current if self.source == "claimed" else None

    @property
    def _current(self) -> Proof | None:
        return self.proof if self.proof and self.proof.bound == self.bound else None

    @property
    def valid_agreed(self) -> Agreed | None:
        """Return what a browser showed, where it is of what is there now."""
        return self.agreed if self.agreed and self.valid_proof and self.agreed.bound == self.bound else None

    def against(self, assessment: Assessment) -> list[str]:
        """Return what speaks against the key, a clause each; a no to an earlier version holds until asked anew."""
        reasons = [f"execution speaks against its key: {fault}" for fault in self.refutations(assessment)[:1]]
        if self.stale_proof and decided(self.stale_proof, self.original or assessment).faults:
            reasons.append("execution spoke against an earlier version of its key, and has not been tried since")
        if self.stale_review and not self.stale_review.approves:
            reasons.append(f"{self.stale_review.by} rejected an earlier version of it")
        return reasons

    def decided(self, assessment: Assessment) -> Decided | None:
        """Return what a valid proof says of the key."""
        return decided(self.valid_proof, assessment) if self.valid_proof else None

    def refutations(self, assessment: Assessment) -> list[str]:
        """Return what a proof has against the key, be it a claim: nobody forges that."""
        return decided(self._current, assessment).faults if self._current else []

    def proves(self, assessment: Assessment) -> bool:
        """Tell whether a valid proof shows every error of the key, and has nothing against a correction."""
        said = self.decided(assessment)
        return said is not None and said.holds
