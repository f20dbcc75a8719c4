"""The course survives a change of engine: `errorspan render` and another site generator."""

from __future__ import annotations

import errno
import functools
import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from conftest import Project
from errorspan.site import folder
from errorspan.site.pages import SCRIPTS, STYLES
from errorspan.site.parts import PARTS
from errorspan.text import disk
from errorspan.text.errors import Busy, InputError
from errorspan.text.source import Source

ZENSICAL = """\
site_name: A course
site_url: https://course.example/
docs_dir: rendered
extra_css: [{styles}]
extra_javascript: [{scripts}]
theme:
  name: material
  font: false
markdown_extensions: [attr_list, tables, toc]
"""
ELEMENT = re.compile(r"<errorspan-exercise.*?</errorspan-exercise>", re.DOTALL)

LIST, LOCK = (name.format("render") for name in (folder.LIST, folder.LOCK))


def build_zensical(folder: Path, *more: str) -> None:
    """Build a site with Zensical, strictly."""
    command = [Path(sys.executable).with_name("zensical"), "build", "--strict", *more]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr


@pytest.mark.heavy
def test_zensical_builds_the_same_exercise_and_run_pages(project: Project) -> None:
    project.topic("words")
    assert project.build("--strict").returncode == 0
    rendered = project.errorspan("render", "rendered", key=False)
    assert rendered.returncode == 0, rendered.stderr
    other = project.folder / "zensical.yml"
    other.write_text(ZENSICAL.format(styles=", ".join(STYLES), scripts=", ".join(SCRIPTS)))
    build_zensical(project.folder, "-f", other.name)
    mkdocs = project.files("rendered")
    site = project.files("site")
    exercise = site["exercises/words/index.html"].decode()
    assert ELEMENT.search(exercise)
    assert site["exercises/words/key.js"] == mkdocs["exercises/words/key.js"]
    assert '<h2 id="rubric">' in site["runs/words/judgment/index.html"].decode()
    assert "data-md-component" in exercise  # it is the other engine's page: MkDocs' site was overwritten
    assert 'name="generator" content="zensical' in exercise


def test_both_engines_show_the_same_element(project: Project) -> None:
    project.topic("words")
    assert project.build("--strict").returncode == 0
    built = ELEMENT.search(project.page("exercises/words"))
    project.errorspan("render", "rendered", key=False)
    page = ELEMENT.search((project.folder / "rendered/exercises/words/index.md").read_text("utf-8"))
    assert built
    assert page
    assert built[0] == page[0]


def test_render_carries_the_sites_own_docs(project: Project) -> None:
    project.errorspan("render", "rendered", key=False)
    assert project.files("rendered")["index.md"] == b"# A course\n"


def test_what_others_put_into_the_folder_stays(project: Project) -> None:
    project.topic("words")
    project.write("out/README.md", "mine")  # before the first time
    project.write("docs/guide/old.md", "# Old\n")
    assert project.errorspan("render", "out", key=False).returncode == 0
    project.write("out/.git/HEAD", "mine too")
    project.write("out/exercises/notes.md", "and mine")
    (project.folder / "topics/words.yml").unlink()
    (project.folder / "docs/guide/old.md").unlink()
    again = project.errorspan("render", "out", key=False)
    assert again.returncode == 0, again.stderr
    files = project.files("out")
    assert [files[name] for name in ("README.md", ".git/HEAD", "exercises/notes.md")] == [
        b"mine",
        b"mine too",
        b"and mine",
    ]
    assert "runs/words/index.md" not in files
    assert not (project.folder / "out/guide").exists()
    listed = project.write("out/.errorspan-render", "[]").read_text()
    refused = project.errorspan("render", "out", key=False)
    assert (refused.returncode, refused.stderr.count("\n"), listed) == (1, 1, "[]")
    assert "is no list of what was written here" in refused.stderr


def test_what_is_in_the_way_is_named_and_nothing_is_written(project: Project) -> None:
    project.topic("words")
    project.write("docs/two.md", "# Two\n")
    project.write("out/two.md", "mine")
    before = project.files("out")
    refused = project.errorspan("render", "out", key=False)
    assert refused.returncode == 1
    assert "out/two.md:1: was not written by `errorspan render`, and is in the way" in refused.stderr
    assert project.files("out") == before
    (project.folder / "out/two.md").unlink()
    assert project.errorspan("render", "out", key=False).returncode == 0
    project.write("out/index.md", "edited")
    project.write("out/runs/words/index.md", "edited, and not made any more")
    (project.folder / "topics/words.yml").unlink()
    before = project.files("out")
    refused = project.errorspan("render", "out", key=False)
    assert refused.returncode == 1
    for name in ("index.md", "runs/words/index.md"):
        assert f"out/{name}:1: was changed since it was written, and is in the way" in refused.stderr
    assert project.files("out") == before
    for place in ("docs/out", "topics", "."):
        refused = project.errorspan("render", place, key=False)
        assert refused.returncode == 1
        assert "name a folder apart from what you write" in refused.stderr


def test_no_link_is_followed(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "secret.md").write_text("# Secret\n")
    docs = project.folder / "docs"
    (docs / "folder").symlink_to(elsewhere)
    (docs / "file.md").symlink_to(elsewhere / "secret.md")
    rendered = project.errorspan("render", "out", key=False)
    assert rendered.returncode == 0
    for name in ("folder", "file.md"):
        assert f"left out: docs/{name}: is a symbolic link, and none is followed" in rendered.stderr
    assert not [name for name, content in project.files("out").items() if b"Secret" in content]
    shutil.rmtree(project.folder / "out/exercises")
    (project.folder / "out/exercises").symlink_to(elsewhere)
    (project.folder / "link").symlink_to(elsewhere)
    for place, named in {"out": "out/exercises:1: is no folder", "link": "link:1: is a symbolic link"}.items():
        refused = project.errorspan("render", place, key=False)
        assert refused.returncode == 1
        assert named in refused.stderr
    docs.rename(project.folder / "other")
    docs.symlink_to(project.folder / "other")
    refused = project.errorspan("render", "new", key=False)
    assert "docs:1: is a symbolic link, and none is followed" in refused.stderr
    assert [path.name for path in elsewhere.iterdir()] == ["secret.md"]


def test_a_folder_that_is_not_there_is_not_an_empty_one(project: Project) -> None:
    assert project.errorspan("render", "out", key=False).returncode == 0
    before = project.files("out")
    config = (project.folder / "mkdocs.yml").read_text("utf-8")
    for key, text in {
        "docs_dir": f"docs_dir: doc\n{config}",
        "theme.custom_dir": config.replace("theme:\n", "theme:\n  custom_dir: doc\n"),
    }.items():
        project.write("mkdocs.yml", text)
        line = next(number for number, said in enumerate(text.splitlines(), start=1) if "_dir: doc" in said)
        refused = project.errorspan("render", "--zensical", "out", key=False)
        assert (refused.returncode, refused.stderr) == (1, f"mkdocs.yml:{line}: {key}: expected a folder (got 'doc')\n")
    assert project.files("out") == before


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "docs/closed"
    closed.mkdir(parents=True)
    scan = os.scandir

    def refusing(path: str) -> Any:
        if path == str(closed):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scan(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refusing)  # root may read everything
        with pytest.raises(InputError, match=r"/docs/closed:1: cannot be read \(Permission denied\)"):
            folder.copied(tmp_path, Source("mkdocs.yml", {}, {}), ("docs_dir",), "docs")


def test_a_hostile_list_takes_nothing_outside_away(tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_bytes(b"kept")
    digest = hashlib.sha256(b"kept").hexdigest()
    for uri in ("../kept.txt", str(kept), "x/../../kept.txt"):
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        (out / LIST).write_text(json.dumps({uri: [digest]}))
        with pytest.raises(InputError):
            folder.write(out, {})
    assert kept.read_bytes() == b"kept"


def test_a_rerun_ends_what_a_kill_broke_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = {"same": b"same", "b": b"old", "gone/c": b"old"}
    new = {"same": b"same", "b": b"new", "d": b"new"}
    for step in itertools.count(1):
        out = tmp_path / str(step)
        folder.write(out, old)
        (out / "mine").write_bytes(b"mine")
        doing = itertools.count(1)

        def killed(do: Callable[..., Any], *given: Any, doing: Iterator[int] = doing, last: int = step) -> Any:
            if next(doing) == last:
                raise KeyboardInterrupt
            return do(*given)

        with monkeypatch.context() as patch:
            for name in ("replace", "unlink"):
                patch.setattr(
                    Path,
                    name,
                    functools.partialmethod(
                        lambda self, *given, do, **_: killed(do, self, *given), do=getattr(Path, name)
                    ),
                )
            try:
                folder.write(out, new)
            except KeyboardInterrupt:
                stopped = True
            else:
                stopped = False
        folder.write(out, new)
        left = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
        assert left.pop(LIST)
        del left[LOCK]
        assert left == new | {"mine": b"mine"}
        if not stopped:
            assert step > 4
            break


def test_what_is_saved_meanwhile_is_on_the_list_before_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    source.write_bytes(b"old")
    put = disk.put

    def saved_and_killed(path: Path, content: str | bytes, **given: Any) -> None:
        if path.name == LIST:
            source.write_bytes(b"saved meanwhile")
        put(path, content, **given)
        if path.name == "page":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(disk, "put", saved_and_killed)
        with pytest.raises(KeyboardInterrupt):
            folder.write(out, {"page": source})
    assert (out / "page").read_bytes() == b"saved meanwhile"
    source.write_bytes(b"new")
    assert folder.write(out, {"page": source}) == (1, 1, 0)
    assert (out / "page").read_bytes() == b"new"


def test_a_folder_is_written_by_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "_PATIENCE", 0.1)
    out = tmp_path / "out"
    folder.write(out, {"page": b"old"})
    half = out / f".page.x{disk.HALF}"
    half.write_bytes(b"half")
    with FileLock(out / LOCK), pytest.raises(Busy):
        folder.write(out, {"page": b"new"})
    assert ((out / "page").read_bytes(), half.exists()) == (b"old", True)
    folder.write(out, {"page": b"new"})
    assert ((out / "page").read_bytes(), half.exists()) == (b"new", False)


def test_a_source_that_cannot_be_read_is_told_as_that(tmp_path: Path) -> None:
    gone = tmp_path / "gone.md"
    with pytest.raises(InputError, match=r"gone\.md:1: cannot be read \(No such file or directory\)"):
        folder.write(tmp_path / "out", {"gone.md": gone})


EVERYTHING = """\
site_name: Ünï "quoted"
copyright: null
docs_dir: pages
exclude_docs: |
  drafts/
strict: true
repo_url: https://github.com/somebody/course
theme: {name: material, custom_dir: templates, font: false, icon: {repo: fontawesome/brands/github}}
markdown_extensions:
  - toc: {slugify: !!python/object/apply:pymdownx.slugs.slugify {kwds: {case: lower}}}
  - pymdownx.emoji: {emoji_index: !!python/name:material.extensions.emoji.twemoji , emoji_generator: !!python/name:material.extensions.emoji.to_svg }
  - attr_list
hooks: [HOOK, other.py]
plugins: [search, tags: null, section-index]
extra_javascript: [{path: own.js, defer: true}]
extra: {generator: {offline: true}, when: 2026-11-28, odd: !!python/object/apply:pathlib.PurePath [x], version: {provider: mike}}
edit_later: 1
"""  # noqa: E501


@pytest.mark.heavy
def test_a_configuration_is_carried_over_and_what_is_not_is_told(project: Project) -> None:
    project.write("mkdocs.yml", EVERYTHING.replace("HOOK", "generator/hook.py"))
    project.topic("words")
    project.write("pages/index.md", "# One Two\n\n:smile:\n")
    project.write("pages/own.js", "")
    project.write("pages/drafts/no.md", "# No\n")
    project.write(
        "templates/main.html", '{% extends "base.html" %}{% block extrahead %}<meta name="own">{% endblock %}'
    )
    rendered = project.errorspan("render", "--zensical", "out", key=False)
    assert rendered.returncode == 0, rendered.stderr
    assert set(rendered.stderr.splitlines()) == {
        "left out: edit_later: Zensical has no such setting",
        "left out: hooks: other.py: Zensical runs no hook",
        "left out: plugins: section-index: Zensical 0.0.73 did not have it; one that has not ignores it without a word",
        "left out: extra.odd: x cannot be written as TOML",
    }
    carried = tomllib.loads((project.folder / "out/zensical.toml").read_text("utf-8"))["project"]
    assert carried["site_name"] == 'Ünï "quoted"'
    assert carried["theme"]["variant"] == "modern"
    assert carried["extra"] == {"when": "2026-11-28", "version": {"provider": "mike"}}
    assert "docs/drafts/no.md" not in project.files("out")
    build_zensical(project.folder / "out")
    home = (project.folder / "out/site/index.html").read_text("utf-8")
    assert 'id="one-two"' in home
    assert "twemoji" in home
    assert '<script src="./own.js" defer>' in home.replace('defer=""', "defer")
    shown = set(re.findall(r'href="\./((?:exercises|runs)/[^"]*)"', home))
    assert shown == {"exercises/", "runs/"}  # without a navigation of its own, lists and not what they list
    run = (project.folder / "out/site/runs/words/index.html").read_text("utf-8")
    assert '<meta name="own">' in run
    assert '<meta name="robots" content="noindex">' in run
    assert "noindex" not in home


def test_pages_that_hold_answers_have_the_template_of_such_pages(recorded: Project) -> None:
    recorded.write("docs/own.md", "---\nsearch:\n  exclude: true\n---\n# Own\n")
    rendered = recorded.errorspan("render", "--zensical", "out", key=False)
    assert rendered.returncode == 0, rendered.stderr
    pages = {name: text.decode() for name, text in recorded.files("out/docs").items() if name.endswith(".md")}
    marked = {
        name for name, text in pages.items() if "\ntemplate: errorspan-answers.html\n" in text.split("\n---\n")[0]
    }
    below = {f"runs/words/{part.folder}/index.md" for part in PARTS}
    assert marked == {"runs/words/index.md", "exercises/words/key/index.md", *below}
    assert pages["own.md"] == (recorded.folder / "docs/own.md").read_text("utf-8")


@pytest.mark.heavy
def test_a_watch_follows_and_survives_what_is_broken(project: Project) -> None:
    project.topic("words")
    base = project.write("base.yml", (project.folder / "mkdocs.yml").read_text())
    project.write("mkdocs.yml", "INHERIT: base.yml\n")

    def comes(name: str, words: str) -> None:
        path = project.folder / "out" / name
        for _ in range(600):
            if path.is_file() and words in path.read_text("utf-8"):
                return
            time.sleep(0.1)
        pytest.fail(f"{name} does not come to hold {words!r}")

    with project.start("errorspan.commands.cli", "render", "--watch", "--zensical", "out") as watch:
        try:
            comes("zensical.toml", "A course")
            project.write("docs/more.md", "# More\n")
            comes("docs/more.md", "# More")
            project.topic("words", "title: [\n")
            told = next(line for line in watch.stdout or () if "topics/words.yml:" in line)
            assert "topics/words.yml:1: title: expected ] that closes the [" in told
            project.topic("words", "title: Words, counted\nlanguage: python\n")
            comes("docs/runs/words/index.md", "Words, counted")
            base.write_text(base.read_text().replace("A course", "Another name"))
            comes("zensical.toml", "Another name")
            watch.send_signal(signal.SIGINT)
            rest, _ = watch.communicate(timeout=30)
            assert watch.returncode == 0
            assert "Traceback" not in rest
            assert "Aborted" not in rest
        finally:
            watch.kill()
