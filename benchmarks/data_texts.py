"""Three sets of texts that Debian's packages bring: descriptions, sentences of 27 languages, definitions."""

import gettext
import random
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import polars as pl

_ROWS = 20_000
_LISTS = Path("/var/lib/apt/lists")
_LARGEST = 8
"""sections, and kinds of nouns, that are kept: of the others there are few rows"""
_WORDNET = Path("/usr/share/wordnet/data.noun")
_LOCALE = Path("/usr/share/locale")
CATALOGUES = "coreutils findutils gettext git grep libglib2.0-data libgtk-3-common sed shared-mime-info tar wget"
"""packages whose translations are read"""
_DOMAINS = (
    *("coreutils", "findutils", "gettext-tools", "git", "grep", "glib20", "gtk30", "gtk30-properties"),
    *("sed", "shared-mime-info", "tar", "wget"),
)
LANGUAGES = {
    "Germanic": ("da", "de", "nb", "nl", "sv"),
    "Romance": ("ca", "es", "fr", "it", "pt", "ro"),
    "Slavic": ("bg", "cs", "hr", "pl", "ru", "sk", "sl", "uk"),
    "Uralic": ("et", "fi", "hu"),
    "Baltic": ("lt", "lv"),
    "other": ("el", "tr", "vi"),
}
"""family -> its languages"""
_SENTENCES = 500
"""of each language"""
_SHORTEST, _LONGEST = 20, 200
"""characters of a sentence"""


def absent_packages() -> str:
    """Say that the lists of packages are missing, if they are."""
    return "" if _lists() else f"no *Packages* in {_LISTS}"


def _lists() -> list[Path]:
    return sorted(_LISTS.glob("*_main_binary-*_Packages*"))


def write_sections(path: Path) -> None:
    """Write 20,000 packages of the eight largest sections: description, section, source package."""
    _write(path, ("description", "section", "source"), _of_largest(_packages()))


def _packages() -> Iterator[tuple[str, str, str]]:
    for file in _lists():
        command = ["/usr/lib/apt/apt-helper", "cat-file", str(file)]
        for entry in subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\n\n"):
            field: dict[str, str] = dict(re.findall(r"^([A-Za-z-]+): (.*)$", entry, re.MULTILINE))
            if "Description" in field and "Section" in field:
                source = (field.get("Source") or field["Package"]).partition(" ")[0]
                yield field["Description"], field["Section"].rpartition("/")[2], source


def absent_catalogues() -> str:
    """Say which languages have too few sentences."""
    few = [one for family in LANGUAGES.values() for one in family if len(_sentences(one)) < _SENTENCES]
    return f"under {_SENTENCES} sentences in {_LOCALE} of {', '.join(few)}" if few else ""


def write_languages(path: Path) -> None:
    """Write 500 sentences of each of 27 languages."""
    rows = []
    for languages in LANGUAGES.values():
        for language in languages:
            drawn = random.Random(0).sample(_sentences(language), _SENTENCES)  # noqa: S311 (no secret)
            rows += [(sentence, language) for sentence in drawn]
    _write(path, ("sentence", "language"), rows)


def _sentences(language: str) -> list[str]:
    """List the translated sentences of a language, each once, in a fixed order."""
    found = set()
    for domain in _DOMAINS:
        file = _LOCALE / language / "LC_MESSAGES" / f"{domain}.mo"
        if file.is_file():
            with file.open("rb") as content, suppress(UnicodeDecodeError):  # a few old ones state a wrong encoding
                found |= set(_translated(gettext.GNUTranslations(content)))
    return sorted(found)


def _translated(catalogue: gettext.GNUTranslations) -> Iterator[str]:
    """Give messages that differ from the English ones, and are of the length of a sentence."""
    entries: dict[str | tuple[str, int], str] = vars(catalogue)["_catalog"]
    for key, text in entries.items():
        message = key if isinstance(key, str) else key[0]
        if message and text != message and _SHORTEST <= len(text) <= _LONGEST:
            yield " ".join(text.split())


def absent_wordnet() -> str:
    """Say that WordNet is missing, if it is."""
    return "" if _WORDNET.is_file() else f"no {_WORDNET}"


def write_glosses(path: Path) -> None:
    """Write 20,000 definitions of nouns, and which of WordNet's eight largest lexicographers' files each is in."""
    rows = []
    for line in _WORDNET.read_text(encoding="utf-8").splitlines():
        if not line.startswith(" "):  # the licence
            facts, _, gloss = line.partition(" | ")
            rows.append((gloss.partition('; "')[0].strip(), _KINDS[int(facts.split()[1])]))
    _write(path, ("definition", "kind"), _of_largest(rows))


_KINDS = dict(
    enumerate(
        (
            *("tops", "act", "animal", "artifact", "attribute", "body", "cognition", "communication", "event"),
            *("feeling", "food", "group", "location", "motive", "object", "person", "phenomenon", "plant"),
            *("possession", "process", "quantity", "relation", "shape", "state", "substance", "time"),
        ),
        start=3,
    )
)
"""number of a lexicographers' file of nouns -> its name (lexnames(5WN))"""


def _of_largest(rows: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Keep the rows of the eight most frequent labels, each once, in a fixed order."""
    different = sorted(set(rows))
    largest = {label for label, _ in Counter(row[1] for row in different).most_common(_LARGEST)}
    return [row for row in different if row[1] in largest]


def _write(path: Path, names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Draw rows by a fixed seed, and write them as JSON Lines."""
    drawn = random.Random(0).sample(rows, min(_ROWS, len(rows)))  # noqa: S311 (no secret)
    pl.DataFrame(drawn, schema=list(names), orient="row").write_ndjson(path)
