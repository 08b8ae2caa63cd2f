// One film for somebody who was given its address: to be looked at, and nothing else.
import { ApiError, ask, service } from "/web/api.js";
import { duration, fill, h } from "/web/dom.js";
import { preview } from "/web/preview.js";
import { film, stateOf, trouble } from "/web/watch.js";

const AGAIN_MS = 3000;
const FINAL = ["completed", "failed", "cancelled"];

/** Shows a shared film in `main`; returns what ends it. */
export async function shared(main, id, token) {
  let beginning = null;
  const gone = (error) => {
    beginning?.end();
    main.replaceChildren(h("h1", {}, "This film is not there any more"), h("p", {}, error.status === 401 ? "Its address has expired, or was withdrawn." : error.message));
  };
  if (token) {
    try {
      await ask("POST", "/api/shares", { json: { token } });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status >= 500 || error.status === 429) throw error;
      gone(error);
      return () => {};
    }
  }
  const path = `/api/jobs/${id}`;
  const parts = Object.fromEntries(["title", "head", "film"].map((name) => [name, h("div")]));
  main.replaceChildren(...Object.values(parts));
  let timer = 0;
  let stopped = false;

  const show = (job) => {
    const open = !FINAL.includes(job.status);
    document.title = job.title || "Film";
    fill(parts.title, h("h1", {}, job.title || "Film"), job.status !== "completed" && h("p", {}, stateOf(job)));
    fill(parts.head, open && h("progress", { max: 100, value: job.progress, "aria-label": "Progress" }));
    if (job.status !== "completed") return;
    beginning?.end();
    beginning = null;
    parts.film.replaceChildren(...film(job, id));
  };
  const look = async () => {
    try {
      const job = await ask("GET", `${path}/shared`);
      if (stopped) return;
      trouble("");
      show(job);
      if (FINAL.includes(job.status)) return;
      if (job.previewSeconds) {
        if (!beginning) parts.film.replaceChildren((beginning = preview(`${path}/preview.m3u8`)).element);
        beginning.tell(job.previewSeconds, job.durationSeconds);
      }
    } catch (error) {
      if (stopped) return;
      if (error instanceof ApiError && error.status < 500 && error.status !== 429) return gone(error);
      trouble(error.message);
    }
    if (!stopped) timer = setTimeout(look, AGAIN_MS);
  };
  await look();
  return () => { stopped = true; clearTimeout(timer); beginning?.end(); trouble(""); };
}

/** The button that makes an address of a film, and the address. */
export function shareButton(id) {
  const address = h("input", { readonly: true, hidden: true, "aria-label": "Address of this film" });
  const hint = h("span", { class: "hint", role: "status" });
  const button = h("button", { onclick: async () => {
    try {
      const { url, expiresInSeconds } = await service.share(id);
      address.value = new URL(url, location.href).href;
      address.hidden = false;
      address.select();
      const copied = await navigator.clipboard?.writeText(address.value).then(() => true, () => false);
      hint.textContent = `${copied ? "Copied. " : ""}Whoever has this address can watch the film${expiresInSeconds ? ` for ${Math.round(expiresInSeconds / 86400)} days` : ""}.`;
    } catch (error) {
      hint.textContent = error.message;
    }
  } }, "Share");
  return h("span", { class: "row" }, button, address, hint);
}
