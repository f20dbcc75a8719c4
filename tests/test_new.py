"""`errorspan new` writes a topic file; schemas and the reference say what every file holds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

from conftest import ROOT, Project
from errorspan.authoring.topics import TopicFile
from errorspan.commands.cli import main
from errorspan.site import schemas
from errorspan.text.expected import keys

TOPIC = "topics/retrying-failed-requests.yml"


def typed(project: Project, *words: str, said: str | None = None) -> Result:
    """Run a command in this process, as from the project's folder."""
    return CliRunner().invoke(main, [*words, "-f", str(project.folder / "mkdocs.yml")], said, catch_exceptions=False)


def test_a_topic_file_is_written_with_what_may_stand_there(project: Project) -> None:
    flags = (
        "--title",
        'Retrying "failed": requests',
        "--level",
        "beginner",
        "--concept",
        "jitter",
        "--concept",
        "a: b",
    )
    done = typed(project, "new", *flags)
    assert done.exit_code == 0, done.output
    text = (project.folder / TOPIC).read_text("utf-8")
    assert yaml.safe_load(text) == {"title": flags[1], "level": "beginner", "concepts": ["jitter", "a: b"]}
    first = "# yaml-language-server: $schema=https://course.example/sub/assets/errorspan/schemas/topic.schema.json"
    assert text.splitlines()[0] == first
    every = yaml.safe_load(re.sub(r"^# (?! ).*|^#", "", text, flags=re.MULTILINE))
    assert every.keys() == keys(TopicFile).keys()  # what is a remark fits as it stands
    TopicFile.model_validate(every)
    checked = typed(project, "check")
    assert checked.exit_code == 0, checked.output
    again = typed(project, "new", *flags)
    assert (again.exit_code, again.stderr) == (1, f"{TOPIC}:1: is there already, and nothing is replaced\n")
    assert (project.folder / TOPIC).read_text("utf-8") == text


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ([], 2, "Give a title"),
        (["--title", "…"], 1, "ID: expected a name of a-z"),
        (["../a", "--title", "A"], 1, "ID: expected a name of a-z"),
        (["a", "--title", "A", "--language", "klingon"], 1, "the new file:"),
    ],
)
def test_what_makes_no_topic_writes_nothing(project: Project, words: list[str], code: int, told: str) -> None:
    done = typed(project, "new", *words)
    assert (done.exit_code, told in done.stderr) == (code, True), done.stderr
    assert not list((project.folder / "topics").iterdir())


def test_a_terminal_is_asked(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("errorspan.commands.new._at_a_terminal", lambda: True)
    done = typed(project, "new", said="Retrying failed requests\npython\n\nbackoff\n")
    assert done.exit_code == 0, done.output
    written = yaml.safe_load((project.folder / TOPIC).read_text("utf-8"))
    assert written == {"title": "Retrying failed requests", "language": "python", "focus": "backoff"}


def test_every_file_of_the_course_fits_its_schema() -> None:
    kinds = {name: jsonschema.Draft202012Validator(schemas.schema(name)) for name in schemas.files()}
    seen = set()
    for path in ROOT.glob("topics/runs/**/*.json"):
        [kind] = [
            name
            for name in kinds
            if path.stem in {name, f"{name}-ab", f"{name}-ba"} | {f"{name}-first", f"{name}-second"}
        ]
        kinds[kind].validate(json.loads(path.read_text("utf-8")))
        seen.add(kind)
    for path in ROOT.glob("topics/*.yml"):
        kind = "review" if path.name.endswith(".review.yml") else "topic"
        kinds[kind].validate(json.loads(json.dumps(yaml.safe_load(path.read_text("utf-8")), default=str)))
        seen.add(kind)
    assert seen == kinds.keys() - {"settings"}
    for kind in kinds.values():
        assert not kind.is_valid({"strange": 1})


def test_a_record_is_written_from_the_reference_alone(project: Project) -> None:
    page = (ROOT / "docs/authors/record.md").read_text("utf-8").partition("## A whole record")[2]
    project.topic("words")
    files = re.findall(r"^`([^`\n]+)`:\n\n````\w+\n(.*?)^````$", page, re.DOTALL | re.MULTILINE)
    assert len(files) == 8
    for file, text in files:
        project.write(f"topics/runs/words/{file}", text)
    adopted = typed(project, "adopt", "words")
    assert adopted.exit_code == 0, adopted.output
    checked = typed(project, "check", "--format", "json")
    assert (checked.exit_code, json.loads(checked.stdout)) == (0, []), checked.output
    assert re.search(r"words +complete \(authored\) +passed .* published", typed(project, "status").stdout)


def test_the_reference_tells_every_key_with_its_limits() -> None:
    page = Path(ROOT / "docs/authors/record.md").read_text("utf-8")
    for row in (
        "| `patterns` | 4 to 8 of keys and values |",
        '| `patterns[].severity` | `"high"` or `"medium"` or `"low"` |',
        "| `quality_score` | a whole number from 1 to 10 |",
        "| `no_exercise` | text |",
        '| `answers.*.origin` | `"model"` or `"reported"` or `"authored"` |',
        "| `variants.*.passed` | a whole number from 0 |",
    ):
        assert row in page
