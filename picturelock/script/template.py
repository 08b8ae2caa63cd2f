"""Requests with `{{fields}}`, filled from rows: many films from one script."""

import re
from collections.abc import Mapping
from typing import Any, Final

_FIELD: Final = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.-]{0,63})\s*\}\}")
_BRACES: Final = re.compile(r"\{\{|\}\}")


class FieldMissing(ValueError):
    """A field has no value, or a row has one that is not asked for; `name` says which."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def fields_of(template: object) -> set[str]:
    """The names of a template's fields, wherever its texts have them.

    >>> sorted(fields_of({"script": "# For {{name}}", "metadata": {"order": "{{ order }}"}}))
    ['name', 'order']
    """
    if isinstance(template, str):
        return set(_FIELD.findall(template))
    if isinstance(template, Mapping):
        return {name for value in template.values() for name in fields_of(value)}
    if isinstance(template, list):
        return {name for value in template for name in fields_of(value)}
    return set()


def filled(template: Any, row: Mapping[str, object]) -> Any:  # noqa: ANN401 - JSON
    """The template with a row's values in the places of its fields; line ends in values become spaces.

    Raises:
        FieldMissing: a field without a value, a value without a field, or braces that are no field.

    >>> filled("# For {{name}}", {"name": "Ada"})
    '# For Ada'
    """
    wanted = fields_of(template)
    for name in sorted(wanted - row.keys()):
        raise FieldMissing(name, f"{{{{{name}}}}} has no value")
    for name in sorted(row.keys() - wanted):
        raise FieldMissing(name, f"the template has no {{{{{name}}}}}")
    values = {name: " ".join(str(value).split()) for name, value in row.items()}
    for name, value in values.items():
        if not value:
            raise FieldMissing(name, f"{{{{{name}}}}} is empty")
        if _BRACES.search(value):
            raise FieldMissing(name, f"the value of {{{{{name}}}}} has double braces")
    return _filled(template, values)


def _filled(template: Any, values: Mapping[str, str]) -> Any:  # noqa: ANN401
    if isinstance(template, str):
        text = _FIELD.sub(lambda match: values[match.group(1)], template)
        if slip := _BRACES.search(text):
            raise FieldMissing("", f"{text[max(0, slip.start() - 10) : slip.end() + 10]!r} is no field: {{{{name}}}}")
        return text
    if isinstance(template, Mapping):
        return {key: _filled(value, values) for key, value in template.items()}
    return [_filled(value, values) for value in template] if isinstance(template, list) else template
