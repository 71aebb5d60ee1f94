"""Everything Weir can refuse, as one tree.

```
WeirError                 rule and what came: "<rule>. Got: <value>"
├── BadInput              the caller's words are off; the same call fails again
│   ├── BadName           a model name, version, alias or file name breaks its rule
│   ├── BadSettings       environment variables of a function that are missing or wrong
│   ├── BadBody           bytes that are no message of the protocol
│   ├── TooLarge          more bytes or pixels than a request may have
│   ├── UnsupportedMedia  a media type or compression that is not read
│   ├── BadTensor         a tensor of the wrong name, datatype, shape or value
│   └── BadManifest       a manifest that this reader can't use
├── NotFound
│   ├── ModelNotFound     no such model, version or alias in the store
│   ├── RouteNotFound     no such path
│   └── ObjectNotFound    no such key in the store
├── MethodNotAllowed      a known path with another verb
├── Conflict              somebody else wrote first
└── Unavailable           not the caller's fault; may pass
    ├── StoreUnavailable  the store did not answer
    └── ModelUnavailable  the model's files are damaged or no interpreter takes them
```

`weir.api.http_responses` maps each class to a status; a test walks this tree and fails on one it forgot.
"""

import reprlib

_LONGEST_VALUE = 200  # characters of a hostile value that an error repeats

_repr = reprlib.Repr()  # looks only so deep and so far: a plain repr fails on nesting that JSON may have
_repr.maxstring = _repr.maxother = _LONGEST_VALUE


def _short(value: object) -> str:
    text = str(value) if isinstance(value, str | Exception) else _repr.repr(value)
    printable = "".join(c if c.isprintable() else "\ufffd" for c in text[: _LONGEST_VALUE + 1])
    return printable if len(printable) <= _LONGEST_VALUE else printable[:_LONGEST_VALUE] + "…"


class WeirError(Exception):
    """State the rule, then what came: `str(error)` is `"<rule>. Got: <value>"`."""

    def __init__(self, rule: str, got: object) -> None:
        self.rule = rule
        self.got = _short(got)
        super().__init__(f"{rule}. Got: {self.got}")


class BadInput(WeirError):
    """The caller's words are off: the same call fails again."""


class BadName(BadInput):
    """A model name, version, alias or file name breaks its rule."""


class BadSettings(BadInput):
    """Environment variables of a function that are missing or wrong: it does not start."""


class BadBody(BadInput):
    """Bytes that are no message of the protocol."""


class TooLarge(BadInput):
    """More bytes or pixels than a request may have."""


class UnsupportedMedia(BadInput):
    """A media type or compression that is not read."""


class BadTensor(BadInput):
    """A tensor of the wrong name, datatype, shape or value."""


class BadManifest(BadInput):
    """A manifest that this reader can't use."""


class NotFound(WeirError):
    """What was named does not exist."""


class ModelNotFound(NotFound):
    """No such model, version or alias in the store."""


class RouteNotFound(NotFound):
    """No such path in the API."""


class ObjectNotFound(NotFound):
    """No such key in the store."""


class MethodNotAllowed(WeirError):
    """A known path with another verb; `allow` lists the verbs it has."""

    def __init__(self, method: str, path: str, allow: tuple[str, ...]) -> None:
        self.allow = allow
        super().__init__(f"{_short(path)} answers {', '.join(allow)}", method)


class Conflict(WeirError):
    """Somebody else wrote first."""


class Unavailable(WeirError):
    """Not the caller's fault; trying again may work."""


class StoreUnavailable(Unavailable):
    """The store did not answer."""


class ModelUnavailable(Unavailable):
    """The model's files are damaged, or no interpreter takes them."""
