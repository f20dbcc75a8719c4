"""Take exercises out of the course, and pack them: what the packages for learning platforms share."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from errorspan.course import Course
from errorspan.runs.publishing import withheld
from errorspan.runs.run import Run
from errorspan.site import pages, words
from errorspan.site.exercise import Exercise
from errorspan.site.links import Links
from errorspan.text import disk
from errorspan.text.errors import InputError
from errorspan.text.markup import visible

MANIFEST = "imsmanifest.xml"
LIMIT = 100  # so many results fit into SCORM's suspend data, whatever else must go

_EPOCH = (1980, 1, 1, 0, 0, 0)
_OURS = b'identifier="errorspan-'
_NOT_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Exported(NamedTuple):
    """An exercise on its way out, and the run that made it."""

    exercise: Exercise
    run: Run


@dataclass(frozen=True)
class Parcel:
    """What becomes one package: its exercises in order, the course's name and the language of its pages."""

    items: Sequence[Exported]
    course: str
    language: str

    @property
    def title(self) -> str:
        """Return the only exercise's title, or else the course's name."""
        return self.items[0].exercise.title if len(self.items) == 1 else self.course

    @property
    def identifier(self) -> str:
        """Return the package's own name, which is another for other exercises, and the same whenever it is made."""
        ids = "\n".join(item.exercise.id for item in self.items)
        return f"errorspan-{hashlib.sha256(ids.encode()).hexdigest()[:12]}"

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        """Return which way the pages' language is written."""
        return words.direction(self.language)


def parcel(course: Course, config: Mapping[str, Any], ids: Sequence[str]) -> Parcel:
    """Gather the exercises of these topics, in the order in which they are named.

    Raises:
        InputError: there is no such topic, or one has no exercise that is published.
    """
    wanted = list(dict.fromkeys(ids))
    if (asked := len(wanted)) > LIMIT:
        raise InputError([f"{course.settings.topics}:1: expected at most {LIMIT} topics in a package (got {asked})"])
    runs = {run.topic.id: run for run in course.replay(wanted)}
    unfit = {name: reasons for name in wanted if (reasons := withheld(runs[name], course.settings.publish))}
    if unfit:
        raise InputError(
            f"{runs[name].topic.path}:1: has no exercise to export ({'; '.join(why)}; `errorspan status` tells more)"
            for name, why in unfit.items()
        )
    items = [Exported(_exercise(runs[name], course, config), runs[name]) for name in wanted]
    return Parcel(items, _text(config.get("site_name")) or "Exercises", words.language(config.get("theme")))


def write(path: Path, files: Mapping[str, str]) -> int:
    """Write a package, whole or not at all; return its size in bytes.

    Raises:
        InputError: what stands there is no package, or there is no such folder.
        DiskError: the file cannot be written.
    """
    if (path.is_symlink() or path.exists()) and not _is_package(path):
        raise InputError([
            f"{path}:1: is there already, and is no package of ours; name another file, or remove it first"
        ])  # fmt: skip
    if not path.parent.is_dir():
        raise InputError([f"{path}:1: cannot be written (there is no folder {path.parent})"])
    packed = pack(files)
    disk.put(path, packed)
    return len(packed)


def _is_package(path: Path) -> bool:
    if path.is_symlink() or not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return MANIFEST in archive.namelist() and _OURS in archive.read(MANIFEST)


def pack(files: Mapping[str, str]) -> bytes:
    """Return a zip file, the same bytes for the same files; stored, because compressors differ between machines."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # as on Unix, wherever this runs
            archive.writestr(entry, files[name].encode())
    return buffer.getvalue()


def element(tag: str, *children: ET.Element | str, **attributes: str) -> ET.Element:
    """Return an XML element; an underscore in an attribute's name stands for the colon of its prefix."""
    made = ET.Element(tag, {name.replace("_", ":"): printable(value) for name, value in attributes.items()})
    for child in children:
        if not isinstance(child, str):
            made.append(child)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + printable(child)
        else:
            made.text = (made.text or "") + printable(child)
    return made


def document(root: ET.Element) -> str:
    """Return an XML document."""
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def printable(text: str) -> str:
    """Return the text as the pages show it, with what XML cannot hold spelled out too, as in `⟨U+FFFE⟩`."""
    return _NOT_XML.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", visible(text))


def _exercise(run: Run, course: Course, config: Mapping[str, Any]) -> Exercise:
    """Return an exercise that points to the run on the published site; to nowhere where the site has no address."""
    site = _text(config.get("site_url"))
    index = "" if config.get("use_directory_urls", True) else "index.html"
    if course.settings.is_exam(run.topic):
        return pages.exercise(run).as_exam()
    if site:
        base, links = f"{site.rstrip('/')}/", Links(course.settings, index)
        return pages.exercise(run, lambda part: urljoin(base, links.run(run.topic.id, part)))
    return replace(pages.exercise(run), places={})


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


Packer = Callable[[Parcel], Mapping[str, str]]
