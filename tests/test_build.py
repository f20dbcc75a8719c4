"""A topic goes in, a site comes out: real builds, a real server, the real SDK."""

from __future__ import annotations

import json
import re

import pytest

from conftest import Project
from errorspan.steps.table import ATTEMPT, STEPS
from messages_api import MessagesAPI

ALL_FILES = {"run.json"} | {step.file(int(step in ATTEMPT), order) for step in STEPS for order in step.passes}


@pytest.mark.parametrize("messages_api", [{}, {"fenced": True}], indirect=True, ids=["structured", "schema ignored"])
def test_a_topic_becomes_its_two_pages(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words", "title: Counting words\n")
    built = project.build("--strict")
    assert built.returncode == 0, built.stderr
    assert sorted(messages_api.steps) == sorted(step.name for step in STEPS for _ in step.passes)
    assert set(project.files("topics/runs/words")) == ALL_FILES
    run = project.run_pages("words")
    assert "Complete run" in run
    assert "It is no gold standard: errors 1, 2 and 3 are neither proved nor reviewed." in run
    assert "author-model" in run
    assert "Overwrites a running count" in run
    exercise = project.page("exercises/words")
    assert "Find what is wrong with the word report" in exercise
    assert "totals.get" not in exercise
    for page in (run, exercise, project.page("runs"), project.page("exercises")):  # a strict policy forbids both
        content = page.partition("<article")[2].partition("</article>")[0]
        assert content
        assert not re.search(r"<script|\sstyle=|\son\w+=", content)


def test_a_second_build_asks_nothing_and_changes_no_byte(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    assert project.build("--strict").returncode == 0
    calls = len(messages_api.calls)
    record, site = project.files("topics"), project.files("site")
    again = project.build("--strict", key=False)
    assert again.returncode == 0
    assert "Stale" not in again.stderr
    assert len(messages_api.calls) == calls
    assert project.files("topics") == record
    changed = {name for name, content in project.files("site").items() if site.get(name) != content}
    assert changed <= {"sitemap.xml.gz"}  # its header holds the time


def test_a_cached_build_does_not_import_the_sdk(project: Project) -> None:
    project.topic("words")
    assert project.build().returncode == 0
    project.write(
        "look.py",
        "import sys\ndef on_post_build(config):\n    assert 'anthropic' not in sys.modules\n    print('LOOKED')\n",
    )
    config = project.folder / "mkdocs.yml"
    config.write_text(config.read_text().replace("hooks: [", "hooks: [look.py, "))
    built = project.build(cold=True)
    assert built.returncode == 0, built.stderr
    assert "LOOKED" in built.stdout


def test_without_a_key_a_topic_awaits_its_run(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    built = project.build(key=False)
    assert built.returncode == 0
    assert "topics/words.yml awaits its first run" in built.stderr
    assert "Awaiting its first run" in project.run_pages("words")
    assert not messages_api.calls
    assert project.build("--strict", key=False).returncode != 0


def test_a_build_above_its_budget_asks_nothing(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    config = project.folder / "mkdocs.yml"
    config.write_text(config.read_text().replace("max_retries: 1", "max_cost_usd: 0.5"))
    built = project.build()
    assert "more than the $0.50 that max_cost_usd allows" in built.stderr
    assert not messages_api.calls


def test_a_model_without_a_price_is_not_asked(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words", "title: Words\nmodels: {mid: some-other-model}\n")
    built = project.build()
    assert "no price is known for some-other-model" in built.stderr
    assert not messages_api.calls


def test_records_hold_no_secrets_and_no_message_ids(project: Project) -> None:
    project.topic("words")
    assert project.build().returncode == 0
    for folder in ("topics", "site", ".cache"):
        for name, content in project.files(folder).items():
            assert b"canary" not in content, name
            assert b"msg_01" not in content, name


def test_the_manifest_tells_where_each_answer_came_from(project: Project) -> None:
    project.topic("words")
    assert project.build().returncode == 0
    manifest = json.loads((project.folder / "topics/runs/words/run.json").read_text())
    assert set(manifest["answers"]) == ALL_FILES - {"run.json"}
    weak = manifest["answers"]["attempt-1/weak_implementation.md"]
    assert (weak["origin"], weak["model"], weak["stop_reason"]) == ("model", "weak-model", "end_turn")
    assert weak["usage"]["input_tokens"] == 1000
    assert not project.files(".cache/errorspan/words")


def test_every_fault_of_every_topic_is_told_in_one_go(project: Project) -> None:
    project.topic("one", "titel: Words\n")
    project.topic("two", "title: Words\n\nlevel: expert\n")
    built = project.build("--strict")
    assert built.returncode != 0
    assert "topics/one.yml:1: titel: is no key here; known are title, language" in built.stderr
    assert "topics/one.yml:1: title: is missing" in built.stderr
    assert "topics/two.yml:3: level: expected 'beginner', 'intermediate' or 'advanced' (got 'expert')" in built.stderr
    assert "Traceback" not in built.stderr


@pytest.mark.heavy
def test_a_record_without_its_topic_is_told(project: Project) -> None:
    project.topic("words")
    assert project.build().returncode == 0
    (project.folder / "topics/words.yml").rename(project.folder / "topics/word-counts.yml")
    assert "topics/runs/words belongs to no topic file" in project.build(key=False).stderr
    assert "topics/runs/words:1: belongs to no topic file" in project.errorspan("check", key=False).stdout


def test_a_run_page_says_of_each_check_how_it_ended_and_where(project: Project) -> None:
    project.topic("words")
    assert project.errorspan("run").returncode == 0
    path = project.folder / "topics/runs/words/assessment.json"
    said = json.loads(path.read_text("utf-8"))
    said["language"] = "sql"  # known to the highlighter, and without a grammar
    said["errors"][1]["correction"] = said["errors"][1]["quote"]
    stands, said["errors"][0]["line"] = said["errors"][0]["line"], 999
    path.write_text(json.dumps(said), "utf-8")
    built = project.build(key=False)
    assert built.returncode == 0, built.stderr
    fault = "errors.2.correction: is the quote again"
    assert f"topics/runs/words/assessment.json:1: {fault} [corrections_change_something]" in built.stderr
    assert "grammar" not in built.stderr
    run = project.run_pages("words")
    ends = {
        "es-fault": (f'{fault} (<a href="#error-2">error 2</a>)', "corrections_change_something"),
        "es-undecided": ("Not checked: whether the code parses: no grammar for sql", "code_parses"),
        "es-undecided ": (
            f"No fault: errors.1.line: expected {stands}, where the quote stands (got 999); the quote decides",
            "quotes_stand_in_the_code",
        ),
        "": ("The errors are numbered in the order of the code.", "ids_count_up"),
    }
    for mark, (text, name) in ends.items():
        assert (
            f"<li{f' class={chr(34)}{mark.strip()}{chr(34)}' if mark else ''}>{text} "
            f'<code class="es-check-name">{name}</code></li>' in run
        )
    assert not (project.folder / "site/exercises/words/index.html").exists()
