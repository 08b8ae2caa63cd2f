"""Front matter: settings of the film, in YAML between `---` lines before a Markdown script.

    ---
    theme: paper
    format: tiktok
    captions: {style: karaoke}
    ---

The names and limits are those of the HTTP request; `format` is short for `video.preset`, `language` and `title` are
the script's. What the request itself says wins.
"""

from typing import Any, Final

import yaml

from picturelock.errors import InvalidScript
from picturelock.models import ExportRequest

_LONGEST: Final = 10_000
_OF_SCRIPT: Final = frozenset({"title", "language"})
_OF_REQUEST: Final = frozenset(ExportRequest.model_fields) - {"script", "brief", "webhook"}
_SHORT: Final = {"format": "video"}


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """YAML without aliases (a few lines could become gigabytes) and without times: `2026-01-01` is text."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith("timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def split(source: str) -> tuple[dict[str, Any], str]:
    r"""The settings of a Markdown script, and the script with empty lines in their place.

    >>> split("---\ntheme: paper\n---\n# Film")
    ({'theme': 'paper'}, '\n\n\n# Film')

    Raises:
        InvalidScript: it is no YAML, or names a setting that does not exist (with its line).
    """
    lines = source.split("\n")
    if lines[0].rstrip() != "---" or len(lines) < 2 or lines[1].strip() in {"", "---"}:
        return {}, source
    end = next((number for number, line in enumerate(lines[1:], start=1) if line.rstrip() in {"---", "..."}), None)
    if end is None:
        return {}, source
    text = "\n".join(lines[1:end])
    if not _looks_like_settings(lines[1]):
        return {}, source
    return _read(text), "\n" * (end + 1) + "\n".join(lines[end + 1 :])


def _looks_like_settings(line: str) -> bool:
    """Whether a line is `name: …` or a comment; a film may as well begin with a thematic break."""
    name, colon, _ = line.partition(":")
    return line.startswith("#") or (bool(colon) and name.strip().replace("_", "").isalnum() and " " not in name.strip())


def _read(text: str) -> dict[str, Any]:
    if len(text) > _LONGEST:
        raise InvalidScript(f"a front matter of more than {_LONGEST} characters", field="script", limit=_LONGEST)
    try:
        node = yaml.compose(text, Loader=_Loader)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 2}: " if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise InvalidScript(f"{line}the front matter is no YAML: {problem}", field="script") from error
    if not isinstance(data, dict) or not isinstance(node, yaml.MappingNode):
        raise InvalidScript("line 2: the front matter has to be a list of `name: value` lines", field="script")
    for key, _ in node.value:
        if key.value not in _names():
            known = ", ".join(sorted(_names()))
            text = f"line {key.start_mark.line + 2}: there is no setting {str(key.value)[:40]!r}; {known}"
            raise InvalidScript(text, field="script")
    return _as_request(data)


def _names() -> set[str]:
    aliases = {field.alias or name for name, field in ExportRequest.model_fields.items() if name in _OF_REQUEST}
    return {*aliases, *_OF_SCRIPT, *_SHORT}


def _as_request(data: dict[str, Any]) -> dict[str, Any]:
    settings = {name: value for name, value in data.items() if name != "format"}
    if "format" in data:
        settings["video"] = {"preset": data["format"], **(settings.get("video") or {})}
    return settings
