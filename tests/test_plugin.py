"""The plugin and the hook are one: the same site, settings with either, and never both."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

import pytest
import yaml

from conftest import HOOK, Project
from errorspan.authoring.configuration import of_plugin
from errorspan.authoring.settings import Settings, read_settings
from errorspan.site import published
from errorspan.site.mkdocs import Site
from errorspan.text.errors import InputError

MOVING = """
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

@event_priority(-100)
def on_files(files, config):
    inside = [file for file in files if file.is_documentation_page() and file.abs_src_path.startswith(config.docs_dir)]
    moved = [
        File(
            file.src_uri, config.docs_dir, config.site_dir, True,
            dest_uri=f"de/{file.dest_uri}", inclusion=file.inclusion,
        )
        for file in inside
    ]
    return Files([*moved, *(file for file in files if file not in inside)])
"""
"""Another plugin that, like static-i18n, makes new files of all pages that lie in the docs."""

ONE_PLUGIN = "expected one plugin or hook of Errorspan"


def with_plugin(project: Project, *, form: str = "list") -> dict[str, object]:
    """Give a project the plugin in place of the hook; return its settings."""
    path = project.folder / "mkdocs.yml"
    config = yaml.safe_load(path.read_text("utf-8"))
    options = config.pop("extra")["generator"]
    del config["hooks"]
    config["plugins"] = ["search", {"errorspan": options}] if form == "list" else {"search": {}, "errorspan": options}
    path.write_text(yaml.safe_dump(config, sort_keys=False), "utf-8")
    return dict(options)


def test_the_plugin_builds_the_site_that_the_hook_builds(recorded: Project) -> None:
    assert recorded.build("--strict", key=False).returncode == 0
    by_hook = recorded.files("site")
    with_plugin(recorded)
    built = recorded.build("--strict", key=False)
    assert built.returncode == 0, built.stderr
    by_plugin = recorded.files("site")
    assert by_plugin.keys() == by_hook.keys()
    assert [name for name, content in by_hook.items() if by_plugin[name] != content and "sitemap" not in name] == []
    assert "complete" in recorded.errorspan("status", key=False).stdout


def test_both_are_one_too_many(recorded: Project) -> None:
    with_plugin(recorded)
    config = recorded.folder / "mkdocs.yml"
    text = f"{config.read_text('utf-8')}hooks: [{HOOK}]\n"
    config.write_text(text, "utf-8")
    lines = text.splitlines()
    plugin, hook = (
        next(number for number, line in enumerate(lines, start=1) if line.startswith(entry))
        for entry in ("- errorspan:", "hooks:")
    )
    built = recorded.build(key=False)
    assert built.returncode == 1
    got = f"errorspan at mkdocs.yml:{plugin}, {HOOK} at mkdocs.yml:{hook}"
    assert f"mkdocs.yml:{hook}: {ONE_PLUGIN} (got {got})" in built.stderr
    assert "Traceback" not in built.stderr
    told = recorded.errorspan("status", key=False)
    assert told.returncode == 1
    assert re.search(rf"mkdocs\.yml:\d+: hooks\.\d: {ONE_PLUGIN} \(got both", told.stderr)
    config.write_text(text.replace("- errorspan:", "- errorspan:\n    enabled: false"), "utf-8")
    assert ONE_PLUGIN not in recorded.errorspan("status", key=False).stderr


def test_a_fault_of_an_option_is_told_with_its_line(recorded: Project) -> None:
    with_plugin(recorded)
    config = recorded.folder / "mkdocs.yml"
    text = config.read_text("utf-8").replace("max_retries: 1", "max_retrys: 1")
    config.write_text(text, "utf-8")
    line = next(number for number, line in enumerate(text.splitlines(), start=1) if "max_retrys" in line)
    said = f"mkdocs.yml:{line}: plugins.errorspan.max_retrys: is no key here; known are "
    for done in (recorded.build(key=False), recorded.errorspan("status", key=False)):
        assert done.returncode == 1
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_a_plugin_that_is_switched_off_does_nothing(recorded: Project) -> None:
    with_plugin(recorded)
    config = recorded.folder / "mkdocs.yml"
    text = config.read_text("utf-8")
    config.write_text(text.replace("errorspan:\n", "errorspan:\n    enabled: false\n"), "utf-8")
    built = recorded.build(key=False)
    assert built.returncode == 0, built.stderr
    assert not (recorded.folder / "site/runs").exists()
    assert "complete" in recorded.errorspan("status", key=False).stdout


def test_a_plugin_that_is_switched_off_leaves_the_settings_to_the_hook(recorded: Project) -> None:
    config = recorded.folder / "mkdocs.yml"
    off = "plugins: [search, errorspan: {enabled: false, max_calls: 7}]"
    config.write_text(config.read_text("utf-8").replace("plugins: [search]", off), "utf-8")
    built = recorded.build(key=False)
    assert built.returncode == 0, built.stderr
    assert (recorded.folder / "site/runs/words").exists()
    done = recorded.errorspan("status", key=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^ words +complete  ", done.stdout, re.MULTILINE)  # by other models it would be stale


def test_pages_that_another_plugin_moves_keep_their_text_their_source_and_their_key(recorded: Project) -> None:
    with_plugin(recorded)
    recorded.write("moving.py", MOVING)
    config = recorded.folder / "mkdocs.yml"
    more = "hooks: [moving.py]\nrepo_url: https://code.example/\nedit_uri: edit/docs/\n"
    config.write_text(
        f"{config.read_text('utf-8').replace('navigation.instant', 'content.action.edit')}{more}", "utf-8"
    )
    at_home = recorded.files("site/exercises/words")
    built = recorded.build("--strict", key=False)
    assert built.returncode == 0, built.stderr
    moved = recorded.files("site/de/exercises/words")
    assert moved.keys() == at_home.keys()
    assert moved["key.js"] == at_home["key.js"]
    assert b"<errorspan-exercise" in moved["index.html"]
    assert b'"https://code.example/edit/topics/words.yml"' in moved["index.html"]
    assert b'"https://code.example/edit/' not in recorded.files("site/de/exercises")["index.html"]
    assert not (recorded.folder / "site/exercises").exists()


@pytest.mark.heavy
def test_what_a_dirty_build_publishes_no_more_is_gone_wherever_it_was_and_nothing_else(recorded: Project) -> None:
    with_plugin(recorded)
    recorded.write("moving.py", MOVING)
    config = recorded.folder / "mkdocs.yml"
    config.write_text(f"{config.read_text('utf-8')}hooks: [moving.py]\n", "utf-8")
    assert recorded.build(key=False).returncode == 0
    before = recorded.files("site")
    ours = {f"de/{name}" for name in ("runs/words/index.html", "exercises/words/index.html", "exercises/words/key.js")}
    assert ours < before.keys()
    anothers = {"runs/mine/index.html", "de/exercises/mine/key.js", "de/exercises/linked/index.html"}
    for name in anothers - {"de/exercises/linked/index.html"}:
        recorded.write(f"site/{name}", "Mine")
    outside = recorded.write("elsewhere/index.html", "Mine")
    (recorded.folder / "site/de/exercises/linked").symlink_to(outside.parent)
    listed = recorded.folder / published.LIST
    names = json.loads(listed.read_text("utf-8"))
    names["site"] += ["../elsewhere/index.html", str(outside), "de/exercises/linked/index.html", "", ".", "\0", 1, None]
    listed.write_text(json.dumps(names), "utf-8")
    recorded.topic("words", "titel: Words\n")
    built = recorded.build("--dirty", key=False)
    assert built.returncode == 0, built.stderr
    after = recorded.files("site")
    assert {name for name in before if "/words/" in name} >= ours
    assert not [name for name in after if "/words/" in name]
    assert {name for name in after if after[name] == b"Mine"} >= anothers - {"de/exercises/linked/index.html"}
    assert outside.read_text("utf-8") == "Mine"
    listed.unlink()
    listed.mkdir()  # which cannot be written, nor read
    recorded.topic("words", "title: Words again\n")
    assert recorded.build("--dirty", key=False).returncode == 0
    assert "de/runs/words/index.html" in recorded.files("site")


@pytest.mark.parametrize("name", ["mkdocs.yml", "mkdocs.yaml", "elsewhere/site.yml"])
def test_commands_find_the_settings(recorded: Project, name: str) -> None:
    with_plugin(recorded)
    (recorded.folder / "mkdocs.yml").rename(recorded.folder / "base.txt")
    recorded.write(name, f"INHERIT: {'../' * name.count('/')}base.txt\n")
    if "/" in name:
        (recorded.folder / "topics").rename(recorded.folder / "elsewhere/topics")
    done = recorded.errorspan("status", *(["-f", name] if "/" in name else []), key=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^ words +complete ", done.stdout, re.MULTILINE)


def test_no_configuration_is_told(tmp_path: Path, project: Project) -> None:
    (tmp_path / "mkdocs.yml").unlink()
    done = project.errorspan("status", key=False)
    assert (done.returncode, done.stderr) == (1, "mkdocs.yml:1: cannot be read (No such file or directory)\n")


CHILD, PARENT = "site.yml", "base/base.yml"
PLACED = {
    "in a list": ("plugins: [search, {errorspan: {max_calls: 0}}]\n", "", "site.yml:2: plugins.errorspan.max_calls"),
    "in a mapping": ("plugins:\n  errorspan:\n    max_calls: 0\n", "", "site.yml:4: plugins.errorspan.max_calls"),
    "inherited": (
        "",
        "a: b\nplugins:\n- errorspan:\n    max_calls: 0\n",
        "base/base.yml:4: plugins.errorspan.max_calls",
    ),
    "inherited and changed": (
        "plugins: {errorspan: {max_calls: 0}}\n",
        "plugins:\n  errorspan:\n    max_calls: 1\n",
        "site.yml:2: plugins.errorspan.max_calls",
    ),
    "beside what is inherited": (
        "plugins:\n  errorspan:\n    offline: true\n",
        "plugins:\n  errorspan:\n    max_calls: 0\n",
        "base/base.yml:3: plugins.errorspan.max_calls",
    ),
    "of the hook, inherited": (
        "extra: {a: b}\n",
        "extra:\n  generator:\n    max_calls: 0\n",
        "base/base.yml:3: extra.generator.max_calls",
    ),
    "no mapping": (
        "plugins: [errorspan: all]\n",
        "",
        "site.yml:2: plugins.errorspan: expected keys and values (got 'all')",
    ),
    "both": (
        "plugins: [errorspan]\n",
        "extra:\n  generator:\n    max_calls: 1\n",
        "base/base.yml:2: extra.generator: is the hook's, and this site has the plugin; set it below plugins.errorspan",
    ),
    "a list in place of an inherited one": (
        "plugins: [errorspan: {max_calls: 0}]\n",
        "plugins: [search, errorspan: {max_calls: 1}]\n",
        "site.yml:2: plugins.errorspan.max_calls",
    ),
}


@pytest.mark.parametrize(("child", "parent", "said"), PLACED.values(), ids=PLACED)
def test_the_file_and_the_line_are_those_of_the_key(tmp_path: Path, child: str, parent: str, said: str) -> None:
    from mkdocs.utils.yaml import yaml_load

    (tmp_path / "base").mkdir()
    (tmp_path / PARENT).write_text(parent, "utf-8")
    (tmp_path / CHILD).write_text(f"INHERIT: {PARENT}\n{child}", "utf-8")
    with (tmp_path / CHILD).open(encoding="utf-8") as file:
        config = yaml_load(file)
    with pytest.raises(InputError) as raised:
        read_settings(tmp_path / CHILD, extra := config.get("extra", {}), of_plugin(config.get("plugins"), extra))
    (fault,) = raised.value.faults
    assert fault.startswith(said)


@pytest.mark.parametrize("plugins", [["search"], {"search": None}, None, "errorspan", 5, []])
def test_a_site_without_the_plugin_has_no_options(plugins: object) -> None:
    assert of_plugin(plugins, {}) is None


@pytest.mark.parametrize(
    "plugins", [["errorspan"], {"errorspan": None}, [{"errorspan": None}], ["a", {"errorspan": {}}]]
)
def test_the_plugin_needs_no_options(tmp_path: Path, plugins: object) -> None:
    assert (
        read_settings(tmp_path / "mkdocs.yml", {"generator": False}, of_plugin(plugins, {"generator": False}))
        == Settings()
    )


def test_the_hook_hands_over_every_event() -> None:
    handed = {name for name in runpy.run_path(str(HOOK)) if name.startswith("on_")}
    assert handed == {name for name in dir(Site) if name.startswith("on_")}
