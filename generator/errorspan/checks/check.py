"""Say what a schema cannot.

A check is a function of an output and of the outputs that it was built on. It yields a sentence for each fault, an
`Undecided` one where it cannot tell, a `Remark` on what does no harm; its docstring is the sentence that a run page
shows when there is neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Outputs = Mapping[str, Any]
Check = Callable[[Any, Outputs], Iterator[str]]


class Undecided(str):
    """What a check says where it cannot tell: neither that all is well nor a fault."""

    __slots__ = ()


class Remark(str):
    """What a check has to say that is no fault: nothing is sent back or withheld for it."""

    __slots__ = ()


def united(findings: Iterable[Mapping[Check, tuple[str, ...]]]) -> dict[Check, tuple[str, ...]]:
    """Return what each check has to say of several answers, in all."""
    said: dict[Check, tuple[str, ...]] = {}
    for one in findings:
        for check, sentences in one.items():
            said[check] = said.get(check, ()) + sentences
    return said


def faults(said: Iterable[str]) -> tuple[str, ...]:
    """Return the faults in what checks say."""
    return tuple(sentence for sentence in said if not isinstance(sentence, Undecided | Remark))
