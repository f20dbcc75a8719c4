"""A new course: what `errorspan init` writes and says, and what it leaves alone."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import playwright
import pytest
import yaml
from click.testing import CliRunner, Result
from mkdocs.utils.yaml import yaml_load

from conftest import ROOT
from errorspan.commands.cli import main

IN_THE_WAY = "is in the way, and nothing is replaced"


def init(directory: Path | str) -> Result:
    return CliRunner().invoke(main, ["init", "--", str(directory)])


def tree(folder: Path) -> dict[str, bytes | str | None]:
    """Return everything below a folder: files with their content, links with their target."""
    return {
        path.relative_to(folder).as_posix(): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def whole(tmp_path: Path) -> dict[str, bytes | str | None]:
    """Return a course as it should be."""
    assert init(tmp_path / "whole" / "course").exit_code == 0
    return tree(tmp_path / "whole" / "course")


NAMES = {
    "course": "Course",
    "reading-code_2027": "Reading code 2027",
    "R&D: week #1": "R&D: week #1",
    "'one' and \"two\"": "'one' and \"two\"",
    "yes": "Yes",
    "007": "007",
    "Übung 日本 🦊": "Übung 日本 🦊",
    "{{ site_name }} {% x %}": "{{ site name }} {% x %}",
    "!ENV HOME": "!ENV HOME",
    "*": "*",
    "a\\b": "A\\b",
    "- --": "A course",
    "-f": "F",
    "long " * 40 + "name": "Long " + "long " * 39 + "name",
}


@pytest.mark.parametrize(("folder", "title"), NAMES.items(), ids=range(len(NAMES)))
def test_the_site_is_named_after_its_folder(tmp_path: Path, folder: str, title: str) -> None:
    done = init(tmp_path / folder)
    assert done.exit_code == 0, done.output
    with (tmp_path / folder / "mkdocs.yml").open(encoding="utf-8") as file:
        assert yaml_load(file)["site_name"] == title


@pytest.mark.parametrize("folder", ["two words", "a teacher's $HOME", "-rf", "deep/down", "."])
def test_what_it_says_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    """A shell goes into the folder and writes the topic there; `test_wheel` types all of it."""
    monkeypatch.chdir(tmp_path)
    said = [line for line in init(folder).output.splitlines() if line.startswith("  ")]
    typed = [line for line in said if line.split()[0] in {"cd", "echo"}]
    subprocess.run(["sh", "-euc", "\n".join(typed)], cwd=tmp_path, check=True)
    assert (tmp_path / folder / "topics/rate-limiting.yml").read_text("utf-8") == "title: Rate limiting an API\n"
    assert (len(said), len(typed)) == ((3, 1) if folder == "." else (4, 2))
    called = [shutil.which(shlex.split(line)[0]) for line in said if line not in typed]
    assert [Path(program or "").name for program in called] == ["mkdocs", "errorspan"]


def test_other_things_in_the_folder_stay(tmp_path: Path, whole: dict[str, bytes | str | None]) -> None:
    course = tmp_path / "course"
    others = {".git/HEAD": "ref", "docs/syllabus.md": "# Weeks", "topics/mine.yml": "title: Mine"}
    for name, text in others.items():
        (course / name).parent.mkdir(parents=True, exist_ok=True)
        (course / name).write_text(text, "utf-8")
    assert init(course).exit_code == 0
    assert tree(course) == {**whole, ".git": None, **{name: text.encode() for name, text in others.items()}}


def test_all_that_is_in_the_way_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    course = tmp_path / "course"
    course.mkdir()
    (course / "README.md").write_text("mine", "utf-8")
    (course / "mkdocs.yaml").write_text("site_name: Mine", "utf-8")
    (course / "topics").write_text("no folder", "utf-8")
    (course / ".gitignore").mkdir()
    before = tree(course)
    done = init(course)
    assert done.exit_code == 1
    told = re.findall(rf"^.*/course/(.+):1: {IN_THE_WAY}$", done.output, re.MULTILINE)
    assert told == [".gitignore", "README.md", "mkdocs.yaml", "topics"]
    assert tree(course) == before


def test_no_link_is_followed(tmp_path: Path) -> None:
    course, elsewhere = tmp_path / "course", tmp_path / "elsewhere"
    (elsewhere / "docs").mkdir(parents=True)
    course.mkdir()
    (course / "docs").symlink_to(elsewhere / "docs")
    (course / ".github").symlink_to(elsewhere / "nowhere")
    (course / "README.md").symlink_to(elsewhere / "README.md")
    before = tree(tmp_path)
    done = init(course)
    assert done.exit_code == 1
    assert re.findall(rf"/course/(.+):1: {IN_THE_WAY}$", done.output, re.MULTILINE) == [".github", "README.md", "docs"]
    assert tree(tmp_path) == before


def test_a_course_is_written_once(tmp_path: Path, whole: dict[str, bytes | str | None]) -> None:
    course = tmp_path / "whole" / "course"
    done = init(course)
    assert done.exit_code == 1
    assert done.output.count(IN_THE_WAY) == sum(content is not None for content in whole.values())
    assert tree(course) == whole


def test_what_was_broken_off_is_finished(tmp_path: Path, whole: dict[str, bytes | str | None]) -> None:
    """No file may be larger than 8 KiB here, and some are: so writing ends in the middle, as on a full disk."""
    course = tmp_path / "course"
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, {2**40})); "
    command = f"{limited}from errorspan.commands.cli import main; main()"
    broken = subprocess.run(
        [sys.executable, "-c", command, "init", str(course)], capture_output=True, text=True, check=False
    )
    assert broken.returncode == 1
    assert "Traceback" not in broken.stderr
    assert "then start the same command again" in broken.stderr
    begun = tree(course)
    assert begun.items() <= whole.items()  # nothing half-written
    assert len(begun) > 3
    assert "mkdocs.yml" not in begun
    assert init(course).exit_code == 0
    assert tree(course) == whole


def test_a_name_that_commands_a_terminal_is_refused(tmp_path: Path) -> None:
    done = init(tmp_path / "a\x1b[31mb")
    assert done.exit_code == 1
    assert "a\\x1b[31mb:1: expected a name" in done.output
    assert not tree(tmp_path)


def workflow(whole: dict[str, bytes | str | None], name: str) -> tuple[str, Any]:
    """Return a workflow as text and as values; `on` stays a word."""
    text = bytes(whole[f".github/workflows/{name}.yml"] or b"").decode()  # type: ignore[arg-type]
    return text, yaml.load(text, yaml.BaseLoader)


def test_main_alone_is_published_without_a_secret(whole: dict[str, bytes | str | None]) -> None:
    text, publish = workflow(whole, "publish")
    assert publish["on"] == {"push": {"branches": ["main"]}}
    assert "secrets" not in text
    assert publish["permissions"] == {"contents": "read"}
    assert set(publish["jobs"]["build"]["permissions"].values()) == {"read"}
    assert "errorspan verify --check" in text
    assert "mkdocs build --strict" in text


def test_nothing_of_a_pull_request_runs_where_there_is_a_secret(whole: dict[str, bytes | str | None]) -> None:
    text, checks = workflow(whole, "pull-request")
    assert checks["on"] == "pull_request"
    assert "secrets" not in text
    assert checks["permissions"] == {"contents": "read"}
    for command in ("errorspan check --format github", "errorspan verify --check", "mkdocs build --strict"):
        assert f"run: {command}\n" in text
    text, comment = workflow(whole, "comment")
    assert comment["permissions"] == {}
    assert "checkout" not in text
    assert not [step for step in comment["jobs"]["comment"]["steps"] if "run" in step]
    _, run = workflow(whole, "run")
    assert [*run["on"]] == ["workflow_dispatch"]
    assert run["jobs"]["run"]["environment"] == "models"


@pytest.mark.parametrize("name", ["publish", "pull-request", "comment", "run"])
def test_this_course_has_the_workflows_that_it_gives_to_others(whole: dict[str, bytes | str | None], name: str) -> None:
    own = (ROOT / f".github/workflows/{name}.yml").read_text("utf-8")
    text, _ = workflow(whole, name)
    installed = text.replace("pip install -r requirements.txt", "pip install -e '.[heavy]'")
    assert own == installed.replace("  # packages of `requires` go into requirements.txt", "")


@pytest.mark.parametrize("name", ["publish", "pull-request", "comment", "run"])
def test_no_shell_reads_what_others_wrote_as_its_own(whole: dict[str, bytes | str | None], name: str) -> None:
    _, found = workflow(whole, name)
    steps = [step for job in found["jobs"].values() for step in job["steps"]]
    assert not [step["run"] for step in steps if "${{" in step.get("run", "")]
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]) for step in steps if "uses" in step)


ACTION = """
const context = {repo: {owner: "o", repo: "r"}, payload: {workflow_run: {
    html_url: "https://x.example", head_sha: "0123456789abcdef",
    head_branch: "b", head_repository: {owner: {login: "l"}}}}};
const said = [];
const rest = {
    pulls: {list: async () => ({data: [{number: 7, head: {sha: "0123456789abcdef"}}, {number: 8, head: {sha: "f"}}]})},
    issues: {listComments: null, updateComment: null, createComment: async (comment) => said.push(comment)}};
const github = {rest, paginate: async () => []};
const core = {setFailed: (why) => said.push({why})};
const run = Object.getPrototypeOf(async () => {}).constructor;
new run("require", "core", "github", "context", process.argv[1])(require, core, github, context)
    .then(() => console.log(JSON.stringify(said)));
"""


@pytest.mark.browser  # whose driver has a Node.js, which needs what a browser needs
def test_a_comment_shows_what_checks_left_as_text(tmp_path: Path, whole: dict[str, bytes | str | None]) -> None:
    _, comment = workflow(whole, "comment")
    script = comment["jobs"]["comment"]["steps"][1]["with"]["script"]
    told = tmp_path / "summary.txt"
    told.write_text("````\n</code> @everyone <img src=x>\u202e\x1b[31m\n" + "x" * 60_000, "utf-8")
    node = Path(playwright.__file__).parent / "driver" / "node"

    def said() -> list[dict[str, Any]]:
        done = subprocess.run([node, "-e", ACTION, script], env={"TOLD": str(told)}, capture_output=True, check=True)
        return json.loads(done.stdout)

    [one] = said()
    assert (one["issue_number"], len(one["body"]) < 60_000) == (7, True)
    assert re.search(r"\n`{5}text\n````\n</code> @everyone <img src=x>\ufffd\ufffd\[31m\nx+\n`{5}\n$", one["body"])
    told.unlink()
    told.symlink_to("/etc/passwd")
    assert said() == [{"why": "the file is none that the checks write"}]


def test_the_topic_is_the_one_in_this_repository(whole: dict[str, bytes | str | None]) -> None:
    topics = {name: content for name, content in whole.items() if name.startswith("topics/") and content is not None}
    assert topics == {name: (ROOT / name).read_bytes() for name in topics}
    written = {path.relative_to(ROOT).as_posix() for path in (ROOT / "topics").rglob("idempotent*") if path.is_file()}
    record = ROOT / "topics/runs/idempotent-payment-webhooks"
    assert set(topics) == written | {p.relative_to(ROOT).as_posix() for p in record.rglob("*") if p.is_file()}
