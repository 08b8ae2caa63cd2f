"""What a store's refusals mean, in our words."""

import contextlib
import re
from collections.abc import Iterator
from typing import Final

from obstore.exceptions import BaseError

from picturelock.errors import DiskFull, StoreUnavailable

_SYSTEM_SAID: Final = re.compile(r'message: "([^"]+)"')
_PATH: Final = re.compile(r"(?<!\S)/\S+")


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """The store's errors in our words. FileNotFoundError passes: it is an answer."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        if "No space left" in str(error) or "StorageFull" in str(error):
            raise DiskFull("the artifact store is full") from error
        text = f"the artifact store does not answer: {_reason(str(error))}"
        raise StoreUnavailable(text, detail=str(error)[:300]) from error


def _reason(text: str) -> str:
    """Why, out of obstore's many lines: what the system said, or the end of the first line; no path of this machine."""
    said = _SYSTEM_SAID.search(text)
    reason = said[1] if said else text.split("\n", 1)[0].rsplit(": ", 1)[-1]
    return _PATH.sub("…", reason)[:80]
