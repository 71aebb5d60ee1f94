"""Names -> loaded models: resolve aliases, keep what is loaded, look an alias up again when it is old."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from weir.catalog import keys
from weir.catalog.aliases import decode_alias
from weir.catalog.manifest import decode
from weir.catalog.store import Store
from weir.errors import BadName, DamagedDocument, ModelNotFound, ModelUnavailable, ObjectNotFound, StoreUnavailable
from weir.observability import logger
from weir.runtime.model import Model
from weir.settings import DEFAULT_ALIAS, DEFAULT_REFRESH_S, Settings

_Document = TypeVar("_Document")

_KEPT = 8
"""loaded versions, of all models together"""


class Registry:
    """The models of one store."""

    def __init__(
        self,
        store: Store,
        *,
        alias: str = DEFAULT_ALIAS,
        refresh_s: float = DEFAULT_REFRESH_S,
        runtime: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Serve from a store; nothing is read yet.

        Args:
            store: where models were published.
            alias: the version served when a request names none.
            refresh_s: seconds after which an alias is looked up again.
            runtime: the TFLite interpreter; default the first installed.
            clock: seconds that only grow.
        """
        self.store = store
        self._alias, self._refresh_s, self._runtime, self._clock = alias, refresh_s, runtime, clock
        self._aliases: dict[tuple[str, str], tuple[int, float]] = {}
        self._loaded: OrderedDict[tuple[str, int], Model] = OrderedDict()

    @classmethod
    def from_settings(cls, settings: Settings) -> "Registry":
        """Serve from the store that a function's settings name; nothing is read yet. Raises `BadInput`."""
        store = Store(settings.store, endpoint=settings.store_endpoint)
        return cls(store, alias=settings.alias, refresh_s=settings.refresh_s)

    def model(self, name: str, version: str = "") -> tuple[int, Model]:
        """Find a model and the number of its version.

        Args:
            name: a model name.
            version: a number or an alias; empty means the registry's own alias.

        Raises:
            ModelNotFound: it is not in the store, or its name is one that no model, version or alias can have.
            ModelUnavailable: its manifest can't be used.
            StoreUnavailable: the store did not answer, and nothing is known from before.
        """
        is_number = version[:1].isdigit()
        alias = "" if is_number else version or self._alias
        try:
            keys.model_name(name)
            number = self._resolve(name, alias) if alias else keys.version_number(version)
        except BadName as exc:
            raise ModelNotFound(name, version if is_number else alias, exc.rule) from exc
        if (name, number) not in self._loaded:
            self._loaded[name, number] = self._load(name, number, alias)
            while len(self._loaded) > _KEPT:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end((name, number))
        return number, self._loaded[name, number]

    def published(self) -> list[tuple[str, int]]:
        """List every version of every model: those whose manifest is in the store. Raises `StoreUnavailable`."""
        return self._manifests(f"{keys.MODELS}/")

    def versions(self, name: str) -> list[int]:
        """List the versions of a model that are served. Raises `BadName` and `StoreUnavailable`."""
        return [number for _, number in self._manifests(keys.versions(name))]

    def names(self) -> list[str]:
        """List the models of the store, published or not. Raises `StoreUnavailable`."""
        return self.store.folders(keys.MODELS)

    def _manifests(self, prefix: str) -> list[tuple[str, int]]:
        parsed = [keys.parse_manifest(key) for key in self.store.keys(prefix)]
        return sorted(name_and_number for name_and_number in parsed if name_and_number)

    def _resolve(self, name: str, alias: str) -> int:
        key = keys.alias(name, alias)
        known, fresh_until = self._aliases.get((name, alias), (0, float("-inf")))
        if self._clock() < fresh_until:
            return known
        try:
            known = self._document(key, decode_alias).version
        except ObjectNotFound as exc:
            raise ModelNotFound(name, alias) from exc
        except (StoreUnavailable, DamagedDocument) as exc:
            if not known:
                raise
            # an old answer beats none: the version it names is immutable
            logger().error(f"version {known} of {name} serves on: {exc}", exc_info=exc)
        self._aliases[name, alias] = (known, self._clock() + self._refresh_s)
        return known

    def _load(self, name: str, number: int, alias: str) -> Model:
        try:
            manifest = self._document(keys.manifest(name, number), decode)
        except ObjectNotFound as exc:
            if alias:
                raise ModelUnavailable(f"the alias {alias} of {name} names no version", f"no key {exc.key}") from exc
            raise ModelNotFound(name, number) from exc
        return Model(manifest, lambda digest: self._artifact(name, number, digest), self._runtime)

    def _artifact(self, name: str, number: int, digest: str) -> bytes:
        try:
            return self.store.get(keys.artifact(name, number, digest))
        except ObjectNotFound as exc:
            raise ModelUnavailable(f"version {number} of {name} lacks an artifact", f"no key {exc.key}") from exc

    def _document(self, key: str, decode_document: Callable[[bytes], _Document]) -> _Document:
        data = self.store.get(key)
        try:
            return decode_document(data)
        except DamagedDocument as exc:
            raise exc.named(key) from exc
