"""What must hold with any real model. `pytest -m live` asks the one that somebody names; else nothing is asked.

ERRORSPAN_LIVE_BASE_URL is the server, ERRORSPAN_LIVE_MODEL the model, ERRORSPAN_LIVE_KEY its key where it takes one.
"""

from __future__ import annotations

import json
import os

import pytest
import yaml

import answers
from conftest import Project
from errorspan.record.manifest import Manifest, digest
from messages_api import MessagesAPI, message

TOPIC = "title: Counting words\nlanguage: python\nlevel: beginner\nlines: 10-20\nmax_attempts: 2\n"
ENDED = ("complete", "not separated", "without an exercise")


def hold(project: Project, base_url: str, model: str, key: str = "", *, cold: bool = False) -> str:
    """Run the seven steps with one model in every tier; hold what must be so, and return how far the run came."""
    tier = {"model": model, "base_url": base_url, **({"key_env": "ERRORSPAN_LIVE_KEY"} if key else {})}
    config = yaml.safe_load((project.folder / "mkdocs.yml").read_text("utf-8"))
    tiers = dict.fromkeys(config["extra"]["generator"]["models"], tier)
    config["extra"]["generator"] = {"models": tiers, "timeout_seconds": 3600, "max_calls": 2, "max_retries": 1}
    if key:
        config["extra"]["generator"]["prices"] = {model: {"input": 1, "output": 1}}
    project.write("mkdocs.yml", yaml.safe_dump(config, sort_keys=False))
    project.topic("words", TOPIC)
    project.environment = {"ERRORSPAN_LIVE_KEY": key} if key else {}

    ran = project.run("errorspan.commands.cli", "run", cold=cold, timeout=4 * 3600)
    assert "Traceback" not in ran.stderr
    record = project.folder / "topics/runs/words"
    manifest = Manifest.model_validate_json((record / "run.json").read_bytes())
    files = {path.relative_to(record).as_posix() for path in record.rglob("*") if path.is_file()} - {"run.json"}
    assert files == manifest.answers.keys()
    for file, entry in manifest.answers.items():
        assert (entry.origin, entry.model, entry.stop_reason, entry.free) == (
            "model",
            model,
            "end_turn",
            not key or None,
        )
        assert entry.usage
        assert entry.usage.output_tokens > 0
        assert entry.digest == digest((record / file).read_text("utf-8"))
    turned_down = [*manifest.discarded, *(one for entry in manifest.answers.values() for one in entry.rejected)]
    assert all(one.faults and one.model == model for one in turned_down)
    assert len(project.files(".cache/errorspan/words/rejected")) >= len(turned_down)
    assert not [name for name in project.files(".cache/errorspan/words") if "/" not in name]  # none waits to be read

    state = project.errorspan("status", key=False).stdout
    if not any(ended in state for ended in ENDED):
        assert ran.returncode == 1
        assert "words: " in ran.stderr  # and says why
    built = project.build(key=False, cold=True)  # what is missing is asked of a server that takes no key
    assert built.returncode == 0, built.stderr
    assert model in project.run_pages("words")
    return state


@pytest.mark.live
@pytest.mark.timeout(5 * 3600)
def test_seven_steps_with_a_real_model(project: Project) -> None:
    told = {name: os.environ.get(f"ERRORSPAN_LIVE_{name}", "") for name in ("BASE_URL", "MODEL", "KEY")}
    assert told["BASE_URL"], "name a server: ERRORSPAN_LIVE_BASE_URL"
    assert told["MODEL"], "name a model: ERRORSPAN_LIVE_MODEL"
    print(hold(project, told["BASE_URL"], told["MODEL"], told["KEY"], cold=True))


@pytest.mark.heavy
@pytest.mark.parametrize("key", ["", "sk-live"])
def test_it_holds_with_a_model_that_answers_well(project: Project, messages_api: MessagesAPI, key: str) -> None:
    solutions = [message(text, "some-model") for text in (answers.MID, answers.WEAK)]
    messages_api.script("weak_implementation", *solutions)  # whichever tier asks first: both are one model
    state = hold(project, messages_api.url, "some-model", key)
    assert any(ended in state for ended in ENDED)


@pytest.mark.heavy
def test_it_holds_with_a_model_that_answers_with_the_schema(project: Project, messages_api: MessagesAPI) -> None:
    schema = json.dumps({"type": "object", "properties": {"beginner": {"type": "array"}}})
    messages_api.script("categories", *[message(schema, "some-model")] * 3)
    assert "awaiting" in hold(project, messages_api.url, "some-model")
