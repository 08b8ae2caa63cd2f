"""The page, as people use it: Chromium, a running installation, a film."""

import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from picturelock.auth.caller import SCOPES
from picturelock.auth.keyring import Keyring
from picturelock.auth.keys import new_key
from picturelock.store.store import Store
from tests.browser import chromium
from tests.browser.chromium import Tab
from tests.faults.stack import Up, gone, start_up, stop

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium.PROGRAM is None, reason="there is no Chromium: scripts/install-chromium"),
]
SCRIPT = "# Sea\\n\\n## Calm\\n\\nThe sea is calm today.\\n\\n## Why\\n\\n- No wind\\n- No storm"
LONG = "# Long\\n\\n" + "The sea is calm today, and it will be calm tomorrow. " * 40
FOCUSED = "document.activeElement.id || document.activeElement.textContent.trim()"


@pytest_asyncio.fixture(scope="module")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    started = await start_up(tmp_path_factory.mktemp("page"))
    yield started
    if started.process.returncode is None:
        await stop(started)


@pytest_asyncio.fixture
async def tab() -> AsyncIterator[Tab]:
    async with chromium.opened() as tab:
        await tab.shape(1200, 900)
        yield tab


async def write(tab: Tab, up: Up, script: str) -> None:
    """Opens the form and fills it in."""
    await tab.go(f"{up.api}/#/new")
    await tab.until("document.querySelector('#script')")
    await tab.run(f"document.querySelector('#script').value = '{script}'")
    await tab.run("document.querySelector('#shape').value = 'small and quick'")


async def send(tab: Tab) -> str:
    """Sends the form; the job's id."""
    await tab.run("document.querySelector('form button').click()")
    await tab.until("location.hash.startsWith('#/job/')")
    return str(await tab.run("location.hash.slice(6)"))


AXE = Path(__file__).parents[1] / "node" / "node_modules" / "axe-core" / "axe.min.js"


async def violations(tab: Tab) -> list[str]:
    """What axe finds against WCAG 2.2 AA and good practice in what is shown."""
    if not AXE.exists():
        return []  # scripts/install-node has said so
    await tab.run(f"!!(window.axe || (() => {{ {AXE.read_text()}; return true; }})())")
    found = await tab.run(
        "axe.run(document, {resultTypes: ['violations']}).then((result) => result.violations.map((one) => "
        "`${one.id}: ${one.nodes.map((node) => node.html).join(' ')}`))"
    )
    return list(found)


def button(text: str) -> str:
    return f"[...document.querySelectorAll('main button')].find((one) => one.textContent === '{text}' && !one.disabled)"


def state(status: str) -> str:
    return f"document.querySelector('main .state.{status}')"


async def test_a_film_is_made_watched_and_found_in_the_list(up: Up, tab: Tab) -> None:
    await write(tab, up, SCRIPT)
    job = await send(tab)
    await tab.until("document.querySelector('.stages li.completed')", 60)
    await tab.until("document.querySelector('video track')", 90)
    await tab.run("document.querySelector('video').play()")
    await tab.until("document.querySelector('video').currentTime > 0.5")
    assert await tab.run("document.querySelector('video track').track.kind") == "captions"
    assert await tab.run("document.querySelector('h1').textContent") == "Sea"
    assert "transcript.html" in str(await tab.run("document.querySelector('.files').textContent"))
    assert await violations(tab) == []
    await tab.go(f"{up.api}/#/new/{job}")
    again = await tab.until("document.querySelector('#script')?.value")
    assert again == "# Sea\n\n## Calm\n\nThe sea is calm today.\n\n## Why\n\n- No wind\n- No storm"
    assert await tab.run("document.querySelector('#shape').value") == "small and quick"
    await tab.go(f"{up.api}/#/")
    listed = f"[...document.querySelectorAll('.films a')].some((one) => one.hash === '#/job/{job}')"
    await tab.until(listed)
    await tab.until("document.querySelector('.films img')?.naturalWidth > 0")
    assert tab.errors == []
    assert {url.split("/")[2] for url in tab.requests if url.startswith("http")} == {up.api.split("/")[2]}


async def test_the_scenes_are_shown_as_they_are_written(up: Up, tab: Tab) -> None:
    await write(tab, up, SCRIPT.replace("calm today", "blue today"))
    changed = "document.querySelector('#script').dispatchEvent(new Event('input', {bubbles: true}))"
    await tab.run(changed)
    await tab.until("document.querySelectorAll('.scene').length === 2", 30)
    await tab.until(
        "[...document.querySelectorAll('.scene img')].filter((one) => one.naturalWidth > 100).length === 2", 60
    )
    assert "list" in str(await tab.run("document.querySelectorAll('.scene')[1].textContent"))
    assert str(await tab.run("document.querySelector('.make h2').textContent")).startswith("2 scenes")
    assert tab.errors == []
    await tab.run("document.querySelector('#script').value += '\\n\\n```chart\\nno numbers\\n```\\n'")
    await tab.run(changed)
    await tab.until("document.querySelector('.hint.problem').textContent.includes(': line ')", 20)


async def test_eight_films_at_once_are_told_by_one_stream(up: Up, tab: Tab) -> None:
    await tab.go(f"{up.api}/#/")
    await tab.until("document.querySelector('.films')")
    async with httpx.AsyncClient(base_url=up.api) as http:
        small = {"preset": "preview", "width": 256, "height": 144}
        for number in range(8):
            body = {"script": {"title": f"Eight {number}", "scenes": [{"narration": "Calm."}]}, "video": small}
            assert (await http.post("/api/jobs", json=body)).status_code == 202
    ready = (
        "[...document.querySelectorAll('.films li')].filter((one) => one.textContent.includes('Eight') "
        "&& one.querySelector('.state.completed')).length === 8"
    )
    await tab.until(ready, 60)
    streams = [url for url in tab.requests if "/events" in url]
    assert len(streams) == 1
    assert tab.errors == []


SAME_STRIP = """(async () => {
  const strip = await (await fetch(`/api/jobs/${location.hash.slice(6)}/segments`)).json();
  const tiles = [...document.querySelectorAll('.tile')];
  return tiles.length === strip.segments.length && strip.segments.length > 3
    && strip.segments.every((segment, index) => tiles[index].dataset.state === segment.state);
})()"""


async def test_the_beginning_plays_while_the_rest_is_made(up: Up, tab: Tab) -> None:
    await write(tab, up, "# Green\\n\\n" + "The sea is green today, and it will be green tomorrow. " * 18)
    await send(tab)
    await tab.until("document.querySelector('video')?.readyState >= 2", 90)
    await tab.run("document.querySelector('video').play()")
    await tab.until("document.querySelector('video').currentTime > 0.5", 20)
    assert await tab.run(f"!!{state('running')}")
    assert await violations(tab) == []
    await tab.until(SAME_STRIP, 5)
    await tab.until("[...document.querySelectorAll('.tile')].some((tile) => tile.style.backgroundImage)", 5)
    await tab.until("document.querySelector('video').getAttribute('src')?.endsWith('/output')", 120)
    await tab.until("document.querySelector('video').currentTime > 0.5 && !document.querySelector('video').paused", 10)
    await tab.until(SAME_STRIP, 5)
    assert await tab.run("[...document.querySelectorAll('.tile')].every((tile) => tile.dataset.state === 'made')")
    assert tab.errors == []
    assert {url.split("/")[2] for url in tab.requests if url.startswith("http")} == {up.api.split("/")[2]}


async def test_a_reload_in_the_middle_and_every_control(up: Up, tab: Tab) -> None:
    await write(tab, up, LONG)
    await send(tab)
    await tab.until(button("Pause"), 60)
    await tab.run(f"{button('Pause')}.click()")
    await tab.until(state("paused"), 60)
    await tab.send("Page.reload")
    await tab.until(button("Go on"), 30)
    await tab.run(f"{button('Go on')}.click()")
    await tab.until(state("running"), 60)
    await tab.until(button("Cancel"))
    await tab.run(f"{button('Cancel')}.click()")
    await tab.until(state("cancelled"), 60)
    await tab.run(f"{button('Try again')}.click()")
    await tab.until(f"!{state('cancelled')} && document.querySelector('main').textContent.includes('attempt 2')", 60)
    await tab.until(button("Cancel"), 60)
    await tab.run(f"{button('Cancel')}.click()")
    await tab.until(state("cancelled"), 60)
    await tab.run("window.confirm = () => true")
    await tab.run(f"{button('Delete')}.click()")
    await tab.until("location.hash === '#/'")


async def test_without_a_network_it_says_so_and_is_right_again_by_itself(up: Up, tab: Tab) -> None:
    await write(tab, up, SCRIPT.replace("calm today", "rough today"))
    await send(tab)
    await tab.until("document.querySelector('.stages')")
    await tab.offline(yes=True)
    await tab.until("!document.querySelector('#trouble').hidden && document.querySelector('.stale')", 40)
    await tab.offline(yes=False)
    await tab.until(f"{state('completed')} && document.querySelector('#trouble').hidden", 90)
    await tab.until("document.querySelector('video')")


async def test_an_api_that_is_killed_is_found_again(up: Up, tab: Tab) -> None:
    await write(tab, up, SCRIPT.replace("calm today", "grey today"))
    await send(tab)
    await tab.until("document.querySelector('.stages')")
    pid = up.pids["api"]
    os.kill(pid, signal.SIGKILL)
    await gone([pid])
    await tab.until(state("completed"), 90)


async def test_what_is_refused_is_said_in_words_beside_the_script(up: Up, tab: Tab) -> None:
    await write(tab, up, "Words.\\n\\n```chart\\na, one\\n```")
    await tab.run("document.querySelector('form button').click()")
    text = await tab.until("document.querySelector('#script-problem').textContent")
    assert "line 3: 'one' is no number" in text
    assert await tab.run("document.activeElement.id") == "script"
    await tab.send("Page.reload")
    await tab.until("document.querySelector('#script')?.value.includes('chart')")


async def test_everything_can_be_reached_by_the_keyboard(up: Up, tab: Tab) -> None:
    await write(tab, up, SCRIPT.replace("calm today", "green today"))
    reached = []
    for _ in range(16):
        await tab.press("Tab")
        reached.append(str(await tab.run(FOCUSED)))
        if reached[-1] == "Make the film":
            break
    assert {"theme", "shape", "voice", "captions", "opening", "ending", "pictures"} <= set(reached)
    assert reached[-1] == "Make the film"
    await tab.press("Enter")
    await tab.until("location.hash.startsWith('#/job/')")


@pytest.mark.parametrize(("dark", "width"), [(False, 1200), (True, 1200), (False, 390), (True, 390)])
async def test_texts_can_be_read_and_nothing_hangs_out(up: Up, tab: Tab, width: int, *, dark: bool) -> None:
    """Contrast of every text against what is behind it, a name for every control, no sideways scrolling."""
    await tab.shape(width, 800, dark=dark, phone=width < 500)
    for view in ("#/new", "#/"):
        await tab.go(f"{up.api}/{view}")
        await tab.until("document.querySelector('main h1')")
        assert await tab.run("document.documentElement.scrollWidth <= window.innerWidth")
        low = await tab.run((Path(__file__).parent / "contrast.js").read_text())
        assert low == []
        unnamed = await tab.run(
            "[...document.querySelectorAll('input, select, textarea, button, a, progress, video')].filter((one) => "
            "!one.labels?.length && !one.ariaLabel && !one.textContent.trim()).map((one) => one.outerHTML)"
        )
        assert unnamed == []
        assert await violations(tab) == []


async def test_it_is_small_and_needs_no_key_itself(up: Up) -> None:
    async with httpx.AsyncClient(base_url=up.api) as http:
        page = await http.get("/")
        names = {"/", *re.findall(r'(?:src|href)="(/web/[^"]+)"', page.text)}
        modules = ["api", "make", "watch", "films", "dom", "strip", "preview", "shared", "storyboard", "picturelock"]
        names |= {f"/web/{name}.js" for name in modules}
        answers = [await http.get(name) for name in names]
        assert all(answer.status_code == 200 for answer in answers)
        assert sum(len(answer.content) for answer in answers) < 150_000
        assert "script-src 'self'" in page.headers["content-security-policy"]
        again = await http.get("/", headers={"if-none-match": page.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert (await http.get("/web/..%2fpyproject.toml")).status_code == 404
        assert (await http.get("/web/none.js")).json()["code"] == "NOT_FOUND"


async def test_where_keys_are_asked_for_it_asks_for_one(tab: Tab, tmp_path: Path) -> None:
    record, key = new_key("somebody", SCOPES)
    await Keyring(Store((tmp_path / "store").as_uri(), tmp_path / "scratch")).add(record)
    started = await start_up(tmp_path, environment={"PICTURELOCK_AUTHENTICATION": "keys"})
    try:
        await tab.go(f"{started.api}/#/")
        await tab.until("document.querySelector('#key')")
        assert await violations(tab) == []
        await tab.run("document.querySelector('#key').value = 'plk_wrong'")
        await tab.run("document.querySelector('form button').click()")
        await tab.until("document.querySelector('#login-problem').textContent.includes('no valid key')")
        await tab.run(f"document.querySelector('#key').value = '{key}'")
        await tab.run("document.querySelector('form button').click()")
        await tab.until("document.querySelector('main h1')?.textContent === 'Films'")
        await _guest_sees_one_film(tab, started)
    finally:
        await stop(started)


async def _guest_sees_one_film(tab: Tab, up: Up) -> None:
    """Who is logged in shares a film; a guest can look at it, and at nothing else."""
    await write(tab, up, SCRIPT)
    job = await send(tab)
    await tab.until(f"{button('Share')}", 30)
    await tab.run(f"{button('Share')}.click()")
    address = str(await tab.until("document.querySelector('.row input[readonly]')?.value"))
    await tab.run("document.getElementById('logout').click()")
    await tab.until("document.querySelector('#key')")
    await tab.go("about:blank")
    await tab.go(address)
    await tab.until("document.querySelector('video track')", 90)
    await tab.run("document.querySelector('video').play()")
    await tab.until("document.querySelector('video').currentTime > 0.3")
    files = str(await tab.run("document.querySelector('.files').textContent"))
    assert "captions.vtt" in files
    assert "transcript.html" in files
    assert "manifest.json" not in files
    assert "script.json" not in files
    assert await tab.run("document.querySelector('h1').textContent") == "Sea"
    assert await tab.run("document.querySelectorAll('main button').length") == 0
    assert await tab.run("document.querySelector('header nav').hidden")
    assert await violations(tab) == []
    asked = "fetch('{}').then((answer) => answer.status)"
    for path in ("/api/jobs", f"/api/jobs/{job}", f"/api/jobs/{job}/request"):
        assert await tab.run(asked.format(path)) == 401
    assert [error for error in tab.errors if "401" not in error] == []
    await tab.go("about:blank")
    await tab.go(f"{address[:-4]}AAAA")
    await tab.until("document.querySelector('h1')?.textContent === 'This film is not there any more'")
