"""Generated pages among the files of a site: nobody's page is replaced, and what a site excludes is excluded."""

from __future__ import annotations

from pathlib import Path

import pytest
from mkdocs.config.base import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import get_files

import readers
from errorspan.commands.opening import configuration
from errorspan.course import Course
from errorspan.site import folder, placing
from errorspan.site.gathering import Gathered
from errorspan.site.pages import Page
from errorspan.text.errors import InputError

PAGES = [
    Page("exercises/index.md", "the list", in_nav=True),
    Page("exercises/words/index.md", "an exercise"),
    Page("exercises/words/key.js", "its key, for the script"),
    Page("exercises/words/key/index.md", "its key, on paper"),
    Page("runs/index.md", "the runs", in_nav=True),
    Page("runs/words/index.md", "a run"),
]


def site(root: Path, more: str = "") -> MkDocsConfig:
    (root / "docs").mkdir(exist_ok=True)
    (root / "docs/index.md").write_text("# Home\n")
    (root / "mkdocs.yml").write_text(f"site_name: A course\n{more}")
    config = load_config(str(root / "mkdocs.yml"))
    config.plugins._current_plugin = "errorspan"
    return config


@pytest.mark.parametrize(
    ("own", "met"),
    [
        ("exercises.md", "exercises/index.md"),
        ("exercises/README.md", "exercises/index.md"),
        ("Exercises.md", "exercises/index.md"),
        ("exercises/index.html", "exercises/index.md"),
        ("exercises/index.md", "exercises/index.md"),
        ("exercises/words.md", "exercises/words/index.md"),
        ("exercises/words/key.js", "exercises/words/key.js"),
    ],
)
def test_a_page_of_the_sites_own_is_not_replaced(tmp_path: Path, own: str, met: str) -> None:
    config = site(tmp_path)
    path = tmp_path / "docs" / own
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    with pytest.raises(PluginError, match=f"{met} is generated; .*docs/{own} is in its way"):
        placing.add(PAGES, get_files(config), config)
    if "words" not in own:  # which has no record here
        (tmp_path / "topics").mkdir()
        with pytest.raises(InputError, match=f"docs/{own}:1: {met} is generated; this file is in its way"):
            folder.gather(Course.read(tmp_path / "mkdocs.yml", {}), configuration(tmp_path / "mkdocs.yml"))


def test_a_page_that_is_excluded_or_has_another_address_is_in_nobodys_way(tmp_path: Path) -> None:
    config = site(tmp_path, "use_directory_urls: false\nexclude_docs: exercises/README.md\n")
    (tmp_path / "docs/exercises").mkdir()
    for name in ("exercises.md", "exercises/README.md"):
        (tmp_path / "docs" / name).write_text("mine")
    placing.add(PAGES, files := get_files(config), config)
    assert files.get_file_from_path("exercises/index.md")


EXCLUDED = """\
exclude_docs: |
  runs/*/
  exercises/words/
draft_docs: exercises/*/key/
not_in_nav: runs/index.md
"""


def test_what_a_site_excludes_holds_for_generated_pages(tmp_path: Path) -> None:
    def levels(more: str) -> dict[str, str]:
        config = site(tmp_path, more)
        placing.add(PAGES, files := get_files(config), config)
        placing.settle({page.uri: page for page in PAGES}, files, config, Gathered(lambda html, _: html))
        return {file.src_uri: file.inclusion.name for file in files}

    plain = levels("")
    assert plain.pop("exercises/words/key.js") in {"INCLUDED", "NOT_IN_NAV"}
    assert plain == {
        "index.md": "INCLUDED",
        "exercises/index.md": "INCLUDED",
        "exercises/words/index.md": "NOT_IN_NAV",
        "exercises/words/key/index.md": "NOT_IN_NAV",
        "runs/index.md": "INCLUDED",
        "runs/words/index.md": "NOT_IN_NAV",
    }
    assert levels(EXCLUDED) == {
        "index.md": "INCLUDED",
        "exercises/index.md": "INCLUDED",
        "exercises/words/index.md": "EXCLUDED",
        "exercises/words/key.js": "EXCLUDED",
        "exercises/words/key/index.md": "EXCLUDED",
        "runs/index.md": "NOT_IN_NAV",
        "runs/words/index.md": "EXCLUDED",
    }
    assert levels("draft_docs: exercises/*/key/\n")["exercises/words/key/index.md"] == "DRAFT"


def test_what_a_site_excludes_is_rendered_into_no_folder(tmp_path: Path) -> None:
    readers.project(tmp_path)
    site(tmp_path, "exclude_docs: |\n  runs/*/\n  exercises/words/index.md\n")
    found = folder.gather(Course.read(tmp_path / "mkdocs.yml", {}), configuration(tmp_path / "mkdocs.yml"))
    made = {uri for uri in found.files if uri.startswith(("runs/", "exercises/"))}
    assert made == {"runs/index.md", "exercises/index.md", "exercises/words/key/index.md"}
    assert found.answers <= found.files.keys()
