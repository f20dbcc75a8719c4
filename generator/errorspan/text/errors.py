"""Name what can go wrong, in words for the person who can mend it.

    GeneratorError
    ├── InputError     a topic file, a setting or a recorded answer is not as it should be; all faults at once
    ├── AskError       a model could not be asked, or did not answer usably
    │   ├── Refused    what came back was an answer, but not one that counts (and it was paid for)
    │   └── Unreached  nothing that can be read came back: whether it arrived is not known, and it may later
    ├── BudgetError    asking could cost more than the settings allow
    ├── DiskError      a file could not be written; nothing more is asked, because it could not be kept
    ├── Busy           another process is writing this record, or this folder
    └── NoSandbox      a program that must not run unguarded cannot be guarded here

Each is translated once: where MkDocs calls (`site.mkdocs`), or where the command line ends (`commands.telling`).
Nothing else prints them; only a watch tells them as it goes on.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from pathlib import Path

_REMEDIES = {
    errno.ENOSPC: "free space on the disk",
    errno.EDQUOT: "free space: the quota is used up",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EROFS: "make the file system writable",
    errno.EACCES: "make it writable for this user",
    errno.EPERM: "make it writable for this user",
}


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


class Unreached(AskError):
    """The server was out of reach, too busy, or gave nothing that can be read."""


class BudgetError(GeneratorError):
    """The worst case of what would be asked is above the limit."""


class DiskError(GeneratorError):
    """A file could not be written."""

    def __init__(self, path: Path, error: OSError, consequence: str = "") -> None:
        remedy = f"{_REMEDIES.get(error.errno or 0, 'mend that')}, then start the same command again"
        super().__init__(shown(f"{path}: cannot be written ({error.strerror or error}){consequence}; {remedy}"))


class Busy(GeneratorError):
    """Another process holds the record, or the folder."""


class NoSandbox(GeneratorError):
    """Programs cannot be kept from doing harm here; say why, and what to do."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"a topic's programs run only in a sandbox, and {why}\n"
            "Install bubblewrap on Linux: apt install bubblewrap (Debian, Ubuntu), dnf install bubblewrap (Fedora), "
            "pacman -S bubblewrap (Arch). Ubuntu's AppArmor must allow it user namespaces.\n"
            "Or type --no-sandbox: the programs can then read, change and send whatever you can."
        )


def spelled(text: str, but: str = "") -> str:
    """Return a text that commands no terminal: what does not print, but for these signs, is spelled out."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign in but else ascii(sign)[1:-1] for sign in text)


def shown(text: object, most: int = 0) -> str:
    """Return strangers' words as one line that commands no terminal, and no CI: what does not print is spelled out.

    With `most`, spaces are squeezed and the line has no more than so many characters.
    """
    line = " ".join(str(text)[: 4 * most].split()) if most else str(text)
    line = spelled(line)
    if "##[" in line or line.lstrip().startswith("::"):  # GitHub Actions obeys lines of a log that hold these
        line = line.replace("##[", "##\\x5b")
        line = line.replace("::", "\\x3a:", 1) if line.lstrip().startswith("::") else line
    return f"{line[:most]}…" if most and len(line) > most else line
