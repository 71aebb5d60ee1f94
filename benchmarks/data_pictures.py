"""Pictures in colour: the icons of four themes, which Debian's packages bring."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl

_ICONS = Path("/usr/share/icons")
THEMES = {
    "elementary-xfce": "*/48/*.png",
    "faenza": "*/48/*.png",
    "mate": "48x48/*/*.png",
    "moka": "48x48/*/*.png",
}
"""theme -> its icons of 48 pixels; the package of each is `<theme>-icon-theme`"""


def absent() -> str:
    """Say which themes are missing."""
    return ", ".join(f"no icons of {theme} in {_ICONS}" for theme in THEMES if not any(_icons(theme)))


def write_icons(folder: Path) -> None:
    """Write the icons, and a table: file, theme, and the name of the icon.

    A picture that two themes share, or one has twice, counts once.
    """
    seen: set[bytes] = set()
    rows = []
    for theme in THEMES:
        for path in _icons(theme):
            if (digest := hashlib.sha256(path.read_bytes()).digest()) in seen:
                continue
            seen.add(digest)
            file = f"{theme}/{len(seen):04}.png"
            (folder / theme).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / file)
            rows.append((file, theme, path.stem))
    pl.DataFrame(rows, schema=["icon", "theme", "name"], orient="row").write_csv(folder / "icons.csv")


def _icons(theme: str) -> Iterator[Path]:
    """List the files of a theme; links to other icons are left out."""
    folders = [path for path in sorted(_ICONS.glob("*")) if path.name.lower() == theme]
    return (path for folder in folders for path in sorted(folder.glob(THEMES[theme])) if not path.is_symlink())
