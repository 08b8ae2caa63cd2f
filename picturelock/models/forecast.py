"""What an export would be, before anything of it is made."""

from pydantic import Field

from picturelock.models.base import Model


class Need(Model):
    """How many of a kind of things are there already, and how many would have to be made."""

    found: int = Field(default=0, description="Things that are there.")
    missing: int = Field(default=0, description="Things that would be made.")


class SceneForecast(Model):
    """One scene of the film that would be."""

    title: str = Field(description="Its title; empty where it has none.")
    spoken: str = Field(description="The beginning of what is spoken.")
    shown: str = Field(description="What is seen: `card`, `image`, `clip`, `color`, or the kinds of its blocks.")
    seconds: float = Field(description="About how long it lasts; exactly, where its narration is there.")
    narration_found: bool = Field(description="Whether its narration is there.")
    picture_found: bool = Field(description="Whether everything that it shows is there.")
    segments: Need = Field(description="The segments that begin in it.")


class Forecast(Model):
    """What an export would be: what is found, what would be made, about how long both take. Nothing was made for it."""

    title: str = Field(description="Of the film.")
    scenes: list[SceneForecast] = Field(description="The script's scenes, in order.")
    duration_seconds: float = Field(description="The film's length; exact where every narration is there.")
    exact: bool = Field(description="Whether every narration is there, so that the length is exact.")
    width: int = Field(description="Pixels across; 0 for sound alone.")
    height: int = Field(description="Pixels down; 0 for sound alone.")
    fps: int = Field(description="Frames per second.")
    container: str = Field(description="`mp4`, `webm` or `m4a`.")
    narrations: Need = Field(description="One for each scene.")
    pictures: Need = Field(description="What scenes show; clips are used as they are and not counted.")
    segments: Need = Field(description="Runs of frames that are rendered on their own.")
    sound: Need = Field(description="The film's mastered sound.")
    film: Need = Field(description="The verified film itself.")
    sha256: str | None = Field(default=None, description="Of the film, where it is there; nothing is made then.")
    size_bytes: int | None = Field(
        default=None, description="How large the film is, or about will be; absent where nothing comparable is there."
    )
    eta_seconds: float | None = Field(
        default=None,
        description="About how long it takes on an idle machine like this; absent before there is a history.",
    )
    warnings: list[str] = Field(default=[], description="What the film's viewers may miss.")
