"""Take what is published no more out of a site that a build does not empty: what the build before had put there.

What that was stands in a list beside the records' journal. Whoever wrote the list, it names no file outside the site.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from errorspan.text import disk
from errorspan.text.errors import DiskError

LIST = ".cache/errorspan/published.json"
"""Below the course's root, by site: a course may be built into several."""


def noted(root: Path, site: Path) -> set[str]:
    """Return what the last build put into a site, as paths within it; nothing where none has said so."""
    listed = _lists(root).get(_name(root, site))
    return {name for name in listed if isinstance(name, str)} if isinstance(listed, list) else set()


def note(root: Path, site: Path, names: Collection[str]) -> None:
    """Note what a build puts into a site. Where nothing can be written, a build goes on without."""
    before = _lists(root)
    there = {name: names for name, names in before.items() if root.joinpath(name).is_dir()}
    after = there | {_name(root, site): sorted(names)}
    if after != before:
        with suppress(DiskError):
            disk.put(_list(root), json.dumps(after, indent=1) + "\n")


def sweep(site: Path, names: Collection[str]) -> None:
    """Remove these files of a site; of what is named, nothing that lies elsewhere, and nothing that a link leads to."""
    home = site.resolve()
    for name in names:
        with suppress(OSError, ValueError):  # it is gone, it cannot go, or it can be no path
            path = home / name
            if path.is_relative_to(home) and path.resolve() == path:
                path.unlink()


def _list(root: Path) -> Path:
    """Return where the list stands.

    Raises:
        InputError: a link leads there.
    """
    return disk.below(root, root / LIST, LIST)


def _lists(root: Path) -> dict[str, object]:
    try:
        found = json.loads(_list(root).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _name(root: Path, site: Path) -> str:
    try:
        return Path(os.path.relpath(site, root)).as_posix()
    except ValueError:  # it is on another drive of Windows
        return site.as_posix()
