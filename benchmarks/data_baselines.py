"""What scikit-learn makes of the same rows, with its defaults: a few models for each kind of input.

They use rows as networks do: all learn from the training rows, validation rows choose among them as they choose among
the epochs, changes and quantizations of networks, and certification rows stay aside. Rows are as the readers of Weir
have prepared them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from training.data.preparation import PreparedData
from training.modalities.table import places
from weir.catalog.inputs import Picture, Table, Text
from weir.engine.arrays import Labels
from weir.errors import BadInput

_ITERATIONS = 1000
"""of logistic regression: its 100 are too few here, and it warns"""
_SIDE = 24
"""pixels of the pictures that the models get"""
_WEAK = 0.001
"""C of the logistic regression of standardised pixels: with 1 it overfits"""


@dataclass(frozen=True)
class Predicted:
    """The labels that a model gives, `(rows,)` each."""

    validation: Labels
    test: Labels


def predictions(data: PreparedData, seed: int) -> dict[str, Predicted]:
    """Fit every model of the kind of input on the training rows, and let it predict the others.

    Raises:
        BadInput: there is no model for inputs of this kind, or for several.
    """
    models, rows = _models(data, seed), _rows_of(data)
    train, validation, test = (rows(part.inputs) for part in (data.train, data.validation, data.test))
    fitted = {name: model.fit(train, data.train.labels) for name, model in models.items()}
    return {name: Predicted(model.predict(validation), model.predict(test)) for name, model in fitted.items()}


def _models(data: PreparedData, seed: int) -> Mapping[str, Any]:
    match data.input:
        case Table():
            return _of_tables(data.input, seed)
        case Text():
            return {
                "words 1-2": _of_texts(analyzer="word", ngram_range=(1, 2)),
                "char_wb 2-5": _of_texts(analyzer="char_wb", ngram_range=(2, 5)),
            }
        case Picture():
            weak = LogisticRegression(C=_WEAK, max_iter=_ITERATIONS)
            return {
                "logistic": make_pipeline(StandardScaler(), weak),
                "forest": RandomForestClassifier(300, n_jobs=-1, random_state=seed),
            }
        case _:
            raise BadInput("baselines are for a table, a text or a picture", data.input.name)


def _of_tables(table: Table, seed: int) -> Mapping[str, Any]:
    """Make both models of tables; rows hold numbers, NaN where one is missing, and codes of categories."""
    numbers, categories = places.of_numbers(table), places.of_categories(table)
    encoded = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore"), categories),
    )
    return {
        "logistic": make_pipeline(encoded, LogisticRegression(max_iter=_ITERATIONS)),
        "boosting": HistGradientBoostingClassifier(categorical_features=categories or None, random_state=seed),
    }


def _of_texts(**options: object) -> Any:  # noqa: ANN401 (scikit-learn has no types)
    return make_pipeline(TfidfVectorizer(**options), LogisticRegression(max_iter=_ITERATIONS))


def _rows_of(data: PreparedData) -> Any:  # noqa: ANN401 (rows to what scikit-learn takes: an array or a list)
    match data.input:
        case Text():
            return texts
        case Picture():
            return small
        case _:
            return np.asarray


def texts(rows: NDArray[np.int32]) -> list[str]:
    """Decode rows `(n, most_bytes)`; of a cut text, the last character may be missing."""
    return [row[row > 0].astype(np.uint8).tobytes().decode(errors="ignore") for row in rows]


def small(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Resize pictures `(n, height, width, 3)` of 0 to 255 to 24 x 24, as vectors `(n, 1728)` of 0 to 1."""
    resized = [Image.fromarray(row.astype(np.uint8)).resize((_SIDE, _SIDE), Image.Resampling.BOX) for row in rows]
    vectors: NDArray[np.float32] = np.stack([np.asarray(one, np.float32).reshape(-1) / 255 for one in resized])
    return vectors
