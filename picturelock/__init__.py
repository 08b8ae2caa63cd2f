"""The domain of Picturelock: scripts, speech, composition, rendering and job status, without Temporal or HTTP."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:  # noqa: ANN401 - two classes
    """`Client` and `AsyncClient`, loaded when they are asked for: an API and a worker have no use for them."""
    if name in {"Client", "AsyncClient"}:
        return getattr(import_module("picturelock.client"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
