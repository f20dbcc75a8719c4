"""The course survives a change of engine: `errorspan render` and another site generator."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Project
from errorspan.site.pages import SCRIPTS, STYLES

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


@pytest.mark.heavy
def test_zensical_builds_the_same_exercise_and_run_pages(project: Project) -> None:
    project.topic("words")
    assert project.build("--strict").returncode == 0
    rendered = project.errorspan("render", "rendered", key=False)
    assert rendered.returncode == 0, rendered.stderr
    other = project.folder / "zensical.yml"
    other.write_text(ZENSICAL.format(styles=", ".join(STYLES), scripts=", ".join(SCRIPTS)))
    built = subprocess.run(
        [Path(sys.executable).with_name("zensical"), "build", "-f", other.name, "--strict"],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    mkdocs = project.files("rendered")
    site = project.files("site")
    exercise = site["exercises/words/index.html"].decode()
    assert ELEMENT.search(exercise)
    assert site["exercises/words/key.js"] == mkdocs["exercises/words/key.js"]
    run = site["runs/words/index.html"].decode()
    for heading in ("step-1-categories", "step-6-judgment", "step-7-assessment", "rubric"):
        assert f'<h2 id="{heading}">' in run
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


def test_render_overwrites_only_what_it_wrote(project: Project) -> None:
    project.topic("words")
    project.write("precious/file.txt", "mine")
    refused = project.errorspan("render", "precious", key=False)
    assert refused.returncode == 1
    assert "is not empty, and was not written by `errorspan render`" in refused.stderr
    assert project.files("precious") == {"file.txt": b"mine"}
    assert project.errorspan("render", "rendered", key=False).returncode == 0
    (project.folder / "topics/words.yml").unlink()
    assert project.errorspan("render", "rendered", key=False).returncode == 0
    assert "runs/words/index.md" not in project.files("rendered")


def test_render_carries_the_sites_own_docs(project: Project) -> None:
    project.errorspan("render", "rendered", key=False)
    assert project.files("rendered")["index.md"] == b"# A course\n"
