"""Front matter: settings of the film, in YAML between `---` lines before a Markdown script.

    ---
    theme: paper
    format: tiktok
    captions: {style: karaoke}
    ---

The names and limits are those of the HTTP request; `format` is short for `video.preset`, `language` and `title` are
the script's. What the request itself says wins.
"""

import re
from typing import Any, Final

import yaml

from picturelock.errors import InvalidScript
from picturelock.models import ExportRequest

_LONGEST: Final = 10_000
_DEEPEST: Final = 12
_SETTING: Final = re.compile(r"[\"']?[a-z][A-Za-z]*[\"']?\s*:(?:\s|$)")
_OF_SCRIPT: Final = frozenset({"title", "language"})
_OF_REQUEST: Final = frozenset(ExportRequest.model_fields) - {"script", "brief", "webhook"}
_SHORT: Final = {"format": "video"}


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """YAML without aliases (a few lines could become gigabytes) and without times: `2026-01-01` is text."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        if getattr(self.peek_event(), "tag", None) not in {None, "!"}:
            raise yaml.YAMLError("tags are not allowed")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise yaml.YAMLError("it is nested too deep")
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node

    _depth = 0


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?", "-+0123456789."),
):  # YAML 1.2's: "no" is Norwegian and 12:30 a text
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def split(source: str) -> tuple[dict[str, Any], str]:
    r"""The settings of a Markdown script, and the script with empty lines in their place.

    >>> split("---\ntheme: paper\n---\n# Film")
    ({'theme': 'paper'}, '\n\n\n# Film')

    Raises:
        InvalidScript: it is no YAML, or names a setting that does not exist (with its line).
    """
    source = source.removeprefix("\ufeff").replace("\r\n", "\n")
    lines = source.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    begin = next((number for number, line in enumerate(lines[first + 1 :], first + 1) if line.strip()), None)
    if lines[first].rstrip() != "---" or begin is None or not _looks_like_settings(lines[begin]):
        return {}, source
    end = next((number for number, line in enumerate(lines[begin:], begin) if line.rstrip() in {"---", "..."}), None)
    if end is None:
        raise InvalidScript(f"line {first + 1}: the front matter has no end: a line of ---", field="script")
    settings = _read("\n".join(lines[first + 1 : end]), first + 2)
    return settings, "\n" * (end + 1) + "\n".join(lines[end + 1 :])


def _looks_like_settings(line: str) -> bool:
    """Whether a line is `name: …` or a comment; a film may as well begin with a thematic break."""
    return bool(_SETTING.match(line)) or (line.startswith("#") and not line.startswith("##") and ":" not in line[:2])


def _read(text: str, first: int) -> dict[str, Any]:
    if len(text) > _LONGEST:
        raise InvalidScript(f"a front matter of more than {_LONGEST} characters", field="script", limit=_LONGEST)
    try:
        node = yaml.compose(text, Loader=_Loader)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506
    except (yaml.YAMLError, ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + first}: " if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise InvalidScript(f"{line}the front matter is no YAML: {problem}", field="script") from error
    if not isinstance(data, dict) or not isinstance(node, yaml.MappingNode):
        raise InvalidScript(f"line {first}: the front matter has to be a list of `name: value` lines", field="script")
    names = [str(key.value) for key, _ in node.value]
    for key, value in node.value:
        where = f"line {key.start_mark.line + first}"
        if names.count(str(key.value)) > 1:
            raise InvalidScript(f"{where}: {key.value!r} is set twice", field="script")
        if key.value in _OF_SCRIPT and not isinstance(value, yaml.ScalarNode):
            raise InvalidScript(f"{where}: {key.value} is a text", field="script")
        if key.value in _OF_SCRIPT:
            data[key.value] = "" if data[key.value] is None else str(value.value)
        if key.value not in _names():
            known = ", ".join(sorted(_names()))
            text = f"{where}: there is no setting {str(key.value)[:40]!r}; {known}"
            raise InvalidScript(text, field="script")
    return _as_request(data)


def _names() -> set[str]:
    aliases = {field.alias or name for name, field in ExportRequest.model_fields.items() if name in _OF_REQUEST}
    return {*aliases, *_OF_SCRIPT, *_SHORT}


def _as_request(data: dict[str, Any]) -> dict[str, Any]:
    settings = {name: value for name, value in data.items() if name != "format"}
    if "format" in data:
        video = settings.get("video") or {}
        settings["video"] = {"preset": data["format"], **video} if isinstance(video, dict) else video
    return settings
