"""Hold one attempt of a run: its samples of the weak tier, what its steps gave for each, what the next one is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

from errorspan.answers.outputs import Challenge
from errorspan.answers.verdicts import Verdict, best
from errorspan.steps.table import ATTEMPT, passes


@dataclass(frozen=True)
class Attempt:
    """One round of challenge, two implementations, judgment: its outputs by step, as far as it came.

    `samples` are those of each sample of the weak tier; what they share is the same in all.
    """

    number: int
    samples: Sequence[Mapping[str, Any]]

    @property
    def sample(self) -> int:
        """Return the number of the sample that the run goes on with."""
        return best([outputs.get("judgment") for outputs in self.samples])

    @property
    def outputs(self) -> Mapping[str, Any]:
        """Return what the steps gave, of the sample that the run goes on with."""
        return self.samples[self.sample - 1]

    @property
    def verdict(self) -> Verdict | None:
        """Return the judgment, if it came so far."""
        return self.outputs.get("judgment")


class Feedback(NamedTuple):
    """What a failed attempt leaves to the next one."""

    attempt: int
    challenge: Challenge
    verdict: Verdict


def sampled(attempt: int, has: Callable[[str], bool], wanted: int) -> int:
    """Return how many samples an attempt has: those that the run went on from, or else as many as are wanted.

    `has` tells whether the record has a file.
    """
    solved, *judged = (step for step in ATTEMPT if step.sampled)
    there = next(n for n in count() if not has(solved.file(attempt, "", n + 1)))
    after = [one.file for one in passes([attempt], lambda _: there) if one.step in judged]
    went_on = any(map(has, [*after, ATTEMPT[0].file(attempt + 1, "")]))
    return max(there, 1 if went_on else wanted)
