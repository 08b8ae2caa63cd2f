"""What is told of a voice that this installation offers."""

from pydantic import Field

from picturelock.models import Model


class VoiceInfo(Model):
    """A voice this installation offers."""

    engine: str = Field(description="Who speaks: the first half of its name.")
    voice: str = Field(description="The second half.")
    title: str = Field(description="How people call it.")
    languages: list[str] = Field(description="BCP 47 primary tags; `*` stands for any.")
