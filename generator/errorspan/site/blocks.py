"""Find the blocks of HTML in a page of Markdown.

All text in them is escaped, so their ends are found by counting.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_DIV = re.compile(r"<div\b|</div>")
_PLACE = re.compile(r'<div data-errorspan="(\d+)"></div>')
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)


def set_aside(markdown: str) -> tuple[str, list[str]]:
    """Put an empty `<div>` in the place of each block of HTML, and return the blocks."""
    kept: list[str] = []
    blocks: list[str] = []
    place = start = depth = 0
    for found in _DIV.finditer(markdown):
        start = start if depth else found.start()
        depth += 1 if found[0] == "<div" else -1
        if not depth:
            kept += [markdown[place:start], f'<div data-errorspan="{len(blocks)}"></div>']
            place = found.end()
            blocks.append(markdown[start:place])
    return "".join([*kept, markdown[place:]]), blocks


def put_back(text: str, blocks: Sequence[str]) -> str:
    """Return a page, as Markdown or as HTML, with its blocks where they were."""
    return _PLACE.sub(lambda found: blocks[int(found[1])], text) if blocks else text


def spoken(markdown: str, language: str, direction: str) -> str:
    """Return a page of Markdown whose headings and blocks say in which language they are."""
    told = f'lang="{language}" dir="{direction}"'
    text, blocks = set_aside(markdown)
    headed = _HEADING.sub(rf'\1 <span class="es-spoken" {told}>\2</span>', text)
    return put_back(headed, [block.replace("<div", f"<div {told}", 1) for block in blocks])
