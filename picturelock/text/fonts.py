"""The bundled fonts for libass, and the certainty that every character of a text can be drawn with them.

libass finds fonts through fontconfig. Without a configuration of our own it finds none on a bare machine and draws
nothing, with exit code 0; with `fontsdir` alone there is no fall-back for other scripts.
"""

import struct
import unicodedata
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import regex
import uharfbuzz as hb

from picturelock.errors import GlyphMissing

FAMILY = "Noto Sans"
EMOJI_FAMILY = "Noto Emoji"
_EMOJI_SCALE = 1.2
_NAMED = 10
_HAN_FACE = "Noto Sans CJK"
_HAN_FAMILIES = {"ja": "Noto Sans CJK JP", "ko": "Noto Sans CJK KR", "zh": "Noto Sans CJK SC"}
_TRADITIONAL = ("hant", "tw", "hk", "mo")
_CLUSTER = regex.compile(r"\X")
_EMOJI = regex.compile(r"\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3")
_IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}|\s")


def han_family(language: str) -> str:
    """The face for Chinese characters, which are drawn differently in Chinese, Japanese and Korean."""
    primary, *rest = language.lower().split("-")
    if primary == "zh" and any(part in _TRADITIONAL for part in rest):
        return "Noto Sans CJK TC"
    return _HAN_FAMILIES.get(primary, "Noto Sans CJK SC")


def font_folders() -> list[Path]:
    """The folders of the bundled fonts that have all scripts between them."""
    import manimgx_fonts  # noqa: PLC0415 - only workers have fonts
    import manimgx_fonts_cjk  # noqa: PLC0415

    return [Path(manimgx_fonts.__path__[0]), Path(manimgx_fonts_cjk.__path__[0])]


def theme_font_folders() -> list[Path]:
    """The folders of the faces that themes use beside them."""
    import fontpkg_inter  # noqa: PLC0415 - only workers have fonts
    import fontpkg_jetbrains_mono  # noqa: PLC0415
    import fontpkg_playfair_display  # noqa: PLC0415
    import fontpkg_space_grotesk  # noqa: PLC0415

    packages = (fontpkg_inter, fontpkg_jetbrains_mono, fontpkg_playfair_display, fontpkg_space_grotesk)
    return [Path(package.__path__[0]) / "files" for package in packages]


def font_environment(scratch: Path) -> dict[str, str]:
    """The environment in which ffmpeg sees the bundled fonts and no others. Writes the configuration once."""
    folder = scratch / "fontconfig"
    cache = folder / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    directories = "".join(f"<dir>{path}</dir>" for path in font_folders())
    text = (
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"{directories}<cachedir>{cache}</cachedir>"
        "<alias><family>sans-serif</family><prefer>"
        f"<family>{FAMILY}</family><family>{EMOJI_FAMILY}</family><family>Noto Sans CJK SC</family>"
        "</prefer></alias></fontconfig>"
    )
    path = folder / "fonts.conf"
    if not path.exists() or path.read_text() != text:
        temporary = path.with_suffix(f".{id(text)}.tmp")
        temporary.write_text(text)
        temporary.replace(path)
    return {"FONTCONFIG_FILE": str(path)}


@dataclass(frozen=True, slots=True)
class Face:
    """A bundled typeface. `line_height` is what libass makes a font's size of: ascent plus descent, in ems.

    `scale` is how large the face is drawn beside the others.
    """

    family: str
    line_height: float
    scale: float
    font: Any = field(compare=False)

    @classmethod
    def read(cls, path: Path) -> "Face":
        """The first face of a font file. GDI's ascent and descent are at byte 74 of OS/2, as VSFilter measured."""
        face = hb.Face(hb.Blob.from_file_path(str(path)))
        ascent, descent = struct.unpack(">HH", bytes(face.reference_table("OS/2").data)[74:78])
        names = (hb.OTNameIdPredefined.TYPOGRAPHIC_FAMILY, hb.OTNameIdPredefined.FONT_FAMILY)
        family = next(filter(None, (face.get_name(one) for one in names)))
        scale = _EMOJI_SCALE if family == EMOJI_FAMILY else 1.0
        return cls(family, (ascent + descent) / face.upem, scale, hb.Font(face))


@lru_cache(maxsize=1)
def _faces() -> list[Face]:
    """All faces, the main one first and the emoji last."""
    paths = [path for folder in font_folders() for path in sorted(folder.iterdir())]
    faces = [Face.read(path) for path in paths if path.suffix in {".ttf", ".otf", ".ttc"} and "Italic" not in path.name]
    return sorted(faces, key=lambda face: (face.family == EMOJI_FAMILY, face.family != FAMILY))


@lru_cache(maxsize=65_536)
def face_of(cluster: str, language: str) -> Face:
    """The face that a cluster is drawn with; the main one where there is none. Han has the language's own forms."""
    shaped = _shaped(cluster)
    main = _faces()[0]
    if shaped is None or _IGNORABLE.fullmatch(cluster):
        return main
    if shaped.face.family.startswith(_HAN_FACE):
        return replace(shaped.face, family=han_family(language))
    return shaped.face


def clusters(text: str) -> list[str]:
    """The text as a reader counts it: extended grapheme clusters."""
    return [match.group() for match in _CLUSTER.finditer(text)]


def is_emoji(cluster: str) -> bool:
    """Whether a cluster is an emoji and wants the emoji font (digits and © alone do not)."""
    if len(cluster) == 1 and unicodedata.east_asian_width(cluster) != "W":
        return False
    return _EMOJI.search(cluster) is not None


class _Shaped(NamedTuple):
    face: Face
    visible: int
    width: float


@lru_cache(maxsize=65_536)
def _shaped(cluster: str) -> _Shaped | None:
    """A cluster in the first face that has all of it: visible glyphs and width in ems; None when no face does."""
    faces = _faces()
    for face in faces[-1:] if is_emoji(cluster) else faces:
        buffer = hb.Buffer()
        buffer.add_str(cluster)
        buffer.guess_segment_properties()
        hb.shape(face.font, buffer)
        if all(info.codepoint for info in buffer.glyph_infos):
            advances = [position.x_advance for position in buffer.glyph_positions]
            return _Shaped(face, sum(1 for advance in advances if advance > 0), sum(advances) / face.font.face.upem)
    return None


def _drawable(cluster: str) -> bool:
    shaped = _shaped(cluster)
    return shaped is not None and (not is_emoji(cluster) or shaped.visible <= 1)


def advance(cluster: str) -> float:
    """Width of a cluster in ems (regular weight)."""
    shaped = _shaped(cluster)
    return shaped.width * shaped.face.scale if shaped else 0.6


def drawable_text(text: str) -> tuple[str, list[str]]:
    """The text with every cluster drawable, and a warning for each replacement.

    An emoji that the font cannot form as one character (a family, a flag) is replaced by its first part that it can.

    Raises:
        GlyphMissing: a character that no bundled font has.
    """
    parts: list[str] = []
    warnings: list[str] = []
    missing: list[str] = []
    for cluster in clusters(text):
        if _IGNORABLE.fullmatch(cluster) or _drawable(cluster):
            parts.append(cluster)
            continue
        simpler = next(
            (character for character in cluster if is_emoji(character) and _drawable(character)), None
        ) or next(
            (character for character in cluster if unicodedata.category(character)[0] in "LN" and _drawable(character)),
            None,
        )
        if is_emoji(cluster) and simpler:
            parts.append(simpler)
            warnings.append(f"{cluster} cannot be drawn as one character and became {simpler}")
        else:
            missing.append(cluster)
    if missing:
        different = list(dict.fromkeys(missing))
        names = ", ".join(f"{character[:4]} (U+{ord(character[0]):04X})" for character in different[:_NAMED])
        more = f" and {len(different) - _NAMED} more" if len(different) > _NAMED else ""
        raise GlyphMissing(f"no bundled font can draw {names}{more}")
    return "".join(parts), warnings
