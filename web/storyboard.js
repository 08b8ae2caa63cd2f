// The scenes of a script that is being written, as the product itself reads and draws them.
import { ApiError, ask } from "/web/api.js";
import { duration, h } from "/web/dom.js";

const QUIET_MS = 900;

/**
 * Keeps `list` in step with what `request()` gives: a plan a moment after the last change, then a still of each scene.
 *
 * `told(plan, error)` is given what the plan says, or why there is none.
 */
export function storyboard(list, request, told) {
  const cards = new Map();
  let timer = 0;
  let abort = null;

  const cardOf = (scene, key) => {
    const card = cards.get(key) ?? h("li", { class: "scene" }, h("div", { class: "blank" }), h("div", {}, h("b", {}), h("span")));
    card.querySelector("b").textContent = scene.title || scene.spoken;
    card.querySelector("span").textContent = ` ${scene.shown}, ${scene.narrationFound ? "" : "about "}${scene.seconds.toFixed(1)} s`;
    return card;
  };
  const draw = async (card, number, body, signal) => {
    const answer = await fetch(`/api/stills?scene=${number}`, { method: "POST", body, signal, headers: { "content-type": "application/json" } });
    if (!answer.ok) return;
    const image = h("img", { alt: "", src: URL.createObjectURL(await answer.blob()) });
    image.addEventListener("load", () => URL.revokeObjectURL(image.src));
    card.firstChild.replaceWith(image);
  };
  const look = async () => {
    abort?.abort();
    abort = new AbortController();
    const { signal } = abort;
    const asked = request();
    try {
      const plan = await ask("POST", "/api/plan", { json: asked, signal });
      const shape = JSON.stringify({ ...asked, script: "" });
      const seen = new Map();
      const fresh = plan.scenes.map((scene, index) => {
        const words = `${scene.title}\n${scene.spoken}\n${scene.shown}`;
        seen.set(words, (seen.get(words) ?? 0) + 1);
        const key = `${words}\n${seen.get(words)}\n${shape}`;
        const known = cards.has(key);
        const card = cardOf(scene, key);
        cards.set(key, card);
        return { card, known, number: index + 1 };
      });
      for (const key of [...cards.keys()]) if (!fresh.some(({ card }) => card === cards.get(key))) cards.delete(key);
      list.replaceChildren(...fresh.map(({ card }) => card));
      told(plan);
      for (const { card, number } of fresh.sort((a, b) => a.known - b.known)) await draw(card, number, JSON.stringify(asked), signal);
    } catch (error) {
      if (error.name !== "AbortError" && error instanceof ApiError) told(null, error);
    }
  };
  return {
    look: () => {
      clearTimeout(timer);
      timer = setTimeout(look, QUIET_MS);
    },
    /** Whether the product's own view is shown, and a quick guess is not needed. */
    shown: () => cards.size > 0,
    end: () => {
      clearTimeout(timer);
      abort?.abort();
    },
  };
}

/** How long a planned film is, and what of it is new, in words. */
export function lengthOf(plan) {
  const made = plan.scenes.filter((scene) => !scene.narrationFound || scene.segments.missing > 0 || !scene.pictureFound).length;
  const news = made === plan.scenes.length ? "" : made ? `, ${made} of them new` : ", all of them there already";
  return `${plan.scenes.length} scenes${news}, ${plan.exact ? "" : "about "}${duration(plan.durationSeconds)}`;
}
