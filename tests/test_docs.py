"""The docs say what the code does: their tables are made from it, and compared."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import reference
from conftest import ROOT, Project
from errorspan.authoring.modules import Module
from errorspan.authoring.prices import Price
from errorspan.authoring.settings import Models, Settings
from errorspan.authoring.tiers import Model, Thinking
from errorspan.authoring.topics import TierModels, TopicFile, Trial
from errorspan.commands.cli import main
from errorspan.course import Course
from errorspan.proof.proofs import SHOWN
from errorspan.proof.reviews import Addition, Correction, Review, Unsettled
from errorspan.steps.table import STEPS
from errorspan.text.expected import keys

DOCS = ROOT / "docs"


def table(model: type[BaseModel]) -> str:
    rows = ["| key | default | what it says |", "|---|---|---|"]
    for name, field in keys(model).items():
        default = field.default
        if default is PydanticUndefined:
            shown = "required"
        elif default is None or isinstance(default, (BaseModel, list, dict)):
            shown = ""
        else:
            shown = f"`{str(default).lower() if isinstance(default, bool) else default}`"
        assert field.description, f"{model.__name__}.{name} is not described"
        rows.append(f"| `{name}` | {shown} | {field.description} |")
    return "\n".join(rows)


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def command_line() -> str:
    parts = []
    for path, command in commands(main, "errorspan"):
        context = click.Context(command, info_name=path, max_content_width=100, terminal_width=100)
        parts.append(f"## {path}\n\n```text\n{command.get_help(context)}\n```")
    return "\n\n".join(parts)


def checks() -> str:
    rows = ["| step | check | what holds where it passes |", "|---|---|---|"]
    for step in STEPS:
        for check in step.asked():
            since = next((number for number, checks in step.further.items() if check in checks), 1)
            told = (check.__doc__ or "").strip().split("\n")[0]
            told += "" if since == 1 else f" (of answers in format {since} and later)"
            rows.append(f"| {step.title} | `{check.__name__}` | {told} |")
    return "\n".join(rows)


def plugins() -> str:
    rows = yaml.safe_load((ROOT / "tests/browser/matrix/neighbours.yml").read_text("utf-8"))
    return "\n".join(
        ["| plugin | works |", "|---|---|", *(f"| `{name}` | {row['works']} |" for name, row in sorted(rows.items()))]
    )


def evidence() -> str:
    rows = [
        "| exercise | its code is by | errors proved | tests | fail on the code shown | fail on the mid-tier answer |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for run in Course.read(ROOT / "mkdocs.yml", {}).replay():
        code, proof = run.code_origin, run.evidence.valid_proof
        said = run.evidence.decided(run.assessment) if run.assessment else None
        if not (code and proof and said and run.assessment and code.from_model):
            continue
        mid = proof.variants.get("mid")
        rows.append(
            f"| [{run.assessment.title}](exercises/{run.topic.id}/index.md) | {code.entry.model or code.entry.whom} "
            f"| {len(said.proved)} of {len(run.assessment.errors)} | {len(proof.tests)} "
            f"| {len(proof.variants[SHOWN].failed)} "
            f"| {len(mid.failed) if mid else 'not tried'} |"
        )
    return "\n".join(rows)


GENERATED: dict[str, tuple[str, Callable[[], str]]] = {
    "topic": ("authors/topic-files.md", lambda: table(TopicFile)),
    "topic trial": ("authors/topic-files.md", lambda: table(Trial)),
    "topic models": ("authors/topic-files.md", lambda: table(TierModels)),
    "settings": ("authors/settings.md", lambda: table(Settings)),
    "models": ("authors/settings.md", lambda: table(Models)),
    "model": ("authors/settings.md", lambda: table(Model)),
    "thinking": ("authors/settings.md", lambda: table(Thinking)),
    "module": ("authors/settings.md", lambda: table(Module)),
    "price": ("authors/settings.md", lambda: table(Price)),
    "review": ("authors/proofs.md", lambda: table(Review)),
    "correction": ("authors/proofs.md", lambda: table(Correction)),
    "addition": ("authors/proofs.md", lambda: table(Addition)),
    "unsettled": ("authors/proofs.md", lambda: table(Unsettled)),
    "record": ("authors/record.md", reference.record),
    "record example": ("authors/record.md", reference.example),
    "checks": ("authors/checks.md", checks),
    "plugins": ("authors/plugins.md", plugins),
    "evidence": ("evidence.md", evidence),
    "command line": ("authors/command-line.md", command_line),
}


@pytest.mark.parametrize("name", GENERATED)
def test_generated_parts_are_up_to_date(name: str, request: pytest.FixtureRequest) -> None:
    file, make = GENERATED[name]
    path = DOCS / file
    block = re.compile(rf"(<!-- generated: {name} -->\n)(.*?)(<!-- /generated -->)", re.DOTALL)
    made = f"\n{make()}\n\n"
    if request.config.getoption("--update-golden"):
        path.write_text(block.sub(lambda found: found[1] + made + found[3], path.read_text("utf-8")), "utf-8")
    found = block.search(path.read_text("utf-8"))
    assert found
    assert found[2] == made, f"pytest {Path(__file__).name} --update-golden writes docs/{file} anew"


def test_how_it_works_names_every_step_in_order() -> None:
    rows = re.findall(r"^\| \d\. ([\w -]+) \|", (DOCS / "how-it-works.md").read_text(), re.MULTILINE)
    assert [row.replace("-", " ").replace(" tier", "") for row in rows] == [step.title for step in STEPS]


BLOCK = re.compile(r"^( *)```(sh|console)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
PAGES = sorted(path.relative_to(ROOT) for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")])


def typed(text: str) -> list[str]:
    """Return the commands that a page has people type, without their remarks."""
    lines = [(kind, line.strip()) for _, kind, block in BLOCK.findall(text) for line in block.splitlines()]
    said = [line.removeprefix("$ ") for kind, line in lines if kind == "sh" or line.startswith("$ ")]
    return [re.sub(r"\s+# .*", "", line) for line in said]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_commands_that_the_docs_type_exist_with_their_options(page: Path) -> None:
    for line in typed((ROOT / page).read_text("utf-8")):
        words = shlex.split(line)
        if words[0] == "errorspan":
            command: click.Command = main
            while isinstance(command, click.Group):
                del words[0]
                command = command.commands[words[0]]
            command.make_context(words[0], words[1:])


@pytest.mark.heavy
def test_what_the_readme_types_to_add_a_topic_works_as_typed(project: Project, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text("utf-8").partition("## Add a topic")[2]
    block = BLOCK.search(readme)
    assert block
    (tmp_path / ".venv").symlink_to(sys.prefix)
    done = subprocess.run(
        ["sh", "-eu", "-c", block[3].replace("…", "sk-test")],
        cwd=project.folder,
        env={"PATH": "/usr/bin:/bin", "ANTHROPIC_BASE_URL": project.api.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "retries" in done.stdout
    assert (project.folder / "topics/runs/retries/assessment.json").exists()
    assert (project.folder / "site/exercises/retries/index.html").exists()
