// The page's own service, by the client that everybody may use (clients/js).
import { ApiError, Picturelock, Unreachable } from "/web/picturelock.js";

export { ApiError, Unreachable };
export const service = new Picturelock();

/** Asks the API; the answer's JSON, or null where it has none. */
export const ask = (method, path, options) => service.ask(method, path, options);

/** Starts an export; the same key again gives the same job. */
export const create = (request, key) => service.create(request, { key });

/** Uploads a file; what it was found to be. */
export const upload = (file, onProgress) => service.upload(file, { onProgress });

/**
 * Follows a job until it ends. `told(status)` gets every JobStatus, `told(null, error)` that there is none;
 * `fresh(yes)` is told whether what was shown last is still what is. Returns a function that ends it.
 */
export function follow(id, told, fresh) {
  const abort = new AbortController();
  (async () => {
    try {
      for await (const status of service.follow(id, { signal: abort.signal, onFresh: fresh })) told(status);
    } catch (error) {
      if (!abort.signal.aborted) told(null, error);
    }
  })();
  return () => abort.abort();
}
