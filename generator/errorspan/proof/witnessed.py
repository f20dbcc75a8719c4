"""Know which proofs came out on this machine: a list beside the user's own files, which no checkout can bring along."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Literal

import platformdirs

from errorspan.authoring.settings import in_pull_request
from errorspan.proof.proofs import Proof, written
from errorspan.text import disk

Source = Literal["here", "recorded", "claimed"]
"""Where a proof was run: on this machine; elsewhere, as the record says; so says a pull request, and nobody else."""


def source(proof: Proof) -> Source:
    """Say where a proof was run. The record of a pull request is a stranger's word."""
    if is_here(name(proof)):
        return "here"
    return "claimed" if in_pull_request() else "recorded"


def note(proof: Proof) -> None:
    """Note that a proof came out on this machine.

    Raises:
        DiskError: it could not be noted.
    """
    disk.put(_place(name(proof)), "")


def name(proof: Proof) -> str:
    """Return what a proof is known by."""
    return sha256(written(proof).encode()).hexdigest()


def is_here(name: str) -> bool:
    """Tell whether the proof of this name came out on this machine."""
    return _place(name).exists()


def _place(name: str) -> Path:
    return platformdirs.user_state_path("errorspan") / "proofs" / name
