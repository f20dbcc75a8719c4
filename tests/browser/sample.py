"""A sample exercise, and the steps of a student in it."""

from __future__ import annotations

from dataclasses import replace

from errorspan.answers.outputs import Assessment
from errorspan.answers.verdicts import Failure
from errorspan.site.exercise import Exercise, Places

FORBIDDEN = """
Object.defineProperty(window, "localStorage", { get() { throw new DOMException("forbidden", "SecurityError"); } });
"""
FULL = """
Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };
"""
LISTEN = """
window.told = [];
for (const type of ["errorspan-check", "errorspan-complete"])
  document.addEventListener(type, ({ type, detail }) => window.told.push([type, detail]));
"""


CODE = '''\
"""Train a preference model on pairs of answers."""
#
import torch
import torch.nn.functional as F
#
#
def sequence_logp(model, ids, mask):
    """Sum the log-probabilities of an answer's tokens."""
    logits = model(ids).logits[:, :-1]
    labels = ids[:, 1:]
    logp = torch.gather(logits.log_softmax(-1), 2, labels.unsqueeze(2)).squeeze(2)
    return (logp * mask[:, 1:]).mean(-1)
#
#
def preference_loss(policy, reference, chosen, rejected, beta=0.1):
    """Compare policy and reference on a pair."""
    ratios = []
    for ids, mask in (chosen, rejected):
        ours = sequence_logp(policy, ids, mask)
        theirs = sequence_logp(
            reference, ids,
            mask)
        ratios.append(ours - theirs)
    return -F.logsigmoid(beta * (ratios[1] - ratios[0])).mean()
#
#
def train(policy, reference, loader, optimizer, steps=1000, report=lambda text: print(text, flush=True)):
    """Take `steps` steps. 🙂 Déjà vu is fine."""
\tpolicy.train(); reference.train(); reference.requires_grad_(False)
    for step, (chosen, rejected) in zip(range(steps), loader):
        loss = preference_loss(policy, reference, chosen, rejected)
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            report(f"👩🏽‍💻 {step}: {loss.item():.4f}")
'''


def error(number: int, quote: str, line: int, correction: str, concept: str, **more: str) -> dict[str, object]:
    """Describe an error with words that no other part of the page holds."""
    return {
        "id": str(number), "quote": quote, "line": line, "failure": f"F{number}", "correction": correction,
        "description": f"SECRET-{number}: the **mean** here weighs short answers more, so `beta` means something else.",
        "hint": f"Think of `reductions` ({number}).", "severity": "high", "concept": concept,
        "learning_value": f"A value to keep ({number}): read what a reduction runs over.", **more,
    }  # fmt: skip


ASSESSMENT = Assessment.model_validate(
    {
        "title": "Direct preference optimization",
        "learning_objective": "See which quantities a loss compares.",
        "scenario": "A colleague asks for a review.",
        "language": "python",
        "code": CODE,
        "errors": [
            error(1, ".mean(-1)", 12, ".sum(-1)", "length normalisation"),
            error(
                2, "sequence_logp(\n            reference, ids,\n            mask)", 20,
                "sequence_logp_without_grad(\n            reference, ids, mask)", "frozen reference", severity="medium",
            ),
            error(3, "ratios[1] - ratios[0]", 24, "ratios[0] - ratios[1]", "sign of the margin"),
            error(4, "reference.train()", 29, "reference.eval()", "dropout in evaluation", severity="low"),
        ],
        "estimated_minutes": [10, 15],
    }
)  # fmt: skip

PATTERNS = ("Averages where it should sum", "Trains what should stand still", "Turns a sign", "Reads past the end", "x")

FAILURES = (
    Failure("F1", PATTERNS[0], "FAILURE-1: it took the mean over tokens.", "x"),
    Failure("F2", PATTERNS[1], "FAILURE-2: it kept gradients.", "x"),
)

RUN = "../../runs/dpo/"
EXERCISE = Exercise(
    id="dpo",
    title="Direct preference optimization",
    level="intermediate",
    concepts=("loss", "evaluation"),
    assessment=ASSESSMENT,
    failures=FAILURES,
    explained_at=f"{RUN}assessment/",
    patterns={name: f"SECRET-M{number}: code that `does` it." for number, name in enumerate(PATTERNS)},
    places={"1": Places(f"{RUN}weak-implementation/#attempt-1-weak-9", f"{RUN}mid-implementation/#attempt-1-mid-7")},
)


def variant(**fields: object) -> Exercise:
    """Return the sample exercise with some fields changed."""
    return replace(EXERCISE, **fields)


def mark(page, *lines: int) -> None:
    """Click lines at their numbers."""
    for line in lines:
        page.locator(".es-gutter-number").nth(line - 1).click()


def marked(page) -> list[int]:
    """Return the marked lines."""
    return page.locator(".es-mark").evaluate_all("boxes => boxes.flatMap((box, at) => box.checked ? [at + 1] : [])")


def press(page, action: str) -> None:
    """Press one of the buttons."""
    page.locator(f"[data-action={action}]").click()


def guide(page) -> None:
    """Ask for the guided form."""
    page.locator(".es-guided input").check()


def note(page, number: int):
    """Return what stands below an error's lines."""
    return page.locator(f".es-note[data-error='{number}']")


def explain(page, number: int) -> None:
    """Have the answer to one error shown."""
    note(page, number).locator("[data-action=explain]").click()
    note(page, number).locator("details").evaluate("details => { details.open = true; }")


def check(page, *, missed: bool = True) -> None:
    """Press Check and wait for the result; then ask for what was missed, or leave it."""
    press(page, "check")
    page.locator(".es-score").wait_for()
    if missed and page.locator("[data-action=uncover]").count():
        press(page, "uncover")


def score(page) -> str:
    """Return the result's heading."""
    return page.locator(".es-score").inner_text()


def hinted(page):
    """Return where the last hint stands until it is closed."""
    return page.locator(".es-hinted")


def status(page):
    """Return the live region."""
    return page.locator(".es-status")


def centre(page, line: int, selector: str = ".es-text") -> tuple[float, float]:
    """Return a point on a line."""
    box = page.locator(selector).nth(line - 1).bounding_box()
    return box["x"] + min(box["width"] / 2, 20), box["y"] + box["height"] / 2


def spans(page) -> dict[str, list[str]]:
    """Return the text of each error's pieces."""
    found = page.locator(".es-code .error-span").evaluate_all("all => all.map(s => [s.dataset.errorId, s.textContent])")
    return {name: [text for other, text in found if other == name] for name, _ in found}
