"""Decide whether students see an exercise: the one place that says so, and why not."""

from __future__ import annotations

from errorspan.authoring.settings import Publish
from errorspan.runs.run import Run


def withheld(run: Run, publish: Publish) -> list[str]:
    """Say why a run's exercise is not published, a clause each; none where it is."""
    shown, evidence = run.assessment, run.evidence
    if shown is None or not run.graded:
        return ["its errors cannot be placed in its code" if shown else run.declined or f"its run is {run.state}"]
    reasons = [f"{review.by} rejected it" for review in [evidence.review] if review and not review.approves]
    if publish == "all":
        return reasons
    if run.faults:
        reasons.append("its checks fail")
    reasons += evidence.against(shown)
    reasons += [f"it needs a review: {reason}" for reason in unresolved(run)[:1]]
    if publish == "proved" and not evidence.proves(shown):
        unproved = "its proof is stale" if evidence.stale_proof else "it is not proved"
        reasons.append(
            "its proof is a claim of this pull request, and was not run here" if evidence.claim else unproved
        )
    if publish == "reviewed" and not run.approved:
        reasons.append("its review is of another version" if evidence.stale_review else "nobody has approved it")
    return reasons


def unresolved(run: Run) -> tuple[str, ...]:
    """Return where solvers agree against the key, as long as nobody has approved it since."""
    review, solved = run.evidence.review, max((answer.entry.at or "" for answer in run.solutions), default="")
    settled = review and review.approves and review.date.isoformat() >= solved[:10]
    return () if settled else needs_review(run)


def needs_review(run: Run) -> tuple[str, ...]:
    """Return where solvers agree against the key, and neither execution nor a person has settled it."""
    undecided = [aside.span for aside in run.evidence.undecided]
    return run.solve.needs_review(proved(run), undecided) if run.solve else ()


def proved(run: Run) -> list[str]:
    """Return the errors that execution has proved."""
    decided = run.evidence.decided(run.assessment) if run.assessment else None
    return decided.proved if decided else []


def unearned(run: Run, publish: Publish) -> list[str]:
    """Say what a run lacks to be a gold standard, a clause each: answers, checks, or what speaks for each error."""
    if not run.finished:
        return ["not every step is answered"]
    if run.assessment is None:
        return ["it gave no exercise"]
    lacks = ["some answers are stale"] if run.stale else []
    if run.faults:
        lacks.append("a check fails" if len(run.faults) == 1 else f"{len(run.faults)} checks fail")
    settled = proved(run)
    open_ = [error.id for error in run.assessment.errors if error.id not in settled and not run.approved]
    if open_:
        errors = f"error {open_[0]} is" if len(open_) == 1 else f"errors {', '.join(open_[:-1])} and {open_[-1]} are"
        lacks.append(f"{errors} neither proved nor reviewed")
    return lacks or [f"it is withheld: {reason}" for reason in withheld(run, publish)[:1]]


def brief(reasons: list[str]) -> list[str]:
    """Return why an exercise is not published without what would tell a student of its errors."""
    return [reason.partition(": ")[0] for reason in reasons]
