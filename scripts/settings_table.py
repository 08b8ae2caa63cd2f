"""Writes the table of settings into the README: python -m scripts.settings_table."""

from pathlib import Path

from picturelock.settings import Settings

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- settings -->\n", "<!-- /settings -->"


def table() -> str:
    """The table, one row for each setting."""
    rows = ["| variable | default | what it is |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        description = (field.description or "").replace("|", "\\|")
        rows.append(f"| `PICTURELOCK_{name.upper()}` | {default} | {description} |")
    return "\n".join(rows) + "\n"


def with_table(text: str) -> str:
    """The README with the table of today."""
    before, rest = text.split(BEGIN, 1)
    return before + BEGIN + table() + END + rest.split(END, 1)[1]


if __name__ == "__main__":
    README.write_text(with_table(README.read_text()))
