"""Programs that try to get out of the sandbox, and what the machine around it sees of them.

Each runs as whoever runs the tests and, where that is root, as an ordinary user, too.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

import errorspan
from conftest import ROOT
from errorspan.proof import seccomp
from errorspan.proof.limits import attend, launched
from errorspan.proof.sandbox import Ended, Limits, Sandbox, Unsandboxed, find
from errorspan.text.errors import NoSandbox

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap is Linux's"),
]

CANARY = "sk-canary-of-the-host"
NOBODY = 65534
WAIT = 60

DRIVER = """\
import json, sys
from dataclasses import asdict
from pathlib import Path
from errorspan.proof.sandbox import Limits, find
asked = json.load(sys.stdin)
ended = find().run(
    asked["command"],
    files=asked["files"],
    readable=[Path(path) for path in asked["readable"]],
    limits=Limits(**asked["limits"]),
)
json.dump(asdict(ended), sys.stdout)
"""

PYTHON = [Path(sys.prefix), Path(sys.base_prefix)]
"""What a program may read to run; it may lie at home."""

PROGRAM = """\
import ctypes, json, mmap, os, signal, socket, sys, threading, time
facts = json.load(open("facts.json"))
libc = ctypes.CDLL(None, use_errno=True)

def call(number, *arguments):
    if libc.syscall(number, *arguments) == -1:
        raise OSError(ctypes.get_errno(), "refused")

"""

# Each must raise an OSError.
FORBIDDEN = {
    "read the home": "if not any(map(os.path.lexists, facts['at home'])): raise FileNotFoundError",
    "read the project": "open(facts['project'] + '/pyproject.toml')",
    "read a secret beside the working folder": "open(facts['secret'])",
    "read a secret by a link": "os.symlink(facts['secret'], 'link'); open('link')",
    "read the passwords": "open('/etc/shadow')",
    "change the users": "open('/etc/passwd', 'w')",
    "read the environment of the host": "open(f'/proc/{facts[\"pid\"]}/environ')",
    "find sockets of services": "os.listdir('/run')",
    "find the hardware": "os.listdir('/sys')",
    "write to the root": "open('/x', 'w')",
    "write to the system": "open('/usr/x', 'w')",
    "write to devices": "open('/dev/x', 'w')",
    "write to what is readable": "open(facts['readable'] + '/new', 'w')",
    "change what is readable": "open(facts['readable'] + '/given', 'w')",
    "remove what is readable": "os.remove(facts['readable'] + '/given')",
    "chmod what is readable": "os.chmod(facts['readable'] + '/given', 0o777)",
    "tell the kernel what to run": "open('/proc/sys/kernel/core_pattern', 'w')",
    "signal the host": "os.kill(facts['pid'], 9)",
    "connect to the host": "socket.create_connection(('127.0.0.1', facts['port']), 5)",
    "connect to the network": "socket.create_connection(('192.0.2.1', 80), 5)",
    "connect to an abstract socket": "socket.socket(socket.AF_UNIX).connect('\\0' + facts['marker'])",
    "connect to a socket's file": "socket.socket(socket.AF_UNIX).connect(facts['socket'])",
    "connect to the machine's host": "socket.socket(40, socket.SOCK_STREAM)",
    "read packets": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "become root": "os.setuid(0)",
    "make a device": "os.mknod('disk', 0o60666, os.makedev(8, 0))",
    "rename the machine": "socket.sethostname('mine')",
    "type into a terminal": "open('/dev/tty', 'w')",
    "trace the sandbox": "call(facts['ptrace'], 16, 1, 0, 0)",
    "hold the sandbox": "os.pidfd_open(1)",
    "take an open file of a process": (
        "held = ctypes.c_int()\n"
        "if not libc.syscall(facts['clone'], 0x1011, 0, ctypes.byref(held), 0, 0): time.sleep(60)\n"
        "call(438, held.value, 1, 0)"
    ),
    "open a file of the sandbox": "for n in os.listdir('/proc/1/fd'): open(f'/proc/1/fd/{n}', 'w')",
    "write to the sandbox's memory": "open('/proc/1/mem', 'r+b')",
    "read the sandbox's memory": "call(facts['process_vm_readv'], 1, None, 0, None, 0, 0)",
    "change the sandbox's memory": "call(facts['process_vm_readv'] + 1, 1, None, 0, None, 0, 0)",
    "mount": "call(facts['mount'], b'none', b'/tmp', b'tmpfs', 0, None)",
    "make a user namespace": "call(facts['unshare'], 0x10000000)",
    "clone into a user namespace": "call(facts['clone'], 0x10000011, 0, 0, 0, 0)",
    "find the user's keys": "call(facts['keyctl'], 0, -4, 0)",
    "hide memory in a file without a name": "os.memfd_create('hidden')",
    "hide memory in a segment": "call(facts['shmget'], 0, 4097, 0o1600)",
    "hide memory in a large segment": "call(facts['shmget'], 0, ctypes.c_size_t(1 << 32), 0o1600)",
    "open a ring to the kernel": "call(425, 8, ctypes.create_string_buffer(120))",
    "make a file too large": "open('x', 'wb').truncate(10 << 30)",
    "write a file too large": "f = open('x', 'wb')\nfor _ in range(1 << 10): f.write(bytes(1 << 20))",
    "write too much": "for n in range(1 << 10): open(str(n), 'wb').write(bytes(1 << 20))",
    "write too much to shared memory": "for n in range(1 << 10): open(f'/dev/shm/{n}', 'wb').write(bytes(1 << 20))",
}
NUMBERS = {
    "x86_64": {
        "mount": 165,
        "unshare": 272,
        "clone": 56,
        "keyctl": 250,
        "shmget": 29,
        "ptrace": 101,
        "process_vm_readv": 310,
    },
    "aarch64": {
        "mount": 40,
        "unshare": 97,
        "clone": 220,
        "keyctl": 219,
        "shmget": 194,
        "ptrace": 117,
        "process_vm_readv": 270,
    },
}

# What a program sees, and what it must look like.
SEEN = {
    "the environment": (
        "print(sorted(os.environ), os.environ['HOME'])",
        "['HOME', 'LANG', 'PATH', 'PWD', 'TMPDIR', 'TZ'] /tmp",
    ),
    "the working folder": ("print(os.getcwd(), sorted(os.listdir()))", "/tmp/work ['facts.json']"),
    "a name": ("print(socket.gethostname(), os.getuid(), os.getgid())", "sandbox 1000 1000"),
    "no user but itself": (
        "import pwd; print([user.pw_name for user in pwd.getpwall()], os.path.expanduser('~'))",
        "['sandbox'] /tmp",
    ),
    "a page of shared memory, to lock by": ("call(facts['shmget'], 0, 4096, 0o1600); print('well')", "well"),
    "no input": ("print(repr(sys.stdin.read()))", "''"),
    "no open file of the host": (
        "print([n for n in map(int, os.listdir('/proc/self/fd')) if n > 2 and os.path.exists(f'/proc/self/fd/{n}')])",
        "[]",
    ),
    "no process but its own": (
        "print(len([n for n in os.listdir('/proc') if n.isdecimal()]) <= 2)",
        "True",
    ),
    "no power": (
        "s = dict(line.split() for line in open('/proc/self/status') if line.startswith(('Cap', 'NoNew')))\nprint(s)",
        str(dict.fromkeys(("CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"), "0" * 16) | {"NoNewPrivs:": "1"}),
    ),
    "one network, that leads nowhere": ("print(socket.if_nameindex())", "[(1, 'lo')]"),
    "a network of its own": (
        "s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname()); print('well')",
        "well",
    ),
    "what is readable": ("print(open(facts['readable'] + '/given').read())", "as it was"),
    "locks and processes": (
        "import multiprocessing as m\nm.Lock()\nprint(m.get_context('fork').Pool(2).map(abs, [-1, -2]))",
        "[1, 2]",
    ),
    "itself, after killing all it can": (
        "try: os.kill(-1, 9)\nexcept ProcessLookupError: print('alive')",
        "alive",
    ),
    "no folder, where it deleted its own": (
        "import shutil; shutil.rmtree('/tmp/work'); print(os.path.exists('/tmp/work'))",
        "False",
    ),
    "a lasting end of what it leaves": (
        "if not os.fork():\n    os.setsid()\n    os.fork() or time.sleep(600)\n    os._exit(0)\nprint('gone')",
        "gone",
    ),
    "bytes that are no text": (r"sys.stdout.buffer.write(b'\xff')", "\ufffd"),
}

# What is too much, the limits, and what is said of it.
TOO_MUCH = {
    "sleep": ("time.sleep(600)", {"seconds": 1}, "time"),
    "work": ("while True: pass", {"seconds": 1}, "time"),
    "sleep in silence": ("os.close(1); os.close(2); time.sleep(600)", {"seconds": 1}, "time"),
    "stop itself": ("os.kill(os.getpid(), signal.SIGSTOP)", {"seconds": 1}, "time"),
    "hear no signal": (
        "for n in range(1, 32):\n    if n not in (9, 19): signal.signal(n, signal.SIG_IGN)\nwhile True: time.sleep(1)",
        {"seconds": 1},
        "time",
    ),
    "complain": ("while True: sys.stderr.write('x' * 100_000)", {"seconds": 1}, "time"),
    "lines": ("while True: print('x')", {"output_bytes": 100_000}, "output"),
    "a line": ("while True: print('x' * 10_000, end='')", {"output_bytes": 100_000}, "output"),
    "a quick word": ("print('x' * 30_000)", {"output_bytes": 20_000}, "output"),
    "memory": ("x = []\nwhile True: x.append(b'x' * (1 << 20))", {"memory_mb": 200}, "memory"),
    "shared memory": (
        "m = mmap.mmap(-1, 1 << 30)\nfor n in range(1 << 10): m.write(b'x' * (1 << 20))\ntime.sleep(600)",
        {"memory_mb": 200},
        "memory",
    ),
    "memory of many": (
        "for _ in range(6): os.fork() or (globals().update(x=b'x' * (50 << 20)), time.sleep(600))\ntime.sleep(600)",
        {"memory_mb": 200},
        "memory",
    ),
    "files": (
        "for n in range(200): open(f'/dev/shm/{n}', 'wb').write(bytes(1 << 20))\ntime.sleep(600)",
        {"memory_mb": 100},
        "memory",
    ),
    "empty files": ("for n in range(10**9): open(str(n), 'w').close()", {"memory_mb": 60}, "memory"),
    "processes": ("while True: os.fork()", {}, "processes"),
    "processes that flee": (
        "while os.fork(): pass\nos.setsid()\nos.fork() and os._exit(0)\ntime.sleep(600)",
        {"processes": 16},
        "processes",
    ),
    "threads": (
        "threading.stack_size(1 << 16)\nwhile True: threading.Thread(target=time.sleep, args=(600,)).start()",
        {"processes": 4},
        "processes",
    ),
}


class Host:
    """The machine around the sandbox, with what must not be touched."""

    def __init__(self, folder: Path, server: socket.socket, services: list[socket.socket]) -> None:
        self.folder, self.server, self.services = folder, server, services
        self.marker = services[0].getsockname()[1:].decode()
        (folder / "secret").write_text(CANARY)
        (folder / "readable").mkdir()
        (folder / "readable/given").write_text("as it was")
        self.before = self.files()

    def files(self) -> dict[str, tuple[str, int]]:
        return {
            str(path): (path.read_text() if path.is_file() else "", path.stat().st_mode)
            for path in self.folder.rglob("*")
        }

    def facts(self) -> dict[str, object]:
        return {
            "at home": [
                str(path) for path in Path.home().iterdir() if not any(at.is_relative_to(path) for at in PYTHON)
            ],
            "project": str(ROOT),
            "secret": str(self.folder / "secret"),
            "readable": str(self.folder / "readable"),
            "socket": str(self.folder / "socket"),
            "pid": os.getpid(),
            "port": self.server.getsockname()[1],
            "marker": self.marker,
            **NUMBERS[platform.machine()],
        }

    def left(self) -> set[psutil.Process]:
        """Return the processes that bear the marker."""
        found = set()
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if self.marker in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                    found.add(process)
        return found

    def assert_untouched(self, ended: Ended) -> None:
        assert CANARY not in ended.output + ended.complaints
        assert self.files() == self.before
        for service in [self.server, *self.services]:
            with pytest.raises(BlockingIOError):
                service.accept()
        wait_until(lambda: not self.left())


def wait_until(done: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT
    while not done():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.01)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setenv("ANTHROPIC_API_KEY", CANARY)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="host-")))
        folder.chmod(0o755)
        services = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2)]
        services[0].bind("\0" + uuid.uuid4().hex)
        services[1].bind(str(folder / "socket"))
        (folder / "socket").chmod(0o777)
        for service in services:
            service.listen()
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        for listening in [server, *services]:
            listening.settimeout(0)
        yield Host(folder, server, services)


@pytest.fixture(scope="module", autouse=True)
def _bubblewrap() -> None:
    if not shutil.which("bwrap"):
        pytest.fail("bubblewrap is missing, so nothing is tested: apt install bubblewrap")


@pytest.fixture(scope="module")
def ordinary() -> Iterator[list[str]]:
    """Return how an ordinary user runs Python with this program's modules, from where that user can read them."""
    python = shutil.which("python3", path="/usr/bin")
    if os.getuid() or python is None:
        pytest.skip("only root with a system's Python can be somebody else")
    with tempfile.TemporaryDirectory(prefix="modules-") as folder:
        for module in (errorspan, psutil):
            source = Path(module.__file__).parent
            shutil.copytree(source, Path(folder, source.name))
        for path in [Path(folder), *Path(folder).rglob("*")]:
            path.chmod(0o755)
        yield [
            "setpriv",
            f"--reuid={NOBODY}",
            f"--regid={NOBODY}",
            "--clear-groups",
            "env",
            f"PYTHONPATH={folder}",
            python,
        ]


Run = Callable[..., Ended]


@pytest.fixture(params=["us", "nobody"])
def run(request: pytest.FixtureRequest, host: Host) -> Run:
    """Return a function that runs a program in the sandbox."""

    def asked(program: str, python: str, limits: dict[str, float]) -> dict[str, object]:
        return {
            "command": [python, "-c", PROGRAM + program, host.marker],
            "files": {"facts.json": json.dumps(host.facts())},
            "limits": {"seconds": WAIT, **limits},
        }

    def as_us(program: str, **limits: float) -> Ended:
        what = asked(program, sys.executable, limits)
        what["limits"] = Limits(**what["limits"])
        return find().run(**what, readable=[*PYTHON, host.folder / "readable"])

    def as_nobody(program: str, **limits: float) -> Ended:
        driver = request.getfixturevalue("ordinary")
        what = asked(program, driver[-1], limits) | {"readable": [str(host.folder / "readable")]}
        said = subprocess.run(
            [*driver, "-c", DRIVER], input=json.dumps(what), capture_output=True, text=True, check=False
        )
        assert said.returncode == 0, said.stderr
        return Ended(**json.loads(said.stdout))

    if request.param == "us":
        return as_us
    request.getfixturevalue("ordinary")
    return as_nobody


@pytest.mark.heavy
@pytest.mark.parametrize("attempt", FORBIDDEN)
def test_what_is_forbidden_is_refused(run: Run, host: Host, attempt: str) -> None:
    body = "\n".join(f"    {line}" for line in FORBIDDEN[attempt].splitlines())
    ended = run(f"try:\n{body}\nexcept OSError: print('refused')\nelse: print('reached')", disk_mb=100)
    assert (ended.output, ended.complaints, ended.code) == ("refused\n", "", 0)
    host.assert_untouched(ended)


@pytest.mark.parametrize(
    ("machine", "refused", "allowed"),
    [
        ("x86_64", {"pidfd_open": 434, "pidfd_getfd": 438, "ptrace": 101, "mount": 165}, {"read": 0, "openat": 257}),
        ("aarch64", {"pidfd_open": 434, "pidfd_getfd": 438, "ptrace": 117, "mount": 40}, {"read": 63, "openat": 56}),
    ],
)
def test_the_filter_of_each_processor_refuses_by_its_own_numbers(
    machine: str, refused: dict[str, int], allowed: dict[str, int]
) -> None:
    assert {name for name, number in refused.items() if verdict(machine, number) == seccomp.REFUSE} == refused.keys()
    assert {name for name, number in allowed.items() if verdict(machine, number) == seccomp.ALLOW} == allowed.keys()
    other = next(name for name in seccomp.MACHINES if name != machine)
    assert verdict(machine, allowed["read"], seccomp.MACHINES[other].code) == seccomp.REFUSE


def verdict(machine: str, number: int, code: int | None = None) -> int:
    """Return what a filter says of a call without arguments, as the kernel reads the filter."""
    rules = list(struct.iter_unpack("=HBBI", seccomp.rules(machine) or b""))
    shown = {seccomp.NUMBER: number, seccomp.ARCHITECTURE: code or seccomp.MACHINES[machine].code}
    place = held = 0
    while True:
        what, yes, no, value = rules[place]
        if what == seccomp.RETURN:
            return value
        if what == seccomp.LOAD:
            held = shown.get(value, 0)
        else:
            met = {seccomp.EQUAL: held == value, seccomp.ABOVE: held >= value, seccomp.ANY: bool(held & value)}[what]
            place += yes if met else no
        place += 1


@pytest.mark.parametrize("sight", SEEN)
def test_what_a_program_sees(run: Run, host: Host, sight: str) -> None:
    program, expected = SEEN[sight]
    ended = run(program)
    assert (ended.output.rstrip("\n"), ended.complaints, ended.code) == (expected, "", 0)
    host.assert_untouched(ended)


@pytest.mark.heavy
@pytest.mark.parametrize("excess", TOO_MUCH)
def test_what_is_too_much_is_stopped(run: Run, host: Host, excess: str) -> None:
    program, limits, reason = TOO_MUCH[excess]
    ended = run(program, **limits)
    assert (ended.stopped, ended.code) == (reason, None)
    assert len(ended.output) <= Limits(**limits).output_bytes
    assert len(ended.complaints) <= 4096
    host.assert_untouched(ended)


@pytest.mark.parametrize(
    ("program", "code"), [("sys.exit(7)", 7), ("os.kill(os.getpid(), 9)", 137), ("raise ValueError('why')", 1)]
)
def test_the_code_is_the_programs(run: Run, program: str, code: int) -> None:
    ended = run(program)
    assert (ended.code, ended.stopped, ended.output) == (code, None, "")


def test_the_end_of_the_complaints_is_kept(run: Run) -> None:
    ended = run("sys.stderr.write('x' * 1_000_000 + 'last words')")
    assert ended.complaints.endswith("xlast words")
    assert len(ended.complaints) == 4096


def start(host: Host, **environment: str) -> subprocess.Popen[bytes]:
    """Start a process that runs a program that would not end."""
    what = {
        "command": [sys.executable, "-c", "import os, time; os.fork(); os.setsid(); time.sleep(600)", host.marker],
        "files": {},
        "readable": [*map(str, PYTHON)],
        "limits": {"seconds": 600},
    }
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=os.environ | environment
    )
    driver.stdin.write(json.dumps(what).encode())
    driver.stdin.close()
    return driver


@pytest.mark.parametrize("processes", [1, 2, 3, 4])
def test_nothing_outlives_a_host_that_is_killed(host: Host, processes: int) -> None:
    with start(host) as driver:
        wait_until(lambda: len(host.left()) >= processes)
        driver.kill()
    wait_until(lambda: not any(host.left() for _ in range(20)))  # a process that is just becoming another has no words


def test_nothing_starts_where_the_host_is_dead(host: Host, tmp_path: Path) -> None:
    slow, ended = tmp_path / "bwrap", tmp_path / "ended"
    slow.write_text(f"""#!/bin/sh
case "$*" in
*{host.marker}*) while kill -0 $PPID; do sleep 0.01; done; {shutil.which("bwrap")} "$@"; echo > {ended} ;;
*) exec {shutil.which("bwrap")} "$@" ;;
esac 2>/dev/null
""")
    slow.chmod(0o755)
    with start(host, PATH=f"{tmp_path}:{os.environ['PATH']}") as driver:
        wait_until(lambda: bool(host.left()))
        driver.kill()
    wait_until(ended.exists)
    wait_until(lambda: not host.left())


def test_whoever_ends_before_the_program_starts_holds_up_nobody() -> None:
    ended = attend(["/bin/sh", "-c", "sleep 600 & echo $! >&2; kill -9 $$"], Limits())
    assert ended.code == 128 + 9
    wait_until(lambda: not psutil.pid_exists(int(ended.complaints)))


def test_a_program_starts_only_on_a_word(tmp_path: Path) -> None:
    command = launched(["touch", str(tmp_path / "started")], Limits(), alone=False)
    subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
    assert not [*tmp_path.iterdir()]
    assert attend(command, Limits()).code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["started"]


def test_files_lie_in_the_working_folder() -> None:
    files = {"a/b.txt": "text", "a/c.bin": b"\xff", "d.txt": "x" * 1_000_000}
    ended = find().run(["sh", "-c", "wc -c a/b.txt a/c.bin d.txt"], files=files, readable=[], limits=Limits())
    assert [line.split()[0] for line in ended.output.splitlines()] == ["4", "1", "1000000", "1000005"]


@pytest.mark.parametrize("name", ["", ".", "/etc/x", "../x", "a/../../x", "a\0b"])
@pytest.mark.parametrize("sandbox", [find, Unsandboxed])
def test_a_file_lies_nowhere_else(name: str, sandbox: Callable[[], Sandbox]) -> None:
    with pytest.raises(ValueError, match="inside the working folder"):
        sandbox().run(["true"], files={name: ""}, readable=[], limits=Limits())


def test_an_environment_is_given() -> None:
    ended = find().run(
        ["sh", "-c", "echo $HOME $SEED"], files={}, readable=[], limits=Limits(), environment={"SEED": "7"}
    )
    assert ended.output == "/tmp 7\n"


def test_a_command_that_is_missing_says_so() -> None:
    ended = find().run(["no-such-program"], files={}, readable=[], limits=Limits())
    assert ended.code == 127
    assert "no-such-program" in ended.complaints


def test_a_folder_that_is_missing_is_no_programs_fault() -> None:
    with pytest.raises(NoSandbox, match="/no/such/folder"):
        find().run(["true"], files={}, readable=[Path("/no/such/folder")], limits=Limits())


def test_bubblewrap_is_taken_where_it_is() -> None:
    assert find().name.startswith("bubblewrap 0.")
    assert find(unsandboxed=True).name == find().name


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (None, "bubblewrap is not installed"),
        ("echo 'setting up uid map: Permission denied' >&2; exit 1", "setting up uid map: Permission denied"),
        ("exit 0", "does not work here"),
    ],
)
def test_no_sandbox_says_why_and_what_to_do(
    script: str | None, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if script:
        (tmp_path / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoSandbox) as caught:
        find()
    for words in (why, "apt install bubblewrap", "--no-sandbox"):
        assert words in str(caught.value)
    assert find(unsandboxed=True).name == "none"


UNGUARDED = {
    name: TOO_MUCH[name]
    for name in ("sleep", "sleep in silence", "stop itself", "lines", "memory of many", "processes", "threads")
}


@pytest.mark.parametrize("excess", UNGUARDED)
def test_without_a_sandbox_limits_hold(host: Host, excess: str) -> None:
    program, limits, reason = UNGUARDED[excess]
    command = [sys.executable, "-c", PROGRAM + program, host.marker]
    files = {"facts.json": json.dumps(host.facts())}
    ended = Unsandboxed().run(command, files=files, readable=[], limits=Limits(**{"seconds": WAIT, **limits}))
    assert (ended.stopped, ended.code) == (reason, None)
    host.assert_untouched(ended)


def test_without_a_sandbox_home_and_environment_are_its_own(host: Host) -> None:
    program = "print(json.dumps([dict(os.environ), os.getcwd(), os.listdir('..')]))"
    command = [sys.executable, "-c", PROGRAM + program, host.marker]
    files = {"facts.json": json.dumps(host.facts())}
    ended = Unsandboxed().run(command, files=files, readable=[], limits=Limits(), environment={"SEED": "7"})
    environment, folder, beside = json.loads(ended.output)
    assert sorted(environment) == ["HOME", "LANG", "PATH", "PWD", "SEED", "TMPDIR", "TZ"]
    assert folder == f"{environment['HOME']}/work"
    assert beside == ["work"]
    assert not Path(environment["HOME"]).exists()
    host.assert_untouched(ended)


def test_without_a_sandbox_children_end_too(host: Host) -> None:
    program = "os.fork() or time.sleep(600); print('gone')"
    command = [sys.executable, "-c", PROGRAM + program, host.marker]
    files = {"facts.json": json.dumps(host.facts())}
    ended = Unsandboxed().run(command, files=files, readable=[], limits=Limits())
    assert (ended.code, ended.stopped, ended.output, ended.complaints) == (0, None, "gone\n", "")
    host.assert_untouched(ended)
