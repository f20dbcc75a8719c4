"""Hold which of a topic's tests say the same in a browser as in the sandbox: `browser.json` beside a proof.

Only these are run for students: the others would say of a right program that it is wrong, or the other way round.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from errorspan.answers.outputs import Assessment
from errorspan.answers.shape import faults_in
from errorspan.proof.deciding import decided, deciding
from errorspan.proof.proofs import SHOWN, Bound, Proof, Variant, Word
from errorspan.record.manifest import Day
from errorspan.text import objects
from errorspan.text.errors import InputError

FILE = "browser.json"

Seen = Mapping[str, Variant]
"""What tests said in a browser, by variant."""


class Agreed(BaseModel):
    """What a browser showed, when and with what. `engine`: what ran the programs in it.

    `tests`: those that ended as in the sandbox on every variant; `differ`: how the others did not, in a few words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    at: Day
    bound: Bound
    engine: Word
    browser: Word
    tests: list[Word]
    differ: dict[Word, Word] = {}

    def repeats(self, known: Agreed) -> bool:
        """Tell whether it shows what is known already; versions and dates of browsers may differ."""
        told = {"bound", "engine", "tests"}
        return self.model_dump(include=told) == known.model_dump(include=told)

    def telling(self, proof: Proof, assessment: Assessment) -> dict[str, list[str]]:
        """Return the tests that tell of each proved error, by its id, of those that run in a browser."""
        sound = set(self.tests).intersection(deciding(proof))
        return {
            id_: [test for test in proof.tests if test in sound and test in proof.variants[f"error-{id_}"].failed]
            for id_ in decided(proof, assessment).proved
        }


def played(proof: Proof) -> list[str]:
    """Return the variants that a browser plays, too: those that decide."""
    return [name for name in proof.variants if name == SHOWN or name.startswith(("corrected", "error"))]


def compared(proof: Proof, seen: Seen) -> tuple[list[str], dict[str, str]]:
    """Return the tests that end alike on all variants that were seen, and how the others do not."""
    differ: dict[str, str] = dict.fromkeys(proof.unstable, "does not end the same way each time")
    for name, variant in seen.items():
        for test in proof.tests:
            here, there = variant.outcome(test), proof.variants[name].outcome(test)
            if here != there:
                said = variant.failed.get(test) or variant.erred.get(test)
                why = f" ({said.message})" if said else ""
                differ.setdefault(test, f"{name}: {here} in the browser{why}, {there} in the sandbox")
    return [test for test in proof.tests if test not in differ], differ


def read(path: Path, name: str) -> Agreed | None:
    """Return what is in a file, if there is one; `name` is the file as messages name it.

    Raises:
        InputError: it is corrupt, or of a newer format.
    """
    text = b""
    try:
        return objects.validated(Agreed, text := path.read_bytes()) if path.is_file() else None
    except OSError as error:
        raise InputError([f"{name}:1: cannot be read ({error.strerror})"]) from None
    except ValidationError as error:
        mend = "delete the file: `errorspan verify --browser` writes it anew"
        raise InputError(faults_in(name, error, mend, text, Agreed)) from None


def written(agreed: Agreed) -> str:
    """Return the text of its file."""
    told: dict[str, Any] = agreed.model_dump(mode="json", exclude_defaults=True) | {"format": agreed.format}
    return json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
