// One film: how far it is, what there is to know of it, and the film itself when it is there.
import { ask, follow } from "/web/api.js";
import { announce, duration, fill, h, size } from "/web/dom.js";
import { preview } from "/web/preview.js";
import { shareButton } from "/web/shared.js";
import { filmStrip } from "/web/strip.js";

const STAGES = { script: "Script", tts: "Voice", composition: "Composition", render: "Pictures", finalize: "Finish" };
const WORDS = { queued: "Waiting", running: "In the making", paused: "Paused", completed: "Ready", failed: "Failed", cancelled: "Cancelled" };
const STATES = { pending: "not yet", running: "now", paused: "paused", completed: "done", failed: "failed", cancelled: "ended" };

/** A job's state in a word, with its colour. */
export const stateOf = (job) => h("span", { class: `state ${job.status}` }, WORDS[job.status] ?? job.status);

function stage(step) {
  const detail = step.detail ?? {};
  const frames = step.name === "render" && step.status === "running" && detail.framesTotal ? `${detail.framesDone ?? 0} of ${detail.framesTotal} frames` : "";
  const items = step.status === "running" && detail.itemsTotal > 1 ? `${detail.itemsDone ?? 0} of ${detail.itemsTotal}` : "";
  const again = step.status === "completed" && step.cache?.hits ? `${step.cache.hits} found, ${step.cache.misses} made` : "";
  const took = step.status === "completed" && step.startedAt && step.completedAt ? duration((new Date(step.completedAt) - new Date(step.startedAt)) / 1000) : "";
  const text = [frames || items || STATES[step.status], again, took].filter(Boolean).join(" · ");
  return h("li", { class: step.status }, h("b", {}, STAGES[step.name] ?? step.name), h("span", {}, text));
}

/** The player of a finished film, and its files. */
export function film(job, id = job.id) {
  const base = `/api/jobs/${id}/artifacts`;
  const has = (name) => job.artifacts.some((file) => file.name === name);
  const picture = job.output.width !== null;
  const player = h(picture ? "video" : "audio", { controls: true, preload: "metadata", src: job.outputPath, poster: has("poster.jpg") && `${base}/poster.jpg` },
    has("captions.vtt") && h("track", { kind: "captions", src: `${base}/captions.vtt`, label: "Captions", srclang: "und" }));
  const seconds = (new Date(job.completedAt) - new Date(job.startedAt ?? job.createdAt)) / 1000;
  return [
    player,
    h("p", {}, `${duration(job.output.durationSeconds)}, ${size(job.output.sizeBytes)}, made in ${duration(seconds)}. `,
      h("a", { href: job.outputPath, download: "" }, "Download the film")),
    h("h2", {}, "Files"),
    h("ul", { class: "files" }, job.artifacts.map((file) => h("li", {}, h("a", { href: file.path, download: file.name }, file.name), ` ${size(file.sizeBytes)}`))),
  ];
}

function failure(job) {
  const error = job.error;
  if (!error) return null;
  return h("div", { class: "panel", role: "alert" }, h("p", { class: "problem" }, error.message), h("p", {}, error.remediation),
    h("details", {}, h("summary", {}, error.code), h("pre", {}, [error.stage, error.field, error.detail].filter(Boolean).join("\n") || "no further detail")));
}

/** Shows a job in `main`; returns what ends it. */
export function watch(main, id) {
  const path = `/api/jobs/${id}`;
  const parts = Object.fromEntries(["title", "head", "stages", "controls", "notes", "film", "strip"].map((name) => [name, h("div")]));
  const card = h("div", {}, Object.values(parts));
  main.replaceChildren(card);
  const share = shareButton(id); // one, so that its address stays while the state changes
  let last = "";
  let player = "";
  let beginning = null;
  const strip = filmStrip(path, (seen) => {
    if (seen.segments.length && !parts.strip.hasChildNodes()) parts.strip.append(h("h2", {}, "Segments"), strip.element);
    if (player || !seen.previewSeconds || ["failed", "cancelled"].includes(seen.status)) return;
    if (!beginning) {
      beginning = preview(`${path}/preview.m3u8`);
      parts.film.replaceChildren(beginning.element);
    }
    beginning.tell(seen.previewSeconds, seen.totalFrames / seen.fps);
  });

  const finish = (job) => {
    const before = beginning?.video;
    const place = before ? { time: before.currentTime, playing: !before.paused } : null;
    beginning?.end();
    beginning = null;
    player = job.outputPath;
    parts.film.replaceChildren(...film(job));
    const video = parts.film.querySelector("video");
    if (video && place?.time) video.currentTime = place.time;
    if (video && place?.playing) video.play().catch(() => {});
  };

  const act = (verb) => async (event) => {
    event.target.disabled = true;
    try {
      await ask("POST", `${path}/${verb}`);
      announce(`${verb} is asked for`, true);
      if (verb === "retry") { stop(); stop = follow(id, show, fresh); }
    } catch (error) {
      announce(error.message, true);
      event.target.disabled = false;
    }
  };
  const remove = async () => {
    if (!confirm("Delete this film and all of its files?")) return;
    await ask("DELETE", path);
    location.hash = "#/";
  };
  const show = (job, error) => {
    if (!job) {
      main.replaceChildren(h("h1", {}, error.status === 410 ? "This film was deleted" : "There is no such film"), h("p", {}, error.message), h("a", { href: "#/" }, "All films"));
      return;
    }
    const open = !["completed", "failed", "cancelled"].includes(job.status);
    const button = (verb, text, when) => when && h("button", { onclick: act(verb) }, text);
    document.title = open ? `${Math.floor(job.progress)} % · ${job.title || "Film"}` : `${WORDS[job.status]} · ${job.title || "Film"}`;
    fill(parts.title, h("h1", {}, job.title || "Film"), h("p", {}, stateOf(job), job.attempt > 1 ? ` attempt ${job.attempt}` : ""));
    fill(parts.head, open && h("progress", { max: 100, value: job.progress, "aria-label": "Progress" }),
      open && h("p", {}, h("b", {}, `${job.progress.toFixed(0)} %`), ` ${job.message}`, job.etaSeconds === null ? "" : `, about ${duration(job.etaSeconds)} left`));
    fill(parts.stages, h("ol", { class: "stages" }, job.steps.map(stage)));
    fill(parts.notes, failure(job), job.warnings.map((warning) => h("p", { class: "hint" }, `${warning.message} (${warning.code})`)));
    const shown = `${job.status} ${job.cancelRequested} ${job.pauseRequested} ${job.attempt}`;
    if (shown !== last) {
      last = shown;
      parts.controls.replaceChildren(h("div", { class: "row" }, ...[
        button("cancel", job.cancelRequested ? "Is being cancelled" : "Cancel", open),
        button("pause", "Pause", open && job.status !== "paused" && !job.pauseRequested),
        button("resume", "Go on", open && (job.status === "paused" || job.pauseRequested)),
        button("retry", "Try again", ["failed", "cancelled"].includes(job.status)),
        !open && h("button", { onclick: remove }, "Delete"),
        h("a", { href: `#/new/${job.id}` }, "Change and make again"),
        !["failed", "cancelled"].includes(job.status) && share,
        job.links.temporalUi && h("a", { href: job.links.temporalUi }, "Look into it"),
      ].filter(Boolean)));
    }
    if (job.status === "completed" && player !== job.outputPath) {
      finish(job);
    }
    if (job.stage === "render" || !open) strip.look();
    announce(open ? `${job.progress.toFixed(0)} percent, ${job.message}` : WORDS[job.status], !open);
  };
  const fresh = (yes) => {
    card.classList.toggle("stale", !yes);
    trouble(yes ? "" : "Nothing was heard from the server for a while; what is shown may be old.");
  };
  let stop = follow(id, show, fresh);
  ask("GET", path).then(show, (error) => error.status && show(null, error));
  return () => { stop(); beginning?.end(); trouble(""); };
}

/** Says at the top of the page what is wrong; nothing when all is well. */
export function trouble(text) {
  const element = document.getElementById("trouble");
  element.hidden = !text;
  element.textContent = text;
}
