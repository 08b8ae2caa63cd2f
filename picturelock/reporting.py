"""How work reports how far it is: one shape for whoever listens, whatever works."""

from collections.abc import Callable

Report = Callable[[float, str], None]
"""Called with how much is done, 0 to 1, and what is being done: `report(0.5, "Preparing picture 3 of 6")`."""

ReportShare = Callable[[float], None]
"""Called with how much is done, 0 to 1, by work that has one thing to do."""


def ignore(_share: float, _message: str) -> None:
    """A `Report` that nobody hears."""
