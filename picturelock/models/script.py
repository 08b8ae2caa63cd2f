"""What a film says and shows: the script, its scenes and their pictures."""

import unicodedata
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from picturelock.models.base import Input

MAX_SCENES = 300
MAX_NARRATION_CHARACTERS = 5_000
MAX_SCRIPT_CHARACTERS = 200_000
MAX_TITLE_CHARACTERS = 200

AssetId = Annotated[str, StringConstraints(pattern=r"^sha256-[0-9a-f]{64}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
Fit = Literal["cover", "contain", "stretch"]
Motion = Literal["none", "zoom-in", "zoom-out", "pan-left", "pan-right", "pan-up", "pan-down", "auto"]
PictureSource = Literal["auto", "card", "stock", "generated"]
WhenShort = Literal["loop", "freeze"]
VisualKind = Literal["image", "clip", "color", "gradient", "card"]


def printable(text: str) -> str:
    """The text, as long as it has no control characters but line ends and tabs. Raises ValueError."""
    for character in text:
        if unicodedata.category(character) == "Cc" and character not in "\n\t\r":
            raise ValueError(f"control character U+{ord(character):04X} cannot be spoken or shown")
    return text


def _speakable(text: str) -> str:
    if not any(unicodedata.category(character)[0] in "LN" for character in text):
        raise ValueError("there is nothing to speak: a narration needs at least one letter or digit")
    return text


def _one_line(text: str) -> str:
    return " ".join(text.split())


Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=MAX_TITLE_CHARACTERS),
    AfterValidator(printable),
    AfterValidator(_one_line),
]
NarrationText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NARRATION_CHARACTERS),
    AfterValidator(printable),
    AfterValidator(_speakable),
]


class Voice(Input):
    """Who speaks. `speed` is relative to the voice's own pace."""

    engine: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")] = Field(
        default="hibari", description="The speech engine, as `GET /api/voices` names it."
    )
    voice: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = Field(
        default="heart", description="One of that engine's voices."
    )
    speed: float = Field(default=1.0, ge=0.5, le=2.0, description="Relative to the voice's own pace.")


Wish = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=2, max_length=1_000), AfterValidator(printable)
]


class Visual(Input):
    """The picture of a scene: an uploaded one, one that is looked for or made, or one that is drawn."""

    kind: VisualKind = Field(default="card", description="What is shown; a `card` is drawn from the title.")
    asset_id: AssetId | None = Field(default=None, description="An uploaded picture or clip.")
    query: Wish | None = Field(default=None, description="What a stock photo or clip should show, in a few words.")
    prompt: Wish | None = Field(default=None, description="What a picture should show that a model makes.")
    colors: list[Color] = Field(default=[], max_length=2, description="One for `color`, up to two for `gradient`.")
    fit: Fit = Field(default="cover", description="How it fills a frame of another shape.")
    motion: Motion = Field(default="auto", description="`auto` moves pictures and leaves clips as they are.")
    start_seconds: float = Field(default=0.0, ge=0, le=86_400, description="Where a clip is entered, in seconds.")
    end_seconds: float | None = Field(default=None, gt=0, le=86_400, description="Where a clip is left; None: its end.")
    when_short: WhenShort = Field(default="loop", description="What a clip does that is shorter than its scene.")

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        origins = sum(origin is not None for origin in (self.asset_id, self.query, self.prompt))
        if self.kind in {"image", "clip"} and origins != 1:
            raise ValueError(f"a visual of kind {self.kind!r} needs exactly one of assetId, query and prompt")
        if self.kind not in {"image", "clip"} and origins:
            raise ValueError(f"a visual of kind {self.kind!r} is drawn: it takes no assetId, query or prompt")
        if self.kind == "clip" and self.prompt:
            raise ValueError("a clip cannot be made from a prompt; use a query")
        if self.kind == "color" and len(self.colors) != 1:
            raise ValueError("a visual of kind 'color' needs exactly one entry in colors")
        cut = self.start_seconds > 0 or self.end_seconds is not None or self.when_short != "loop"
        if self.kind != "clip" and cut:  # by value: what travelled has every field set
            raise ValueError(f"a visual of kind {self.kind!r} is no clip that could be cut")
        if self.end_seconds is not None and self.end_seconds <= self.start_seconds:
            raise ValueError("a clip's endSeconds must be after its startSeconds")
        return self


class Scene(Input):
    """One thought of the film: what is said while one picture is shown."""

    narration: NarrationText = Field(description="What is spoken; markup is not read aloud.")
    title: Title | None = Field(default=None, description="On its card, and of its chapter.")
    visual: Visual | None = Field(default=None, description="What it shows; unset, what `pictures` says.")
    voice: Voice | None = Field(default=None, description="A voice of its own.")
    narration_asset_id: AssetId | None = Field(default=None, description="Recorded narration, used instead of a voice.")


class Script(Input):
    """A whole film in words. `language` is a BCP 47 tag."""

    title: Title = Field(default="", description="Of the film; on its cards and in the file.")
    language: Language = Field(default="en", description="What is spoken, as BCP 47 tag.")
    scenes: list[Scene] = Field(min_length=1, max_length=MAX_SCENES, description="In order.")

    @model_validator(mode="after")
    def _not_too_long(self) -> Self:
        length = sum(len(scene.narration) for scene in self.scenes)
        if length > MAX_SCRIPT_CHARACTERS:
            raise ValueError(f"the narrations have {length} characters; at most {MAX_SCRIPT_CHARACTERS} are allowed")
        return self


class Brief(Input):
    """What a film should be about, for a writer to make a script of."""

    topic: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=3, max_length=2_000),
        AfterValidator(printable),
        AfterValidator(_speakable),
    ] = Field(description="What the film is about, in a few words or several sentences.")
    audience: (
        Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(printable)] | None
    ) = Field(default=None, description="Whom it is for.")
    tone: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100), AfterValidator(printable)] | None = (
        Field(default=None, description="How it should sound.")
    )
    language: Language = Field(default="en", description="What the script is written in; the built-in writer: English.")
    target_duration_seconds: float = Field(default=45.0, ge=5, le=1_800, description="About how long it should be.")
