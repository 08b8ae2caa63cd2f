// The README's request by a client that openapi-typescript has made of the OpenAPI document; prints what came of it.
import createClient from "openapi-fetch";

import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };
type Status = components["schemas"]["JobStatus"];

const [base, key, video] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: base, headers: { authorization: `Bearer ${key}` } });
const request: components["schemas"]["ExportRequest"] = {
  script: "# Tides\n\n## The sea breathes\n\nTwice a day the sea breathes in.",
  video: video === "small" ? { preset: "preview" } : undefined,
};

const { data: accepted, error } = await client.POST("/api/jobs", { body: request });
if (!accepted) throw new Error(`${error.code}: ${error.detail}`);
let job: Status;
do {
  const answer = await client.GET("/api/jobs/{job_id}", { params: { path: { job_id: accepted.jobId }, query: { wait: 5 } } });
  if (!answer.data) throw new Error("there is no such job");
  job = answer.data;
} while (job.status !== "completed" && job.status !== "failed" && job.status !== "cancelled");
const refused = await client.POST("/api/jobs", { body: { script: "" } });
console.log(JSON.stringify({
  job: job.jobId, status: job.status, film: job.output?.durationSeconds, title: job.title, code: refused.error?.code,
}));
