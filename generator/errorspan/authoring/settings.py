"""Hold what a site sets, typed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo

from errorspan.authoring import configuration
from errorspan.authoring.modules import Modules
from errorspan.authoring.prices import BATCH, PRICES, Price, Usage
from errorspan.authoring.tiers import KEY_VARIABLES, Choice, MidChoice, Model, WeakChoice
from errorspan.authoring.topics import MOST_ATTEMPTS, Mode, ModelId, Topic

Publish = Literal["all", "checked", "proved", "reviewed"]

PULL_REQUESTS = {"GITHUB_EVENT_NAME": "pull_request", "CI_PIPELINE_SOURCE": "merge_request_event"}
"""How GitHub Actions and GitLab CI say that a build is a pull request's; GitHub has kinds, which begin alike."""

ASSETS_FOLDER = "assets/errorspan"

_FOLDER = re.compile(r"[^\W_][\w-]*(?:/[^\W_][\w-]*)*")


def _folder(path: str) -> str:
    """Refuse what is no folder's name, or is where the pages' styles and scripts are."""
    if not _FOLDER.fullmatch(path):
        raise ValueError(
            "expected a folder, such as course/exercises, of letters, digits, hyphens and underscores, "
            "each name beginning with a letter or a digit"
        )
    return _away(path, ASSETS_FOLDER, "the folder of styles and scripts")


def _apart(path: str, other: ValidationInfo) -> str:
    return _away(path, other.data.get("exercises_folder", ""), "exercises_folder")


def _away(path: str, other: str, name: str) -> str:
    one, two = (f"{folder.casefold()}/" for folder in (path, other))  # some disks take A and a for the same
    if other and (one.startswith(two) or two.startswith(one)):
        raise ValueError(f"expected a folder that neither is {name} ({other}) nor holds it nor stands in it")
    return path


Shared = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""A name under which browsers keep students' progress."""

Folder = Annotated[str, AfterValidator(_folder)]
"""A folder of the site, from its root."""


class Models(BaseModel):
    """The model of each tier. The judge is neither candidate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    author: Choice = Field("claude-sonnet-5-5", description="writes categories, catalog, challenge and assessment")
    mid: MidChoice = Field("claude-haiku-5-5", description="solves the challenge: the better of the two")
    weak: WeakChoice = Field("claude-haiku-4-5", description="solves the challenge: the one that makes the mistakes")
    judge: Choice = Field("claude-opus-5-5", description="compares the two implementations, blindly")
    first_solver: Choice = Field("claude-sonnet-5-5", description="solves the exercise without its key")
    second_solver: Choice = Field("claude-haiku-5-5", description="solves it too, by itself")


class Settings(BaseModel):
    """What a site sets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    topics: str = Field("topics", description="the folder of the topic files, from where mkdocs.yml stands")
    models: Models = Field(
        Models(), description="the model of each tier, by its name or as a mapping; a topic may name its own"
    )
    named_models: dict[ModelId, Model] = Field(
        {}, description="mappings by names of your choice, which `models` and topics may name in a model's place"
    )
    publish: Publish = Field(
        "checked",
        description="which exercises a site publishes. `checked`: those that no check, no proof, no blind solver and "
        "no review speaks against; `proved`: of these, those whose every error is proved by execution; `reviewed`: of "
        "these, those that a person approved; `all`: every exercise whose spans can be placed, unless a person "
        "rejected it",
    )
    mode: Mode = Field(
        "practice",
        description="what exercises are for, where a topic says nothing else. `practice`: a check tells what is right; "
        "`exam`: neither run nor key are published, and students hand their answers in as a file that "
        "`errorspan grade` grades",
    )
    exercises_folder: Folder = Field("exercises", description="the folder of the exercises' pages, in the site")
    runs_folder: Annotated[Folder, AfterValidator(_apart)] = Field(
        "runs", validate_default=True, description="the folder of the runs' pages, in the site"
    )
    modules: Modules = Field([], description="the path that students take through the topics, module by module")
    shared_progress: Shared | None = Field(
        None,
        description="a name of letters, digits, dots and hyphens: all sites of one origin that set the same one, such "
        "as versions of a course, share the students' progress; without it each site has its own",
    )
    offline: bool = Field(default=False, description="`true`: a build asks no model, even where a key is set")
    max_attempts: Annotated[int, Field(ge=1, le=MOST_ATTEMPTS)] = Field(
        3, description="how often a challenge is set before a topic is given up"
    )
    max_repairs: Annotated[int, Field(ge=0, le=5)] = Field(
        2, description="how often an answer with faults is sent back to be mended"
    )
    max_cost_usd: Annotated[Decimal, Field(ge=0)] = Field(
        Decimal(25), description="a build or a run that could cost more than this asks nothing"
    )
    max_calls: Annotated[int, Field(ge=1, le=64)] = Field(4, description="calls in flight at once, over all topics")
    max_retries: Annotated[int, Field(ge=0, le=10)] = Field(
        5, description="how often a call is tried again when the server is overloaded or the connection breaks"
    )
    max_wait_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        60, description="the longest `Retry-After` that is waited for; a longer one is an error that says so"
    )
    timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        600, description="how long a server may be silent, or go on sending one reply, before a call is given up"
    )
    poll_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        60, description="how often `errorspan run --batch` looks whether a batch has ended"
    )
    prices: dict[ModelId, Price] = Field(
        {}, description="dollars per million tokens of further models, or newer prices"
    )

    def model(self, tier: str, topic: Topic) -> Model:
        """Return the model that a topic asks in a tier."""
        chosen: str | Model = getattr(topic.models, tier) or getattr(self.models, tier)
        return chosen if isinstance(chosen, Model) else self.named_models.get(chosen) or Model(model=chosen)

    def is_exam(self, topic: Topic) -> bool:
        """Tell whether a topic's key stays with its authors."""
        return (topic.mode or self.mode) == "exam"

    def samples(self, topic: Topic) -> int:
        """Return how many solutions of one challenge are asked of a topic's weak tier."""
        return self.model("weak", topic).samples or 1

    def price(self, model: str, usage: Usage, *, free: bool = False, batch: bool = False) -> Decimal | None:
        """Return what tokens cost in dollars; None where the model's price is not known.

        Nothing, where its server takes no key (`free`) and nobody has priced the model; half, in a `batch`.
        """
        price = self.prices.get(model) or PRICES.get(model)
        return price.of(usage) * (BATCH if batch else 1) if price else Decimal() if free else None

    @property
    def key_variables(self) -> tuple[str, ...]:
        """Return the environment variables that may hold a key: what they hold is told nobody."""
        models = (*dict(self.models).values(), *self.named_models.values())
        return tuple(
            dict.fromkeys(
                [*KEY_VARIABLES, *(key for model in models if isinstance(model, Model) for key in model.keys)]
            )
        )


def read_settings(config_file: Path, extra: Mapping[str, Any], options: Any = None) -> Settings:
    """Return the settings of a site: the plugin's `options`, or `extra.generator` where those are None.

    Raises:
        InputError: with a fault for each key that does not fit.
    """
    return configuration.settings(config_file, extra, options).validated(Settings)


def fitting(extra: Mapping[str, Any], options: Any = None) -> Settings:
    """Return what fits of a site's settings, and defaults in place of the rest: they tell where its pages would be."""
    found = extra.get("generator") if options is None else options
    fit: dict[str, Any] = {}
    for key, value in found.items() if isinstance(found, Mapping) else ():
        try:
            Settings.model_validate(fit | {key: value})
        except ValidationError:
            continue
        fit[key] = value
    return Settings.model_validate(fit)


def in_pull_request() -> bool:
    """Tell whether this is the build of a pull request, whose topics nobody with a key has read."""
    return any(os.environ.get(name, "").startswith(said) for name, said in PULL_REQUESTS.items())
