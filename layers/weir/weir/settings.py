"""The environment variables of a function, read once into one typed value."""

import math
import re
from collections.abc import Callable, Mapping

from msgspec import Struct

from weir.catalog import keys, store_urls
from weir.errors import BadInput, BadSettings

DEFAULT_ALIAS = "champion"
DEFAULT_REFRESH_S = 60.0


class Settings(Struct, frozen=True, kw_only=True):
    """What the environment of a function configures; docs/architecture.md lists the variables."""

    store: str
    """URL of the store (`MODEL_STORE`)"""
    store_endpoint: str = ""
    """URL of an S3 other than AWS's, empty on AWS (`MODEL_STORE_ENDPOINT`)"""
    alias: str = DEFAULT_ALIAS
    """alias that is served when a request names no version (`MODEL_ALIAS`)"""
    refresh_s: float = DEFAULT_REFRESH_S
    """seconds after which an alias is looked up again (`MODEL_REFRESH_S`)"""
    preload: tuple[str, ...] = ()
    """models to load while the function starts (`MODELS_PRELOAD`, separated by commas)"""
    base_path: str = ""
    """in front of the API's paths on a custom domain, such as `/ml` (`API_BASE_PATH`)"""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the variables of a function; an empty one means its default.

        Raises:
            BadSettings: variables are missing or wrong; the error names each of them.
        """
        values = {name: environment.get(name, "") for name in ("MODEL_STORE", *_DEFAULTS)}
        values = {name: value or _DEFAULTS.get(name, "") for name, value in values.items()}
        _check(values)
        return cls(
            store=values["MODEL_STORE"],
            store_endpoint=values["MODEL_STORE_ENDPOINT"],
            alias=values["MODEL_ALIAS"],
            refresh_s=float(values["MODEL_REFRESH_S"]),
            preload=tuple(name.strip() for name in values["MODELS_PRELOAD"].split(",") if name.strip()),
            base_path=_base_path(values["API_BASE_PATH"]),
        )


_DEFAULTS = {
    "MODEL_STORE_ENDPOINT": "",
    "MODEL_ALIAS": DEFAULT_ALIAS,
    "MODEL_REFRESH_S": str(DEFAULT_REFRESH_S),
    "MODELS_PRELOAD": "",
    "API_BASE_PATH": "",
}


_MAX_SHOWN = 25
"""characters of a wrong value in the error, so that there is room for all of them"""


def _keeps(rule: Callable[[str], object]) -> Callable[[str], bool]:
    """Make a check of a function that raises `BadInput` for what breaks its rule."""

    def holds(value: str) -> bool:
        try:
            rule(value)
        except BadInput:
            return False
        return True

    return holds


def _is_time(text: str) -> bool:
    try:
        return 0 <= float(text) < math.inf
    except ValueError:
        return False


_BASE_PATH = re.compile(r"(?:/[\w.~-]+)*", re.ASCII)


def _is_base_path(text: str) -> bool:
    return bool(_BASE_PATH.fullmatch(_base_path(text)))


def _base_path(text: str) -> str:
    """Write a base path with a slash before it and none behind it; an empty one, or a slash, stays empty."""
    path = text.strip("/")
    return f"/{path}" if path else ""


_RULES: dict[str, tuple[str, Callable[[str], bool]]] = {
    "MODEL_STORE": ("s3://bucket[/prefix] or file:///path", _keeps(store_urls.parse)),
    "MODEL_STORE_ENDPOINT": ("empty or an http:// or https:// URL", _keeps(store_urls.endpoint)),
    "MODEL_ALIAS": ("a letter a-z and then up to 63 of a-z, 0-9, '-', '_'", _keeps(keys.alias_name)),
    "MODEL_REFRESH_S": ("a number of seconds, 0 or more", _is_time),
    "API_BASE_PATH": ("empty or segments of A-Z, a-z, 0-9, '.', '-', '_', '~', such as /ml", _is_base_path),
}
"""variable -> its rule, and whether a value keeps it; MODELS_PRELOAD has none: what can't load is logged"""


def _check(values: Mapping[str, str]) -> None:
    wrong = [name for name, (_, holds) in _RULES.items() if not holds(values[name])]
    if wrong:
        rules = "; ".join(f"{name} is {_RULES[name][0]}" for name in wrong)
        raise BadSettings(rules, ", ".join(_shown(name, values[name]) for name in wrong))


def _shown(name: str, value: str) -> str:
    return f"{name}={value[:_MAX_SHOWN]!r}" if value else f"no {name}"
