"""What a client may send, and what it is told when it may not."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picturelock.models import ExportRequest
from picturelock.script.intake import RequestRefused, read_request

ASSET = "sha256-" + "a" * 64


def refused(data: object) -> list[tuple[str, str, str]]:
    with pytest.raises(RequestRefused) as caught:
        read_request(json.dumps(data).encode())
    return [(one.path, one.code, one.message) for one in caught.value.complaints]


def script(**scene: Any) -> dict[str, Any]:
    return {"script": {"scenes": [{"narration": "Hello.", **scene}]}}


def test_the_smallest_requests_are_complete() -> None:
    request = read_request(b'{"script": {"scenes": [{"narration": "Hello."}]}}')
    assert request.video.preset == "youtube-1080p"
    assert request.captions.burn_in
    assert read_request(b'{"brief": {"topic": "How tides work"}}').brief is not None


def test_a_markdown_script_becomes_scenes() -> None:
    request = read_request(json.dumps({"script": "# T\n\n## One\nFirst.\n\n## Two\nSecond."}).encode())
    assert request.script is not None
    assert [scene.title for scene in request.script.scenes] == ["One", "Two"]


@pytest.mark.parametrize(
    ("data", "path", "code"),
    [
        ({}, "$", "INVALID_REQUEST"),
        ({"script": {"scenes": []}}, "script.scenes", "INVALID_SCRIPT"),
        ({"script": ""}, "script", "INVALID_SCRIPT"),
        ({"script": "   \n"}, "script", "INVALID_SCRIPT"),
        ({"script": {"scenes": [{}]}}, "script.scenes[0].narration", "INVALID_SCRIPT"),
        ({"script": {"scenes": [{"narration": ""}]}}, "script.scenes[0].narration", "INVALID_SCRIPT"),
        ({"script": {"scenes": [{"narration": "… !!"}]}}, "script.scenes[0].narration", "INVALID_SCRIPT"),
        (script(narration="word " * 10_000), "script.scenes[0].narration", "INVALID_SCRIPT"),
        (script(narration="a\x00b"), "script.scenes[0].narration", "INVALID_SCRIPT"),
        (script(visual={"kind": "image"}), "script.scenes[0].visual", "INVALID_SCRIPT"),
        (script(visual={"kind": "card", "assetId": ASSET}), "script.scenes[0].visual", "INVALID_SCRIPT"),
        (
            script(visual={"kind": "clip", "assetId": ASSET, "startSeconds": 2, "endSeconds": 1}),
            "script.scenes[0].visual",
            "INVALID_SCRIPT",
        ),
        ({**script(), "video": {"preset": "vhs"}}, "video.preset", "NOT_OFFERED"),
        ({**script(), "video": {"width": 1921, "height": 1080}}, "video.width", "INVALID_REQUEST"),
        ({**script(), "video": {"width": 640}}, "video", "INVALID_REQUEST"),
        ({**script(), "video": {"fps": 29}}, "video.fps", "INVALID_REQUEST"),
        ({**script(), "video": {"encoderPreset": "warp"}}, "video.encoderPreset", "INVALID_REQUEST"),
        ({**script(), "nonsense": 1}, "nonsense", "INVALID_REQUEST"),
        ({**script(), "webhook": {"url": "ftp://example.org"}}, "webhook.url", "INVALID_REQUEST"),
        ({**script(), "brief": {"topic": "tides"}}, "$", "INVALID_REQUEST"),
    ],
)
def test_bad_input_gets_a_path_and_a_code(data: object, path: str, code: str) -> None:
    assert (path, code) in [(one[0], one[1]) for one in refused(data)]


def test_snake_case_is_not_a_second_way_to_say_it() -> None:
    assert refused({**script(), "captions": {"burn_in": True}})[0][2] == "unknown field 'burn_in'"


def test_everything_wrong_is_said_at_once() -> None:
    complaints = refused({**script(narration=""), "nonsense": 1, "video": {"fps": 29}})
    assert {one[0] for one in complaints} == {"script.scenes[0].narration", "nonsense", "video.fps"}


def test_a_scene_without_narration_is_named_by_its_heading() -> None:
    path, code, message = refused({"script": "# T\n\n## One\nFirst.\n\n## Empty\n\n## Three\nThird."})[0]
    assert (path, code) == ("script", "INVALID_SCRIPT")
    assert "'Empty'" in message
    assert "line 6" in message


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_make_it_fall_over(body: bytes) -> None:
    with pytest.raises(RequestRefused):
        read_request(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["script", "brief", "scenes", "narration", "video", "topic"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_makes_it_fall_over(data: object) -> None:
    with contextlib.suppress(RequestRefused):
        request = read_request(json.dumps(data).encode())
        assert (request.script is None) != (request.brief is None)


@pytest.mark.parametrize(
    "visual",
    [
        {"kind": "card"},
        {"kind": "image", "assetId": ASSET, "motion": "pan-left"},
        {"kind": "clip", "assetId": ASSET, "startSeconds": 1.5, "endSeconds": 4, "whenShort": "freeze"},
        {"kind": "clip", "assetId": ASSET},
        {"kind": "color", "colors": ["#102030"]},
        {"kind": "gradient"},
    ],
)
def test_what_is_accepted_can_be_read_again(visual: dict[str, object]) -> None:
    """A request travels as JSON with every field set; one that could not be read would never begin."""
    request = read_request(json.dumps(script(visual=visual)).encode())
    assert ExportRequest.model_validate_json(request.model_dump_json()) == request
