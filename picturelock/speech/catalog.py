"""What is told of a voice that this installation offers."""

from pydantic import Field

from picturelock.models import Model


class VoiceInfo(Model):
    """A voice this installation offers."""

    engine: str
    voice: str
    title: str
    languages: list[str] = Field(description="BCP 47 primary tags; `*` stands for any.")
