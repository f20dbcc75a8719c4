"""Read a site's configuration as MkDocs does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from mkdocs.exceptions import ConfigurationError
from mkdocs.utils.yaml import yaml_load

from errorspan.authoring.configuration import of_plugin
from errorspan.authoring.settings import Settings, read_settings
from errorspan.commands.telling import Failure
from errorspan.course import Course


def course_of(config_file: Path) -> Course:
    """Read the course that a configuration names."""
    return Course.read(config_file.resolve(), *_set(configuration(config_file)))


def settings_of(config_file: Path) -> Settings:
    """Read the settings that a configuration holds, and no topic."""
    return read_settings(config_file.resolve(), *_set(configuration(config_file)))


def configuration(config_file: Path) -> dict[str, Any]:
    """Read mkdocs.yml as MkDocs does, with what it inherits and takes from the environment."""
    try:
        with config_file.open(encoding="utf-8") as file:
            loaded = yaml_load(file)
    except OSError as error:
        raise Failure(f"{config_file}:1: cannot be read ({error.strerror})") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Failure(f"{config_file}:{line}: is no YAML: {error.problem}") from None
    except (ValueError, yaml.YAMLError, ConfigurationError) as error:
        raise Failure(f"{config_file}:1: is no configuration of MkDocs: {error}") from None
    if not isinstance(loaded, dict):
        raise Failure(f"{config_file}:1: expected keys and values")
    return loaded


def _set(found: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """Return `extra` of a configuration, and the plugin's options."""
    extra = found.get("extra")
    return extra if isinstance(extra, dict) else {}, of_plugin(found.get("plugins"))
