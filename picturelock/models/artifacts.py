"""Files in the store and what they were found to be."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from picturelock.models.base import Model

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ArtifactRef(Model):
    """A file in the store, named by the SHA-256 of its bytes."""

    sha256: Sha256
    size_bytes: int = Field(ge=0)
    media_type: str


class NamedArtifact(ArtifactRef):
    """An artifact under the name a client downloads it by."""

    name: str


class Attribution(Model):
    """Whose picture a scene shows, as its licence wants it told."""

    source: str
    author: str = ""
    author_url: str = ""
    url: str = Field(default="", description="The page of the picture.")
    prompt: str = Field(default="", description="What a model was asked for.")
    scene_index: int = 0
    asset_id: str = ""


class Asset(Model):
    """An uploaded file. `kind` was decided by decoding it, never by its name."""

    asset_id: str = Field(description="`sha256-` and the hash of its bytes: how a request names it.")
    kind: Literal["image", "clip", "audio"] = Field(description="Found by decoding it.")
    media_type: str = Field(description="Found by decoding it, too.")
    size_bytes: int = Field(description="Of the file.")
    width: int | None = Field(default=None, description="Pixels, after EXIF orientation.")
    height: int | None = Field(default=None, description="Pixels, after EXIF orientation.")
    duration_seconds: float | None = Field(default=None, description="Of a clip or a sound.")
