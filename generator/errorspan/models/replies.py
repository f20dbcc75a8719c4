"""Read replies: what a model said becomes an output, or faults to send back.

Small models have faults of their own: they echo the schema, stop in the middle, repeat themselves until they are cut.
Each is told in words that say what to do, and what is of no use does not go back whole into the next prompt.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from errorspan.answers.outputs import Implementation
from errorspan.answers.shape import Output, bare_json
from errorspan.answers.shape import faults as faults_of
from errorspan.checks.check import faults
from errorspan.record.manifest import Reply
from errorspan.steps.prompting import complaints
from errorspan.steps.table import Step, exceeded
from errorspan.text.errors import shown
from errorspan.text.fences import blocks

_UNUSABLE = {
    "refusal": "the model refused to answer",
    "model_context_window_exceeded": "the prompt and its answer are longer than the model's context",
    "None": "the reply does not say why it ends, so it may be cut",
}
_DIGITS = str.maketrans("123456789", "000000000")

CUT = " […]"
ECHO = 200
"""How much of a schema goes back to the model that gave it as its answer, in characters."""

_TAIL, _REPEATED, _TIMES = 20_000, 1_000, 4
"""How much of a reply is looked at for a loop, how much of it must repeat itself, and how often."""


class Loop(NamedTuple):
    """What a text repeats up to its end: where that begins, and how long it is."""

    start: int
    length: int


def judge(
    step: Step, outputs: Mapping[str, Any], reply: Reply, max_tokens: int | None = None
) -> tuple[Output | None, list[str]]:
    """Read a reply: the output, where it has the step's shape, and what is wrong with it.

    `max_tokens`: how long it could be, where that was less than the step allows.
    """
    longest = max_tokens or step.max_tokens
    if exceeded(reply.text, longest):
        return None, [f"{len(reply.text):,} characters are more than an answer of {longest:,} tokens has"]
    if reply.stop_reason == "max_tokens":
        return None, [_cut(reply.text, longest)]
    if reply.stop_reason != "end_turn" and not reply.by_hand:
        detail = f" ({reply.stop_detail})" if reply.stop_detail else ""
        return None, [_UNUSABLE.get(str(reply.stop_reason), f"the model stopped with {reply.stop_reason!r}") + detail]
    if fault := _misread(step, reply.text):
        return None, [fault]
    try:
        output = step.read(reply.text, asked=True)
    except ValidationError as error:
        return None, complaints(faults_of(error, reply.text, step.output))
    return output, complaints(fault for said in step.findings(output, outputs).values() for fault in faults(said))


def sent_back(step: Step, reply: Reply) -> str:
    """Return a reply as it goes back to be mended: whole, but for a loop after its first round, and a schema."""
    if reply.stop_reason == "max_tokens" and (loop := looped(reply.text)):
        return reply.text[: loop.start + loop.length] + CUT
    if len(reply.text) > ECHO and _echoed(step, reply.text):
        return reply.text[:ECHO] + CUT
    return reply.text


def looped(text: str) -> Loop | None:
    """Return what a text repeats up to its end; numbers may count up meanwhile."""
    alike = text.translate(_DIGITS)
    tail = alike[-_TAIL:][::-1]
    borders, found = [0] * len(tail), None
    for at in range(1, len(tail)):  # Knuth, Morris and Pratt: the longest border of each beginning gives its period
        border = borders[at - 1]
        while border and tail[at] != tail[border]:
            border = borders[border - 1]
        borders[at] = border + (tail[at] == tail[border])
        size, period = at + 1, at + 1 - borders[at]
        if size >= max(_REPEATED, _TIMES * period):
            found = Loop(len(text) - size, period)
    if found is None:
        return None
    start = found.start
    while start and alike[start - 1] == alike[start - 1 + found.length]:
        start -= 1
    return Loop(start, found.length)


def _cut(text: str, longest: int) -> str:
    if loop := looped(text):
        again = shown(text[loop.start : loop.start + loop.length], 60).strip() or "blanks"
        cut = f"the answer repeats itself ({again!r}) until it was cut off at {longest:,} tokens"
        return f"{cut}; say each thing once, and end where all is said"
    return f"the answer was cut off at {longest:,} tokens; a shorter one is needed"


def _misread(step: Step, text: str) -> str | None:
    """Say what a reply is in place of an answer, where that explains more than each key's fault."""
    if not text.strip():
        return "the answer is empty"
    if issubclass(step.output, Implementation):
        ends = text.rstrip().endswith(("```", "~~~"))  # on the last line of the code, where it closes nothing
        cut = not ends and any(block.code.strip() for block in blocks(text) if not block.closed)
        return "the code block is not closed: give the whole implementation, and close its block" if cut else None
    if keys := _echoed(step, text):
        return (
            f"this is the description of the answer, not the answer: give an object with the keys {keys} and, as their "
            "values, what you have to say"
        )
    if _unfinished(bare_json(text)):
        return (
            "the answer stops in the middle: give the whole JSON object, to its last brace; a shorter one, if need be"
        )
    return None


def _echoed(step: Step, text: str) -> str:
    """Return the keys of the answer where a reply is its schema instead, or holds the answer within one."""
    fields = step.output.model_fields
    try:
        said = json.loads(bare_json(text))
    except (ValueError, RecursionError):
        return ""
    echo = isinstance(said, dict) and isinstance(said.get("properties"), dict) and "properties" not in fields
    return ", ".join(fields) if echo else ""


def _unfinished(text: str) -> bool:
    """Tell whether a text is the beginning of a JSON object."""
    if not text.lstrip().startswith("{"):
        return False
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return not text[error.pos :].strip() or error.msg.startswith("Unterminated string")
    except (ValueError, RecursionError):
        return False
    return False
