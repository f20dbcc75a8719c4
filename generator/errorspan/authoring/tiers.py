"""Say which model a tier asks, where it is, and how it is asked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from errorspan.authoring.topics import ModelId
from errorspan.text.expected import UNTOLD

KEY_VARIABLES = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")

MOST_SAMPLES = 5

_NAME = TypeAdapter(ModelId)


class Server(NamedTuple):
    """A server of the site's own, and the environment variable that holds its key; None where it takes no key."""

    base_url: str
    key_env: str | None = None


def keys(server: Server | None) -> tuple[str, ...]:
    """Return the environment variables one of which has to hold a server's key; none where it takes none.

    None stands for Anthropic's.
    """
    if server is None:
        return KEY_VARIABLES
    return (server.key_env,) if server.key_env else ()


def has_key(server: Server | None) -> bool:
    """Tell whether the environment holds a server's key, or it takes none."""
    return not keys(server) or any(os.environ.get(name) for name in keys(server))


def _address(url: str) -> str:
    """Refuse what is no address of a server, without repeating it: it may hold a password."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or not url.isprintable() or " " in url or parts.query or parts.fragment:
        raise PydanticCustomError(UNTOLD, "expected an address, such as http://127.0.0.1:8080")
    if "@" in parts.netloc:
        raise PydanticCustomError(UNTOLD, "expected an address without a user or a password; key_env names a key")
    if url.rstrip("/").endswith(("/v1", "/messages")):
        raise PydanticCustomError(UNTOLD, "expected an address without /v1/messages, which is added to it")
    return url.rstrip("/")


def _variable(name: str) -> str:
    """Refuse what is no variable's name, without repeating it: it may be the key itself."""
    if not name.isascii() or not name.isidentifier():
        raise PydanticCustomError(UNTOLD, "expected the name of an environment variable, not a key")
    if name in KEY_VARIABLES:
        raise PydanticCustomError(UNTOLD, "expected a variable of this server's own, not the one of Anthropic's key")
    return name


class Thinking(BaseModel):
    """How a model thinks before it answers, in the API's own words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["adaptive", "enabled", "disabled"] = Field(
        description="`adaptive`: the model decides; `enabled`: up to `budget_tokens`; `disabled`: not at all"
    )
    budget_tokens: Annotated[int, Field(ge=1024, le=64_000)] | None = Field(
        None, description="how many tokens thinking may take, of those of the answer; with `enabled`, and only there"
    )

    @model_validator(mode="after")
    def _budgeted(self) -> Self:
        if (self.budget_tokens is None) == (self.type == "enabled"):
            raise ValueError("expected budget_tokens with type: enabled, and only there")
        return self

    def __str__(self) -> str:
        """Return it as a person reads it."""
        return f"{self.type} ({self.budget_tokens:,} tokens)" if self.budget_tokens else self.type


class Options(BaseModel):
    """How a model is asked, where that is not as every other one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_tokens: Annotated[int, Field(ge=1)] | None = Field(
        None, description="the longest answer in tokens, thinking included, where a step allows a longer one"
    )
    effort: Literal["low", "medium", "high"] | None = Field(
        None, description="how much effort the model puts into an answer: `low`, `medium` or `high`"
    )
    thinking: Thinking | None = Field(None, description="how it thinks before it answers; see below")
    first_draft: bool | None = Field(
        None,
        description="`true`: a solution is asked for as the model writes it at once, without planning or revision; in "
        "`mid` and `weak`",
    )

    def __str__(self) -> str:
        """Say them in a clause; nothing where there are none."""
        told = {
            "max_tokens {:,}": self.max_tokens,
            "effort {}": self.effort,
            "thinking {}": self.thinking,
            "first_draft": self.first_draft,
        }
        return ", ".join(clause.format(value) for clause, value in told.items() if value)


class _Whom(BaseModel):
    """Which model is asked, and where."""

    model: ModelId = Field(description="the model's name at its server")
    base_url: Annotated[str, AfterValidator(_address)] | None = Field(
        None, description="a server of your own that speaks the Messages API, such as `http://127.0.0.1:8080`"
    )
    key_env: Annotated[str, AfterValidator(_variable)] | None = Field(
        None, description="the environment variable that holds this server's key; without it, no key is sent there"
    )


class Model(Options, _Whom):
    """A model: its name, where it is, how it is asked, and how often."""

    samples: Annotated[int, Field(ge=1, le=MOST_SAMPLES)] | None = Field(
        None,
        description=f"how many solutions of one challenge are asked for, 1 to {MOST_SAMPLES}; each is judged by "
        "itself, and the run goes on with the best supported difference; in `weak`",
    )

    @model_validator(mode="after")
    def _at_its_own(self) -> Self:
        if self.key_env and not self.base_url:
            raise PydanticCustomError(UNTOLD, "expected a base_url with key_env: a key belongs to a server")
        return self

    @property
    def server(self) -> Server | None:
        """Return the server of the site's own that is asked; None where it is Anthropic's, or ANTHROPIC_BASE_URL."""
        return Server(self.base_url, self.key_env) if self.base_url else None

    @property
    def free(self) -> bool:
        """Tell whether its server takes no key."""
        return self.server is not None and self.server.key_env is None

    @property
    def batched(self) -> bool:
        """Tell whether it can be asked in batches: a server of the site's own is asked singly."""
        return self.server is None

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the environment variables one of which has to hold its key; none where it takes none."""
        return keys(self.server)

    def __str__(self) -> str:
        """Return its name, and how it is asked."""
        how = super().__str__()
        return f"{self.model} ({how})" if how else self.model


def _chosen(value: Any) -> str | Model:
    return Model.model_validate(value) if isinstance(value, Mapping | Model) else _NAME.validate_python(value)


def _once(choice: str | Model) -> str | Model:
    if isinstance(choice, Model) and choice.samples:
        raise PydanticCustomError(UNTOLD, "expected samples in weak only, whose mistakes are looked for")
    return choice


def _whole(choice: str | Model) -> str | Model:
    if isinstance(choice, Model) and choice.first_draft:
        raise PydanticCustomError(UNTOLD, "expected first_draft in mid or weak only, which write solutions")
    return choice


WeakChoice = Annotated[str | Model, PlainValidator(_chosen)]
"""A name, which may be one of `named_models`, or a model in place of one."""

MidChoice = Annotated[WeakChoice, AfterValidator(_once)]
"""The same for a tier that solves a challenge once."""

Choice = Annotated[MidChoice, AfterValidator(_whole)]
"""The same for a tier that writes no solution of a challenge."""
