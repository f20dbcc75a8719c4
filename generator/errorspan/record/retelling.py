"""Tell a record anew in which names of models stood for whom somebody asked by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from errorspan.record.manifest import Entry, Manifest, Rejected, Source


@dataclass(frozen=True)
class StandIn:
    """Whom somebody asked, and how, where a record names a model that fits `pattern`: the one asked, or the one served.

    Their server measured nothing, whatever stands there.
    """

    pattern: str
    told: Source

    def stands(self, given: Source) -> bool:
        """Tell whether it gave this."""
        return any(fnmatchcase(name, self.pattern) for name in _names(given))

    @property
    def source(self) -> dict[str, str | None]:
        """Return what a manifest says of who gave a reply."""
        return {"whom": self.told.whom, "how": self.told.how, "by": self.told.by}


def retold(manifest: Manifest, stand_ins: Sequence[StandIn], bases: Mapping[str, str]) -> Manifest:
    """Return what the manifest has to say of the same record; of several that fit, the first stand-in gave a reply.

    `bases` are those of all answers of its run, by their files: any other is set aside.
    """
    answers = {file: _entry(entry, stand_ins, bases[file]) for file, entry in manifest.answers.items() if file in bases}
    discarded = list(manifest.discarded)
    for file in manifest.answers.keys() - bases.keys():
        aside = manifest.answers[file].set_aside(file)
        discarded += [*manifest.answers[file].rejected, *([aside] if aside else [])]
    told = [_rejected(reply, stand_ins) for reply in discarded]
    return Manifest(note=manifest.note, answers=answers, discarded=told)


def idle(manifest: Manifest, stand_ins: Sequence[StandIn]) -> list[StandIn]:
    """Return the stand-ins that gave no reply of the record."""
    gave = [_first(given, stand_ins) for given in _given(manifest)]
    return [one for one in stand_ins if one not in gave]


def named(manifest: Manifest, stand_ins: Sequence[StandIn]) -> list[str]:
    """Return the names of stand-ins that the record's note holds."""
    names = {name for given in _given(manifest) if _first(given, stand_ins) for name in _names(given)}
    note = manifest.note or ""
    return sorted(name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", note))


def models(manifest: Manifest) -> list[str]:
    """Return the names of all models that a record has."""
    return sorted({name for given in _given(manifest) for name in _names(given)})


def _entry(entry: Entry, stand_ins: Sequence[StandIn], basis: str) -> Entry:
    rejected = [_rejected(reply, stand_ins) for reply in entry.rejected]
    found = _first(entry, stand_ins)
    if found is None:
        return entry.model_copy(update={"rejected": rejected})
    return Entry(
        origin="reported" if entry.origin == "model" else entry.origin,
        digest=entry.digest,
        format=entry.format,
        at=entry.at,
        edited=entry.edited,
        pipeline=entry.pipeline,
        basis=basis,
        rejected=rejected,
        **found.source,
    )


def _rejected(reply: Rejected, stand_ins: Sequence[StandIn]) -> Rejected:
    found = _first(reply, stand_ins)
    return Rejected(file=reply.file, at=reply.at, faults=reply.faults, **found.source) if found else reply


def _first(given: Source, stand_ins: Sequence[StandIn]) -> StandIn | None:
    return next((one for one in stand_ins if one.stands(given)), None)


def _given(manifest: Manifest) -> Iterator[Source]:
    for entry in manifest.answers.values():
        yield entry
        yield from entry.rejected
    yield from manifest.discarded


def _names(given: Source) -> list[str]:
    """Return the model's name, and that of the one that served where it is another."""
    served = given.served if isinstance(given, Entry) else None
    return [name for name in (given.model, served) if name is not None]
