// All films, the newest first, and where the list goes on.
import { ask } from "/web/api.js";
import { fill, h } from "/web/dom.js";
import { stateOf, trouble } from "/web/watch.js";

const REFRESH_SECONDS = 4;
const QUIET_SECONDS = 20;
/** How often the list is read where the stream of all jobs tells what has changed. */
const EVENTS = ["job-progress", "job-completed", "job-failed", "job-cancelled"];

function film(job) {
  const poster = job.artifacts.some((file) => file.name === "poster.jpg");
  const when = new Date(job.createdAt).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  const open = !["completed", "failed", "cancelled"].includes(job.status);
  return h("li", {},
    poster ? h("img", { src: `/api/jobs/${job.id}/artifacts/poster.jpg`, alt: "", loading: "lazy" }) : h("span", { class: "blank" }),
    h("div", {}, h("h2", {}, h("a", { href: `#/job/${job.id}` }, job.title || "Film")), h("span", { class: "hint" }, when)),
    h("div", { class: "row" }, open ? h("progress", { max: 100, value: job.progress, "aria-label": `${job.title || "Film"}: progress` }) : "", stateOf(job)));
}

/** Shows the list in `main`; returns what ends it. */
export function films(main) {
  const chosen = h("select", { id: "status", "aria-label": "Which films" },
    ["all", "running", "queued", "paused", "completed", "failed", "cancelled"].map((status) => h("option", { value: status }, status)));
  const list = h("ul", { class: "films" });
  const more = h("button", { hidden: true }, "Show more");
  const hint = h("p", { class: "hint" });
  main.replaceChildren(h("h1", {}, "Films"), h("p", { class: "row" }, h("a", { class: "button", href: "#/new" }, "New film"), chosen), list, hint, more);
  let cursors = [""];
  let timer = 0;
  let stopped = false;
  let changed = 0;
  const soon = () => { changed ||= setTimeout(() => { changed = 0; read(); }, 1000); };
  const open = () => { // one stream for all jobs: a browser allows six to a host
    const source = new EventSource("/api/events");
    for (const name of EVENTS) source.addEventListener(name, soon);
    return source;
  };
  let events = open();

  const read = async () => {
    clearTimeout(timer);
    const status = chosen.value === "all" ? "" : `&status=${chosen.value}`;
    try {
      const jobs = [];
      let following = null;
      for (const cursor of cursors) {
        const page = await ask("GET", `/api/jobs?limit=20${status}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
        jobs.push(...page.jobs);
        following = page.nextCursor;
      }
      if (stopped) return;
      fill(list, jobs.map(film));
      hint.textContent = jobs.length ? "" : chosen.value === "all" ? "There is no film yet." : "There is no such film.";
      more.hidden = !following;
      more.onclick = () => { cursors.push(following); read(); };
      trouble("");
      if (events.readyState === EventSource.CLOSED) events = open(); // something answered for the server
    } catch (error) {
      if (!stopped) trouble(error.message);
    }
    if (!stopped) timer = setTimeout(read, (events.readyState === EventSource.OPEN ? QUIET_SECONDS : REFRESH_SECONDS) * 1000);
  };
  chosen.addEventListener("change", () => { cursors = [""]; read(); });
  read();
  return () => { stopped = true; events.close(); clearTimeout(timer); clearTimeout(changed); trouble(""); };
}
