"""Read replies: what a model said becomes an output, or faults to send back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from generator import checks
from generator.manifest import Reply
from generator.outputs import Output
from generator.outputs import faults as faults_of
from generator.prompting import COMPLAINT_BYTES
from generator.steps import Step

_UNUSABLE = {
    "refusal": "the model refused to answer",
    "model_context_window_exceeded": "the prompt and its answer are longer than the model's context",
}


def judge(step: Step, outputs: Mapping[str, Any], reply: Reply) -> tuple[Output | None, list[str]]:
    """Read a reply: the output, where it has the step's shape, and what is wrong with it."""
    if reply.stop_reason == "max_tokens":
        return None, [f"the answer was cut off at {step.max_tokens:,} tokens; a shorter one is needed"]
    if reply.stop_reason != "end_turn":
        detail = f" ({reply.stop_detail})" if reply.stop_detail else ""
        return None, [_UNUSABLE.get(str(reply.stop_reason), f"the model stopped with {reply.stop_reason!r}") + detail]
    try:
        output = step.output.read(reply.text)
    except ValidationError as error:
        return None, _told(faults_of(error))
    return output, _told(fault for said in step.findings(output, outputs).values() for fault in checks.faults(said))


def _told(faults: Iterable[str]) -> list[str]:
    """Return the faults as they are told and kept: a reply can have thousands, and whole pages in one."""
    told, left = [], COMPLAINT_BYTES
    for fault in faults:
        short = fault if len(fault) <= 300 else f"{fault[:300]}…"
        left -= len(short.encode("utf-8", "replace")) + 3
        if left < 0:
            break
        told.append(short)
    return told
