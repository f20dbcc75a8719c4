"""Make requests: render `prompts/<step>.md.j2`, and send faults back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel

from errorspan.answers.outputs import Implementation
from errorspan.answers.shape import FORMAT
from errorspan.answers.verdicts import Verdict
from errorspan.authoring.tiers import Model, Options, Server
from errorspan.authoring.topics import Topic
from errorspan.steps import form
from errorspan.steps.table import Pass, Step
from errorspan.text.errors import shown

REPLY = "assistant"
PROMPT = "user"

CHAIN = 32
"""How many digits of a key name a chain of repairs."""

MOST_REPAIRS = 9
"""How often a reply can be sent back at all: one digit tells it in the names of the journal's files."""

COMPLAINT_BYTES = 6_000
"""Bounds the faults that a repair adds to a prompt, beside the rejected reply and a sentence or two."""


@dataclass(frozen=True)
class Request:
    """Everything that is sent for one pass of a step.

    `turns` are pairs of role and text: a prompt first, then, where an answer is being mended, each rejected reply and
    what was wrong with it. `schema` is the output's own; the API's dialect of it is made when it is sent. `options` are
    those of the model's that make a difference here. Where it is sent to (`server`) is no part of what is asked.
    """

    step: str
    attempt: int
    order: str
    model: str
    system: str
    turns: tuple[tuple[str, str], ...]
    schema: Mapping[str, Any] | None
    max_tokens: int
    options: Options = field(default_factory=Options)
    server: Server | None = None
    sample: int = 1

    @property
    def free(self) -> bool:
        """Tell whether it is sent to a server of the site's own that takes no key."""
        return self.server is not None and self.server.key_env is None

    @property
    def first(self) -> Request:
        """Return the request that this one goes back to through repairs."""
        return replace(self, turns=self.turns[:1])

    @property
    def chain(self) -> str:
        """Return the beginning of the first request's key."""
        return self.first.key[:CHAIN]

    @property
    def repairs(self) -> int:
        """Return how many replies were sent back before: `MOST_REPAIRS` at most."""
        return len(self.turns) // 2

    @property
    def name(self) -> str:
        """Return what the journal's files are named by: the chain, the number of the repair, and the key."""
        return f"{self.chain}.{self.repairs}.{self.key}"

    @property
    def prompt(self) -> str:
        """Return what is asked as one text, with the last reply and what is wrong with it where there is one."""
        prompt = self.turns[0][1]
        if not self.repairs:
            return prompt
        (_, reply), (_, complaint) = self.turns[-2:]
        return f"{prompt}\n\n<your_answer>\n{reply}\n</your_answer>\n\n{complaint}"

    @property
    def key(self) -> str:
        """Return a SHA-256 over all of it: two requests with the same key ask the same."""
        asked = {name: value for name, value in asdict(self).items() if name not in {"options", "server", "sample"}}
        asked |= self.options.model_dump(exclude_defaults=True)  # so that what is not set changes no key
        asked |= {"sample": self.sample} if self.sample > 1 else {}
        canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return sha256(canonical.encode()).hexdigest()


def request(asked: Pass, outputs: Mapping[str, Any], model: Model) -> Request:
    """Render a step's prompt from the topic and the outputs that its row reads, and nothing else."""
    step, attempt, order, sample = asked
    template = _prompts().get_template(f"{step.name}.md.j2")
    schema = _schema(step)
    options = step.options(model)
    known = {"order": order, "first_draft": options.first_draft, **_laid_out(step)}
    context = template.new_context({name: outputs[name] for name in ("topic", *step.reads)} | known)
    system, prompt = ("".join(template.blocks[name](context)).strip() for name in ("system", "prompt"))
    return Request(
        step=step.name,
        attempt=attempt,
        order=order,
        model=model.model,
        system=system,
        turns=((PROMPT, prompt),),
        schema=schema,
        max_tokens=step.longest(model),
        options=options,
        server=model.server,
        sample=sample,
    )


def basis(step: Step, outputs: Mapping[str, Any]) -> str:
    """Return a SHA-256 over what an answer to a step is an answer to: not over how it is asked, nor of whom.

    What follows from answers is left out, and so is what they leave open: a field that is added later changes nothing.
    """
    about = step.basis(outputs) if step.basis else [outputs[name] for name in step.reads]
    told = [_plain(about), _plain(outputs["topic"]) if step.topic else None]
    return sha256(json.dumps(told, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    match value:
        case Topic():
            return value.told
        case BaseModel():
            return value.model_dump(mode="json", exclude_defaults=True)
        case Verdict():
            return _plain(value.judgments)
        case Mapping():
            return {name: _plain(part) for name, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
    return value


def repaired(asked: Request, reply: str, faults: Sequence[str]) -> Request:
    """Return the request that sends a rejected reply back with its faults."""
    complaint = _prompts().get_template("_repair.md.j2").render(faults=faults, structured=asked.schema is not None)
    said = reply.encode("utf-8", "replace").decode() if reply.strip() else "(nothing)"
    return replace(asked, turns=(*asked.turns, (REPLY, said), (PROMPT, complaint.strip())))


def complaints(faults: Iterable[str]) -> list[str]:
    """Return the faults as they are told and kept: a reply can have thousands, and whole pages in one."""
    told, left = [], COMPLAINT_BYTES
    for fault in faults:
        short = shown(fault, 300)
        left -= len(short.encode("utf-8", "replace")) + 3
        if left < 0:
            break
        told.append(short)
    return told


def template_size(step: Step, topic: Topic) -> int:
    """Return a bound on the bytes of a step's prompt, beside the outputs that it reads."""
    prompts = Path(__file__).with_name("prompts")
    files = [prompts / f"{step.name}.md.j2", *prompts.glob("_*.md.j2")]
    return (
        sum(path.stat().st_size for path in files)
        + 2 * len(json.dumps(_schema(step), indent=2))
        + len(topic.model_dump_json().encode())
    )


@cache
def _schema(step: Step) -> Mapping[str, Any] | None:
    """Return the output's schema, with its format; 1 and 1.0 are the same number, which libraries write differently."""
    if issubclass(step.output, Implementation):
        return None
    written = json.dumps({"$id": f"errorspan:{step.name}:{FORMAT}", **step.output.model_json_schema()})
    return dict(
        json.loads(written, parse_float=lambda number: int(float(number)) if float(number) % 1 == 0 else float(number))
    )


@cache
def _laid_out(step: Step) -> Mapping[str, Any]:
    """Return how a prompt shows the output's shape; nothing where it has none."""
    schema = _schema(step)
    return {"form": form.form(schema), "rules": form.rules(schema)} if schema else {}


@cache
def _prompts() -> Environment:
    return Environment(
        loader=PackageLoader("errorspan.steps", "prompts"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - prompts are text, not HTML
    )
