export type Status = "queued" | "running" | "paused" | "completed" | "failed" | "cancelled";
export type StageName = "script" | "tts" | "composition" | "render" | "finalize";

/** Why a job failed. */
export interface JobError {
  code: string;
  stage: StageName | null;
  message: string;
  remediation: string;
  retryable: boolean;
  attempt: number;
  detail: string | null;
  field: string | null;
}

/** The finished film; a podcast has no picture. */
export interface Output {
  path: string;
  sizeBytes: number;
  durationSeconds: number;
  width: number | null;
  height: number | null;
  fps: number | null;
  videoCodec: string | null;
  audioCodec: string;
  sha256: string;
  loudnessLufs: number;
  truePeakDbtp: number;
}

export interface Step {
  name: StageName;
  status: "pending" | "running" | "paused" | "completed" | "failed" | "cancelled";
  progress: number;
  attempt: number;
  startedAt: string | null;
  completedAt: string | null;
  detail: { framesDone: number | null; framesTotal: number | null; itemsDone: number | null; itemsTotal: number | null } | null;
  cache: { hits: number; misses: number } | null;
}

/** The one shape that every surface shows. `completed` means: progress 100, and a film at `outputPath`. */
export interface JobStatus {
  id: string;
  jobId: string;
  title: string;
  status: Status;
  progress: number;
  percent: number;
  stage: "queued" | "complete" | StageName;
  message: string;
  steps: Step[];
  createdAt: string;
  startedAt: string | null;
  completedAt: string | null;
  etaSeconds: number | null;
  outputPath: string | null;
  output: Output | null;
  artifacts: { name: string; path: string; mediaType: string; sizeBytes: number }[];
  error: JobError | null;
  errorMessage: string | null;
  warnings: { code: string; message: string; step: StageName | null; since: string | null }[];
  attempt: number;
  cancelRequested: boolean;
  pauseRequested: boolean;
  links: Record<string, string | null>;
  metadata: Record<string, string>;
  [more: string]: unknown;
}

/** A request, as the reference has it: a `script` (Markdown or scenes) or a `brief`, and wishes. */
export interface ExportRequest {
  script?: string | { title?: string; language?: string; scenes: Record<string, unknown>[] };
  brief?: { topic: string; [more: string]: unknown };
  video?: { preset?: string; [more: string]: unknown };
  theme?: string;
  metadata?: Record<string, string>;
  [more: string]: unknown;
}

export interface Asset {
  assetId: string;
  kind: "image" | "clip" | "audio";
  mediaType: string;
  sizeBytes: number;
  width: number | null;
  height: number | null;
  durationSeconds: number | null;
}

export interface Options {
  signal?: AbortSignal;
}

export interface FollowOptions extends Options {
  onFresh?: (yes: boolean) => void;
}

export interface UploadOptions extends Options {
  onProgress?: (share: number) => void;
  /** Is told the id of an upload in pieces, to be kept for `resume`. */
  onBegin?: (id: string) => void;
  resume?: string;
}

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: { path: string; message: string; code: string }[];
}

export class Unreachable extends Error {}

export class Picturelock {
  constructor(options?: { base?: string; key?: string });
  ask(method: string, path: string, options?: Options & { json?: unknown; body?: BodyInit; headers?: Record<string, string> }): Promise<any>;
  create(request: ExportRequest, options?: Options & { key?: string }): Promise<{ jobId: string; status: Status; links: Record<string, string | null> }>;
  status(job: string, options?: Options): Promise<JobStatus>;
  cancel(job: string, options?: Options): Promise<JobStatus>;
  pause(job: string, options?: Options): Promise<JobStatus>;
  resume(job: string, options?: Options): Promise<JobStatus>;
  retry(job: string, options?: Options): Promise<JobStatus>;
  remove(job: string, options?: Options): Promise<null>;
  request(job: string, options?: Options): Promise<ExportRequest>;
  share(job: string, options?: Options & { days?: number }): Promise<{ url: string; expiresInSeconds: number | null }>;
  segments(job: string, options?: Options): Promise<{ segments: Record<string, unknown>[]; previewSeconds: number; fps: number | null; totalFrames: number | null }>;
  plan(request: ExportRequest, options?: Options): Promise<Record<string, unknown>>;
  still(request: ExportRequest, scene: number, options?: Options): Promise<Blob>;
  list(wanted?: Record<string, string | number | undefined>, options?: Options): Promise<{ jobs: JobStatus[]; nextCursor: string | null; total: number }>;
  upload(file: Blob, options?: UploadOptions): Promise<Asset>;
  wait(job: string, options?: FollowOptions): Promise<JobStatus>;
  follow(job: string, options?: FollowOptions): AsyncGenerator<JobStatus, void, void>;
}
