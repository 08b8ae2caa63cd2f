// The HTTP API, as a page needs it. Copy this file: it depends on nothing.

/** A refusal of the API: `code` from the reference, `errors` with a path for each thing that is wrong. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `the server answered ${status}`);
    this.status = status;
    this.code = problem.code || "";
    this.errors = problem.errors || [];
  }
}

/** The server could not be reached, or something between it and us answered for it. */
export class Unreachable extends Error {}

/** Asks the API; the answer's JSON, or null where it has none. */
export async function ask(method, path, { json, body, headers = {}, signal } = {}) {
  if (json !== undefined) {
    body = JSON.stringify(json);
    headers = { ...headers, "content-type": "application/json" };
  }
  let answer;
  try {
    answer = await fetch(path, { method, body, headers, signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable("The server cannot be reached.");
  }
  const type = answer.headers.get("content-type") || "";
  if (!type.includes("json")) {
    if (answer.ok) return null;
    throw new Unreachable(`The server cannot be reached: something answered ${answer.status} for it.`);
  }
  const data = await answer.json();
  if (answer.ok) return data;
  if (answer.status === 502 || answer.status === 504) throw new Unreachable(data.detail || "The server cannot be reached.");
  throw new ApiError(answer.status, data);
}

/** Starts an export; the same key again gives the same job. */
export const create = (request, key) => ask("POST", "/api/jobs", { json: request, headers: { "idempotency-key": key } });

/** Uploads a file; what it was found to be. */
export const upload = (file) =>
  ask("POST", "/api/assets", { body: file, headers: { "content-type": file.type || "application/octet-stream" } });

const ENDS = ["job-completed", "job-failed", "job-cancelled", "job-not-found"];
const FINAL = ["completed", "failed", "cancelled"];
const QUIET_SECONDS = 15;
const POLL_SECONDS = 3;

/**
 * Follows a job until it ends: by its event stream, which is opened again when it breaks, and by asking meanwhile.
 *
 * `told(status)` gets every JobStatus; `fresh(yes)` is told whether what was shown last is still what is.
 * Returns a function that ends it.
 */
export function follow(path, told, fresh) {
  let source = null;
  let timer = 0;
  let stopped = false;
  let heard = Date.now();

  const hear = () => {
    heard = Date.now();
    fresh(true);
  };
  const take = (status) => {
    hear();
    told(status);
    if (FINAL.includes(status.status)) stop();
  };
  const open = () => {
    source?.close();
    source = new EventSource(`${path}/events`);
    for (const name of ["connected", "heartbeat", "step-status", "warning"]) source.addEventListener(name, hear);
    source.addEventListener("job-progress", (event) => take(JSON.parse(event.data)));
    for (const name of ENDS) source.addEventListener(name, () => poll());
  };
  const poll = async () => {
    try {
      take(await ask("GET", path));
      return true;
    } catch (error) {
      if (error instanceof ApiError && [401, 404, 410].includes(error.status)) {
        stop();
        told(null, error);
      }
      return false;
    }
  };
  const look = async () => {
    if (stopped) return;
    const quiet = Date.now() - heard > QUIET_SECONDS * 1000;
    if (source.readyState !== EventSource.OPEN || quiet) {
      if (quiet) fresh(false);
      const there = await poll();
      if (!stopped && there && source.readyState === EventSource.CLOSED) open();
    }
    if (!stopped) timer = setTimeout(look, POLL_SECONDS * 1000);
  };
  const stop = () => {
    stopped = true;
    clearTimeout(timer);
    source?.close();
  };
  const wake = () => document.visibilityState === "visible" && !stopped && poll();
  document.addEventListener("visibilitychange", wake);
  open();
  timer = setTimeout(look, POLL_SECONDS * 1000);
  return () => {
    document.removeEventListener("visibilitychange", wake);
    stop();
  };
}
