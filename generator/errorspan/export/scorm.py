"""Make a SCORM 1.2 package: one SCO with all its exercises, and nothing that it would have to fetch from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from xml.etree.ElementTree import Element

from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader

from errorspan.export.parcel import MANIFEST, Parcel, document, element
from errorspan.site import filling, pages

SCRIPTS = tuple(path.rpartition("/")[2] for path in (*pages.SCRIPTS, *pages.LATE))
ASSETS = {**dict.fromkeys((*SCRIPTS, "exercise.css"), "site"), **dict.fromkeys(("scorm.css", "scorm.js"), "export")}
"""The rooms of the scripts and styles."""
PACKAGING = "http://www.imsproject.org/xsd/imscp_rootv1p1p2"
ADL = "http://www.adlnet.org/xsd/adlcp_rootv1p2"


def package(parcel: Parcel) -> Mapping[str, str]:
    """Return the package's files by name.

    One key holds what grades all exercises: the element asks for `key.js` beside the page, whichever it checks.
    """
    content = {
        name: files(f"errorspan.{room}").joinpath("assets", name).read_text("utf-8") for name, room in ASSETS.items()
    }
    content["key.js"] = "".join(item.exercise.key_script for item in parcel.items if not item.exercise.exam)
    content["index.html"] = _templates(parcel.language).get_template("scorm.html.j2").render(parcel=parcel)
    return content | {MANIFEST: document(_manifest(parcel, sorted(content)))}


def _templates(language: str) -> Environment:
    """Return the environment of the pages' templates, with the one of a package."""
    theirs = filling.templates(language)
    return theirs.overlay(loader=ChoiceLoader([PackageLoader("errorspan.export"), theirs.loader or BaseLoader()]))


def _manifest(parcel: Parcel, names: list[str]) -> Element:
    return element(
        "manifest",
        element("metadata", element("schema", "ADL SCORM"), element("schemaversion", "1.2")),
        element(
            "organizations",
            element(
                "organization",
                element("title", parcel.title),
                element("item", element("title", parcel.title), identifier="item", identifierref="sco"),
                identifier="organization",
            ),
            default="organization",
        ),
        element(
            "resources",
            element(
                "resource",
                *(element("file", href=name) for name in names),
                identifier="sco",
                type="webcontent",
                adlcp_scormtype="sco",
                href="index.html",
            ),
        ),
        identifier=parcel.identifier,
        version="1.0",
        xmlns=PACKAGING,
        xmlns_adlcp=ADL,
    )
