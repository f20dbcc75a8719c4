"""Write a course's pages into a folder, for another site generator."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from errorspan.course import Course
from errorspan.site.pages import assets, render
from errorspan.text.errors import InputError

MARK = ".errorspan-render"


def write(course: Course, config: Mapping[str, Any], directory: Path) -> int:
    """Write the site's own docs and every generated page; return the number of files.

    A folder that was written by this function before is emptied first; another one must be empty.

    Raises:
        InputError: the folder holds something else.
    """
    index = "" if config.get("use_directory_urls", True) else "index.html"
    pages = [*render(course.replay(), course.settings, index=index), *assets()]
    docs = course.root / str(config.get("docs_dir", "docs"))
    in_the_way = [
        f"{docs}/{page.uri}:1: is generated; this file is in its way" for page in pages if (docs / page.uri).exists()
    ]
    if in_the_way:
        raise InputError(in_the_way)
    if directory.exists() and any(directory.iterdir()):
        if not (directory / MARK).exists():
            raise InputError([f"{directory}:1: is not empty, and was not written by `errorspan render`"])
        shutil.rmtree(directory)
    if docs.is_dir():
        shutil.copytree(docs, directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MARK).touch()
    for page in pages:
        path = directory / page.uri
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page.content, "utf-8", newline="\n")
    return sum(path.is_file() for path in directory.rglob("*")) - 1
