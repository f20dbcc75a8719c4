"""`errorspan check` tells every fault at once; `errorspan status` tells where topics stand."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from conftest import Project
from errorspan.commands.check import _FORMS
from errorspan.commands.cli import main
from errorspan.diagnostics import Fault, told

TESTS = "from words import top\n\n\ndef test_counts() -> None:\n    assert top('a a b') == [('a', 2), ('b', 1)]\n"


def typed(project: Project, *words: str) -> Result:
    """Run a command in this process, as from the project's folder."""
    return CliRunner().invoke(main, [*words, "-f", str(project.folder / "mkdocs.yml")], catch_exceptions=False)


def listed(project: Project, *words: str) -> list[tuple[str, int, str | None, str | None]]:
    """Return what is told: file, line, key, topic."""
    done = typed(project, "check", "--format", "json", *words)
    found = json.loads(done.stdout)
    assert done.exit_code == bool(found)
    return [(one["file"], one["line"], one["key"], one["topic"]) for one in found]


def test_a_course_without_faults_is_told_with_what_waits(recorded: Project) -> None:
    recorded.topic("waiting")
    done = typed(recorded, "check")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "note: topics/waiting.yml:1: awaits its run\n2 topics: no fault\n"
    assert listed(recorded) == []
    github = typed(recorded, "check", "--format", "github").stdout
    assert github == "::notice file=topics/waiting.yml,line=1::awaits its run\n"
    status = typed(recorded, "status")
    assert status.exit_code == 0
    assert "published" in status.stdout
    assert "errorspan prompt waiting  # prints what to ask, where there is no key" in status.stdout


def test_everything_is_told_at_once(recorded: Project) -> None:
    record = recorded.folder / "topics/runs/words"
    config = recorded.folder / "mkdocs.yml"
    config.write_text(config.read_text().replace("max_retries: 1", "max_retrys: 1"))
    recorded.topic("broken", "titel: Broken\nlevel: expert\n")
    recorded.write("topics/words.tests.py", "import words\n\n\ndef test_counts(:\n    pass\n")
    recorded.write("topics/words.review.yml", "verdict: approved\nby: me\ndate: 2026-01-31\nassesment: x\n")
    recorded.write("topics/lost.tests.py", TESTS)
    recorded.write("topics/runs/gone/categories.json", "{}")
    recorded.write("topics/runs/words/categories.json", "{}")
    recorded.write("topics/runs/words/proof.json", "{}")
    (record / "attempt-1/judgment-ab.json").rename(record / "attempt-1/judgement-ab.json")
    (record / "error_catalog.json").unlink()
    manifest = (record / "run.json").read_text().splitlines()
    lost = next(number for number, line in enumerate(manifest, 1) if line.startswith('    "error_catalog.json"'))
    found = listed(recorded)
    for place in [
        ("mkdocs.yml", 16, "extra.generator.max_retrys", None),
        ("topics/broken.yml", 1, "titel", "broken"),
        ("topics/broken.yml", 2, "level", "broken"),
        ("topics/lost.tests.py", 1, None, "lost"),
        ("topics/runs/gone", 1, None, None),
        ("topics/runs/words/attempt-1/judgement-ab.json", 1, None, "words"),
        ("topics/runs/words/categories.json", 1, "beginner", "words"),
        ("topics/runs/words/proof.json", 1, "at", "words"),
        ("topics/runs/words/run.json", lost, "answers.error_catalog.json", "words"),
        ("topics/words.review.yml", 4, "assesment", "words"),
        ("topics/words.tests.py", 4, None, "words"),
    ]:
        assert place in found
    assert len(found) == len(set(found))
    assert {topic for *_, topic in listed(recorded, "topics/broken.yml")} == {None, "broken"}  # settings concern each
    text = typed(recorded, "check")
    assert text.exit_code == 1
    assert "judgement-ab.json:1: is no file of a record; rename it to attempt-1/judgment-ab.json" in text.stdout


def test_what_is_of_another_version_is_named_as_such(recorded: Project) -> None:
    review = f"verdict: approved\nby: me\ndate: 2026-01-31\nassessment: {'ab' * 32}\n"
    recorded.write("topics/words.review.yml", review)
    recorded.write("topics/words.tests.rb", "")
    digests = dict.fromkeys(("exercise", "tests", "implementations"), "0" * 64)
    proof = {"at": "2026-01-31", "bound": digests, "packages": {}, "sandbox": "none", "tests": [], "variants": {}}
    recorded.write("topics/runs/words/proof.json", json.dumps(proof))
    assert set(listed(recorded)) == {
        ("topics/words.tests.rb", 1, None, "words"),
        ("topics/runs/words/proof.json", 1, None, "words"),
        ("topics/words.review.yml", 4, "assessment", "words"),
    }
    assert "of another version" in typed(recorded, "status").stdout
    recorded.write("topics/words.tests.py", TESTS)
    status = typed(recorded, "status").stdout
    assert "stale" in status
    assert "errorspan verify words" in status
    assert "its digest" not in status


def test_a_stale_review_is_named_and_its_key_found_whatever_its_ending_and_style(recorded: Project) -> None:
    review = f"{{verdict: approved, by: me, date: 2026-01-31,\n 'assessment': {'ab' * 32}}}\n"
    recorded.write("topics/words.review.yaml", review)
    assert listed(recorded) == [("topics/words.review.yaml", 2, "assessment", "words")]
    assert "rm topics/words.review.yaml && errorspan review words --by NAME" in typed(recorded, "status").stdout


def test_what_an_editor_left_is_no_fault(recorded: Project) -> None:
    for name in (
        "words.tests.py~",
        "words.tests.py.orig",
        ".words.tests.py.swp",
        "words.review.yml~",
        "words.tests.py.save",
    ):
        recorded.write(f"topics/{name}", "")
    for name in ("assessment.json~", "assessment.json.orig", "._run.json", "Thumbs.db", "attempt-1/challenge.json.rej"):
        recorded.write(f"topics/runs/words/{name}", "")
    assert listed(recorded) == []


def test_a_topic_that_is_not_there_is_told(recorded: Project) -> None:
    done = typed(recorded, "check", "wrods")
    assert (done.exit_code, done.stderr) == (1, "there is no topic 'wrods' (known: words)\n")


MESSAGES = {
    "a.yml:3: title: is given twice": Fault("a.yml", 3, "title", "is given twice", "a"),
    "a.yml:3: is no YAML: mapping values: no": Fault("a.yml", 3, None, "is no YAML: mapping values: no", "a"),
    "a:b.yml:12: errors.1.quote: x": Fault("a:b.yml", 12, "errors.1.quote", "x", "a"),
    "who knows": Fault("mkdocs.yml", 1, None, "who knows", "a"),
}


@pytest.mark.parametrize("sentence", MESSAGES)
def test_messages_are_taken_apart(sentence: str) -> None:
    assert told(sentence, "a") == MESSAGES[sentence]
    assert sentence in str(told(sentence, "a"))


def test_formats_escape_what_they_are_made_of() -> None:
    fault = Fault("to,pics/a:b%.yml", 3, "x,y:z", "100 %\r\n::error::", "a")
    assert _FORMS["github"]([fault], "co,urse/") == (
        "::error file=co%2Curse/to%2Cpics/a%3Ab%25.yml,line=3,title=x%2Cy%3Az::100 %25%0D%0A::error::\n"
    )
    [run] = json.loads(_FORMS["sarif"]([fault], "course/"))["runs"]
    [result] = run["results"]
    assert result["message"]["text"] == "x,y:z: 100 %\r\n::error::"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "course/to%2Cpics/a%3Ab%25.yml"
    assert place["region"] == {"startLine": 3}
    assert result["ruleId"] in {rule["id"] for rule in run["tool"]["driver"]["rules"]}


def test_annotations_name_files_from_where_github_has_checked_out(
    recorded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (recorded.folder / "topics/broken.yml").write_text("titel: x\n")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(recorded.folder.parent))
    done = typed(recorded, "check", "broken", "--format", "github")
    assert f"file={recorded.folder.name}/topics/broken.yml,line=1" in done.stdout
