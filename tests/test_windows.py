"""What a course meets on Windows, as far as another system can tell: line ends, separators, missing modules."""

from __future__ import annotations

import ntpath
import os
import shutil
import subprocess
import sys
from pathlib import Path, PureWindowsPath

import pytest

from conftest import ROOT
from errorspan.authoring import configuration, topics
from errorspan.authoring.settings import Settings
from errorspan.course import Course
from errorspan.runs.run import Run
from errorspan.site.pages import render

UNIX = ("fcntl", "grp", "posix", "pwd", "resource", "termios", "tty")
WITHOUT = """
import sys
import click, filelock, mkdocs.commands.build, psutil, rich.console
for name in sys.argv[1].split(): sys.modules[name] = None
import errorspan.site.mkdocs, errorspan.commands.cli
"""


def _runs(root: Path) -> list[Run]:
    course = Course.read(root / "mkdocs.yml", {})
    return course.replay(["async-search-box"])


def test_a_checkout_with_windows_line_ends_makes_the_same_pages(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "topics", tmp_path / "topics")
    files = [path for path in (tmp_path / "topics").rglob("*") if path.is_file()]
    assert len(files) > 20
    for path in files:
        content = path.read_bytes()
        assert b"\r" not in content
        path.write_bytes(content.replace(b"\n", b"\r\n"))
    (tmp_path / "mkdocs.yml").write_bytes(b"site_name: A course\r\n")
    (run,), (same,) = (_runs(root) for root in (tmp_path, ROOT))
    assert run.evidence.proves(run.assessment)
    assert list(render([run], Settings())) == list(render([same], Settings()))


def test_a_build_imports_nothing_that_windows_lacks() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT, " ".join(UNIX)], check=True)


def test_files_are_named_with_slashes(monkeypatch: pytest.MonkeyPatch) -> None:
    root, elsewhere = PureWindowsPath(r"C:\course"), PureWindowsPath(r"D:\shared\base.yml")
    assert topics._named(root / "topics" / "a.yml", root) == "topics/a.yml"  # type: ignore[arg-type]
    monkeypatch.setattr(os.path, "relpath", ntpath.relpath)
    for named in (topics._named, configuration._named):
        assert named(elsewhere, root) == "D:/shared/base.yml"  # type: ignore[arg-type]
