"""Name what can go wrong, in words for the person who can mend it.

    GeneratorError
    ├── InputError     a topic file, a setting or a recorded answer is not as it should be; all faults at once
    ├── AskError       a model could not be asked, or did not answer usably
    │   └── Refused    what came back was an answer, but not one that counts (and it was paid for)
    ├── BudgetError    asking could cost more than the settings allow
    └── Busy           another process is writing this record

The hook and the command line translate these once; nothing else prints them.
"""

from __future__ import annotations

from collections.abc import Iterable


class GeneratorError(Exception):
    """Base of all errors that a person can do something about."""


class InputError(GeneratorError):
    """Hold every fault that was found, each as `file:line: key: what was expected (got what)`."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(map(shown, faults))
        super().__init__("\n".join(self.faults))


class AskError(GeneratorError):
    """A request got no usable answer."""

    def __init__(self, message: str) -> None:
        super().__init__(shown(message))


class Refused(AskError):
    """A reply came, and it is no answer: a refusal, a cut, faults that repairs did not mend."""


class BudgetError(GeneratorError):
    """The worst case of what would be asked is above the limit."""


class Busy(GeneratorError):
    """Another process holds the record."""


def shown(text: str) -> str:
    """Return strangers' words as one line that commands no terminal: what does not print is spelled out."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
