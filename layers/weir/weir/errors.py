"""The errors of Weir, as one tree; `training` adds `Diverged` and `Uncertified` below `Failed`.

```
WeirError                      str(error) is one line for a person
├── Rejected                   the input breaks a rule, and the same call fails again: "<rule>. Got: <value>"
│   ├── BadInput
│   │   ├── BadName            a model name, version, alias or file name breaks its rule
│   │   ├── BadSettings        environment variables of a function that are missing or wrong
│   │   ├── BadBody            bytes that are no message of the protocol
│   │   ├── TooLarge           more bytes or pixels than a request may have
│   │   ├── UnsupportedMedia   a media type or compression that Weir does not read
│   │   └── BadTensor          a tensor of the wrong name, datatype, shape or value
│   ├── NotFound
│   │   ├── ModelNotFound      no such model, version or alias in the store
│   │   ├── RouteNotFound      no such path in the API
│   │   └── ObjectNotFound     no such key in the store
│   └── MethodNotAllowed       a known path with another verb
└── Failed                     something did not work, and trying again may help: "<what failed>: <cause>"
    ├── Conflict               another writer got there first
    └── Unavailable
        ├── StoreUnavailable   the store did not answer, or refused
        └── ModelUnavailable   the model's files are damaged, or no interpreter runs them
            └── DamagedDocument
                ├── BadManifest   a manifest that this reader can't use
                └── BadAlias      an alias document that this reader can't use
```

Nothing raises `WeirError`, `Rejected` or `Failed` themselves. `weir.api.http_responses` maps every other class to a
status, directly or through an ancestor; a test walks this tree and fails on a class without one.
"""

import reprlib
from typing import Self

_MAX_VALUE_CHARS = 200
"""of a hostile value that an error repeats"""
_MAX_CAUSE_CHARS = 500
"""of a library's message that an error repeats"""
_MAX_RULE_CHARS = 20_000
"""of a rule, or of the words for what failed: Weir's own are far shorter, but may repeat a URL or a path"""

_repr = reprlib.Repr()  # limits depth and length: a plain repr fails on nesting that JSON may have
_repr.maxstring = _repr.maxother = _MAX_VALUE_CHARS


def _one_line(value: object, limit: int = _MAX_VALUE_CHARS) -> str:
    """Show any value in at most `limit` printable characters."""
    text = str(value) if isinstance(value, str | Exception) else _repr.repr(value)
    printable = "".join(c if c.isprintable() else "\ufffd" for c in text[: limit + 1])
    return printable if len(printable) <= limit else printable[:limit] + "…"


class WeirError(Exception):
    """The root: `str(error)` is one line for a person."""


class Rejected(WeirError):
    """The input breaks a rule: state the rule, then what came. The same call fails again."""

    def __init__(self, rule: str, got: object) -> None:
        self.rule = _one_line(rule, _MAX_RULE_CHARS)
        self.got = _one_line(got)
        super().__init__(f"{self.rule}. Got: {self.got}")


class BadInput(Rejected):
    """The caller's input breaks a rule."""


class BadName(BadInput):
    """A model name, version, alias or file name breaks its rule."""


class BadSettings(BadInput):
    """Environment variables of a function that are missing or wrong: it does not start."""


class BadBody(BadInput):
    """Bytes that are no message of the protocol."""


class TooLarge(BadInput):
    """More bytes or pixels than a request may have."""


class UnsupportedMedia(BadInput):
    """A media type or compression that Weir does not read."""


class BadTensor(BadInput):
    """A tensor of the wrong name, datatype, shape or value."""


class NotFound(Rejected):
    """The input names something that does not exist."""


class ModelNotFound(NotFound):
    """No such model, version or alias in the store; a `version` that begins with a digit is a number.

    A name that none can have brings the rule that it breaks.
    """

    def __init__(self, name: str, version: int | str, rule: str = "") -> None:
        self.name, self.version = name, version
        wanted, got = f"the model is published under the alias {_one_line(version)}", name
        if isinstance(version, int) or version[:1].isdigit():
            wanted, got = "the model has this version", f"{name} {version}"
        super().__init__(f"{wanted}; {rule}" if rule else wanted, got)


class RouteNotFound(NotFound):
    """No such path in the API; the rule says which paths there are."""

    def __init__(self, rule: str, path: str) -> None:
        self.path = path
        super().__init__(rule, path)


class ObjectNotFound(NotFound):
    """No such key in the store."""

    def __init__(self, key: str, store: str) -> None:
        self.key, self.store = key, store
        super().__init__(f"the key exists in {store}", key)


class MethodNotAllowed(Rejected):
    """A known path with another verb; `allow` lists the verbs it has."""

    def __init__(self, method: str, path: str, allow: tuple[str, ...]) -> None:
        self.method, self.path, self.allow = method, path, allow
        super().__init__(f"{_one_line(path)} answers {', '.join(allow)}", method)


class Failed(WeirError):
    """Something did not work: say what failed, then the cause. Trying again may help."""

    def __init__(self, failed: str, cause: object) -> None:
        self.failed = _one_line(failed, _MAX_RULE_CHARS)
        self.cause = _one_line(cause, _MAX_CAUSE_CHARS)
        super().__init__(f"{self.failed}: {self.cause}")


class Conflict(Failed):
    """Another writer got there first."""


class Unavailable(Failed):
    """The caller is not at fault; trying again may work."""


class StoreUnavailable(Unavailable):
    """The store did not answer, or refused."""


class ModelUnavailable(Unavailable):
    """The model's files are damaged, or no interpreter runs them."""


class DamagedDocument(ModelUnavailable):
    """A document of the store breaks a rule of its format: the publisher is at fault, not the caller."""

    def __init__(self, rule: str, got: object, name: str = "a document of the store") -> None:
        self.rule = _one_line(rule, _MAX_RULE_CHARS)
        self.got = _one_line(got)
        super().__init__(f"{name} can't be used", f"{self.rule}. Got: {self.got}")

    def named(self, name: str) -> Self:
        """Make the same error with the name of the document, such as its key."""
        return type(self)(self.rule, self.got, name)


class BadManifest(DamagedDocument):
    """A manifest that this reader can't use."""


class BadAlias(DamagedDocument):
    """An alias document that this reader can't use."""
