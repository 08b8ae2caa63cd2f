"""Every place of the product that opens a stranger's file, walked: a new one fails until it is confined."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = [*(ROOT / "picturelock").rglob("*.py"), *(ROOT / "activities").rglob("*.py"), *(ROOT / "api").rglob("*.py")]
FETCHED = {
    "picturelock/composition/clips.py": "ClipFile",
    "picturelock/composition/compose.py": "a fact of it",
    "picturelock/composition/pictures.py": "load_rgb",
    "picturelock/composition/visuals/provide.py": "a reference to it",
    "picturelock/finalize/sound.py": "ForeignFile",
    "picturelock/jobs/retention.py": "what goes",
    "picturelock/render/watermark.py": "load_rgba",
    "picturelock/speech/narrate.py": "decode_file",
}
"""Where an upload is fetched from the store, and what opens it there."""


def calls(path: Path) -> Iterator[tuple[ast.Call, str]]:
    """Every call of a module, with the name of what is called."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield node, node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_place_that_fetches_an_upload_is_known() -> None:
    fetching = {
        name_of(path)
        for path in PRODUCT
        for node, called in calls(path)
        if called == "asset" and isinstance(node.func, ast.Attribute) and "store" in ast.unparse(node.func.value)
    }
    assert fetching == set(FETCHED)
    for name, opener in FETCHED.items():
        if opener.isidentifier():
            assert opener in (ROOT / name).read_text()


def test_pictures_are_decoded_by_one_program_only() -> None:
    opening = {name_of(path) for path in PRODUCT if "Image.open(" in path.read_text() or "from PIL" in path.read_text()}
    assert opening == {"picturelock/pictures/decoder.py"}
    decoding = {name_of(path) for path in PRODUCT if "imdecode(" in path.read_text() or "imread(" in path.read_text()}
    drawn = {"picturelock/render/segment.py", "picturelock/composition/scenes/typesetter.py"}
    assert decoding == drawn, "what we have drawn ourselves"


def test_whoever_names_a_foreign_file_to_ffmpeg_confines_it() -> None:
    """`foreign_input` goes into a run with limits, or to a reader that always has them."""
    users = {}
    for path in PRODUCT:
        for function in functions(path):
            text = ast.unparse(function)
            if "foreign_input(" in text and function.name != "foreign_input":
                users[f"{name_of(path)}:{function.name}"] = text
    assert len(users) >= 4
    for place, text in users.items():
        confined = "DECODER" in text or place.endswith(("clips.py:source", "foreign.py:options"))
        assert confined, place
    for path in (ROOT / "picturelock" / "render" / "clips.py", ROOT / "picturelock" / "ffmpeg" / "frame_reader.py"):
        runs = [node for node, called in calls(path) if called in {"run", "tied"}]
        assert runs
        for node in runs:
            assert "confinement.DECODER" in ast.unparse(node)


def test_nothing_else_starts_ffprobe() -> None:
    probing = {name_of(path) for path in PRODUCT if "ffprobe_path(" in path.read_text()}
    looked_for = "picturelock/cli/checks.py"  # which only tells where it is
    assert probing == {"picturelock/ffmpeg/probe.py", "picturelock/ffmpeg/tools.py", looked_for}
