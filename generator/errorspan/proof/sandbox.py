"""Run a stranger's program so that it can harm nobody.

A program in the sandbox sees a working folder with the files it is given, the system's programs and libraries, and
nothing else: no home, no project, no network, no other process, no variable of the environment but its own. Bubblewrap
draws this border with the kernel's namespaces; `seccomp` closes what they leave open, `limits` says how much is enough.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from errorspan.proof import seccomp
from errorspan.proof.limits import Ended, Limits, attend, launched
from errorspan.text.errors import NoSandbox

__all__ = ["Bubblewrap", "Ended", "Limits", "Sandbox", "Unsandboxed", "find"]

HOME, SHARED = "/tmp", "/dev/shm"  # noqa: S108 - in the sandbox, where nobody else is
WORK = f"{HOME}/work"
USER = 1000
ACCOUNTS = f"sandbox:x:{USER}:{USER}::{HOME}:/bin/sh\n"
"""Who a program is, for those that ask; of the machine's own users it sees none."""
SYSTEM = ("/usr", "/etc/alternatives", "/etc/ld.so.cache")
LINKED = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
"""Links into /usr, or on older systems folders."""

FIXED = {"LANG": "C.UTF-8", "TZ": "UTC"}
"""What programs go by that differs from machine to machine; the clock is the machine's."""


class Sandbox(Protocol):
    """Where programs run."""

    @property
    def name(self) -> str:
        """What draws the border, and its version; or "none"."""

    def run(
        self,
        command: Sequence[str],
        *,
        files: Mapping[str, str | bytes],
        readable: Sequence[Path],
        limits: Limits,
        environment: Mapping[str, str] = {},
    ) -> Ended:
        """Run a command in a folder that holds these files, and is gone afterwards.

        What is `readable` stands at its own path, beside what the system has; nothing there can be written.
        """


def find(*, unsandboxed: bool = False) -> Sandbox:
    """Return bubblewrap where it works, or no border at all where a person said that this will do."""
    try:
        return Bubblewrap.find()
    except NoSandbox:
        if not unsandboxed or os.name != "posix":
            raise
        return Unsandboxed()


@dataclass(frozen=True)
class Bubblewrap:
    """A border of namespaces: processes, mounts, network, users, IPC, host name."""

    name: str
    program: str
    calls: bytes = field(repr=False)
    """The filter of system calls."""

    @classmethod
    def find(cls) -> Bubblewrap:
        """Return bubblewrap, once it has run a program."""
        program, calls = shutil.which("bwrap"), seccomp.rules()
        if program is None:
            raise NoSandbox("bubblewrap is not installed")
        if calls is None:
            raise NoSandbox(f"none is known for a processor such as {platform.machine()}")
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
        found = cls(version.stdout.strip(), program, calls)
        found.run(["true"], files={}, readable=(), limits=Limits())
        return found

    def run(
        self,
        command: Sequence[str],
        *,
        files: Mapping[str, str | bytes],
        readable: Sequence[Path],
        limits: Limits,
        environment: Mapping[str, str] = {},
    ) -> Ended:
        """Run a command behind the border."""
        size = str(limits.disk_mb << 20)
        variables = {**_environment(HOME), **environment}
        with ExitStack() as opened:
            report = opened.enter_context(_held(b""))
            calls = opened.enter_context(_held(self.calls))
            accounts = opened.enter_context(_held(ACCOUNTS.encode()))
            held = {name: opened.enter_context(_held(content)) for name, content in _inside(files).items()}
            border = [
                *("--unshare-all", "--unshare-user", "--uid", str(USER), "--gid", str(USER), "--hostname", "sandbox"),
                *("--cap-drop", "ALL", "--seccomp", calls, "--new-session", "--die-with-parent"),
                *("--json-status-fd", report, "--clearenv"),
                *(word for name, value in variables.items() for word in ("--setenv", name, value)),
                *_system(),
                *("--ro-bind-data", accounts, "/etc/passwd"),
                *("--proc", "/proc", "--remount-ro", "/proc"),  # root's own programs could write to /proc/sys
                *("--dev", "/dev", "--size", size, "--tmpfs", SHARED, "--remount-ro", "/dev"),
                *("--size", size, "--tmpfs", HOME, "--dir", WORK),
                *(word for path in readable for word in ("--ro-bind", str(path), str(path))),
                *(word for name, file in held.items() for word in ("--file", file, f"{WORK}/{name}")),
                *("--remount-ro", "/", "--chdir", WORK),
            ]
            ended = attend(
                [
                    self.program,
                    *(word if isinstance(word, str) else str(word.fileno()) for word in border),
                    *launched(command, limits, alone=True),
                ],
                limits,
                stores=(HOME, SHARED),
                env={},
                pass_fds=[file.fileno() for file in (report, calls, accounts, *held.values())],
            )
            report.seek(0)
            if not ended.stopped and not any("exit-code" in json.loads(line) for line in report):
                raise NoSandbox(f"{self.name} does not work here: {ended.complaints.strip()}")
            return ended


@dataclass(frozen=True)
class Unsandboxed:
    """No border: a folder, an environment and a home of its own, and the limits."""

    name: str = "none"

    def run(
        self,
        command: Sequence[str],
        *,
        files: Mapping[str, str | bytes],
        readable: Sequence[Path],  # noqa: ARG002 - without a border everything is
        limits: Limits,
        environment: Mapping[str, str] = {},
    ) -> Ended:
        """Run a command as whoever runs this."""
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
            work = Path(home, "work")
            work.mkdir()
            for name, content in _inside(files).items():
                path = work / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            variables = {**_environment(home), **environment}
            return attend(launched(command, limits, alone=False), limits, cwd=work, env=variables)


def _inside(files: Mapping[str, str | bytes]) -> dict[str, bytes]:
    """Return the files, each of which must lie inside the working folder."""
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
            raise ValueError(f"expected the name of a file inside the working folder (got {name!r})")
    return {name: content.encode() if isinstance(content, str) else content for name, content in files.items()}


def _held(content: bytes) -> BinaryIO:
    """Return an open file that holds this, and has no name."""
    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - whoever asks closes it
    file.write(content)
    file.seek(0)
    return file


def _environment(home: str) -> dict[str, str]:
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "TMPDIR": home, **FIXED}


def _system() -> Iterator[str]:
    """Say how the border shows what programs and their libraries need."""
    for name in SYSTEM:
        yield from ("--ro-bind-try", name, name)
    for name in LINKED:
        if Path(name).is_symlink():
            yield from ("--symlink", str(Path(name).readlink()), name)
        else:
            yield from ("--ro-bind-try", name, name)
