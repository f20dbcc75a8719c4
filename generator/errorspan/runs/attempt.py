"""Hold one attempt of a run: what its steps gave, for each sample of the weak tier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from errorspan.answers.verdicts import Verdict, best


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
