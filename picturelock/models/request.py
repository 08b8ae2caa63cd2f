"""What a client asks for: `ExportRequest`."""

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, HttpUrl, StringConstraints, model_validator

from picturelock.models.base import Input
from picturelock.models.script import AssetId, Brief, Color, Fit, PictureSource, Script, VoiceWish
from picturelock.models.text import Title, printable

Codec = Literal["h264", "h265", "vp9", "av1"]
EncoderKind = Literal["software", "hardware"]
TransitionKind = Literal["none", "fade", "dissolve", "slide", "wipe"]
Mood = Literal["calm", "bright", "serious"]
CaptionStyle = Literal["clean", "boxed", "karaoke", "pop"]


DEFAULT_THEME: Final = "midnight"


class VideoOptions(Input):
    """A preset by its slug; a value given beside it overrides the preset's."""

    preset: str = Field(default="youtube-1080p", max_length=64, description="One of `GET /api/presets`.")
    width: int | None = Field(default=None, ge=128, le=4096, multiple_of=2, description="Pixels, even.")
    height: int | None = Field(default=None, ge=128, le=4096, multiple_of=2, description="Pixels, even.")
    fps: Literal[24, 25, 30, 50, 60] | None = Field(default=None, description="Frames per second.")
    codec: Codec | None = Field(default=None, description="`vp9` makes WebM with Opus, the others MP4 with AAC.")
    crf: int | None = Field(
        default=None, ge=0, le=51, description="The encoder's constant rate factor: less is better and larger."
    )
    encoder: EncoderKind | None = Field(
        default=None, description="`hardware`: one that a trial has shown to work, else software, with a warning."
    )
    encoder_preset: Annotated[str, StringConstraints(pattern=r"^[a-z]{4,10}$")] | None = Field(
        default=None,
        description="`ultrafast` to `veryslow` (H.264, H.265), or `realtime`, `good`, `best` (VP9, AV1).",
    )

    @model_validator(mode="after")
    def _both_sides(self) -> Self:
        if (self.width is None) != (self.height is None):
            raise ValueError("width and height come together")
        return self


class CaptionSpec(Input):
    """How captions are drawn into the picture. It travels whole, from the request to whoever draws them."""

    style: CaptionStyle = Field(
        default="clean",
        description="How they look; `karaoke` lights up the spoken word, `pop` shows a few at a time, large. "
        "Over bright pictures there is a box behind them.",
    )


class CaptionOptions(CaptionSpec):
    """Captions are always delivered as files; `burn_in` draws them into the picture, `track` adds a subtitle track."""

    burn_in: bool = Field(default=True, description="Draw the captions into the picture.")
    track: bool = Field(default=False, description="A subtitle track in the film, which players can switch on.")

    def drawn(self) -> CaptionSpec | None:
        """How they are drawn; None where they are not."""
        return CaptionSpec(**self.model_dump(include=set(CaptionSpec.model_fields))) if self.burn_in else None


class Transition(Input):
    """How one scene becomes the next. The scenes overlap for `duration_seconds`."""

    kind: TransitionKind = Field(default="fade", description="How it looks; `none` is a hard cut.")
    duration_seconds: float = Field(default=0.5, ge=0.1, le=3.0, description="How long the scenes overlap.")


class Music(Input):
    """Music under the narration: looped, faded, ducked while somebody speaks. A recording, or a bed that ships."""

    asset_id: AssetId | None = Field(default=None, description="An uploaded recording.")
    mood: Mood | None = Field(default=None, description="A bed that ships with Picturelock, instead of a recording.")
    gain_db: float = Field(default=-14.0, ge=-60, le=0, description="Its level relative to the film's loudness.")
    duck: bool = Field(default=True, description="Make it quieter while somebody speaks.")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.asset_id is None) == (self.mood is None):
            raise ValueError("music needs exactly one of assetId and mood")
        return self


class Watermark(Input):
    """A picture in a corner of the scenes."""

    asset_id: AssetId = Field(description="An uploaded picture; its own transparency is kept.")
    position: Literal["top-left", "top-right", "bottom-left", "bottom-right"] = Field(
        default="bottom-right", description="The corner."
    )
    opacity: float = Field(default=0.6, gt=0, le=1, description="How much of it covers the film.")
    over_inserts: bool = Field(default=False, description="Also over intro and outro, which have logos of their own.")


class Insert(Input):
    """A clip of one's own before or after the scenes, with its own sound and without captions."""

    asset_id: AssetId = Field(description="An uploaded clip of up to two minutes.")
    fit: Fit = Field(default="cover", description="How it fills a frame of another shape.")
    start_seconds: float = Field(default=0.0, ge=0, le=86_400, description="Where the clip is entered, in seconds.")
    end_seconds: float | None = Field(default=None, gt=0, le=86_400, description="Where it is left; None: its end.")

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.end_seconds is not None and self.end_seconds <= self.start_seconds:
            raise ValueError("an insert's endSeconds must be after its startSeconds")
        return self


class Brand(Input):
    """The colours, the name and the logo of whoever the film is for."""

    name: Annotated[Title, StringConstraints(max_length=80)] = Field(
        default="", description="Shown small at the top of cards, in place of the film's title."
    )
    colors: list[Color] = Field(
        default=[],
        max_length=4,
        description="The accent; then the ground, for which text colours are chosen; then colours for charts.",
    )
    logo_asset_id: AssetId | None = Field(
        default=None, description="An uploaded picture, on the opening and the end card; its transparency is kept."
    )


class Webhook(Input):
    """Where the terminal status is delivered."""

    url: HttpUrl = Field(description="An http or https address; see Webhooks.")


PronouncedWord = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), AfterValidator(printable)
]
MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(printable)]
MetadataValue = Annotated[str, StringConstraints(max_length=512), AfterValidator(printable)]


class ExportRequest(Input):
    """One export. Exactly one of `script` and `brief`; everything else has a default."""

    script: Script | None = Field(default=None, description="The film in words; may also be one string of Markdown.")
    brief: Brief | None = Field(default=None, description="A topic, for a writer to make a script of.")
    voice: VoiceWish = Field(default=VoiceWish(), description="Who speaks, where a scene names no voice of its own.")
    pronunciations: dict[PronouncedWord, PronouncedWord] = Field(
        default={},
        max_length=200,
        description='How words are spoken, by the words as they are written: `{"Nguyen": "win"}`. Captions keep them.',
    )
    video: VideoOptions = Field(default=VideoOptions(), description="The picture's format.")
    captions: CaptionOptions = Field(default=CaptionOptions(), description="How the words are shown.")
    transition: Transition = Field(default=Transition(), description="How one scene becomes the next.")
    pictures: PictureSource = Field(
        default="auto",
        description="What scenes without a visual show; `auto`: stock or generated pictures where the installation has "
        "a source of them, else cards.",
    )
    theme: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")] = Field(
        default=DEFAULT_THEME, description="Colours and faces of cards, one of `GET /api/themes`."
    )
    brand: Brand | None = Field(default=None, description="Colours and a name of one's own.")
    music: Music | None = Field(default=None, description="Music under the narration.")
    watermark: Watermark | None = Field(default=None, description="A picture in a corner of the scenes.")
    opening: bool = Field(default=False, description="A card with the film's title before the first scene.")
    ending: bool = Field(default=False, description="A card with the brand's name, or the title, after the last one.")
    intro: Insert | None = Field(default=None, description="A clip before the first scene.")
    outro: Insert | None = Field(default=None, description="A clip after the last scene.")
    deadline_seconds: float | None = Field(
        default=None,
        ge=1,
        le=2_592_000,
        description="Fail when it takes longer than this, waiting included, pauses not.",
    )
    webhook: Webhook | None = Field(default=None, description="Who is told of the end.")
    metadata: dict[MetadataKey, MetadataValue] = Field(
        default={}, max_length=32, description="Words of your own, kept with the job and its film."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.script is None) == (self.brief is None):
            raise ValueError("give exactly one of script and brief")
        return self

    def clip_paths(self) -> set[str]:
        """The JSON paths of the asset ids that name clips."""
        scenes = self.script.scenes if self.script else []
        clips = {
            f"script.scenes[{index}].visual.assetId"
            for index, scene in enumerate(scenes)
            if scene.visual and scene.visual.kind == "clip"
        }
        return clips | {"intro.assetId", "outro.assetId"}

    def asset_ids(self) -> dict[str, str]:
        """Every asset the request names: JSON path -> asset id."""
        paths: dict[str, str] = {}
        for index, scene in enumerate(self.script.scenes if self.script else []):
            if scene.visual and scene.visual.asset_id:
                paths[f"script.scenes[{index}].visual.assetId"] = scene.visual.asset_id
            if scene.narration_asset_id:
                paths[f"script.scenes[{index}].narrationAssetId"] = scene.narration_asset_id
        if self.music and self.music.asset_id:
            paths["music.assetId"] = self.music.asset_id
        if self.brand and self.brand.logo_asset_id:
            paths["brand.logoAssetId"] = self.brand.logo_asset_id
        if self.watermark:
            paths["watermark.assetId"] = self.watermark.asset_id
        if self.intro:
            paths["intro.assetId"] = self.intro.asset_id
        if self.outro:
            paths["outro.assetId"] = self.outro.asset_id
        return paths
