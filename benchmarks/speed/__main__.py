"""`make bench`: whole exports against what others do for the same film: one run, alternating order, medians."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.report import Report
from benchmarks.speed import contenders
from benchmarks.speed.export import Exported, Exporter, Memory, exporting
from benchmarks.speed.film import CHANGED, NARRATIONS, Inputs, Paper, on_paper, placed_speech, raw_frames, request
from benchmarks.stand import Stand, standing
from picturelock.models import ExportRequest, RenderPlan
from tests.film_maker import FilmMaker

WARM = {"script": {"scenes": [{"narration": "A short film before the first one."}]}, "video": {"preset": "preview"}}
QUEUED = 100
MIB = 2**20
Times = dict[str, list[float]]


async def worker(stand: Stand, name: str = "worker", **settings: str) -> None:
    """A worker that has said that it lives, with settings of its own."""
    stand.extra = {f"PICTURELOCK_{key.upper()}": value for key, value in settings.items() if key != "role"}
    await stand.start(name, sys.executable, "-m", "worker", "--role", settings.get("role", "all"))
    stand.extra = {}


async def ours(inputs: Inputs, times: Times, report: Report | None) -> None:
    """One round of our own: whole, the same again, one sentence changed; with an empty store at first."""
    async with standing() as stand:
        await worker(stand)
        async with exporting(stand) as exporter:
            photographs, narrations = await exporter.upload_all(inputs)
            changed = [*narrations[:8], await exporter.upload(inputs.changed), *narrations[9:]]
            texts = (*NARRATIONS[:8], CHANGED, *NARRATIONS[9:])
            await exporter.export(WARM)
            whole = await exporter.export(request(photographs, narrations))
            again = await exporter.export(request(photographs, narrations))
            other = await exporter.export(request(photographs, changed, texts))
    times["ours"].append(whole.seconds)
    times["again"].append(again.seconds)
    times["changed"].append(other.seconds / whole.seconds)
    times["overhead"].append(whole.overhead - 0.03 * whole.seconds)
    times["events"].append(whole.events)
    if report is not None:
        report.add("whole export", whole.seconds, "s", note=_spent(whole))


def _spent(whole: Exported) -> str:
    return ", ".join(f"{name} {whole.spent(name):.1f}" for name in whole.activities)


async def compare(inputs: Inputs, paper: Paper, rounds: int, report: Report) -> Times:
    """Every contender in every round, each round in another order."""
    speech = placed_speech(paper, inputs, inputs.folder / "speech.wav")
    times: Times = defaultdict(list)
    output = inputs.folder / "contender.mp4"

    def timed(name: str, work: Callable[[], None]) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            began = time.perf_counter()
            await asyncio.to_thread(work)
            times[name].append(time.perf_counter() - began)

        return run

    entrants: list[Callable[[], Awaitable[None]]] = [
        lambda: ours(inputs, times, report),
        timed("zoompan", lambda: contenders.hand_written(inputs, paper, "zoompan", speech, output)),
        timed("perspective", lambda: contenders.hand_written(inputs, paper, "perspective", speech, output)),
        timed("encoder alone", lambda: contenders.encoder_alone(paper.raw, paper.plan.format, output)),
    ]
    for number in range(rounds):
        for enter in entrants[number % 4 :] + entrants[: number % 4]:
            await enter()
    if contenders.MOVIEPY.exists():
        await timed("MoviePy", lambda: contenders.moviepy(inputs, paper, speech, output))()
    return times


def tell(times: Times, paper: Paper, report: Report) -> None:
    """The ratios of the medians."""
    whole = median(times["ours"])
    note = f"{whole:.1f} s for {paper.seconds:.0f} s of film"
    bars = {"perspective": 0.75, "zoompan": 1.0, "MoviePy": 0.15, "encoder alone": 1.4}
    for name, bar in bars.items():
        if times[name]:
            report.add(
                f"whole export ÷ {name}", whole / median(times[name]), "", bar, f"{note}, {median(times[name]):.1f} s"
            )
    report.add("orchestration beyond 3 %", median(times["overhead"]), "s", 1.5, "script, speech, composition included")
    report.add("one sentence of ten changed ÷ whole", median(times["changed"]), "", 0.2)
    report.add("the same again", median(times["again"]), "s", 2.0)
    report.add("history events of 10 scenes", median(times["events"]), "events", 250)


async def measure_memory(inputs: Inputs, report: Report) -> None:
    """The memory of a render worker and all below it, by slot; then half an hour of film in small pictures."""
    async with standing() as stand:
        await worker(stand, "orchestrator", role="orchestrate")
        await worker(stand, "renderer", role="render", render_slots="2")
        async with exporting(stand) as exporter:
            photographs, narrations = await exporter.upload_all(inputs)
            peak = await _peak(exporter, request(photographs, narrations))
            report.add("memory of a render slot at 1080p", peak / 2 / MIB, "MiB", 450, "worker and encoders, halved")
            small = {"preset": "preview", "width": 640, "height": 360, "encoderPreset": "superfast"}
            minute = await _peak(exporter, {**request(photographs, narrations), "video": small})
            times = 30  # 300 scenes, the most there may be
            long = request(photographs * times, narrations * times, NARRATIONS * times)
            for number, scene in enumerate(long["script"]["scenes"]):
                scene["visual"]["motion"] = ("zoom-in", "zoom-out", "pan-left", "pan-right")[number % 4]
            slow = {"kind": "fade", "durationSeconds": 1.2}
            half_hour = await _peak(exporter, {**long, "video": small, "transition": slow})
            report.add("memory of 30 minutes ÷ of one", half_hour / minute, "", 1.15, f"{half_hour / MIB:.0f} MiB")


async def _peak(exporter: Exporter, wanted: dict[str, Any]) -> float:
    memory = Memory(exporter.stand.children["renderer"].pid or 0)
    watching = asyncio.create_task(memory.watch())
    await exporter.export(wanted)
    watching.cancel()
    return float(memory.peak)


async def measure_sharing(inputs: Inputs, report: Report) -> None:
    """Two workers with scratch folders of their own, one slot each."""
    async with standing() as stand:
        await worker(stand, "orchestrator", role="orchestrate")
        for name in ("one", "two"):
            scratch = str(stand.data / f"scratch-{name}")
            await worker(stand, name, role="render", render_slots="1", scratch_dir=scratch)
        async with exporting(stand) as exporter:
            photographs, narrations = await exporter.upload_all(inputs)
            job = (await exporter.export(request(photographs, narrations))).job
            segments = (await exporter.manifest(job))["segments"]
    frames: Counter[str] = Counter()
    for segment in segments:
        frames[segment["worker"]] += segment["frames"]
    share = max(frames.values()) / sum(frames.values())
    report.add(
        "the busier of two workers", 100 * share, "% of the frames", 60, f"{len(frames)} workers in the manifest"
    )


async def measure_queue(folder: Path, report: Report) -> None:
    """A hundred exports of three short scenes: their pace, against exports and encoders one at a time; their memory."""
    encoder = await _EncoderAlone.of(folder)
    encoder.run(3)
    async with standing() as stand:
        await worker(stand)
        async with exporting(stand) as exporter:
            await exporter.export(WARM)
            alone = [await exporter.export(_short(-number)) for number in range(1, 6)]
            manifests = [await exporter.manifest(one.job) for one in alone]
            began, ended = datetime.now(UTC), datetime.now(UTC)
            jobs = [await exporter.create(_short(number)) for number in range(QUEUED)]
            memory = Memory(stand.children["worker"].pid or 0)
            frames, early = 0, 0
            for number, job_id in enumerate(jobs):
                job = await exporter.completed(job_id, look_seconds=2)
                frames += _frames(await exporter.manifest(job))
                ended = max(ended, job.completed_at or ended)
                early = memory.now() if number == QUEUED // 4 else early
            took = (ended - began).total_seconds()
            late = memory.now()
    encoder.run(3)
    pace = frames / took
    note = f"{pace:.0f} frames/s, {took:.0f} s"
    one_by_one = sum(map(_frames, manifests)) / sum(one.seconds for one in alone)
    report.add("pace of exports one at a time ÷ of 100 queued", one_by_one / pace, "", 1.1,
               f"{one_by_one:.0f} frames/s; {note}")  # fmt: skip
    report.add("pace of the encoder alone, one film at a time ÷ of 100 queued", encoder.pace / pace, "", 1.1,
               f"{encoder.pace:.0f} frames/s on all cores, ffmpeg's start included; {note}")  # fmt: skip
    report.add("memory after 100 exports ÷ after 25", late / early, "", 1.1, f"{late / MIB:.0f} MiB")


@dataclass(frozen=True)
class _EncoderAlone:
    """The encoder alone with the frames of one short film, for comparison; as often before as after."""

    raw: Path
    plan: RenderPlan
    seconds: list[float] = field(default_factory=list)

    @classmethod
    async def of(cls, folder: Path) -> "_EncoderAlone":
        studio = FilmMaker(folder / "short")
        plan, _ = await studio.plan(ExportRequest.model_validate(_short(0)))
        return cls(await raw_frames(studio, plan, folder / "short.yuv"), plan)

    def run(self, times: int) -> None:
        for _ in range(times):
            began = time.perf_counter()
            contenders.encoder_alone(self.raw, self.plan.format, self.raw.with_suffix(".mp4"))
            self.seconds.append(time.perf_counter() - began)

    @property
    def pace(self) -> float:
        """Frames per second."""
        return self.plan.timeline.total_frames / median(self.seconds)


def _short(number: int) -> dict[str, Any]:
    lines = (
        f"This is the film with the number {number}.",
        f"Nobody has made film {number} before.",
        f"Number {number} ends here.",
    )
    return {"script": {"title": f"Film {number}", "scenes": [{"narration": line} for line in lines]}}


def _frames(manifest: dict[str, Any]) -> int:
    return sum(int(segment["frames"]) for segment in manifest["segments"])


async def measure_many_scenes(report: Report) -> None:
    """Three hundred scenes in one workflow."""
    async with standing() as stand:
        await worker(stand)
        async with exporting(stand) as exporter:
            scenes = [{"narration": f"Scene {number}."} for number in range(300)]
            small = {"preset": "preview", "width": 256, "height": 144, "encoderPreset": "superfast"}
            done = await exporter.export({"script": {"scenes": scenes}, "video": small, "transition": {"kind": "none"}})
    report.add("300 scenes", done.seconds, "s", note=f"{done.events} events")


async def run(folder: Path, rounds: int, parts: list[str]) -> bool:
    report = Report()
    inputs = await Inputs.make(folder)
    if "compare" in parts:
        paper = await on_paper(inputs)
        tell(await compare(inputs, paper, rounds, report), paper, report)
    if "sharing" in parts:
        await measure_sharing(inputs, report)
    if "queue" in parts:
        await measure_queue(folder, report)
    if "scenes" in parts:
        await measure_many_scenes(report)
    if "memory" in parts:
        await measure_memory(inputs, report)
    return report.table("Speed")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures whole exports against other ways to the same film.")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the comparison")
    parser.add_argument("--parts", nargs="+", default=["compare", "sharing", "queue", "scenes", "memory"])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="picturelock-speed-") as folder:
        return 0 if asyncio.run(run(Path(folder), asked.rounds, asked.parts)) else 1


if __name__ == "__main__":
    sys.exit(main())
