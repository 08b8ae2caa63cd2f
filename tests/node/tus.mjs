// Uploads a file with tus-js-client in pieces, breaks off after the first one, and goes on; prints what came of it.
import { readFileSync } from "node:fs";
import { Upload } from "tus-js-client";

const [base, key, path, piece] = process.argv.slice(2);
const data = readFileSync(path);
const options = { endpoint: `${base}/api/uploads`, chunkSize: Number(piece), headers: { authorization: `Bearer ${key}` } };

const address = await new Promise((resolve, reject) => {
  const upload = new Upload(data, {
    ...options,
    onError: reject,
    onChunkComplete: async () => { await upload.abort(); resolve(upload.url); },
  });
  upload.start();
});
const sent = [];
await new Promise((resolve, reject) => {
  new Upload(data, { ...options, uploadUrl: address, onError: reject, onSuccess: resolve, onProgress: (bytes) => sent.push(bytes) }).start();
});
const state = await (await fetch(address, { headers: options.headers })).json();
console.log(JSON.stringify({ assetId: state.asset.assetId, wentOnAt: sent[0] }));
