"""The `picturelock` command of any installation: one that lacks what the command needs says what to add."""

import sys
from typing import Final

_HELP: Final = (
    "picturelock: this installation has no {missing}.\n"
    "  pip install 'picturelock[local]'   everything for one machine\n"
    "  pip install 'picturelock[cli]'     the command alone, for an API elsewhere\n"
)
_REFUSED: Final = 2


def main() -> None:
    """The entry point."""
    try:
        from picturelock.cli.main import main as run  # noqa: PLC0415 - what is missing is told, not raised
    except ModuleNotFoundError as error:
        if not error.name or error.name.split(".")[0] == "picturelock":
            raise
        sys.stderr.write(_HELP.format(missing=error.name))
        sys.exit(_REFUSED)
    run()
