"""A configuration is the author's text: whatever stands in it, commands tell it with its file and its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from errorspan.commands.opening import configuration
from errorspan.text.errors import InputError

DEEP = f"site_name: {'[' * 3000}"
ENTRY = "expected a name, alone or with its options"
FAULTS = {
    "a list in the list of plugins": (
        "plugins:\n- search\n- [errorspan]",
        "",
        f"site.yml:4: plugins.2: {ENTRY} (got ['errorspan'])",
    ),
    "a number as a plugin's name": ("plugins: [5: x]", "", f"site.yml:2: plugins.1: {ENTRY} (got {{5: 'x'}})"),
    "numbers as plugins' names": ("plugins: {5: x}", "", f"site.yml:2: plugins.1: {ENTRY} (got 5)"),
    "one plugin without a list": (
        "plugins: search",
        "",
        "site.yml:2: plugins: expected a list of names, each alone or with its options (got 'search')",
    ),
    "one extension without a list": (
        "markdown_extensions: toc",
        "",
        "site.yml:2: markdown_extensions: expected a list of names, each alone or with its options (got 'toc')",
    ),
    "one style without a list": (
        "extra_css: a.css",
        "",
        "site.yml:2: extra_css: expected a list of files (got 'a.css')",
    ),
    "one script without a list": (
        "extra_javascript: a.js",
        "",
        "site.yml:2: extra_javascript: expected a list of files (got 'a.js')",
    ),
    "one hook without a list": ("hooks: h.py", "", "site.yml:2: hooks: expected a list of files (got 'h.py')"),
    "text as extra": ("extra: text", "", "site.yml:2: extra: expected keys and values (got 'text')"),
    "a list as extra, inherited": (
        "",
        "a: b\nextra: [x]",
        "base/base.yml:2: extra: expected keys and values (got ['x'])",
    ),
    "a list as a theme": ("theme: [x]", "", "site.yml:2: theme: expected a name, or keys and values (got ['x'])"),
    "a list as a theme's name": ("theme: {name: [x]}", "", "site.yml:2: theme.name: expected text (got ['x'])"),
    "a list of templates": (
        "theme:\n  custom_dir: [x]",
        "theme: {name: material}",
        "site.yml:3: theme.custom_dir: expected text (got ['x'])",
    ),
    "a list of docs": ("docs_dir: [x]", "", "site.yml:2: docs_dir: expected text (got ['x'])"),
    "text for yes": (
        "use_directory_urls: 'no'",
        "",
        "site.yml:2: use_directory_urls: expected true or false (got 'no')",
    ),
    "no YAML": ("a: [", "", "site.yml:2: a: expected ] that closes the [ that opens here"),
    "no YAML, inherited": (
        "",
        "a: b\nc: 'd",
        "base/base.yml:2: c: expected another ' that closes the one that opens here",
    ),
    "a tag that is none, inherited": ("", "a: b\nc: !!python/name:no.such x", "base/base.yml:2: "),
    "a control character, inherited": (
        "",
        "a: b\nc: \x07",
        "base/base.yml:2: expected text without the control character U+0007",
    ),
    "no keys, inherited": ("", "[a]", "base/base.yml:1: expected keys and values"),
    "nested": (DEEP, "", "site.yml:1: is nested too deeply"),
    "nested, inherited": ("", DEEP, "base/base.yml:1: is nested too deeply"),
    "a circle": (
        "",
        "a: b\nINHERIT: ../site.yml",
        "base/base.yml:2: INHERIT: leads back to site.yml, which would inherit from itself",
    ),
    "itself": ("", "INHERIT: base.yml", "base/base.yml:1: INHERIT: leads back to base/base.yml"),
    "nothing to inherit": ("", "INHERIT: none.yml", "base/base.yml:1: INHERIT: expected a file (got 'none.yml')"),
    "a number to inherit": ("", "INHERIT: 5", "base/base.yml:1: INHERIT: expected the name of a file"),
}


@pytest.mark.parametrize(("child", "parent", "said"), FAULTS.values(), ids=FAULTS)
def test_what_does_not_fit_is_told_with_its_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, child: str, parent: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base").mkdir()
    (tmp_path / "base/base.yml").write_text(f"{parent}\n", "utf-8")
    (tmp_path / "site.yml").write_text(f"INHERIT: base/base.yml\n{child}\n", "utf-8")
    with pytest.raises(InputError) as raised:
        configuration(Path("site.yml"))
    (fault,) = raised.value.faults
    assert fault.startswith(said)


def test_what_fits_is_read_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASE", "base.yml")
    (tmp_path / "base.yml").write_text("theme: {name: material}\nextra_css: [a.css]\nhooks:\ndocs_dir:\n", "utf-8")
    (tmp_path / "site.yml").write_text("INHERIT: !ENV BASE\nplugins: {search: null}\ntheme: {custom_dir: x}\n", "utf-8")
    found = configuration(tmp_path / "site.yml").values
    assert found["theme"] == {"name": "material", "custom_dir": "x"}
    assert (found["extra_css"], found["plugins"]) == (["a.css"], {"search": None})
