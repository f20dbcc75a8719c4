"""Say what the page of an exercise needs to run a student's correction, where execution in a browser has a say.

A correction is tried in the program in which its error alone is left, in place of the lines that a student mends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from errorspan.answers.outputs import Assessment, Error
from errorspan.browser import tasks
from errorspan.browser.editor import EDITOR
from errorspan.browser.engines import Engine, Kept
from errorspan.proof import proofs
from errorspan.proof.framing import framed, suffix
from errorspan.runs.run import Run
from errorspan.text.markup import visible

SCRIPT, WRITING = "errorspan.run.js", "errorspan.edit.js"
"""The scripts that run corrections in a page, and that make an editor for them: only sites that need them have them."""
AtHand = Callable[[Engine], Kept | None]
"""Gives an engine where it is at hand."""
_FIX = "\0"  # stands for the lines that a student mends


def of(run: Run, at_hand: AtHand) -> dict[str, Any] | None:
    """Return what runs corrections, as the page's script reads it; None where that would not tell of every error."""
    evidence, assessment = run.evidence, run.assessment
    proof, agreed = evidence.valid_proof, evidence.valid_agreed
    if assessment is None or proof is None or agreed is None:
        return None
    task = tasks.task(run.topic, assessment.language, evidence.files)
    engine = tasks.engine(run.topic, evidence.files)
    kept = at_hand(engine) if engine else None
    if task is None or (engine and (kept is None or agreed.engine != engine.title)):
        return None
    telling = agreed.telling(proof, assessment)
    if not all(telling.get(error.id) for error in assessment.errors):
        return None
    errors = {
        error.id: {**place, "fails": telling[error.id]}
        for error in assessment.errors
        if (place := around(assessment, error, evidence.frame))
    }
    made = {**task, **tasks.fetching(kept), "errors": errors}
    if trial := tasks.trial(run.topic, task):
        made["trial"] = trial
    return made | {"leaveOut": [test for test in proof.tests if test not in agreed.tests]} if errors else None


def engine(run: Run) -> Engine | None:
    """Return the engine that an exercise needs, where a browser has shown that it runs its tests."""
    return tasks.engine(run.topic, run.evidence.files) if run.evidence.valid_agreed else None


def editor(language: str, at_hand: AtHand) -> dict[str, Any] | None:
    """Return in what students write corrections of a language, where it is at hand."""
    kept = at_hand(EDITOR)
    return {**tasks.fetching(kept), "of": suffix(language)} if kept else None


def scripts(
    running: Collection[str | None], at_hand: AtHand, *, written: bool = False
) -> Iterator[tuple[str, str | Path]]:
    """Yield the scripts that run corrections, and the engines that these need, by where they stand among the assets.

    `running`: for each exercise that has some, where its engine is fetched from, if it needs one. With `written`,
    corrections are written in the editor.
    """
    assets = files("errorspan.site").joinpath("assets")
    if running:
        yield SCRIPT, assets.joinpath(SCRIPT).read_text("utf-8")
        yield tasks.RUNNER, tasks.runner()
    needed = {*running}
    if written and (kept := at_hand(EDITOR)):
        yield WRITING, assets.joinpath(WRITING).read_text("utf-8")
        needed.add(tasks.fetching(kept)["from"])
    for engine in (*tasks.ENGINES, EDITOR):
        if (kept := at_hand(engine)) and (folder := tasks.fetching(kept)["from"]) in needed:
            yield from ((f"{folder}/{path.name}", path) for path in (*kept.scripts, kept.licences))


def around(assessment: Assessment, error: Error, frame: str | None) -> dict[str, str] | None:
    """Return what stands before and behind the lines of an error where it alone is left, and how deep they stand.

    None where these lines are not as the exercise shows them: another error shares them, or a character is spelled out.
    """
    span = assessment.span(error)
    if span is None or _FIX in assessment.code or visible(assessment.code) != assessment.code:
        return None
    code = proofs.left(assessment, error.id)
    others = [(place, one) for one in assessment.errors if one is not error and (place := assessment.span(one))]
    moved = sum(len(one.correction) - (place.end - place.start) for place, one in others if place.end <= span.start)
    start, end = lines_of(assessment.code, error, span.start)
    lines = assessment.code[start:end]
    if code[start + moved : end + moved] != lines:
        return None
    margin = indent(assessment, error)
    head, found, tail = framed(f"{code[: start + moved]}{margin}{_FIX}{code[end + moved :]}", frame).partition(_FIX)
    before, _, lead = head.rpartition("\n")
    return {"head": f"{before}\n" if before or "\n" in head else "", "lead": lead, "tail": tail} if found else None


def lines_of(code: str, error: Error, start: int) -> tuple[int, int]:
    """Return where the whole lines of an error begin and end, as an exercise shows them."""
    inner = int(error.quote.endswith("\n") and error.correction.endswith("\n"))
    end = start + len(error.quote) - inner
    return code.rfind("\n", 0, start) + 1, next((at for at in (code.find("\n", end),) if at >= 0), len(code))


def indent(assessment: Assessment, error: Error) -> str:
    """Return what indents all lines of an error and of its correction, which an exercise leaves out."""
    span = assessment.span(error)
    if span is None:
        return ""
    texts = (assessment.code, assessment.corrected(error.id))
    lengths = (len(error.quote), len(error.correction))
    inner = int(error.quote.endswith("\n") and error.correction.endswith("\n"))
    written = [
        line for text, length in zip(texts, lengths, strict=True) for line in _around(text, span.start, length - inner)
    ]
    margins = [line[: len(line) - len(line.lstrip(" \t"))] for line in written if line.strip()]
    shortest = min(margins, key=len, default="")
    return next(
        (
            shortest[:depth]
            for depth in range(len(shortest), 0, -1)
            if all(m[:depth] == shortest[:depth] for m in margins)
        ),
        "",
    )


def _around(text: str, start: int, length: int) -> Iterator[str]:
    first, last = text.count("\n", 0, start), text.count("\n", 0, start + length)
    yield from text.split("\n")[first : last + 1]
