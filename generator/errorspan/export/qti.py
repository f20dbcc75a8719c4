"""Make a QTI 2.1 package: one multiple response item for each exercise, the lines of its code as choices.

The score is the exercise's own, counted by QTI's general response processing: a template could only add up lines, and
an error counts once, whichever of its lines are marked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from errorspan.answers.outputs import Error
from errorspan.export.parcel import MANIFEST, Exported, Parcel, document, element, printable
from errorspan.site.exercise import RULE
from errorspan.text.errors import InputError
from errorspan.text.markup import prose

ITEM = "http://www.imsglobal.org/xsd/imsqti_v2p1"
PACKAGING = "http://www.imsglobal.org/xsd/imscp_v1p1"
FOUND, MISSED = "found", "missed"
COUNTS = ("FOUND", "INSIDE", "ALARMS")


def package(parcel: Parcel) -> Mapping[str, str]:
    """Return the package's files by name.

    Raises:
        InputError: an item would hold the key of an exam.
    """
    exams = [item.run.topic.path for item in parcel.items if item.exercise.exam]
    if exams:
        raise InputError(
            f"{path}:1: mode: expected practice, because a QTI item scores by the key that it holds (got exam); "
            "a SCORM package holds none of an exam"
            for path in exams
        )
    items = {_file(item): document(_item(item, parcel.language)) for item in parcel.items}
    return items | {MANIFEST: document(_manifest(parcel))}


def _file(item: Exported) -> str:
    return f"items/{item.exercise.id}.xml"


def _identifier(item: Exported) -> str:
    return f"errorspan-{item.exercise.id}"


def _manifest(parcel: Parcel) -> Element:
    resources = (
        element(
            "resource",
            element("file", href=_file(item)),
            identifier=_identifier(item),
            type="imsqti_item_xmlv2p1",
            href=_file(item),
        )
        for item in parcel.items
    )
    return element(
        "manifest",
        element("metadata", element("schema", "QTIv2.1 Package"), element("schemaversion", "1.0.0")),
        element("organizations"),
        element("resources", *resources),
        identifier=parcel.identifier,
        xmlns=PACKAGING,
    )


def _item(item: Exported, language: str) -> Element:
    exercise = item.exercise
    lines = {error.id: [segment.line for segment in exercise.spans[error.id]] for error in exercise.assessment.errors}
    wrong = sorted({line for covered in lines.values() for line in covered})
    aside = {segment.line for stretch in exercise.aside for segment in stretch}
    return element(
        "assessmentItem",
        element(
            "responseDeclaration",
            element("correctResponse", *(element("value", _choice(line)) for line in wrong)),
            identifier="RESPONSE",
            cardinality="multiple",
            baseType="identifier",
        ),
        _outcome("SCORE", "float", "0", normalMaximum="100", normalMinimum="0"),
        _outcome("MAXSCORE", "float", "100"),
        *(_outcome(name, "integer", "0") for name in COUNTS),
        *(_outcome(f"ERROR{error}", "string", MISSED) for error in lines),
        element("outcomeDeclaration", identifier="FEEDBACK", cardinality="single", baseType="identifier"),
        _body(item),
        element("responseProcessing", *_processing(lines, sorted({*wrong, *aside}))),
        _feedback(item, lines),
        identifier=_identifier(item),
        title=exercise.title,
        adaptive="false",
        timeDependent="false",
        toolName="Errorspan",
        xml_lang=language,
        xmlns=ITEM,
    )


def _outcome(name: str, kind: str, value: str, **more: str) -> Element:
    default = element("defaultValue", element("value", value))
    return element("outcomeDeclaration", default, identifier=name, cardinality="single", baseType=kind, **more)


def _body(item: Exported) -> Element:
    assessment = item.exercise.assessment
    code = printable(assessment.code).split("\n")[: len(item.exercise.lines)]
    return element(
        "itemBody",
        _prose(assessment.scenario),
        element("p", str(item.run.authorship)),
        element(
            "choiceInteraction",
            element("prompt", f"Some lines of this code are wrong. Mark them. {RULE}"),
            *(_line(number, text) for number, text in enumerate(code, start=1)),
            responseIdentifier="RESPONSE",
            shuffle="false",
            maxChoices="0",
            minChoices="0",
        ),
    )


def _line(number: int, text: str) -> Element:
    """Return a choice. Players run spaces together, so they are no-break spaces here."""
    shown = text.expandtabs(4).replace(" ", "\N{NO-BREAK SPACE}")
    code = element("code", shown) if text.strip() else "(empty)"
    return element("simpleChoice", f"{number}:\N{NO-BREAK SPACE}", code, identifier=_choice(number))


def _choice(line: int) -> str:
    return f"L{line}"


def _processing(lines: Mapping[str, Sequence[int]], harmless: Sequence[int]) -> Iterator[Element]:
    for error, covered in lines.items():
        marked = element("or", *map(_marked, covered))
        told = _set(f"ERROR{error}", element("baseValue", FOUND, baseType="string"))
        yield element("responseCondition", element("responseIf", marked, _add("FOUND"), told))
    for line in harmless:
        yield element("responseCondition", element("responseIf", _marked(line), _add("INSIDE")))
    found, total = _variable("FOUND"), _whole(len(lines))
    size = element("containerSize", _variable("RESPONSE"))
    hundredfold = element("product", _whole(100), found, found)
    judged = element("product", total, element("sum", found, _variable("ALARMS")))
    score = element("integerToFloat", element("round", element("divide", hundredfold, judged)))
    answered = element("not", element("isNull", _variable("RESPONSE")))
    yield element(
        "responseCondition",
        element("responseIf", answered, _set("ALARMS", element("subtract", size, _variable("INSIDE")))),
    )
    yield element("responseCondition", element("responseIf", element("gt", found, _whole(0)), _set("SCORE", score)))
    yield _set("FEEDBACK", _name("KEY"))


def _variable(name: str) -> Element:
    return element("variable", identifier=name)


def _whole(number: int) -> Element:
    return element("baseValue", str(number), baseType="integer")


def _name(name: str) -> Element:
    return element("baseValue", name, baseType="identifier")


def _marked(line: int) -> Element:
    return element("member", _name(_choice(line)), _variable("RESPONSE"))


def _set(name: str, value: Element) -> Element:
    return element("setOutcomeValue", value, identifier=name)


def _add(name: str) -> Element:
    return _set(name, element("sum", _variable(name), _whole(1)))


def _feedback(item: Exported, lines: Mapping[str, Sequence[int]]) -> Element:
    counts = ("Errors found: ", _printed("FOUND"), f" of {len(lines)}. False alarms: ", _printed("ALARMS"), ".")
    explained = (part for error in item.exercise.assessment.errors for part in _explained(error, lines[error.id]))
    return element(
        "modalFeedback",
        element("p", *counts),
        *explained,
        outcomeIdentifier="FEEDBACK",
        showHide="show",
        identifier="KEY",
        title="The errors",
    )


def _printed(name: str) -> Element:
    return element("printedVariable", identifier=name)


def _explained(error: Error, lines: Sequence[int]) -> Iterator[Element]:
    heading = element("strong", f"{error.concept} ({_place(lines)}): ", _printed(f"ERROR{error.id}"))
    yield element("p", heading)
    yield _prose(error.description)
    for word, code in (("Before", error.quote), ("After", error.correction)):
        yield element("p", f"{word}:")
        yield element("pre", element("code", code))
    yield _prose(error.learning_value)


def _place(lines: Sequence[int]) -> str:
    return f"line {lines[0]}" if len(lines) == 1 else f"lines {lines[0]} to {lines[-1]}"


def _prose(text: str) -> Element:
    """Return a model's prose as the elements that QTI has, without attributes: they are colours and alignment."""
    root = ET.fromstring(f"<div>{printable(prose(text))}</div>")  # noqa: S314 - markup.py wrote it
    for inner in root.iter():
        inner.attrib.clear()
    for table in root.iter("table"):
        if len(table) == 1:  # QTI has no table that is all head
            table[0].tag = "tbody"
    return root
