"""Plug-ins: packages that add voices, sources of pictures, writers or themes, found by their entry points.

What is built in is declared in this project's own pyproject.toml and comes through the same door:

    [project.entry-points."picturelock.voices"]
    hibari = "picturelock.speech.hibari:HibariEngine"

Each entry point names a class with `from_settings(settings)`, which returns None where the plug-in is not configured;
that of a theme names the theme itself (`picturelock.themes`).
One whose libraries are not installed is left out.
"""

from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any, Literal

import structlog

from picturelock.settings import Settings

log = structlog.get_logger()
Group = Literal["picturelock.voices", "picturelock.pictures", "picturelock.writers", "picturelock.themes"]


class PluginConflict(RuntimeError):
    """Two plug-ins want one place; the settings, or an uninstallation, have to say which of them gets it."""


@lru_cache(maxsize=8)
def plugin_classes(group: Group) -> dict[str, Any]:
    """The classes of a group by their entry points' names, in the order of the names.

    Raises:
        PluginConflict: two packages use one name.
    """
    classes: dict[str, Any] = {}
    for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
        try:
            loaded = entry.load()
        except ModuleNotFoundError as error:  # an extra that is not installed
            log.debug("plug-in left out", group=group, plugin=entry.name, missing=error.name)
            continue
        if classes.setdefault(entry.name, loaded) is not loaded:
            raise PluginConflict(f"two packages provide {entry.name!r} for {group}")
    return classes


def configured(group: Group, settings: Settings) -> dict[str, Any]:
    """The plug-ins of a group that are installed and configured, by name."""
    made = {name: plugin.from_settings(settings) for name, plugin in plugin_classes(group).items()}
    return {name: plugin for name, plugin in made.items() if plugin is not None}
