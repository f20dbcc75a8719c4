"""Refuse a program the system calls that lead around its sandbox.

Namespaces close paths, processes and networks. These calls go past them: keys, which all processes of a user share;
sockets to the host of a virtual machine; the memory and the open files of other processes, among them the sandbox's own
first one, whose exit code is what is believed; memory that no process is seen to hold; namespaces of a program's own,
in which it could mount what it likes; and parts of the kernel that ordinary programs do without, and that have been
broken before. To the program they look like calls of a newer kernel, so it falls back where it can.
"""

from __future__ import annotations

import errno
import platform
import struct
from dataclasses import dataclass

REFUSED = {
    # name: number on x86_64, on aarch64
    "add_key": (248, 217),
    "bpf": (321, 280),
    "clone3": (435, 435),  # its flags lie in memory, where no filter can read; C libraries then use clone
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "msgget": (68, 186),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "request_key": (249, 218),
    "semget": (64, 190),
    "setns": (308, 268),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}
NAMESPACES = 0x7E020000
"""The flags of clone that ask for namespaces of one's own."""
FAMILIES = (1, 2, 10, 16)
"""Unix, IPv4, IPv6 and netlink: the sockets that a network namespace holds back."""

PAGE = 4096
"""Bytes that a segment of shared memory may have: database servers lock their files by one. The kernel gives 4,096."""

NUMBER, ARCHITECTURE, FIRST_ARGUMENT, SECOND_ARGUMENT = 0, 4, 16, 24
"""Where these lie in what the kernel shows a filter."""
LOAD, EQUAL, ABOVE, ANY, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.ENOSYS


@dataclass(frozen=True)
class Machine:
    """How a processor counts its system calls."""

    code: int
    column: int
    socket: int
    clone: int
    segment: int


MACHINES = {"x86_64": Machine(0xC000003E, 0, 41, 56, 29), "aarch64": Machine(0xC00000B7, 1, 198, 220, 194)}


def rules(machine: str = platform.machine()) -> bytes | None:
    """Return the filter in the kernel's own language, or None for a processor whose numbers are not known."""
    if machine not in MACHINES:
        return None
    known = MACHINES[machine]
    return b"".join([
        _do(LOAD, ARCHITECTURE),
        _unless(EQUAL, known.code, _do(RETURN, REFUSE)),  # another processor's calls have other numbers
        _do(LOAD, NUMBER),
        _when(ABOVE, 0x40000000, _do(RETURN, REFUSE)),  # x32: the same processor's calls once more
        *(_when(EQUAL, numbers[known.column], _do(RETURN, REFUSE)) for numbers in REFUSED.values()),
        _when(
            EQUAL,
            known.socket,
            _do(LOAD, FIRST_ARGUMENT),
            *(_when(EQUAL, family, _do(RETURN, ALLOW)) for family in FAMILIES),
            _do(RETURN, REFUSE),
        ),
        _when(
            EQUAL,
            known.segment,
            _do(LOAD, SECOND_ARGUMENT),
            _when(ABOVE, PAGE + 1, _do(RETURN, REFUSE)),
            _do(LOAD, SECOND_ARGUMENT + 4),
            _unless(EQUAL, 0, _do(RETURN, REFUSE)),
            _do(RETURN, ALLOW),
        ),
        _when(EQUAL, known.clone, _do(LOAD, FIRST_ARGUMENT), _when(ANY, NAMESPACES, _do(RETURN, REFUSE))),
        _do(RETURN, ALLOW),
    ])  # fmt: skip


def _do(what: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", what, yes, no, value)


def _when(test: int, value: int, *then: bytes) -> bytes:
    return _do(test, value, 0, len(b"".join(then)) // 8) + b"".join(then)


def _unless(test: int, value: int, *then: bytes) -> bytes:
    return _do(test, value, len(b"".join(then)) // 8, 0) + b"".join(then)
