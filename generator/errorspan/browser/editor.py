"""Have an editor in which students write corrections: CodeMirror, one script that the page loads on first use.

Its packages hold modules of Node's kind, too; these are put together as they are, without the comments of their
documentation. What colours a language is CodeMirror's mode of old: a tenth of what a parser takes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from errorspan.browser.engines import Archives, Engine, Package, linked

MODES = {".py": "python", ".js": "javascript", ".ts": "javascript", ".sql": "sql", ".go": "go"}
"""The module that knows a language, by how its programs end."""

_COMMENTS = re.compile(r"^[ \t]*(?:/\*.*?\*/[ \t]*\n|//[^\n]*\n)", re.MULTILINE | re.DOTALL)
"""Those that have lines of their own."""
_MAINS = {
    "@codemirror/state": "dist/index.cjs",
    "@codemirror/view": "dist/index.cjs",
    "@codemirror/language": "dist/index.cjs",
    "@codemirror/streamparser": "dist/index.cjs",
    "@codemirror/commands": "dist/index.cjs",
    "@lezer/common": "dist/index.cjs",
    "@lezer/highlight": "dist/index.cjs",
    "@marijn/find-cluster-break": "dist/index.cjs",
    "crelt": "dist/index.cjs",
    "style-mod": "dist/style-mod.cjs",
    "w3c-keyname": "index.cjs",
}


def _editor(archives: Archives) -> Mapping[str, bytes]:
    found = {name: archives[name][main] for name, main in _MAINS.items()}
    found |= {mode: archives["@codemirror/legacy-modes"][f"mode/{mode}.cjs"] for mode in MODES.values()}
    modules = {name: _COMMENTS.sub("", text.decode()) for name, text in found.items()}
    return {"editor.js": f"(() => {{\n{linked(modules)}window.errorspanEditor = load;\n}})();\n".encode()}


EDITOR = Engine(
    "editor",
    (
        Package(
            "@codemirror/view",
            "6.43.15",
            "HHsfpqFeHyXLs983pSRe38Xajs0vFWZQ2BuX0m7Ki8w3jZ5iD8cuR3lBz2/5/X53Dhf32SBHKh6rtSTB6tKeGw==",
        ),
        Package(
            "@codemirror/state",
            "6.7.6",
            "kAz+AncRtKuIknedxT1bq4XwXv4UowhbkHU1myPrtVb/jZtImWuV5BXzv5vK6i3kYACsdiZiQKFQQ5Mq7elW8w==",
        ),
        Package(
            "@codemirror/language",
            "6.13.1",
            "zfvU2r3TyylQLMj/te+5CnQ0rSqZi8B1oTCBbQkagcLW4Xc6imab6qN+pEJhsuNOLaJqiRyBXp9UhWA1DhVvDw==",
        ),
        Package(
            "@codemirror/commands",
            "6.11.1",
            "O/4hG3SC1YwcmQ0d2UVNDs+AsaNWd1iHVxbTeEBuqH+6bExAiPK3iS/BvpY6rZGURALv4ZD3sIgcCmRvw3ehBg==",
        ),
        Package(
            "@codemirror/streamparser",
            "6.0.0",
            "JTFPF6xrfjt0mnfGPgzcLiMwYmvIyNaoizp8BYzv8FE8KrT6GBGDZ190rtt+O7Wke3gG/MFHyiY9YGNeimof4w==",
        ),
        Package(
            "@codemirror/legacy-modes",
            "6.5.5",
            "9ltT214oMb3Y1w5eAZMSigzrjzZnMI2Wa3Feq73rU/i4C56MkwrpfswfQYOr28C5pXr6dWwspNTMyeHXlzWMxg==",
        ),
        Package(
            "@lezer/common",
            "1.5.5",
            "Pw7PVCndruF1pb3ebCxpSVpkMHSDjwRCLcTRw+RizUKco5QbWylwq2g4lnG/RYN7yTTQDXE9F77MwtkAyphrjg==",
        ),
        Package(
            "@lezer/highlight",
            "1.2.5",
            "O1GMVKgtf5YspFaRzpmqkVgMtIk2HG9uMAbH6wdAIdNh3TVzCsch/+cRi+6l2//UGDKe6NB9BW3cvuR5ezMQ0w==",
        ),
        Package(
            "@marijn/find-cluster-break",
            "1.0.4",
            "Wy0V7+SGUjnF9/TkiM1hKVDPj7jKXduPNboMVtHTA8dySMURWqfg/JZ9E2Sq8JgSJmkl7k7Qe9FLeMSrSraWmQ==",
        ),
        Package(
            "crelt",
            "1.0.7",
            "aK6BbWfhf4U/wCcLHKPJl/xa6VkVstRaPywWtMKGwuOLc/wZTyQYuoxgvZnNsBvv7Kg3YTBQYYBCggcviQczuA==",
        ),
        Package(
            "style-mod",
            "4.1.5",
            "WQ2llCZa9sZSkJA+aOwpg5DkfbAXFKGh//t3MRTBeruFiSBC+GXUmbBzrw3bXyboCWAbtCW9InDfBsXrRD/rAg==",
        ),
        Package(
            "w3c-keyname",
            "2.2.8",
            "dpojBhNsCNN7T82Tm7k26A6G9ML3NkhDsnw9n/eoxSRlVBB4CEtIQ/KTCLI2Fwf3ataSXRhYFkQi3SlnFwPvPQ==",
        ),
    ),
    _editor,
    "CodeMirror, Lezer, crelt, style-mod, w3c-keyname: MIT, Copyright (C) Marijn Haverbeke and others.",
    plain=True,
)
