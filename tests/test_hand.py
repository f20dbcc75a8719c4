"""A run by hand: `errorspan prompt` prints what is open, `errorspan answer` takes what came back."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner

import answers
from conftest import Project
from errorspan.commands.cli import main
from errorspan.commands.opening import course_of
from errorspan.record.manifest import Reply
from messages_api import MessagesAPI, message
from test_run import manifest
from test_servers import site, tiers

WHOM = "A chat, model not told"
TOLD = ("--model", WHOM, "--by", "Ada")
JUDGED = {"judgment-ab": answers.judgment("A"), "judgment-ba": answers.judgment("B")}
SAID = {
    **{step: json.dumps(given) for step, given in answers.GIVEN.items()},
    **{name: json.dumps(given) for name, given in JUDGED.items()},
    "mid_implementation": answers.MID,
    "weak_implementation": answers.WEAK,
    "blind_solve-first": json.dumps(answers.solution(*answers.ERRORS)),
    "blind_solve-second": json.dumps(answers.solution(*answers.ERRORS)),
}
"""What a chat answers, by the names of the record's files."""
SEVEN = [name for name in SAID if not name.startswith(("blind_solve", "judgment"))] + [*JUDGED]


def told_by(code: int, out: bytes, said: bytes) -> subprocess.CompletedProcess[str]:
    told = subprocess.CompletedProcess([], code, out.decode(), said.decode())
    assert "Traceback" not in told.stderr, told.stderr
    return told


def typed(project: Project, *words: str, said: str | bytes = "") -> subprocess.CompletedProcess[str]:
    """Type a command, in this process and without a key, with something on its standard input."""
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(project.folder)
        runner = CliRunner(env=dict.fromkeys(("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL")))
        done = runner.invoke(main, words, input=said)
    return told_by(done.exit_code, done.stdout_bytes, done.stderr_bytes)


def typed_alone(project: Project, *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
    """Type a command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "errorspan.commands.cli", *words],
        cwd=project.folder,
        env=project._environment(key=False),
        input=said.encode(),
        capture_output=True,
        check=False,
    )
    return told_by(done.returncode, done.stdout, done.stderr)


def shown(project: Project, *words: str) -> dict[str, Any]:
    told = typed(project, "prompt", "words", "--json", *words)
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def answered(project: Project, name: str, said: str | None = None, **more: str) -> str:
    """Answer an open prompt; return what the command says."""
    options = [word for key, value in more.items() for word in (f"--{key}", value)]
    told = typed(project, "answer", "words", "-", *TOLD, "--as", name, *options, said=SAID[name] if said is None else said)  # fmt: skip  # noqa: E501
    assert told.returncode == 0, told.stderr
    return told.stdout


def name_of(file: str) -> str:
    return file.rpartition("/")[2].partition(".")[0]


def test_a_whole_run_by_hand_and_its_solvers(project: Project, messages_api: MessagesAPI) -> None:
    """Seven steps, eight answers and two solvers, each as the prompt says which comes next."""
    project.topic("words")
    order = []
    while (asked := shown(project))["file"]:
        name = name_of(asked["file"])
        order.append(name)
        assert (asked["topic"], asked["system"] != "", asked["schema"] is None) == ("words", True, "implem" in name)
        told = answered(project, name)
        assert f"topics/runs/words/{asked['file']}: reported ({WHOM}, as Ada says)" in told
    assert order == ["categories", "error_catalog", "challenge", "mid_implementation", "weak_implementation",
                     "judgment-ab", "judgment-ba", "assessment", "blind_solve-first", "blind_solve-second"]  # fmt: skip
    assert asked == {
        "topic": "words", "step": "", "attempt": 0, "order": "", "sample": 1, "file": "",
        "system": "", "prompt": "", "schema": None,
    }  # fmt: skip
    assert "words: the run is complete" in told
    nothing = typed_alone(project, "prompt", "words")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "nothing is open; its run is complete" in nothing.stderr
    assert typed(project, "answer", "words", "-", *TOLD, said="x").returncode == 1
    entries = manifest(project)
    assert {entry["origin"] for entry in entries.values()} == {"reported"}
    assert all(not {"usage", "seconds", "stop_reason", "model"} & entry.keys() for entry in entries.values())
    assert not list((project.folder / ".cache/errorspan/words").glob("*.json"))
    built = project.build("--strict", key=False)
    assert built.returncode == 0, built.stderr
    assert "as reported by Ada" in re.sub("<[^>]+>", "", project.page("exercises/words"))
    assert not messages_api.calls


def test_a_prompt_is_one_text_with_all_that_a_chat_must_know(project: Project) -> None:
    project.topic("words")
    told = typed(project, "prompt", "words")
    asked = shown(project)
    assert told.stdout == f"{asked['system']}\n\n{asked['prompt']}\n"
    assert "Counting words" in told.stdout
    assert '"beginner": [' in told.stdout
    assert asked["schema"]["title"] == "Categories"
    assert "errorspan answer words FILE --model WHOM" in told.stderr


def test_any_of_those_that_are_open_is_asked_and_answered_in_any_order(project: Project) -> None:
    project.topic("words")
    for name in ("categories", "error_catalog", "challenge"):
        answered(project, name)
    assert (
        "expected a prompt that is open: mid_implementation, weak_implementation (got 'judgment-ab')"
        in typed(project, "prompt", "words", "--as", "judgment-ab").stderr
    )
    assert "--as mid_implementation" in typed(project, "prompt", "words").stderr
    answered(project, "weak_implementation")
    answered(project, "mid_implementation")
    assert [shown(project, "--as", f"judgment-{order}")["order"] for order in ("ab", "ba")] == ["ab", "ba"]
    answered(project, "judgment-ba")
    assert shown(project)["file"] == "attempt-1/judgment-ab.json"


def test_steps_are_asked_of_the_api_and_by_hand_as_it_comes(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    answered(project, "categories")
    messages_api.script("weak_implementation", message("", "weak-model", stop_reason="refusal"))
    assert project.errorspan("run").returncode == 1
    answered(project, "weak_implementation")
    assert project.errorspan("run").returncode == 0
    assert "categories" not in messages_api.steps
    assert messages_api.steps.count("weak_implementation") == 1
    origins = {name_of(file): entry["origin"] for file, entry in manifest(project).items()}
    assert {name for name, origin in origins.items() if origin == "reported"} == {"categories", "weak_implementation"}
    assert "complete (reported)" in project.errorspan("status", key=False).stdout


def test_a_server_that_takes_no_key_is_asked_in_the_midst_of_a_run_by_hand(
    project: Project, messages_api: MessagesAPI
) -> None:
    project.environment = {}
    project.topic("words")
    site(project, tiers(weak={"model": "small", "base_url": messages_api.url}))
    assert project.errorspan("run").stderr.startswith("No key: set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN (for ")
    for name in ("categories", "error_catalog", "challenge"):
        answered(project, name)
    assert "errorspan run words" in typed(project, "status").stdout
    asked = project.errorspan("run", "words")
    assert asked.returncode == 1  # there is more to do, and by hand
    assert "stays open; `errorspan prompt` prints it" in asked.stderr
    assert "Asking models for words: at most $0.00." in asked.stderr  # and not what others would cost
    assert messages_api.steps == ["weak_implementation"]
    assert "errorspan prompt words" in typed(project, "status").stdout
    for name in ("mid_implementation", *JUDGED, "assessment"):
        answered(project, name)
    assert "complete (reported)" in typed(project, "status").stdout
    assert manifest(project)["attempt-1/weak_implementation.md"]["origin"] == "model"


def test_faults_come_as_the_text_to_send_back_and_stay_with_the_answer(project: Project) -> None:
    project.topic("words")
    half = json.dumps(answers.CATEGORIES | {"beginner": ["One"]})
    sent = typed_alone(project, "answer", "words", "-", *TOLD, said=half)
    assert sent.returncode == 1
    assert sent.stdout.startswith("Your answer cannot be used yet:\n\n- beginner: expected at least 3 (got 1)")
    assert "answer with the whole JSON object again" in sent.stdout
    assert "categories.json: not recorded" in sent.stderr
    assert not manifest(project) if (project.folder / "topics/runs/words/run.json").exists() else True
    assert half in json.loads(next((project.folder / ".cache/errorspan/words").glob("*.json")).read_text())["text"]

    again = typed(project, "answer", "words", "-", *TOLD, said=half)  # pasted twice by mistake: it counts once
    assert (again.returncode, again.stdout) == (1, sent.stdout)
    asked = shown(project)["prompt"]
    assert asked.endswith(f"<your_answer>\n{half}\n</your_answer>\n\n{sent.stdout.strip()}")
    for number in range(3):  # as often as it takes, and not `max_repairs` times
        told = typed(project, "answer", "words", "-", "--model", "Another", "--by", "Bo", said=f'{{"n": {number}}}')
        assert told.returncode == 1
        assert "Your answer cannot be used yet" in told.stdout
    answered(project, "categories", how="in a new chat")
    entry = manifest(project)["categories.json"]
    assert [(one["whom"], one["by"]) for one in entry["rejected"]] == [(WHOM, "Ada")] + [("Another", "Bo")] * 3
    assert all(not {"usage", "seconds", "stop_reason", "model"} & one.keys() for one in entry["rejected"])
    assert (entry["whom"], entry["how"], entry["by"]) == (WHOM, "in a new chat", "Ada")
    assert len(list((project.folder / ".cache/errorspan/words/rejected").iterdir())) == 4
    assert project.build(key=False).returncode == 0
    assert "Another (reported by Bo)" in project.run_pages("words")


def test_what_was_pasted_before_a_kill_is_found_again(project: Project) -> None:
    """It is on disk before it is judged; whoever comes next takes it in."""
    project.topic("words")
    course = course_of(project.folder / "mkdocs.yml")
    [run] = course.replay()
    [waiting] = run.open
    reply = Reply(text=SAID["categories"], whom=WHOM, by="Ada", asked_at="2026-01-02T03:04:05Z")
    course.record(run.topic).receive(waiting.request(), reply)
    assert shown(project)["file"] == "error_catalog.json"
    entry = manifest(project)["categories.json"]
    assert (entry["origin"], entry["whom"], entry["at"]) == ("reported", WHOM, "2026-01-02T03:04:05Z")


@pytest.mark.parametrize(
    ("words", "said", "told"),
    [
        (("words", "-", "--by", "Ada"), "x", "Say whom you asked: --model."),
        (("words", "-", "--model", "two\nlines", "--by", "Ada"), "x", "--model: "),
        (("words", "-", "--model", "x" * 121, "--by", "Ada"), "x", "--model: expected at most 120 characters"),
        (("words", "-", "--model", "a\u001b[2J", "--by", "Ada"), "x", "without the control character U+001B"),
        (("words", "-", "--model", "a", "--by", "Ada", "--how", " "), "x", "--how: expected text that is not blank"),
        (("words", "-", "--model", "a", "--by", "Ada"), " \n", "The answer is empty: nothing was recorded."),
        (("words", "-", "--model", "a", "--by", "Ada"), b"\xff", "the answer:1: expected UTF-8 (got the byte 0xff)"),
        (("words", "gone.txt", "--model", "a", "--by", "Ada"), "", "gone.txt:1: cannot be read (No such file"),
        (("nowhere", "-", "--model", "a", "--by", "Ada"), "x", "there is no topic 'nowhere'"),
        (("-",), "x", "there is no topic '-'"),
        ((), "x", "Name a topic, or a folder: --all."),
        (("words", "--all", "out"), "x", "--all goes with --model, --how and --by alone."),
    ],
)  # fmt: skip
def test_mistakes_are_told_and_record_nothing(project: Project, words: tuple[str, ...], said: Any, told: str) -> None:
    project.topic("words")
    extra = ("--model", "a", "--by", "Ada") if words in {("-",), ()} else ()
    failed = typed(project, "answer", *words, *extra, said=said)
    assert failed.returncode in {1, 2}
    assert told in failed.stderr
    assert "is missing" not in failed.stderr
    assert not (project.folder / "topics/runs").exists()
    assert not list((project.folder / ".cache").rglob("*.json")) if (project.folder / ".cache").exists() else True


def test_who_reports_is_git_s_user_if_nobody_else_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.topic("words")
    project.write("config", "[user]\n  name = Grace Hopper\n")
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, str(project.folder / "config"))
    assert typed(project, "answer", "words", "-", "--model", WHOM, said=SAID["categories"]).returncode == 0
    assert manifest(project)["categories.json"]["by"] == "Grace Hopper"
    project.write("config", "")
    nobody = typed(project, "answer", "words", "-", "--model", WHOM, said=SAID["error_catalog"])
    assert nobody.returncode == 1
    assert "--by: expected your name" in nobody.stderr


@pytest.mark.heavy
def test_the_clipboard_has_the_prompt_or_it_is_said_that_there_is_none(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip  # noqa: E501
    project.topic("words")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(project.folder))
    none = typed_alone(project, "prompt", "words", "--copy")
    assert (none.returncode, none.stdout) == (1, "")
    assert "--copy: there is no clipboard here" in none.stderr
    tool = project.write("xclip", f"#!{sys.executable}\nimport sys; open({str(project.folder / 'clip')!r}, 'wb').write(sys.stdin.buffer.read())\n")  # fmt: skip  # noqa: E501
    tool.chmod(0o755)
    project.write("which", '#!/bin/sh\n[ -e "$(dirname "$0")/$1" ]\n').chmod(0o755)
    monkeypatch.setenv("PATH", f"{project.folder}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    assert typed_alone(project, "prompt", "words", "--copy").returncode == 0
    assert (project.folder / "clip").read_text() == typed_alone(project, "prompt", "words").stdout[:-1]


# In a folder


def beside(project: Project, file: str, said: str, above: str | None = f"whom: {WHOM}\nby: Ada\n") -> None:
    front = "" if above is None else f"---\n{above}---\n"
    project.write(f"asked/words/{file}.answer.md", front + said)


def test_an_attempt_that_did_not_separate_is_told(project: Project) -> None:
    project.topic("words")
    for name in ("categories", "error_catalog", "challenge", "mid_implementation"):
        assert "did not separate" not in answered(project, name)
    pasted = typed(project, "answer", "words", "-", *TOLD, said=SAID["mid_implementation"])  # again, by mistake
    told = "words: attempt 1 did not separate the tiers: the two implementations hold the same code"
    assert told in pasted.stdout
    assert "delete its file and answer again" in pasted.stdout
    (project.folder / "topics/runs/words/attempt-1/weak_implementation.md").unlink()
    assert "did not separate" not in answered(project, "weak_implementation")
    assert shown(project)["file"] == "attempt-1/judgment-ab.json"


def test_all_prompts_and_answers_of_a_folder(project: Project) -> None:
    project.topic("words")
    project.topic("other", "title: Sorting\n")
    project.write("asked/words/mine.txt", "mine")
    wrote = typed(project, "prompt", "--all", "asked")
    assert wrote.returncode == 0, wrote.stderr
    assert "2 prompts in asked: 2 new, 0 taken away" in wrote.stdout
    assert (project.folder / "asked/words/categories.json.prompt.md").read_text() == typed(
        project, "prompt", "words"
    ).stdout
    beside(project, "categories.json", SAID["categories"], f"whom: {WHOM}\nhow: at once\nby: Ada\n")
    took = typed(project, "answer", "--all", "asked")
    assert took.returncode == 0, took.stderr
    assert f"topics/runs/words/categories.json: reported ({WHOM}, as Ada says)" in took.stdout
    assert manifest(project)["categories.json"]["how"] == "at once"
    again = typed(project, "answer", "--all", "asked")
    assert "asked/words/categories.json.answer.md: nothing is open that it could answer" in again.stderr
    assert "1 new, 1 taken away" in typed(project, "prompt", "--all", "asked").stdout
    assert sorted(path.name for path in (project.folder / "asked/words").iterdir()) == [
        "categories.json.answer.md", "error_catalog.json.prompt.md", "mine.txt",
    ]  # fmt: skip
    while open_now := sorted((project.folder / "asked/words").rglob("*.prompt.md")):
        for path in open_now:
            file = path.relative_to(project.folder / "asked/words").as_posix().removesuffix(".prompt.md")
            beside(project, file, SAID[name_of(file)], None)
        assert typed(project, "answer", "--all", "asked", "--model", WHOM, "--by", "Ada").returncode == 0
        assert typed(project, "prompt", "--all", "asked").returncode == 0
    assert "complete (reported)" in project.errorspan("status", "words", key=False).stdout
    assert {entry["whom"] for entry in manifest(project).values()} == {WHOM}


def test_an_answer_in_a_folder_that_does_not_count_is_told_once_however_often_it_is_read(project: Project) -> None:
    project.topic("words")
    typed(project, "prompt", "--all", "asked")
    beside(project, "categories.json", "{}")
    for _ in range(4):
        failed = typed(project, "answer", "--all", "asked")
        assert failed.returncode == 1
        assert "asked/words/categories.json.answer.md:1: is not recorded" in failed.stderr or (
            "stands beside another prompt than what is asked now" in failed.stderr
        )
    assert len(list((project.folder / ".cache/errorspan/words").glob("*.json"))) == 1
    typed(project, "prompt", "--all", "asked")
    assert "send this back" in typed(project, "answer", "--all", "asked").stderr
    beside(project, "categories.json", SAID["categories"])
    assert typed(project, "answer", "--all", "asked").returncode == 0
    assert len(manifest(project)["categories.json"]["rejected"]) == 1


@pytest.mark.parametrize(
    ("above", "said", "told"),
    [
        ("whom: ''\n", "x", "categories.json.answer.md:2: whom: "),
        ("who: me\n", "x", "categories.json.answer.md:2: who: is no key here; known are whom, how, by"),
        ("by: Ada\n", "x", "categories.json.answer.md:1: whom: is missing"),
        ("whom: me\nby: [\n", "x", "categories.json.answer.md:"),
        ("whom: me\nby: Ada\n", " ", "categories.json.answer.md:1: holds no answer"),
        (None, "---\nwhom: me\n", "categories.json.answer.md:1: expected a second line of ---"),
    ],
)
def test_what_stands_above_an_answer_is_checked(project: Project, above: str | None, said: str, told: str) -> None:
    project.topic("words")
    typed(project, "prompt", "--all", "asked")
    beside(project, "categories.json", said, above)
    failed = typed(project, "answer", "--all", "asked")
    assert failed.returncode == 1
    assert told in failed.stderr
    assert not (project.folder / "topics/runs").exists()


def test_a_folder_that_is_another_s_is_not_emptied(project: Project) -> None:
    project.topic("words")
    project.write("asked/words/categories.json.prompt.md", "mine")
    failed = typed(project, "prompt", "--all", "asked")
    assert failed.returncode == 1
    assert "was not written by `errorspan prompt`, and is in the way" in failed.stderr
    assert project.files("asked")["words/categories.json.prompt.md"] == b"mine"
    inside = typed(project, "prompt", "--all", "topics/asked")
    assert inside.returncode == 1
    assert "name a folder apart" in inside.stderr
    assert typed(project, "answer", "--all", "nowhere").returncode == 1
