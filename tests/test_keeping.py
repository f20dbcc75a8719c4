"""`errorspan accept`, `diff`, `prune` and `open`: what authors keep, compare, remove and look at."""

from __future__ import annotations

import json
import subprocess

import pytest
from click.testing import CliRunner, Result
from pytest_httpserver import HTTPServer

import answers
from conftest import Project
from errorspan.commands import visiting
from errorspan.commands.cli import main
from messages_api import MessagesAPI, message


def typed(project: Project, *words: str) -> Result:
    """Run a command in this process, as from the project's folder."""
    return CliRunner().invoke(main, [*words, "-f", str(project.folder / "mkdocs.yml")], catch_exceptions=False)


def told(project: Project, file: str) -> dict[str, object]:
    """Return what run.json says of an answer."""
    return dict(json.loads((project.folder / "topics/runs/words/run.json").read_text("utf-8"))["answers"][file])


def test_stale_answers_are_kept_on_purpose_until_something_else_changes(
    project: Project, messages_api: MessagesAPI
) -> None:
    project.topic("words")
    assert project.errorspan("run").returncode == 0
    asked, calls = told(project, "categories.json"), len(messages_api.calls)
    project.topic("words", "title: Counting all words\nlanguage: python\n")
    assert "stale" in typed(project, "status").stdout
    kept = typed(project, "accept", "words", "--by", "Ada <b>")
    assert "topics/runs/words/categories.json: kept, as Ada <b> says" in kept.stdout
    accepted = told(project, "categories.json")
    assert accepted["accepted"]["by"] == "Ada <b>"  # type: ignore[index]
    assert {name: value for name, value in accepted.items() if name != "accepted"} == asked
    assert "nothing is stale" in typed(project, "accept", "words", "--by", "Ada").stdout
    assert "stale" not in typed(project, "status").stdout
    assert "Nothing is missing" in project.errorspan("run", "--refresh").stdout
    assert len(messages_api.calls) == calls
    assert project.build("--strict", key=False).returncode == 0
    page = project.run_pages("words")
    assert "kept by Ada &lt;b&gt; on" in page
    assert "kept on purpose" in page
    project.topic("words", "title: Counting some words\nlanguage: python\n")
    assert "stale" in typed(project, "status").stdout


@pytest.mark.heavy
def test_what_changed_is_shown_and_what_was_superseded_can_be_removed(
    project: Project, messages_api: MessagesAPI
) -> None:
    project.topic("words")
    messages_api.script("categories", message("no JSON"))  # is rejected
    assert project.errorspan("run").returncode == 0
    git = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    for words in (("init", "-q"), ("add", "topics"), ("commit", "-qm", "Record")):
        subprocess.run([*git, *words], cwd=project.folder, check=True)
    assert typed(project, "diff", "words").stdout == "8 answers are as before\n"
    project.topic("words", "title: Counting all words\nlanguage: python\n")
    changed = answers.CATEGORIES | {"beginner": ["Counting \u202e" + "a" * 30, *answers.CATEGORIES["beginner"][1:]]}
    messages_api.script("categories", message(json.dumps(changed, ensure_ascii=False)))
    assert project.errorspan("run", "--refresh").returncode == 0
    for more, of in (((), "what it superseded"), (("--head",), "git's HEAD")):
        shown = typed(project, "diff", "words", *more).stdout
        assert f"topics/runs/words/categories.json: author-model; before: {of}\n" in shown
        assert "\u202e" not in shown
        assert f'\n  +    "Counting \\u202e{"a" * 30}",\n' in shown
    listed = typed(project, "prune").stdout
    assert ".cache/errorspan/words/superseded/categories.json\n" in listed
    assert "/rejected/" in listed
    assert listed.endswith("could be removed: --yes\n")
    waiting = project.write(".cache/errorspan/gone/0.0.0.json", "{}")
    done = typed(project, "prune", "--yes")
    assert "gone: 1 reply waits for the record, and stays" in done.stderr
    assert waiting.exists()
    assert [*project.files(".cache/errorspan/words")] == []
    assert typed(project, "prune", "words").stdout == "Nothing to remove.\n"


def test_a_page_is_opened_where_it_is_served(
    recorded: Project, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(visiting.webbrowser, "open", opened.append)
    nowhere = typed(recorded, "open", "words")
    assert nowhere.stdout == "http://127.0.0.1:8000/sub/exercises/words/\n"
    recorded.topic("waiting")
    config = recorded.folder / "mkdocs.yml"
    config.write_text(f"{config.read_text('utf-8')}\ndev_addr: {httpserver.host}:{httpserver.port}\n", "utf-8")
    assert typed(recorded, "open", "words").exit_code == 0
    assert typed(recorded, "open", "words", "--run").exit_code == 0
    waits = typed(recorded, "open", "waiting")
    assert "waiting has no exercise for students: awaits its run" in waits.stderr
    base = f"http://{httpserver.host}:{httpserver.port}/sub"
    assert opened == [f"{base}/exercises/words/", f"{base}/runs/words/", f"{base}/runs/waiting/"]
