"""Pictures in colour: the emoji of a font, in folders by their group of Unicode."""

from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
_EMOJI = Path("/usr/share/unicode/emoji/emoji-test.txt")
_POINTS = 109
"""the only size that the font has"""
_SIZE = (136, 128)


def absent() -> str:
    """Say which file is missing."""
    return ", ".join(f"no {path}" for path in (_FONT, _EMOJI) if not path.is_file())


def write_emoji(folder: Path) -> None:
    """Write a PNG for each emoji that has a picture of its own; variants by the colour of skin are left out."""
    font = ImageFont.truetype(str(_FONT), _POINTS)
    seen: set[bytes] = set()
    for number, (group, characters) in enumerate(_emoji(_EMOJI.read_text(encoding="utf-8"))):
        picture = Image.new("RGBA", _SIZE)
        ImageDraw.Draw(picture).text((0, 0), characters, font=font, embedded_color=True)
        if (pixels := picture.tobytes()) in seen:
            continue
        seen.add(pixels)
        path = folder / group / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)


def _emoji(table: str) -> Iterator[tuple[str, str]]:
    """Give the group and the characters of each emoji of `emoji-test.txt` (Unicode Technical Standard 51)."""
    group = ""
    for line in table.splitlines():
        if line.startswith("# group: "):
            group = line.removeprefix("# group: ").replace(" & ", "-and-").lower()
        elif "; fully-qualified" in line and "skin tone" not in line:
            yield group, "".join(chr(int(code, 16)) for code in line.partition(";")[0].split())
