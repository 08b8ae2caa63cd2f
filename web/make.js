// The page that makes a film: a script in Markdown, pictures beside it, and what the film looks like.
import { ApiError, ask, create, upload } from "/web/api.js";
import { announce, h } from "/web/dom.js";
import { lengthOf, storyboard } from "/web/storyboard.js";

const DRAFT = "picturelock-draft";
const EXAMPLE = `# Why the sky is blue

## Light and air

Sunlight has all colours in it. On its way to us it meets the air.

## Who is scattered

- Red light passes almost untouched.
- Green light is scattered a little.
- Blue light is scattered most of all.

---

At sunset, its way through the air is 40× as long. {big}

## How much

\`\`\`chart column
Red, 12 %
Green, 43 %
Blue, 100 %
\`\`\`

So when the Sun is low, only the red light is left.
`;
const SHAPES = { "16:9": "youtube-1080p", "9:16": "tiktok", "1:1": "facebook", "4:5": "instagram-feed", "small and quick": "preview" };
const MUSIC = ["none", "calm", "bright", "serious"];
const CAPTIONS = ["clean", "boxed", "karaoke", "pop", "none"];

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(DRAFT)) || {};
  } catch {
    return {};
  }
}

/** What the script will be, scene by scene: a quick look at its headings, not the product's own reading. */
export function outline(text) {
  const body = text.replace(/^---\n[\s\S]*?\n---\n/, "").replace(/<!--[\s\S]*?-->/g, "").replace(/```[\s\S]*?```/g, "");
  const scenes = [];
  let title = "";
  for (const part of body.split(/^(?=#{1,6} )|^---$/m)) {
    const [, marks, heading] = part.match(/^(#{1,6}) (.*)/) || [];
    const words = part.replace(/^#{1,6} .*/, "").replace(/[|$*_>#`{}-]/g, " ").trim().split(/\s+/).filter(Boolean).length;
    if (marks === "#" && !title && !scenes.length) title = heading;
    else if (heading || words) scenes.push({ title: heading || "", words: 0 });
    if (words) (scenes.at(-1) ?? scenes[scenes.push({ title: "", words: 0 }) - 1]).words += words;
  }
  return { title, scenes };
}

/** A request as the form has it. What the form has no field for is lost: the API has it all. */
function formOf(request) {
  const { script, theme, video, voice, captions, opening, ending } = request;
  return {
    script: script ? markdownOf(script) : request.brief.topic, theme, opening, ending,
    shape: Object.keys(SHAPES).find((shape) => SHAPES[shape] === video.preset),
    voice: voice.engine ? `${voice.engine}/${voice.voice}` : "",
    captions: captions.burnIn ? captions.style : "none",
    music: request.music?.mood ?? "none",
  };
}

function markdownOf(script) {
  const fence = (info, text) => `\`\`\`${info}\n${text}\n\`\`\``;
  const rows = (table) => table.map((row) => `| ${row.join(" | ")} |`).join("\n");
  const written = {
    text: (block) => block.text,
    number: (block) => `${block.text} {big}`,
    list: (block) => block.items.map((item, place) => `${block.ordered ? `${place + 1}.` : "-"} ${item}`).join("\n"),
    quote: (block) => `> ${block.text}${block.author ? `\n> — ${block.author}` : ""}`,
    code: (block) => fence(`${block.language ?? ""}${block.highlight.length ? ` {${block.highlight}}` : ""}`, block.code),
    table: (block) => rows([block.header, block.header.map(() => "---"), ...block.rows]),
    formula: (block) => `$$\n${block.latex}\n$$`,
    chart: (block) => fence(`chart ${block.chart}`, [
      ...(block.series.some((one) => one.name) ? [["", ...block.series.map((one) => one.name)].join(", ")] : []),
      ...block.labels.map((label, place) => [label, ...block.series.map((one) => `${block.prefix}${one.values[place]}${block.unit}`)].join(", ")),
    ].join("\n")),
  };
  const scenes = script.scenes.map((scene) => [
    scene.title ? `## ${scene.title}` : "---",
    scene.visual?.assetId && `![${scene.visual.alt ?? ""}](${scene.visual.assetId})`,
    scene.narration,
    ...scene.blocks.map((block) => written[block.kind](block)),
  ].filter(Boolean).join("\n\n"));
  return [script.title && `# ${script.title}`, ...scenes].filter(Boolean).join("\n\n");
}

function select(name, label, options, chosen, hint) {
  const items = options.map(([value, text]) => h("option", { value, selected: value === chosen }, text));
  return h("div", {}, h("label", { for: name }, label), h("select", { id: name, name }, items), hint && h("span", { class: "hint" }, hint));
}

/** Shows the view in `main`: an empty form, the draft, or what a job was asked for. */
export async function make(main, job = "") {
  const [themes, voices, asked] = await Promise.all(
    [ask("GET", "/api/themes"), ask("GET", "/api/voices"), job ? ask("GET", `/api/jobs/${job}/request`) : null]);
  const draft = asked ? formOf(asked) : remembered();
  const script = h("textarea", { id: "script", name: "script", spellcheck: "true", "aria-describedby": "script-hint script-problem" });
  script.value = draft.script ?? EXAMPLE;
  const problem = h("p", { id: "script-problem", class: "problem", role: "alert" });
  const live = h("p", { class: "hint problem" });
  const scenes = h("ol", { class: "outline" });
  const button = h("button", { class: "main", type: "submit" }, "Make the film");
  const picker = h("input", { type: "file", id: "pictures", accept: "image/*", multiple: true });

  const fields = h("div", { class: "fields" },
    select("theme", "Theme", themes.themes.map((theme) => [theme.name, theme.name]), draft.theme || themes.default),
    select("shape", "Format", Object.keys(SHAPES).map((shape) => [shape, shape]), draft.shape || "16:9"),
    select("voice", "Voice", [["", "by the script's language"], ...voices.voices.map((voice) => [`${voice.engine}/${voice.voice}`, voice.title])], draft.voice || ""),
    select("captions", "Captions", CAPTIONS.map((style) => [style, style]), draft.captions || "clean"),
    select("music", "Music", MUSIC.map((mood) => [mood, mood]), draft.music || "none"),
    h("div", { class: "check" }, h("input", { type: "checkbox", id: "opening", checked: draft.opening !== false }), h("label", { for: "opening" }, "Opening card")),
    h("div", { class: "check" }, h("input", { type: "checkbox", id: "ending", checked: draft.ending !== false }), h("label", { for: "ending" }, "End card")),
    h("div", {}, h("label", { for: "pictures" }, "Pictures ", h("small", {}, "also by dropping them into the script")), picker),
    button,
  );
  const form = h("form", { class: "make", novalidate: true },
    h("div", {},
      h("label", { for: "script" }, "Script"), h("p", { class: "hint", id: "script-hint" },
        "Markdown: ## begins a scene, lists appear with their words, {big} makes a number large, ```chart draws one."),
      script, live, problem, h("h2", {}, "Scenes"), scenes),
    fields);
  main.replaceChildren(h("h1", {}, "New film"), form);

  const value = (id) => form.querySelector(`#${id}`).value;
  const on = (id) => form.querySelector(`#${id}`).checked;
  const keep = () => {
    const draft = { script: script.value, theme: value("theme"), shape: value("shape"), voice: value("voice"), captions: value("captions"), music: value("music"), opening: on("opening"), ending: on("ending") };
    localStorage.setItem(DRAFT, JSON.stringify(draft));
    board.look();
    if (board.shown()) return;
    const plan = outline(script.value);
    const seconds = Math.round(plan.scenes.reduce((sum, scene) => sum + scene.words / 2.6 + 0.8, 0));
    scenes.replaceChildren(...plan.scenes.map((scene) => h("li", {}, h("b", {}, scene.title || "(no title)"), ` ${scene.words} words`)));
    scenes.previousElementSibling.textContent = `Scenes, about ${seconds} s`;
  };
  const request = () => {
    const [engine, voice] = value("voice").split("/");
    const style = value("captions");
    return {
      script: script.value, theme: value("theme"), video: { preset: SHAPES[value("shape")] },
      captions: style === "none" ? { burnIn: false } : { style },
      opening: on("opening"), ending: on("ending"),
      ...(value("music") !== "none" && { music: { mood: value("music") } }), ...(engine && { voice: { engine, voice } }),
    };
  };
  const words = (error) => (error.errors ?? []).map((one) => `${one.path}: ${one.message}`).join("\n") || error.message;
  const board = storyboard(scenes, request, (plan, error) => {
    live.textContent = error?.status === 422 ? words(error) : "";
    if (plan) scenes.previousElementSibling.textContent = lengthOf(plan);
  });
  form.addEventListener("input", keep);
  keep();

  const add = async (files) => {
    for (const file of files) {
      announce(`Uploading ${file.name}`, true);
      try {
        const asset = await upload(file, (share) => announce(`${file.name}: ${Math.round(share * 100)} %`));
        const words = file.name.replace(/\.[^.]*$/, "").replace(/[[\]]/g, "");
        script.setRangeText(`\n![${words}](${asset.assetId})\n`, script.selectionStart, script.selectionEnd, "end");
        announce(`${file.name} is in the script`, true);
        keep();
      } catch (error) {
        problem.textContent = `${file.name}: ${error.message}`;
      }
    }
  };
  picker.addEventListener("change", () => add(picker.files));
  script.addEventListener("dragover", (event) => { event.preventDefault(); script.classList.add("over"); });
  script.addEventListener("dragleave", () => script.classList.remove("over"));
  script.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    script.classList.remove("over");
    add(event.dataTransfer.files);
  });

  let key = crypto.randomUUID?.() ?? String(Math.random());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    problem.textContent = "";
    try {
      const job = await create(request(), key);
      location.hash = `#/job/${job.jobId}`;
    } catch (error) {
      // A refused request may be mended and sent again; a lost answer must not make a second film.
      if (error instanceof ApiError) key = crypto.randomUUID?.() ?? String(Math.random());
      problem.textContent = words(error);
      script.focus();
    } finally {
      button.disabled = false;
    }
  });
  return () => board.end();
}
