// Uploads a large file with clients/js: over a line that breaks once, then as after a reload; prints what came of it.
import { readFileSync } from "node:fs";

const [client, base, key, path] = process.argv.slice(2);
const { Picturelock } = await import(client);
const file = new Blob([readFileSync(path)]);
const real = globalThis.fetch;
const offsets = [];
let broken = 0;
globalThis.fetch = (url, options) => {
  if (options.method !== "PATCH") return real(url, options);
  offsets.push(Number(options.headers["upload-offset"]));
  if (offsets.length === 2 && !broken++) throw new TypeError("the line is broken");
  return real(url, options);
};
const service = new Picturelock({ base, key });
const shares = [];
let id = "";
const asset = await service.upload(file, { onProgress: (share) => shares.push(share), onBegin: (begun) => { id = begun; } });
const again = await service.upload(file, { resume: id });
const small = await service.upload(new Blob([readFileSync(path)]).slice(0, 100)).catch((error) => error.code);
console.log(JSON.stringify({ assetId: asset.assetId, again: again.assetId, offsets, shares, small }));
