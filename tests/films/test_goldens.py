"""Frames are what they were, or their version is a new one: caches hold what older code has drawn."""

import numpy as np
import pytest

from tests.films.goldens import FOLDER, VERSIONS, Golden, Refused, all_goldens, changes, encodings, index, same
from tests.films.studio import Picture, Studio

pytestmark = pytest.mark.slow

NAMES = [one.name for one in all_goldens(dict.fromkeys(("chart", "tall", "red", "mark", "wide", "hdr", "low"), ""))]


def test_the_goldens_are_those_of_todays_versions() -> None:
    assert index()["versions"] == VERSIONS, "a version was raised: run `make goldens` and look at the sheet"


def test_what_encoders_are_asked_for_has_not_changed_without_a_new_version() -> None:
    assert index()["encoders"] == encodings(), "raise picturelock/render/encode.VERSION, then run `make goldens`"


def test_every_kept_frame_belongs_to_a_golden() -> None:
    assert {path.stem for path in FOLDER.glob("*.png")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
async def test_a_frame_is_what_it_was(name: str, studio: Studio, assets: dict[str, str]) -> None:
    golden = next(one for one in all_goldens(assets) if one.name == name)
    kept = golden.kept()
    assert kept is not None, "run `make goldens`"
    made = await golden.make(studio)
    apart = np.abs(made.astype(int) - kept.astype(int))
    assert same(made, kept), (
        f"{name} differs by up to {apart.max()} in {(apart > 0).any(axis=2).mean():.1%} of its pixels: if that is "
        "meant, raise VERSION of render/encode (drawing) or composition/pictures (pictures) and run `make goldens`"
    )


def test_the_goldens_differ_from_one_another() -> None:
    frames: dict[str, Picture] = {}
    for name in NAMES:
        kept = Golden(name, {}, 0).kept()
        assert kept is not None
        assert not any(same(kept, other) for other in frames.values()), name
        frames[name] = kept


def test_regenerating_refuses_what_changed_under_an_old_version() -> None:
    old = {"a": np.zeros((4, 4, 3), np.uint8)}
    new = {"a": np.full((4, 4, 3), 9, np.uint8)}
    with pytest.raises(Refused, match="raise VERSION"):
        changes(new, old, VERSIONS)
    assert changes(new, old, {**VERSIONS, "segment": "an older one"}) == ["a"]
    assert changes(old, old, VERSIONS) == []
    assert changes(new, {}, VERSIONS) == ["a"]
