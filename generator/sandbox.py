"""Run a stranger's program so that it can harm nobody, and say how it ended.

A program in the sandbox sees an empty working folder with the files it is given, the system's programs and libraries, and
nothing else: no home, no project, no network, no other process, no environment but its own. Bubblewrap draws this border
with the kernel's namespaces. What namespaces leave open, this module watches from outside: time, memory, processes, output.
"""

from __future__ import annotations

import json
import math
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol

import psutil

from generator.errors import NoSandbox

TICK = 0.05
"""Seconds between two looks at a program."""
COMPLAINTS = 4096
"""Bytes that are kept of the end of stderr."""
THREADS = 16
"""Threads a process may have, on average: a fork bomb may be made of threads."""
INODE = 1024
"""Bytes of memory that an empty file takes."""

WORK = "/tmp/work"  # noqa: S108 - inside the sandbox, where nobody else is
WRITABLE = ("/tmp", "/dev/shm")  # noqa: S108
SYSTEM = ("/usr", "/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime")
LINKED = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
"""Folders of the system that are links into /usr, or folders of their own."""

LAUNCH = """\
{ ulimit -c 0; ulimit -t "$1"; ulimit -f "$2"; ulimit -d "$3"; ulimit -n 1024; } 2>/dev/null
shift 3
exec "$@"
"""


@dataclass(frozen=True)
class Limits:
    """What a program may use."""

    seconds: float = 60
    """Of the wall's clock."""
    memory_mb: int = 4096
    """Of all processes together, and of the files they write, because these are in memory too."""
    processes: int = 64
    disk_mb: int = 256
    """Of all files together, /dev/shm apart, which may be as large again; without a sandbox, of each file."""
    output_bytes: int = 4_000_000


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    code: int | None
    """The exit code, 128 + n after signal n; None where the program was stopped."""
    stopped: str | None
    """Which limit it was stopped at: time, memory, processes or output."""
    output: str
    complaints: str
    """The end of stderr."""


class Sandbox(Protocol):
    """Where programs run."""

    name: str

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

        The files and folders that are `readable` stand at their own paths, beside what the system has.
        """


def find(*, unsandboxed: bool = False) -> Sandbox:
    """Return bubblewrap where it works, or no sandbox at all where a person said that this is well."""
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

    @classmethod
    def find(cls) -> Bubblewrap:
        """Return bubblewrap, once it has run a program."""
        program = shutil.which("bwrap")
        if program is None:
            raise NoSandbox("bubblewrap is not installed")
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
        found = cls(said.stdout.strip() or "bubblewrap", program)
        ended = found.run(["/bin/sh", "-c", "echo well"], files={}, readable=(), limits=Limits())
        if ended.output != "well\n":
            raise NoSandbox(f"{found.name} does not work here: {ended.complaints.strip() or ended}")
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
        variables = {**_environment("/tmp"), **environment}  # noqa: S108
        with ExitStack() as opened:
            ours, theirs = os.pipe()
            report = opened.enter_context(os.fdopen(ours, "rb"))
            told = opened.enter_context(os.fdopen(theirs, "wb"))
            held = {name: opened.enter_context(_held(content)) for name, content in _named(files).items()}
            border = [
                *("--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox"),
                *("--cap-drop", "ALL", "--new-session", "--die-with-parent", "--json-status-fd", str(told.fileno())),
                *("--clearenv", *(part for item in variables.items() for part in ("--setenv", *item))),
                *_system(),
                *("--proc", "/proc", "--remount-ro", "/proc"),  # root's own programs could write to /proc/sys
                *("--dev", "/dev", "--size", size, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"),  # noqa: S108
                *("--size", size, "--tmpfs", "/tmp", "--dir", WORK),  # noqa: S108
                *(part for path in map(str, readable) for part in ("--ro-bind", path, path)),
                *(p for name, file in held.items() for p in ("--file", str(file.fileno()), f"{WORK}/{name}")),
                *("--remount-ro", "/", "--chdir", WORK),
            ]
            program = _started(
                [self.program, *border, "--", *_launched(command, limits)],
                env={},
                pass_fds=[told.fileno(), *(file.fileno() for file in held.values())],
            )
            told.close()
            ended = _attend(program, limits, WRITABLE)
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
            for name, content in _named(files).items():
                path = work / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            variables = {**_environment(home), **environment}
            return _attend(_started(_launched(command, limits), env=variables, cwd=work), limits)


def _named(files: Mapping[str, str | bytes]) -> dict[str, bytes]:
    """Return the files, of which none may lie outside the working folder."""
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
            raise ValueError(f"expected the name of a file inside the working folder (got {name!r})")
    return {
        str(PurePosixPath(name)): content.encode() if isinstance(content, str) else content
        for name, content in files.items()
    }


def _held(content: bytes) -> BinaryIO:
    """Return an open file that holds this, and has no name."""
    file = tempfile.TemporaryFile()
    file.write(content)
    file.seek(0)
    return file


def _environment(home: str) -> dict[str, str]:
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8"}


def _system() -> Iterator[str]:
    """Say how the border shows what programs and their libraries need."""
    for path in SYSTEM:
        yield from ("--ro-bind-try", path, path)
    for path in map(Path, LINKED):
        if path.is_symlink():
            yield from ("--symlink", os.readlink(path), str(path))
        else:
            yield from ("--ro-bind-try", str(path), str(path))


def _launched(command: Sequence[str], limits: Limits) -> list[str]:
    """Return the command behind the kernel's own limits, which hold for each process.

    They are wider than what is watched, so that what stops a program is told; they catch what is quicker than the watch.
    """
    processor = math.ceil(limits.seconds) * (os.cpu_count() or 1)
    blocks, kilobytes = limits.disk_mb << 11, limits.memory_mb << 11
    return ["/bin/sh", "-c", LAUNCH, "sh", str(processor), str(blocks), str(kilobytes), *command]


def _started(command: Sequence[str], **how: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - to run what it is given is a sandbox's work
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        **how,
    )


def _attend(program: subprocess.Popen[bytes], limits: Limits, stores: Sequence[str] = ()) -> Ended:
    """Read what a program says, stop it at its limits, and leave nothing of it running."""
    output, complaints = bytearray(), bytearray()
    seen: set[psutil.Process] = set()
    stopped = None
    ends = time.monotonic() + limits.seconds
    look = 0.0
    with program, selectors.DefaultSelector() as streams:
        for stream, kept in ((program.stdout, output), (program.stderr, complaints)):
            streams.register(stream, selectors.EVENT_READ, kept)  # type: ignore[arg-type]

        def listen() -> None:
            for key, _ in streams.select(TICK):
                if chunk := os.read(key.fd, 1 << 16):
                    key.data.extend(chunk)
                else:
                    streams.unregister(key.fileobj)
            del complaints[:-COMPLAINTS]

        try:
            while stopped is None and program.poll() is None:
                if streams.get_map():
                    listen()
                else:
                    with suppress(subprocess.TimeoutExpired):
                        program.wait(TICK)
                now = time.monotonic()
                if len(output) > limits.output_bytes:
                    stopped = "output"
                elif now > ends:
                    stopped = "time"
                elif now > look:
                    stopped = _excess(program.pid, limits, stores, seen)
                    look = time.monotonic() + TICK
        finally:
            _kill(program, seen)
        rest = time.monotonic() + 1  # what it said last; without a border, what fled may hold the pipe for ever
        while streams.get_map() and len(output) <= limits.output_bytes and time.monotonic() < rest:
            listen()
    if len(output) > limits.output_bytes:
        stopped = "output"
        del output[limits.output_bytes :]
    code = program.returncode if program.returncode >= 0 else 128 - program.returncode
    return Ended(
        None if stopped else code, stopped, output.decode(errors="replace"), complaints.decode(errors="replace")
    )


def _excess(pid: int, limits: Limits, stores: Sequence[str], seen: set[psutil.Process]) -> str | None:
    """Say which limit all processes together are above, if any."""
    try:
        tree = [first := psutil.Process(pid), *first.children(recursive=True)]
    except psutil.Error:
        return None
    seen.update(tree)
    if len(tree) > limits.processes:
        return "processes"
    memory = threads = 0
    for process in tree:
        with suppress(psutil.Error):
            memory += process.memory_info().rss
            threads += process.num_threads()
    if threads > limits.processes * THREADS:
        return "processes"
    for store in stores if len(tree) > 1 else ():
        inside = f"/proc/{tree[1].pid}/root{store}"
        with suppress(OSError):
            if os.stat(inside).st_dev != os.stat(store).st_dev:  # else the border does not stand yet
                used = os.statvfs(inside)
                memory += (used.f_blocks - used.f_bfree) * used.f_frsize + (used.f_files - used.f_ffree) * INODE
    return "memory" if memory > limits.memory_mb << 20 else None


def _kill(program: subprocess.Popen[bytes], seen: set[psutil.Process]) -> None:
    """End a program and all that came of it; the kernel ends what is behind a border with its first process."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, signal.SIGKILL)
    for process in seen:
        with suppress(psutil.Error):
            process.kill()
    program.wait()
    psutil.wait_procs(seen, timeout=5)
