"""What a film says and shows: the script, its scenes and their pictures."""

from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from picturelock.models.base import Input, Model
from picturelock.models.blocks import MAX_BLOCKS, Block
from picturelock.models.text import MAX_NARRATION_CHARACTERS, NarrationText, Title, printable, speakable

MAX_SCENES = 300
MAX_SCRIPT_CHARACTERS = 200_000

AssetId = Annotated[str, StringConstraints(pattern=r"^sha256-[0-9a-f]{64}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
Fit = Literal["cover", "contain", "stretch"]
Motion = Literal["none", "zoom-in", "zoom-out", "pan-left", "pan-right", "pan-up", "pan-down", "auto"]
PictureSource = Literal["auto", "card", "stock", "generated"]
WhenShort = Literal["loop", "freeze"]
VisualKind = Literal["image", "clip", "color", "gradient", "card"]


EngineName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")]
VoiceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class Voice(Model):
    """A voice of an engine. `speed` is relative to the voice's own pace."""

    engine: EngineName = "hibari"
    voice: VoiceName = "heart"
    speed: float = 1.0


class VoiceWish(Input):
    """Who speaks. What is not named is chosen by the script's language."""

    engine: EngineName | None = Field(
        default=None,
        description="The speech engine, as `GET /api/voices` names it; unset, one that speaks the language.",
    )
    voice: VoiceName | None = Field(default=None, description="One of the engine's voices; unset, its first that does.")
    speed: float = Field(default=1.0, ge=0.5, le=2.0, description="Relative to the voice's own pace.")


Wish = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=2, max_length=1_000), AfterValidator(printable)
]


class Focus(Input):
    """A place in a picture: shares of its width from the left and of its height from the top."""

    x: float = Field(ge=0, le=1, description="0: the left edge, 1: the right one.")
    y: float = Field(ge=0, le=1, description="0: the upper edge, 1: the lower one.")


class Visual(Input):
    """The picture of a scene: an uploaded one, one that is looked for or made, or one that is drawn."""

    kind: VisualKind = Field(default="card", description="What is shown; a `card` is drawn from the title.")
    asset_id: AssetId | None = Field(default=None, description="An uploaded picture or clip.")
    query: Wish | None = Field(default=None, description="What a stock photo or clip should show, in a few words.")
    prompt: Wish | None = Field(default=None, description="What a picture should show that a model makes.")
    colors: list[Color] = Field(default=[], max_length=2, description="One for `color`, up to two for `gradient`.")
    fit: Fit = Field(default="cover", description="How it fills a frame of another shape.")
    focus: Focus | None = Field(
        default=None, description="What must stay in the frame when a picture is cropped; unset, what stands out most."
    )
    alt: Annotated[str, StringConstraints(max_length=500), AfterValidator(printable)] | None = Field(
        default=None, description="What the picture shows, in words; for the transcript."
    )
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


class SpokenPart(NamedTuple):
    """A piece of what a scene says: its text as written, and the block and the item that it belongs to."""

    text: str
    block: int | None = None
    item: int = 0


class Scene(Input):
    """One thought of the film: what is said while one picture is shown."""

    narration: NarrationText | None = Field(
        default=None, description="What is spoken first; markup is not read aloud. Needed where no block is spoken."
    )
    blocks: list[Block] = Field(
        default=[],
        max_length=MAX_BLOCKS,
        description="What follows, in order: `text`, `list`, `quote`, `number` are spoken; `code`, `table`, `chart`, "
        "`formula` are shown. All but `text` are drawn, each part as it is spoken of.",
    )
    title: Title | None = Field(default=None, description="On its card, and of its chapter.")
    visual: Visual | None = Field(default=None, description="What it shows; unset, what `pictures` says.")
    voice: VoiceWish | None = Field(default=None, description="A voice of its own.")
    narration_asset_id: AssetId | None = Field(default=None, description="Recorded narration, used instead of a voice.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.parts():
            text = "there is nothing to speak: give a narration, or a block that is spoken"
            raise PydanticCustomError("narration_missing", text)
        length = sum(len(part.text) for part in self.parts())
        if length > MAX_NARRATION_CHARACTERS:
            raise ValueError(f"the scene has {length} characters to speak; at most {MAX_NARRATION_CHARACTERS}")
        return self

    def parts(self) -> list["SpokenPart"]:
        """What is spoken, in order."""
        parts = [SpokenPart(self.narration)] if self.narration else []
        for index, block in enumerate(self.blocks):
            if block.kind == "list":
                parts += [SpokenPart(item, index, place) for place, item in enumerate(block.items)]
            elif block.kind in {"text", "quote", "number"}:
                parts.append(SpokenPart(block.text, index))
        return parts


class Script(Input):
    """A whole film in words. `language` is a BCP 47 tag."""

    title: Title = Field(default="", description="Of the film; on its cards and in the file.")
    language: Language = Field(default="en", description="What is spoken, as BCP 47 tag.")
    scenes: list[Scene] = Field(min_length=1, max_length=MAX_SCENES, description="In order.")

    @model_validator(mode="after")
    def _not_too_long(self) -> Self:
        length = sum(len(part.text) for scene in self.scenes for part in scene.parts())
        if length > MAX_SCRIPT_CHARACTERS:
            raise ValueError(f"the narrations have {length} characters; at most {MAX_SCRIPT_CHARACTERS} are allowed")
        return self


class Brief(Input):
    """What a film should be about, for a writer to make a script of."""

    topic: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=3, max_length=2_000),
        AfterValidator(printable),
        AfterValidator(speakable),
    ] = Field(description="What the film is about, in a few words or several sentences.")
    audience: (
        Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(printable)] | None
    ) = Field(default=None, description="Whom it is for.")
    tone: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100), AfterValidator(printable)] | None = (
        Field(default=None, description="How it should sound.")
    )
    language: Language = Field(default="en", description="What the script is written in; the built-in writer: English.")
    target_duration_seconds: float = Field(default=45.0, ge=5, le=1_800, description="About how long it should be.")
