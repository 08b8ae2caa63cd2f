// Client of a Picturelock service, for browsers and Node. It depends on nothing: copy this file, or `import` it.
//
//   const service = new Picturelock({ base: "http://127.0.0.1:8080" });
//   const { jobId } = await service.create({ script: "# Tides\n\nThe sea rises." });
//   for await (const job of service.follow(jobId)) console.log(job.progress, job.message);

const FINAL = ["completed", "failed", "cancelled"];
const SILENCE_MS = 15_000;
const AGAIN_MS = 3_000;
const PIECE_BYTES = 8 * 1024 * 1024;
const PATIENCE = 40; // two minutes without a piece that came

/** A refusal: `code` from the reference, `errors` with a path for each thing that is wrong. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `the server answered ${status}`);
    this.name = "ApiError";
    this.status = status;
    this.code = problem.code || "";
    this.errors = problem.errors || [];
  }
}

/** The server could not be reached, or something between it and us answered for it. */
export class Unreachable extends Error {
  constructor(message) {
    super(message);
    this.name = "Unreachable";
  }
}

const delay = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
  });

/** Server-sent events of a stream: `{ event, data, id }` each. Silence for too long ends it, as a break does. */
async function* eventsOf(body, silence) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      let timer;
      const quiet = new Promise((_, reject) => { timer = setTimeout(() => reject(new Unreachable("Nothing was heard for a while.")), silence); });
      const { done, value } = await Promise.race([reader.read(), quiet]).finally(() => clearTimeout(timer));
      if (done) return;
      text += value.replaceAll("\r\n", "\n");
      const frames = text.split("\n\n");
      text = frames.pop();
      for (const frame of frames) {
        const found = { event: "message", data: "", id: "" };
        for (const line of frame.split("\n")) {
          const [, name, rest] = line.match(/^(event|data|id): ?(.*)$/) || [];
          if (name) found[name] = name === "data" && found.data ? `${found.data}\n${rest}` : rest;
        }
        yield found;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

export class Picturelock {
  #base;
  #headers;

  /** `base`: where the service answers, empty for the page's own; `key`: an API key, where keys are asked for. */
  constructor({ base = "", key = "" } = {}) {
    this.#base = base.replace(/\/$/, "");
    this.#headers = key ? { authorization: `Bearer ${key}` } : {};
  }

  /** Asks the service; the answer's JSON, or null where it has none. */
  async ask(method, path, { json, body, headers = {}, signal } = {}) {
    const sent = json === undefined ? { body, headers } : { body: JSON.stringify(json), headers: { ...headers, "content-type": "application/json" } };
    const answer = await this.#fetch(path, { method, ...sent, signal });
    if (!(answer.headers.get("content-type") || "").includes("json")) {
      if (answer.ok) return null;
      throw new Unreachable(`The server cannot be reached: something answered ${answer.status} for it.`);
    }
    const data = await answer.json();
    if (answer.ok) return data;
    if (answer.status === 502 || answer.status === 504) throw new Unreachable(data.detail || "The server cannot be reached.");
    throw new ApiError(answer.status, data);
  }

  /** Starts an export; the same key again gives the same job. */
  create(request, { key, signal } = {}) {
    return this.ask("POST", "/api/jobs", { json: request, signal, headers: key ? { "idempotency-key": key } : {} });
  }

  status(job, options) { return this.ask("GET", `/api/jobs/${job}`, options); }
  cancel(job, options) { return this.ask("POST", `/api/jobs/${job}/cancel`, options); }
  pause(job, options) { return this.ask("POST", `/api/jobs/${job}/pause`, options); }
  resume(job, options) { return this.ask("POST", `/api/jobs/${job}/resume`, options); }
  retry(job, options) { return this.ask("POST", `/api/jobs/${job}/retry`, options); }
  remove(job, options) { return this.ask("DELETE", `/api/jobs/${job}`, options); }
  request(job, options) { return this.ask("GET", `/api/jobs/${job}/request`, options); }
  segments(job, options) { return this.ask("GET", `/api/jobs/${job}/segments`, options); }
  plan(request, { signal } = {}) { return this.ask("POST", "/api/plan", { json: request, signal }); }

  /** An address that shows a film to whoever has it: `{ url, expiresInSeconds }`. */
  share(job, { days = 7, signal } = {}) { return this.ask("POST", `/api/jobs/${job}/shares`, { json: { days }, signal }); }

  /** A page of jobs: `{ limit, cursor, status, q, since, "metadata.key": value }`. */
  list(wanted = {}, options) {
    const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== undefined && value !== ""));
    return this.ask("GET", `/api/jobs?${query}`, options);
  }

  /** A scene of a request as a JPEG (Blob), before anything is made. Scenes count from 1. */
  async still(request, scene, { signal } = {}) {
    const answer = await this.#fetch(`/api/stills?scene=${scene}`, {
      method: "POST", body: JSON.stringify(request), headers: { "content-type": "application/json" }, signal,
    });
    if (!answer.ok) throw new ApiError(answer.status, await answer.json().catch(() => ({})));
    return answer.blob();
  }

  /**
   * Uploads a file (Blob); what it was found to be. A large one goes in pieces, and goes on where it broke: also with
   * `resume`, the id that `onBegin(id)` was told before, as after a reload of the page. `onProgress(share)` counts from
   * 0 to 1.
   */
  async upload(file, { onProgress = () => {}, onBegin = () => {}, resume = "", signal } = {}) {
    if (file.size <= PIECE_BYTES && !resume) {
      const type = /^(image|video|audio)\//.test(file.type) ? file.type : "application/octet-stream";
      const asset = await this.ask("POST", "/api/assets", { body: file, headers: { "content-type": type }, signal });
      onProgress(1);
      return asset;
    }
    const path = resume ? `/api/uploads/${resume}` : await this.#announce(file.size, signal);
    onBegin(path.split("/").pop());
    for (let broken = 0, reached = -1; ; ) {
      try {
        const { offset, sizeBytes, asset } = await this.ask("GET", path, { signal });
        if (sizeBytes !== file.size) throw new RangeError("This is another file than the one that was announced.");
        onProgress(offset / file.size);
        if (asset) return asset;
        if (offset > reached) broken = 0;
        reached = Math.max(reached, offset);
        await this.ask("PATCH", path, {
          body: file.slice(offset, offset + PIECE_BYTES), signal,
          headers: { "content-type": "application/offset+octet-stream", "upload-offset": String(offset) },
        });
      } catch (error) {
        const again = error instanceof Unreachable || error.status === 409 || error.status === 429 || error.status === 503;
        if (signal?.aborted || !again || ++broken > PATIENCE) throw error;
        await delay(AGAIN_MS, signal);
      }
    }
  }

  async #announce(size, signal) {
    const answer = await this.#fetch("/api/uploads", { method: "POST", headers: { "upload-length": String(size) }, signal });
    if (answer.status === 201) return answer.headers.get("location");
    const problem = await answer.json().catch(() => null);
    if (problem?.code) throw new ApiError(answer.status, problem);
    throw new Unreachable(`Something answered ${answer.status} for the server.`);
  }

  /** A job's last status, once it has ended. */
  async wait(job, options) {
    let last = null;
    for await (const status of this.follow(job, options)) last = status;
    return last;
  }

  /**
   * The statuses of a job as they come, to its end: by its event stream, which is opened again where it broke, and by
   * asking meanwhile. `onFresh(yes)` is told whether what came last is still what is. Throws ApiError where there is no
   * such job.
   */
  async *follow(job, { signal, onFresh = () => {} } = {}) {
    let last = "";
    let heard = Date.now();
    for (;;) {
      signal?.throwIfAborted();
      const lost = new AbortController(); // a browser that is offline goes on waiting for a stream
      const cut = () => lost.abort();
      globalThis.addEventListener?.("offline", cut);
      try {
        const answer = await this.#fetch(`/api/jobs/${job}/events`, {
          headers: { accept: "text/event-stream", ...(last && { "last-event-id": last }) },
          signal: signal ? AbortSignal.any([signal, lost.signal]) : lost.signal,
        });
        if (answer.ok && answer.status !== 204 && (answer.headers.get("content-type") || "").includes("event-stream")) {
          for await (const { event, data, id } of eventsOf(answer.body, SILENCE_MS)) {
            heard = Date.now();
            onFresh(true);
            last = id || last;
            if (!/^job-(progress|completed|failed|cancelled)$/.test(event)) continue;
            const status = JSON.parse(data);
            yield status;
            if (FINAL.includes(status.status)) return;
          }
        } else {
          answer.body?.cancel().catch(() => {});
        }
      } catch (error) {
        if (signal?.aborted) throw error;
      } finally {
        globalThis.removeEventListener?.("offline", cut);
      }
      try {
        const status = await this.status(job, { signal });
        heard = Date.now();
        onFresh(true);
        yield status;
        if (FINAL.includes(status.status)) return;
      } catch (error) {
        if (signal?.aborted || (error instanceof ApiError && error.status < 500 && error.status !== 429)) throw error;
        if (Date.now() - heard > SILENCE_MS) onFresh(false);
      }
      await delay(AGAIN_MS, signal);
    }
  }

  async #fetch(path, { headers = {}, ...options }) {
    try {
      return await fetch(`${this.#base}${path}`, { credentials: "same-origin", ...options, headers: { ...this.#headers, ...headers } });
    } catch (error) {
      if (error.name === "AbortError" || options.signal?.aborted) throw error;
      throw new Unreachable("The server cannot be reached.");
    }
  }
}
