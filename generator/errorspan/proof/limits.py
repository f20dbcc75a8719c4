"""Say what a program may use, and stop it there.

The kernel's own limits hold for each process; what all of them use together is looked at from outside.
"""

from __future__ import annotations

import math
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

TICK = 0.05
"""Seconds between two looks at a program."""
COMPLAINTS = 4096
"""Bytes that are kept of the end of stderr."""
THREADS = 16
"""Threads that a process may have, on average: what floods a machine may be made of them, too."""
INODE = 1024
"""Bytes of memory that an empty file takes."""
GRACE = 1
"""Seconds to read what a program said last: one that fled from its parent may hold the pipe for ever."""

LAUNCH = """\
echo
read -r _ || exit
exec </dev/null
{ ulimit -c 0; ulimit -t "$1"; ulimit -f "$2"; ulimit -d "$3"; ulimit -n 256; ulimit -u "$4" || ulimit -p "$4"
} 2>/dev/null
shift 4
exec "$@"
"""
"""Says a word first and waits for one: bubblewrap has tied it to whoever started it, or else they died before."""


@dataclass(frozen=True)
class Limits:
    """What a program may use."""

    seconds: float = 60
    """By the clock on the wall."""
    silent_seconds: float = math.inf
    """How long it may say nothing."""
    memory_mb: int = 4096
    """Of all processes together, and of the files in a sandbox, because these are in memory, too."""
    processes: int = 64
    disk_mb: int = 256
    """Of all files together, and as much again in /dev/shm; without a sandbox, of each file."""
    output_bytes: int = 4_000_000


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    code: int | None
    """The exit code, or 128 + n after signal n; None where the program was stopped."""
    stopped: str | None
    """The limit that it was stopped at: time, memory, processes or output."""
    output: str
    complaints: str
    """The end of stderr."""
    silent_seconds: float = 0
    """The longest time that it said nothing."""


def launched(command: Sequence[str], limits: Limits, *, alone: bool) -> list[str]:
    """Return the command behind the kernel's limits.

    They are wider than those that are watched, so that what stops a program is told; they catch what is quicker than
    the watch. The kernel counts the processes of a user: only where the program is `alone` are these its own.
    """
    processor = math.ceil(limits.seconds) * (os.cpu_count() or 1)
    blocks, kilobytes = limits.disk_mb << 11, limits.memory_mb << 11
    processes = limits.processes * THREADS if alone else "unlimited"
    return ["/bin/sh", "-c", LAUNCH, "sh", *map(str, (processor, blocks, kilobytes, processes)), *command]


def attend(command: Sequence[str], limits: Limits, *, stores: Sequence[str] = (), **how: Any) -> Ended:
    """Start a program, read what it says, stop it at its limits, and leave nothing of it running.

    `stores` are the folders that lie in memory, as the program sees them.
    """
    seen: set[psutil.Process] = set()
    with subprocess.Popen(  # noqa: S603 - the command is untrusted, and that is the point
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        **how,
    ) as program:
        said = _Said(program)
        try:
            _begin(program)
            stopped = _watch(program, said, limits, stores, seen)
        finally:
            _kill(program, seen)
        rest = time.monotonic() + GRACE
        while said.open and time.monotonic() < rest and len(said.output) <= limits.output_bytes:
            said.listen()
        said.streams.close()
    if len(said.output) > limits.output_bytes:
        stopped = "output"
    code = program.returncode if program.returncode >= 0 else 128 - program.returncode
    return Ended(
        None if stopped else code,
        stopped,
        said.output[: limits.output_bytes].decode(errors="replace"),
        said.complaints.decode(errors="replace"),
        said.longest_silence,
    )


def _begin(program: subprocess.Popen[bytes]) -> None:
    """Let the launcher go on once it has said its word; whoever ends first holds up nobody, whatever they left."""
    with selectors.DefaultSelector() as word, suppress(BrokenPipeError):
        word.register(program.stdout, selectors.EVENT_READ)  # type: ignore[arg-type]
        while program.poll() is None:
            if word.select(TICK):
                if os.read(program.stdout.fileno(), 1) and program.poll() is None:  # type: ignore[union-attr]
                    os.write(program.stdin.fileno(), b"\n")  # type: ignore[union-attr]
                break
    program.stdin.close()  # type: ignore[union-attr]


class _Said:
    """What a program has said so far."""

    def __init__(self, program: subprocess.Popen[bytes]) -> None:
        self.output, self.complaints = bytearray(), bytearray()
        self.longest_silence, self._heard = 0.0, time.monotonic()
        self.streams = selectors.DefaultSelector()
        self.streams.register(program.stdout, selectors.EVENT_READ, self.output)  # type: ignore[arg-type]
        self.streams.register(program.stderr, selectors.EVENT_READ, self.complaints)  # type: ignore[arg-type]

    @property
    def open(self) -> bool:
        """Whether it may say more."""
        return bool(self.streams.get_map())

    @property
    def silence(self) -> float:
        """Seconds since it said something."""
        return time.monotonic() - self._heard

    def listen(self) -> None:
        """Take in what is there, or comes within a tick."""
        for key, _ in self.streams.select(TICK):
            if chunk := os.read(key.fd, 1 << 16):
                key.data.extend(chunk)
            else:
                self.streams.unregister(key.fileobj)
            if key.data is self.output:
                self.longest_silence = max(self.longest_silence, self.silence)
                self._heard = time.monotonic()
        del self.complaints[:-COMPLAINTS]


def _watch(
    program: subprocess.Popen[bytes], said: _Said, limits: Limits, stores: Sequence[str], seen: set[psutil.Process]
) -> str | None:
    """Wait until a program ends, or return the limit that it is above."""
    ends, look = time.monotonic() + limits.seconds, 0.0
    while program.poll() is None:
        if said.open:
            said.listen()
        else:
            with suppress(subprocess.TimeoutExpired):
                program.wait(TICK)
        if len(said.output) > limits.output_bytes:
            return "output"
        if time.monotonic() > ends or said.silence > limits.silent_seconds:
            return "time"
        if time.monotonic() > look:
            if above := _above(program.pid, limits, stores, seen):
                return above
            look = time.monotonic() + TICK
    return None


def _above(pid: int, limits: Limits, stores: Sequence[str], seen: set[psutil.Process]) -> str | None:
    """Return the limit that all processes together are above, if any."""
    try:
        tree = [first := psutil.Process(pid), *first.children(recursive=True)]
    except psutil.Error:
        return None
    seen.update(tree)
    memory = threads = 0
    for process in tree[: limits.processes]:
        with suppress(psutil.Error):
            memory += process.memory_info().rss
            threads += process.num_threads()
    for store in stores if len(tree) > 1 else ():
        memory += _stored(Path(f"/proc/{tree[1].pid}/root{store}"), store)
    if len(tree) > limits.processes or threads > limits.processes * THREADS:
        return "processes"
    return "memory" if memory > limits.memory_mb << 20 else None


def _stored(inside: Path, outside: str) -> int:
    """Return the memory that a store's files take; none before it is the program's own."""
    try:
        if inside.stat().st_dev == Path(outside).stat().st_dev:
            return 0
        used = os.statvfs(inside)
    except OSError:
        return 0
    return (used.f_blocks - used.f_bfree) * used.f_frsize + (used.f_files - used.f_ffree) * INODE


def _kill(program: subprocess.Popen[bytes], seen: set[psutil.Process]) -> None:
    """End a program and all that came of it; behind a border, all ends with the first process there."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, signal.SIGKILL)
    for process in seen:
        with suppress(psutil.Error):
            process.kill()
    program.wait()
    until = time.monotonic() + GRACE
    while any(map(_alive, seen)) and time.monotonic() < until:
        time.sleep(0.001)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
