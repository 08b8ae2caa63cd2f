"""Themes: the colours, faces and shapes that all scenes of a film share.

A theme is a plug-in (entry points `picturelock.themes`); the built-in ones come through the same door.
"""

from dataclasses import dataclass, field, replace
from typing import Final, Literal

from picturelock.errors import InvalidRequest
from picturelock.models.request import DEFAULT_THEME, Brand
from picturelock.plugins import plugin_classes

Pattern = Literal["circles", "waves", "grid", "bands", "paper", "dots"]
LEAST_CONTRAST: Final = 4.5
"""WCAG 2.2, success criterion 1.4.3, for text (https://www.w3.org/TR/WCAG22/#contrast-minimum)."""

DIMMED: Final = 0.72
"""How much of a part that is not spoken of any more is left."""


@dataclass(frozen=True, slots=True)
class Theme:
    """How scenes look. Colours are `#rrggbb`.

    `backgrounds` are the two ends of the gradient behind everything, `pattern` what moves over it, at most `relief`
    levels (of 255) lighter or darker. `series` are the colours of charts.

    Raises:
        ValueError: a text has a contrast below 4.5:1 on its ground.
    """

    name: str
    backgrounds: tuple[str, str]
    text: str
    muted: str
    accent: str
    panel: str
    series: tuple[str, ...]
    pattern: Pattern = "circles"
    relief: float = 14.0
    face: str = "Noto Sans"
    heading_face: str = "Noto Sans"
    heading_weight: int = 700
    corner: float = 0.3
    code: tuple[str, str, str, str] = field(default=("#ff8ba7", "#9be28f", "#7cc7ff", "#ffd166"))
    """Keywords, strings, names, numbers."""

    def __post_init__(self) -> None:
        """Checks every text on every ground that it may stand on."""
        for text, grounds in self._texts():
            for ground in grounds:
                ratio = contrast(text, ground)
                if ratio < LEAST_CONTRAST:
                    message = f"theme {self.name!r}: {text} on {ground} has a contrast of {ratio:.1f}:1"
                    raise ValueError(f"{message}; {LEAST_CONTRAST}:1 is needed")

    def _texts(self) -> list[tuple[str, list[str]]]:
        lift = self.relief if self.dark else -self.relief
        grounds = [lifted(color, lift) for color in self.backgrounds]
        dimmed = [mixed(ground, self.text, DIMMED) for ground in grounds]
        panels = [mixed(ground, self.panel, 1.0) for ground in grounds]
        texts = [(self.text, grounds), (self.muted, grounds), (self.accent, grounds), (self.text, panels)]
        texts += [(color, panels) for color in self.code]
        return texts + [(color, [ground]) for color, ground in zip(dimmed, grounds, strict=True)]

    @property
    def dark(self) -> bool:
        """Whether its ground is darker than its text."""
        return luminance(self.backgrounds[0]) < luminance(self.text)


def rgb_of(color: str) -> tuple[int, int, int]:
    """`#rrggbb` as numbers from 0 to 255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def luminance(color: str) -> float:
    """Relative luminance of `#rrggbb`, 0 to 1 (WCAG 2.2)."""
    channels = [value / 255 for value in rgb_of(color)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours, 1 to 21.

    >>> round(contrast("#000000", "#ffffff"))
    21
    """
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mixed(first: str, second: str, share: float) -> str:
    """`share` of the second colour over the first."""
    pairs = zip(rgb_of(first), rgb_of(second), strict=True)
    return "#" + "".join(f"{round(here + (there - here) * share):02x}" for here, there in pairs)


def lifted(color: str, levels: float) -> str:
    """The colour lighter by so many levels of 255 (darker below 0)."""
    channels = [value + levels for value in rgb_of(color)]
    return "#" + "".join(f"{round(min(255, max(0, channel))):02x}" for channel in channels)


MIDNIGHT: Final = Theme(
    name="midnight",
    backgrounds=("#1b2550", "#0b1026"),
    text="#ffffff",
    muted="#c3cbe6",
    accent="#ffb84d",
    panel="#0d142e",
    series=("#ffb84d", "#6fb7ff", "#7fe0b0", "#ff8ba7"),
    relief=18.0,
)
FOREST: Final = Theme(
    name="forest",
    backgrounds=("#12382e", "#071a15"),
    text="#f6fff9",
    muted="#bfd9cc",
    accent="#8fe3a0",
    panel="#0a211b",
    series=("#8fe3a0", "#ffd166", "#7cc7ff", "#ff9f80"),
    pattern="waves",
)
EMBER: Final = Theme(
    name="ember",
    backgrounds=("#4a1720", "#1d090e"),
    text="#fff6f2",
    muted="#ecc9c0",
    accent="#ff9d76",
    panel="#260d13",
    series=("#ff9d76", "#ffd166", "#f78fb3", "#9fd8ff"),
    pattern="bands",
    corner=0.1,
)
SLATE: Final = Theme(
    name="slate",
    backgrounds=("#2a3038", "#14181d"),
    text="#ffffff",
    muted="#c5ccd4",
    accent="#5fd4ff",
    panel="#171c22",
    series=("#5fd4ff", "#ffd166", "#b39dff", "#7fe0b0"),
    pattern="grid",
    face="Inter",
    heading_face="Space Grotesk",
    corner=0.0,
)
PAPER: Final = Theme(
    name="paper",
    backgrounds=("#fbf6ea", "#efe6d2"),
    text="#26221b",
    muted="#5c5344",
    accent="#8f3a1d",
    panel="#fffdf7",
    series=("#8f3a1d", "#2f5d7c", "#5d7a2f", "#7a4b8f"),
    pattern="paper",
    relief=10.0,
    face="Noto Sans",
    heading_face="Playfair Display",
    corner=0.05,
    code=("#a0203f", "#2d6a2d", "#1f5a94", "#85510c"),
)
DAYLIGHT: Final = Theme(
    name="daylight",
    backgrounds=("#ffffff", "#e4eefb"),
    text="#10233f",
    muted="#43587a",
    accent="#1652c4",
    panel="#ffffff",
    series=("#1652c4", "#c2410c", "#0f766e", "#7c3aed"),
    pattern="dots",
    relief=10.0,
    face="Inter",
    heading_face="Inter",
    heading_weight=800,
    corner=0.5,
    code=("#b0134f", "#1d6b3a", "#1652c4", "#8a4b00"),
)


def installed_themes() -> dict[str, Theme]:
    """The themes by name, the default one first."""
    themes: dict[str, Theme] = plugin_classes("picturelock.themes")
    return dict(sorted(themes.items(), key=lambda item: item[0] != DEFAULT_THEME))


def theme_of(name: str, brand: Brand | None) -> Theme:
    """The theme of that name in the brand's colours.

    Raises:
        InvalidRequest: there is none of that name; the brand's colours make its texts hard to read.
    """
    themes = installed_themes()
    theme = themes.get(name)
    if theme is None:
        raise InvalidRequest(f"there is no theme {name!r}; installed: {', '.join(sorted(themes))}", field="theme")
    if brand is None or not brand.colors:
        return theme
    try:
        return _branded(theme, [color.lower() for color in brand.colors])
    except ValueError as error:
        raise InvalidRequest(str(error), field="brand.colors") from error


def _branded(theme: Theme, colors: list[str]) -> Theme:
    """The accent is the first colour; the second is the ground, for which fitting text colours are taken."""
    accent, *others = colors
    if not others:
        return replace(theme, accent=accent, series=(accent, *theme.series[1:]))
    ground = others[0]
    dark = contrast(ground, "#ffffff") >= contrast(ground, "#000000")
    text = "#ffffff" if dark else "#111111"
    base = MIDNIGHT if dark else DAYLIGHT
    second = lifted(ground, -22 if dark else -12)
    return replace(
        theme,
        backgrounds=(ground, second),
        text=text,
        muted=mixed(ground, text, 0.85),
        accent=accent,
        panel=mixed(second, "#000000" if dark else "#ffffff", 0.5),
        series=(accent, *others[1:], *base.series[1:])[:4],
        relief=min(theme.relief, 10.0),
        code=base.code,
    )
