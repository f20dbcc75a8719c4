"""Requests: a prompt holds what its step's row reads and nothing else, and its key tells it from every other."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, meta, nodes
from pydantic import ValidationError
from pygments.lexers import get_all_lexers

import answers
from errorspan.answers.outputs import Assessment, Categories, Challenge, ErrorCatalog, Implementation, Judgment
from errorspan.answers.verdicts import REASONS, Verdict, settle
from errorspan.authoring.prices import Usage
from errorspan.authoring.settings import Settings
from errorspan.authoring.tiers import Model, Options, Server, Thinking
from errorspan.authoring.topics import Topic
from errorspan.models.replies import judge
from errorspan.record.manifest import Reply
from errorspan.runs.attempt import Feedback
from errorspan.steps import form, prompting
from errorspan.steps.prompting import COMPLAINT_BYTES, Request, repaired, request, template_size
from errorspan.steps.table import SOLVE, Pass, Step
from errorspan.steps.table import STEPS as SEVEN

PROMPTS = Path(prompting.__file__).with_name("prompts")
STEPS = SEVEN + SOLVE
GIVEN = {"topic", "order", "form", "rules", "first_draft"}
BY_NAME = {step.name: step for step in STEPS}
ROWS = pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
PASSES = [(step, order) for step in STEPS for order in step.passes]
EACH_PASS = pytest.mark.parametrize(("step", "order"), PASSES, ids=[f"{step.name}{order}" for step, order in PASSES])

TOPIC = Topic(
    id="words",
    path="topics/words.yml",
    title="Counting <words> {{ 7 * 7 }}",
    language="python",
    level="advanced",
    focus="Dictionaries of counts",
    brief="Learners take away that counting is summing.\n\nNo imports.",
    concepts=["running totals", "sorting by value"],
)
AT = "2026-01-02T03:04:05Z"
BARE = Topic(id="words", path="topics/words.yml", title="Counting")
JUDGMENTS = {
    "ab": Judgment.model_validate(answers.judgment("A")),
    "ba": Judgment.model_validate(answers.judgment("B")),
}


def outputs(topic: Topic = TOPIC, feedback: Any = ()) -> dict[str, Any]:
    """Return all outputs of the small topic."""
    made: dict[str, Any] = {
        "topic": topic,
        "feedback": list(feedback),
        "categories": Categories.model_validate(answers.CATEGORIES),
        "error_catalog": ErrorCatalog.model_validate(answers.CATALOG),
        "challenge": Challenge.model_validate(answers.CHALLENGE),
        "mid_implementation": Implementation.read(answers.MID),
        "weak_implementation": Implementation.read(answers.WEAK),
        "assessment": Assessment.model_validate(answers.ASSESSMENT),
    }
    return made | {"judgment": settle(JUDGMENTS, made)}


def failed(attempts: int) -> list[Feedback]:
    """Return what failed attempts leave, with each reason in turn."""
    challenge = Challenge.model_validate(answers.CHALLENGE)
    return [
        Feedback(n + 1, challenge, Verdict(JUDGMENTS if reason != "identical" else {}, (), reason))
        for n, reason in zip(range(attempts), [*REASONS] * attempts, strict=False)
    ]


def made(step: Step, order: str = "", **more: Any) -> Request:
    """Make the request of a step."""
    return request(Pass(step, 1, order), outputs(**more), Model(model="some-model"))


def words(asked: Request) -> str:
    """Return all words of a request."""
    return "\n".join((asked.system, *(text for _, text in asked.turns)))


# A prompt and its row say the same


def read_by(template: str) -> set[str]:
    """Return the variables of a template and of all that it includes."""
    source = (PROMPTS / template).read_text("utf-8")
    environment = Environment(autoescape=True)
    environment.filters["json"] = json.dumps
    parsed = environment.parse(source)
    included = [node.template.as_const() for node in parsed.find_all(nodes.Include)]
    return meta.find_undeclared_variables(parsed).union(*map(read_by, included))


@ROWS
def test_a_template_reads_what_its_row_says(step: Step) -> None:
    read = read_by(f"{step.name}.md.j2")
    assert read - GIVEN == set(step.reads)
    assert ("topic" in read) == step.topic


@ROWS
def test_a_step_reads_what_came_before_it(step: Step) -> None:
    before = {known.name for known in STEPS[: STEPS.index(step)]}
    assert set(step.reads) - {"feedback"} <= before


@ROWS
def test_what_an_answer_is_an_answer_to_is_all_that_its_row_reads(step: Step) -> None:
    """Where a part of it changes, the basis does; a verdict's reason follows from what was answered."""
    known = outputs(feedback=failed(1))
    changes: dict[str, Any] = {
        "topic": BARE,
        "feedback": failed(2),
        "categories": known["categories"].model_copy(update={"beginner": ["Other", "Things", "Here"]}),
        "error_catalog": known["error_catalog"].model_copy(update={"patterns": known["error_catalog"].patterns[1:]}),
        "challenge": known["challenge"].model_copy(update={"title": "Other"}),
        "mid_implementation": Implementation.read("Other"),
        "weak_implementation": Implementation.read("Other"),
        "judgment": replace(known["judgment"], judgments={"ab": JUDGMENTS["ba"], "ba": JUDGMENTS["ba"]}),
        "assessment": known["assessment"].model_copy(update={"code": "Other"}),
    }
    bases = {name: prompting.basis(step, known | {name: changed}) for name, changed in changes.items()}
    own = prompting.basis(step, known)
    assert {name for name in bases if bases[name] != own} == {*step.reads, *(["topic"] if step.topic else [])}
    assert own == prompting.basis(step, known | {"judgment": replace(known["judgment"], reason="unsupported")})


def test_every_prompt_is_a_steps_or_a_part() -> None:
    files = {path.name for path in PROMPTS.iterdir()}
    assert {name for name in files if not name.startswith("_")} == {f"{step.name}.md.j2" for step in STEPS}
    included = set().union(
        *(re.findall(r'include "(\w+\.md\.j2)"', (PROMPTS / name).read_text("utf-8")) for name in files)
    )
    assert {name for name in files if name.startswith("_")} == included | {"_repair.md.j2"}


@EACH_PASS
@pytest.mark.parametrize("topic", [TOPIC, BARE], ids=["everything said", "a title"])
def test_a_prompt_is_rendered(step: Step, order: str, topic: Topic) -> None:
    asked = made(step, order, topic=topic)
    assert (asked.step, asked.attempt, asked.order, asked.model) == (step.name, 1, order, "some-model")
    assert [role for role, _ in asked.turns] == ["user"]
    assert asked.max_tokens == step.max_tokens
    text = words(asked)
    assert asked.system
    assert text.strip() == text
    assert not re.search(r"\{%|%\}|\{#|Undefined|<generator|object at 0x|\bNone\b", text)
    assert not re.search(r"\n{4,}", text.replace(answers.MID, "").replace(answers.WEAK, ""))


def test_topics_are_no_templates() -> None:
    assert "Counting <words> {{ 7 * 7 }}" in words(made(BY_NAME["categories"]))


@ROWS
def test_the_shape_is_told_in_words_too(step: Step) -> None:
    asked = made(step, step.passes[0])
    if step.output is Implementation:
        assert asked.schema is None
    else:
        assert asked.schema == {"$id": f"errorspan:{step.name}:2", **step.output.model_json_schema()}
        prompt = asked.turns[0][1]
        assert form.form(asked.schema) in prompt
        assert all(f"- {rule}" in prompt for rule in form.rules(asked.schema))
        assert '"type"' not in prompt  # a small model answers with a schema that it is shown


def test_everything_that_an_author_wrote_is_asked_for() -> None:
    text = words(made(BY_NAME["challenge"]))
    for told in (TOPIC.title, TOPIC.language, TOPIC.level, TOPIC.focus, TOPIC.brief, *TOPIC.concepts):
        assert told
        assert told in text


# Blindness


@pytest.mark.parametrize("name", ["mid_implementation", "weak_implementation"])
def test_who_solves_knows_the_challenge_only(name: str) -> None:
    text = words(made(BY_NAME[name])).casefold()
    for told in (answers.CHALLENGE["title"], answers.CHALLENGE["question_text"], *answers.CHALLENGE["requirements"]):
        assert str(told).casefold() in text
    for pattern in answers.CATALOG["patterns"]:
        assert pattern["name"].casefold() not in text
        assert pattern["why_wrong"].casefold() not in text
    models = dict(Settings().models).values()
    for untold in (
        "mistake",
        "pattern",
        "exercise",
        "student",
        "judge",
        "tier",
        "weak",
        "some-model",
        *models,
        TOPIC.title.casefold(),
    ):
        assert untold not in text
    assert not re.search(r"\b(mid|error|strong)\b", text)


def test_both_tiers_are_asked_the_same() -> None:
    mid, weak = made(BY_NAME["mid_implementation"]), made(BY_NAME["weak_implementation"])
    assert (mid.system, mid.turns, mid.max_tokens) == (weak.system, weak.turns, weak.max_tokens)
    assert mid.key != weak.key


def test_the_judge_sees_the_same_but_for_the_order() -> None:
    one, other = (made(BY_NAME["judgment"], order).turns[0][1] for order in ("ab", "ba"))
    mid, weak = Implementation.read(answers.MID).code, Implementation.read(answers.WEAK).code
    assert one.index(mid) < one.index(weak)
    assert one != other
    assert one.replace(mid, "\0").replace(weak, mid).replace("\0", weak) == other


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_the_judge_is_blind(order: str) -> None:
    text = words(made(BY_NAME["judgment"], order)).casefold()
    assert "weak" not in text
    assert "strong" not in text
    assert not re.search(r"\bmid(\b|[-_])|\btiers?\b", text)
    for model in ("claude", "some-model", *dict(Settings().models).values()):
        assert model not in text


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_of_a_pattern_the_judge_learns_what_is_wrong_only(order: str) -> None:
    marked = [
        {"name": f"name-{n}", "why_wrong": f"why-{n}", "impact": f"impact-{n}", "severity": "low",
         "strong_avoids": 0.8125, "weak_makes": 0.4375}
        for n in range(4)
    ]  # fmt: skip
    known = outputs() | {"error_catalog": ErrorCatalog.model_validate({"patterns": marked})}
    prompt = request(Pass(BY_NAME["judgment"], 1, order), known, Model(model="m")).turns[0][1]
    told = prompt.partition("<known_mistakes>")[2].partition("</known_mistakes>")[0]
    assert told.split("\n") == [
        "",
        *(line for n in range(4) for line in (f"- name-{n}", f"  Why it is wrong: why-{n}", f"  Impact: impact-{n}")),
        "",
    ]
    assert not re.search(r"0\.8125|0\.4375|weak_makes|strong_avoids", prompt)


# Keys

ASKED = Request("judgment", 1, "ab", "model", "system", (("user", "prompt"),), {"type": "object", "title": "T"}, 100)


@pytest.mark.parametrize(
    "change",
    [
        {"step": "challenge"},
        {"attempt": 2},
        {"order": "ba"},
        {"sample": 2},
        {"model": "model-2"},
        {"system": "system "},
        {"turns": (("user", "prompt\n"),)},
        {"turns": (("user", "prompt"), ("assistant", "x"), ("user", "y"))},
        {"turns": (("user", "pro"), ("user", "mpt"))},
        {"schema": {"type": "object", "title": "U"}},
        {"schema": None},
        {"max_tokens": 101},
        {"options": Options(effort="low")},
        {"options": Options(effort="high")},
        {"options": Options(thinking=Thinking(type="adaptive"))},
        {"options": Options(thinking=Thinking(type="enabled", budget_tokens=1024))},
    ],
    ids=str,
)
def test_a_key_is_of_all_that_is_sent(change: dict[str, Any]) -> None:
    assert replace(ASKED, **change).key != ASKED.key


def test_every_field_has_been_changed() -> None:
    marks = test_a_key_is_of_all_that_is_sent.pytestmark  # type: ignore[attr-defined]
    changed = {name for change in marks[0].args[1] for name in change}
    assert changed == {field.name for field in fields(Request)} - {"server"}


def test_what_was_paid_for_before_there_were_options_is_not_asked_again() -> None:
    """These keys are those of 0.1.0."""
    assert ASKED.key == "031888455feba7cd14fdcc6a67f4d072200f3a535b93ee68ebf2fe79ef26df3f"
    solving = replace(ASKED, schema=None, step="weak_implementation", order="")
    assert solving.key == "6ccbad6b55951f75ef425fc2f38fa3263145188d4371402975672f497535f9d3"
    assert replace(ASKED, server=Server("http://127.0.0.1:8080", "KEY")).key == ASKED.key


@pytest.mark.parametrize(
    ("set_", "max_tokens", "told"),
    [
        ({}, 12_000, ""),
        ({"max_tokens": 12_000}, 12_000, ""),
        ({"max_tokens": 12_001}, 12_000, ""),
        ({"max_tokens": 900}, 900, "max_tokens 900"),
        ({"max_tokens": 900, "base_url": "http://a:1", "key_env": "K"}, 900, "max_tokens 900"),
        ({"effort": "low", "thinking": {"type": "disabled"}}, 12_000, "effort low, thinking disabled"),
    ],
    ids=str,
)
def test_a_model_may_be_asked_for_less_and_not_for_more(set_: dict[str, Any], max_tokens: int, told: str) -> None:
    def asked(**more: Any) -> Request:
        model = Model.model_validate({"model": "m"} | more)
        return request(Pass(BY_NAME["weak_implementation"], 1), outputs(), model)

    assert (asked(**set_).max_tokens, str(asked(**set_).options)) == (max_tokens, told)
    assert (asked(**set_).key == asked().key) is (not told)


def test_a_key_is_the_same_for_the_same() -> None:
    shuffled = replace(ASKED, schema={"title": "T", "type": "object"})
    assert shuffled.key == ASKED.key
    assert re.fullmatch("[0-9a-f]{64}", ASKED.key)
    assert replace(ASKED, system="\ud800🙂").key != replace(ASKED, system="?🙂").key


def test_a_key_outlives_its_process() -> None:
    def keys() -> list[str]:
        return [made(step, order, feedback=failed(2)).key for step, order in PASSES]

    here = keys()
    look = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_prompting import PASSES, failed, made\n"
        "print(*[made(step, order, feedback=failed(2)).key for step, order in PASSES])"
    )
    for seed in ("0", "4711"):
        done = subprocess.run(
            [sys.executable, "-c", look],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(prompting.__file__).parent.parent)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == here
    assert len(set(here)) == len(PASSES)


def test_feedback_makes_another_challenge() -> None:
    first, second, third = (made(BY_NAME["challenge"], feedback=failed(n)) for n in range(3))
    assert len({first.key, second.key, third.key}) == 3
    assert "Earlier challenges" not in words(first)
    assert words(third).count("<attempt number=") == 2


@pytest.mark.parametrize("place", range(len(REASONS)))
def test_every_reason_is_told_to_the_next_attempt(place: int) -> None:
    alone = failed(len(REASONS))[place]
    told = words(made(BY_NAME["challenge"], feedback=[alone]))
    others = [
        words(made(BY_NAME["challenge"], feedback=[alone._replace(verdict=other.verdict)]))
        for other in failed(len(REASONS))
    ]
    assert others.count(told) == 1


# Repairs


def test_a_repair_keeps_what_was_said() -> None:
    asked = made(BY_NAME["categories"])
    once = repaired(asked, "First reply", ["beginner: too short", "expert: is no field"])
    twice = repaired(once, "Second reply", ["advanced: too long"])
    assert replace(twice, turns=asked.turns) == asked
    assert twice.turns[:1] == asked.turns
    assert twice.turns[:3] == once.turns
    assert [role for role, _ in twice.turns] == ["user", "assistant", "user", "assistant", "user"]
    assert (twice.turns[1][1], twice.turns[3][1]) == ("First reply", "Second reply")
    assert "- beginner: too short\n- expert: is no field\n" in once.turns[2][1]
    assert "too long" in twice.turns[4][1]
    assert "too short" not in twice.turns[4][1]
    assert len({asked.key, once.key, twice.key}) == 3


def test_a_repair_asks_for_what_the_step_gives() -> None:
    assert "JSON" in repaired(made(BY_NAME["categories"]), "x", ["y"]).turns[-1][1]
    assert "JSON" not in repaired(made(BY_NAME["mid_implementation"]), "x", ["y"]).turns[-1][1]


@pytest.mark.parametrize(
    ("reply", "said"), [("", "(nothing)"), (" \n", "(nothing)"), ("a\ud800b", "a?b"), ("{{ x }}", "{{ x }}")]
)
def test_any_reply_can_be_sent_back(reply: str, said: str) -> None:
    assert repaired(ASKED, reply, ["{{ y }}"]).turns[1] == ("assistant", said)


FAULT = "\U0001f642" * 1000


def test_a_complaint_is_not_larger_than_its_bound() -> None:
    """Whatever a reply holds: each fault quotes it, and there may be thousands."""
    asked = made(BY_NAME["assessment"])
    marked = answers.ASSESSMENT | {
        "code": "\n".join(f"x = 1  # wrong {FAULT}" for _ in range(50)),
        "language": FAULT,
    }
    odd = {f"{FAULT}{n}": 0 for n in range(1000)}
    for said in (marked, marked | odd):
        reply = Reply(text=json.dumps(said), model="m", stop_reason="end_turn", usage=Usage(), seconds=1, asked_at=AT)
        _, faults = judge(BY_NAME["assessment"], outputs(), reply)
        assert faults
        told, bare = (repaired(asked, "x", said).turns[-1][1].encode() for said in (faults, []))
        assert len(told) - len(bare) <= COMPLAINT_BYTES


def test_a_chain_is_named_by_its_first_request() -> None:
    asked = made(BY_NAME["categories"])
    once = repaired(asked, "x", ["y"])
    assert asked.key.startswith(asked.chain)
    assert len(asked.chain) == 32
    assert once.chain == repaired(once, "x", ["z"]).chain == asked.chain
    assert made(BY_NAME["challenge"]).chain != asked.chain


# Schemas

STRUCTURED = [step for step in STEPS if step.output is not Implementation]
GOLDEN = Path(__file__).with_name("golden") / "keys.json"


def test_schemas_are_those_that_the_recorded_keys_were_made_of(request: pytest.FixtureRequest) -> None:
    """Where a library writes a schema otherwise, every record would be stale: this says so first."""
    found = {}
    for step in STRUCTURED:
        canonical = json.dumps(prompting._schema(step), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        found[step.name] = sha256(canonical.encode()).hexdigest()
    if request.config.getoption("--update-golden"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    assert found == json.loads(GOLDEN.read_text("utf-8"))
    assert len(found) == 6


@pytest.mark.parametrize("step", STRUCTURED, ids=lambda step: step.name)
def test_a_whole_number_is_written_in_one_way(step: Step) -> None:
    written = json.dumps(prompting._schema(step))
    json.loads(written, parse_float=lambda number: pytest.fail(number) if float(number) % 1 == 0 else number)
    assert not re.search(r"\d[eE]", re.sub(r'"[^"]*"', "", written))


# Sizes


def size_of(step: Step, known: dict[str, Any]) -> int:
    """Return the bytes of what a step reads, as prompts hold it."""
    total = 0
    for name in step.reads:
        output = known[name]
        parts = [output]
        if name == "feedback":
            parts = [part for each in output for part in (each.challenge, *each.verdict.judgments.values())]
        elif name == "judgment":
            parts = list(output.judgments.values())
        total += sum(
            len(part.text.encode() if isinstance(part, Implementation) else part.model_dump_json(indent=2).encode())
            for part in parts
        )
    return total


LARGE = Topic(
    id="words",
    path="topics/words.yml",
    title="é" * 120,
    language=max((alias for _, aliases, _, _ in get_all_lexers() for alias in aliases), key=len),
    level="intermediate",
    focus='"' * 300,
    brief="\u4e2d\n" * 2000,
    concepts=["&" * 120] * 8,
)


@EACH_PASS
@pytest.mark.parametrize("attempts", [0, 9])
@pytest.mark.parametrize("topic", [TOPIC, BARE, LARGE], ids=["everything said", "a title", "large"])
def test_a_prompt_is_not_larger_than_its_bound(step: Step, order: str, topic: Topic, attempts: int) -> None:
    known = outputs(topic, failed(attempts))
    asked = request(Pass(step, 1, order), known, Model(model="m"))
    assert len(words(asked).encode()) <= template_size(step, topic) + size_of(step, known)


# First drafts


@pytest.mark.parametrize("name", ["mid_implementation", "weak_implementation"])
def test_a_first_draft_is_asked_for_and_nothing_is_planted(name: str) -> None:
    whole, draft = (
        request(Pass(BY_NAME[name], 1), outputs(), Model(model="m", first_draft=first)) for first in (False, True)
    )
    assert draft.system == whole.system
    more = words(draft).removeprefix(words(whole))
    assert more.startswith("\n\nA first draft is wanted")
    assert not re.search("mistake|error|bug|wrong|fail|careless|bad|junior|deadline|wors", more)
    assert not [pattern["name"] for pattern in answers.CATALOG["patterns"] if pattern["name"].lower() in more.lower()]
    assert (str(whole.options), str(draft.options)) == ("", "first_draft")
    assert draft.key != whole.key


@ROWS
def test_only_a_solution_has_a_first_draft(step: Step) -> None:
    asked = [
        request(Pass(step, 1, step.passes[0]), outputs(), Model(model="m", first_draft=first))
        for first in (False, True)
    ]
    assert (asked[0] == asked[1]) is not step.drafts
    tiers = {tier: {"model": "m", "first_draft": True} for tier in [step.asks(order) for order in step.passes]}
    if step.drafts:
        Settings.model_validate({"models": tiers})
    else:
        with pytest.raises(ValidationError, match="expected first_draft in mid or weak only"):
            Settings.model_validate({"models": tiers})
