"""`picturelock.lock`: which films a folder of scripts has become, and with which tools, to be kept in Git."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from pydantic import Field, ValidationError

from picturelock.client.asynchronous import ApiError
from picturelock.models import Model

NAME: Final = "picturelock.lock"


class LockedFilm(Model):
    """One film: its file, below the lock's folder, and what is in it."""

    file: str
    sha256: str
    seconds: float


class LockFile(Model):
    """The films of a folder, by their scripts' names, and the versions of what they were made with."""

    tools: dict[str, str] = Field(default={}, description="With others, nothing of the cache is found.")
    films: dict[str, LockedFilm] = {}

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The lock of an output folder; an empty one where there is none. Raises ApiError: it cannot be read."""
        try:
            return cls.model_validate_json((folder / NAME).read_text())
        except FileNotFoundError:
            return cls()
        except (OSError, UnicodeDecodeError) as error:
            raise ApiError(f"{folder / NAME} cannot be read: {error}") from error
        except ValidationError as error:
            raise ApiError(f"{folder / NAME} is no lock: {error.errors()[0]['msg']}") from error

    def write(self, folder: Path) -> None:
        """Writes the lock, in an order that leaves small differences."""
        text = json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False)
        part = folder / f".{NAME}.part"
        part.write_text(text + "\n")
        part.replace(folder / NAME)

    def differences(self, tools: Mapping[str, str]) -> list[str]:
        """What is of another version here than when the films were made, in words."""
        names = sorted(self.tools.keys() | tools.keys()) if self.tools else []
        return [
            f"{name} is {tools.get(name, 'missing')} here and was {self.tools.get(name, 'missing')}"
            for name in names
            if tools.get(name) != self.tools.get(name)
        ]
