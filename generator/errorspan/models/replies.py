"""Read replies: what a model said becomes an output, or faults to send back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from errorspan.answers.shape import Output
from errorspan.answers.shape import faults as faults_of
from errorspan.checks.check import faults
from errorspan.record.manifest import Reply
from errorspan.steps.prompting import complaints
from errorspan.steps.table import Step

_UNUSABLE = {
    "refusal": "the model refused to answer",
    "model_context_window_exceeded": "the prompt and its answer are longer than the model's context",
    "None": "the reply does not say why it ends, so it may be cut",
}


def judge(step: Step, outputs: Mapping[str, Any], reply: Reply) -> tuple[Output | None, list[str]]:
    """Read a reply: the output, where it has the step's shape, and what is wrong with it."""
    if step.exceeded(reply.text):
        return None, [f"{len(reply.text):,} characters are more than an answer of {step.max_tokens:,} tokens has"]
    if reply.stop_reason == "max_tokens":
        return None, [f"the answer was cut off at {step.max_tokens:,} tokens; a shorter one is needed"]
    if reply.stop_reason != "end_turn" and not reply.by_hand:
        detail = f" ({reply.stop_detail})" if reply.stop_detail else ""
        return None, [_UNUSABLE.get(str(reply.stop_reason), f"the model stopped with {reply.stop_reason!r}") + detail]
    if not reply.text.strip():
        return None, ["the answer is empty"]
    try:
        output = step.read(reply.text, asked=True)
    except ValidationError as error:
        return None, complaints(faults_of(error))
    return output, complaints(fault for said in step.findings(output, outputs).values() for fault in faults(said))
