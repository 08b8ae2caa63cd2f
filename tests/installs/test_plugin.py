"""A package of somebody else's: its voice and its pictures are used like those that are built in."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from picturelock.plugins import PluginConflict, configured, plugin_classes
from picturelock.script.writers import BuiltInWriter, chosen_writer
from picturelock.settings import Settings

ROOT = Path(__file__).parents[2]
PROGRAM = """
import asyncio, json
from pathlib import Path
from picturelock.models import ExportRequest
from picturelock.pipeline import make_film
from picturelock.store.store import Store

request = ExportRequest.model_validate({
    "script": {"title": "Stripes", "scenes": [{
        "narration": "Three short words", "voice": {"engine": "beep", "voice": "a4"},
        "visual": {"kind": "image", "query": "stripes"},
    }]},
    "video": {"preset": "preview", "width": 320, "height": 180},
})
scratch = Path("scratch").resolve()
told = []
film = asyncio.run(make_film(
    request, Store(Path("store").resolve().as_uri(), scratch), scratch, lambda share, message: told.append(share)
))
print(json.dumps({
    "engines": [one.engine for one in film.narrations], "timing": [one.timing for one in film.narrations],
    "words": [word.text for one in film.narrations for word in one.words],
    "sources": [one.source for one in film.plan.attributions], "seconds": film.result.facts.duration_seconds,
    "told": told,
}))
"""


@pytest.mark.slow
def test_a_plugin_is_installed_and_a_film_made_with_it(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index",
         "--target", str(packages), str(ROOT / "examples" / "plugin")],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(packages), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    film = json.loads(done.stdout.splitlines()[-1])
    assert (film["engines"], film["timing"], film["sources"]) == (["beep"], ["engine"], ["stripes"])
    assert film["words"] == ["Three", "short", "words"]
    assert 0.6 < film["seconds"] < 4
    assert film["told"] == sorted(film["told"])
    assert film["told"][-1] == pytest.approx(1.0)


class Named:
    def __init__(self, group: str, name: str, value: object) -> None:
        self.group, self.name, self.value = group, name, value

    def load(self) -> object:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


def plugin(kind: str = "stock") -> type:
    class Plugin:
        @classmethod
        def from_settings(cls, _settings: Settings, /) -> "Plugin":
            return cls()

    Plugin.kind = kind  # type: ignore[attr-defined]
    return Plugin


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> list[Named]:
    found: list[Named] = []
    plugin_classes.cache_clear()
    monkeypatch.setattr("picturelock.plugins.entry_points", lambda group: [one for one in found if one.group == group])
    monkeypatch.setattr("picturelock.plugins.plugin_classes", plugin_classes.__wrapped__)
    return found


def test_one_whose_libraries_are_missing_is_left_out(entries: list[Named]) -> None:
    entries += [
        Named("picturelock.voices", "there", plugin()),
        Named("picturelock.voices", "not there", ModuleNotFoundError("numpy")),
    ]
    assert list(configured("picturelock.voices", Settings())) == ["there"]


def test_two_of_one_name_are_refused(entries: list[Named]) -> None:
    entries += [Named("picturelock.voices", "same", plugin()), Named("picturelock.voices", "same", plugin())]
    with pytest.raises(PluginConflict, match="two packages provide 'same'"):
        configured("picturelock.voices", Settings())


def test_two_sources_of_a_kind_need_a_choice(entries: list[Named]) -> None:
    from picturelock.composition.visuals.source import sources

    first, second = plugin(), plugin()
    entries += [Named("picturelock.pictures", "a", first), Named("picturelock.pictures", "b", second)]
    with pytest.raises(
        PluginConflict, match="a, b are sources of stock pictures: name one in PICTURELOCK_STOCK_SOURCE"
    ):
        sources(Settings())
    assert isinstance(sources(Settings(stock_source="b"))["stock"], second)
    assert sources(Settings(stock_source="c")) == {}


def test_the_writer_is_the_named_one_else_the_configured_one_else_the_built_in_one(entries: list[Named]) -> None:
    assert isinstance(chosen_writer(Settings()), BuiltInWriter)
    other, another = plugin(), plugin()
    entries += [Named("picturelock.writers", "builtin", BuiltInWriter), Named("picturelock.writers", "other", other)]
    assert isinstance(chosen_writer(Settings()), other)
    assert isinstance(chosen_writer(Settings(writer="builtin")), BuiltInWriter)
    entries.append(Named("picturelock.writers", "another", another))
    with pytest.raises(PluginConflict, match="name one in PICTURELOCK_WRITER"):
        chosen_writer(Settings())
    with pytest.raises(PluginConflict, match="there is no writer 'gone'"):
        chosen_writer(Settings(writer="gone"))
