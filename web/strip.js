// The film strip: a tile for every segment, as wide as it is long, with its first picture as soon as there is one.
import { ask } from "/web/api.js";
import { h } from "/web/dom.js";

const WORDS = { waiting: "waits", drawing: "is being drawn", made: "is ready", found: "was there already", failed: "failed" };
const PIXELS_A_SECOND = 26;

/** A strip that is kept up to date by `look()`; `seen(strip)` is given what the server said. */
export function filmStrip(path, seen) {
  const tiles = new Map();
  const row = h("div", { class: "strip", role: "img" });
  const words = h("p", { class: "hint" });
  let asking = false;

  const draw = (strip) => {
    for (const segment of strip.segments) {
      let tile = tiles.get(segment.id);
      if (!tile) {
        tile = h("span", { class: "tile" });
        tile.style.width = `${Math.max(4, (segment.frames / strip.fps) * PIXELS_A_SECOND)}px`;
        tiles.set(segment.id, tile);
        row.append(tile);
      }
      const shown = `${segment.state} ${segment.progress} ${segment.thumbnail}`;
      if (tile.dataset.shown === shown) continue;
      tile.dataset.shown = shown;
      tile.dataset.state = segment.state;
      tile.title = `${segment.title || "Film"}: ${WORDS[segment.state]}${segment.state === "drawing" ? `, ${Math.floor(segment.progress)} %` : ""}`;
      tile.style.setProperty("--done", `${segment.progress}%`);
      if (segment.thumbnail) tile.style.backgroundImage = `url("${segment.thumbnail}")`;
    }
    const count = (state) => strip.segments.filter((segment) => segment.state === state).length;
    const [made, found, drawing, all] = [count("made"), count("found"), count("drawing"), strip.segments.length];
    const text = `${made + found} of ${all} segments are ready${found ? `, ${found} of them were there already` : ""}${drawing ? `; ${drawing} ${drawing === 1 ? "is" : "are"} being drawn` : ""}.`;
    if (words.textContent !== text) words.textContent = text;
    row.setAttribute("aria-label", text);
  };

  const look = async () => {
    if (asking) return;
    asking = true;
    try {
      const strip = await ask("GET", `${path}/segments`);
      if (strip.segments.length) draw(strip);
      seen(strip);
    } catch {
      // the job's own events say what is wrong; the strip is asked for again with the next one
    } finally {
      asking = false;
    }
  };
  return { element: h("div", {}, row, words), look };
}
