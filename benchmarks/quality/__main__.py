"""`make bench-quality`: makes the films, measures them, prints every value beside its bar."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.quality import browser, measure, picture
from benchmarks.quality.films import Film, Inputs, main_film, matrix
from benchmarks.quality.scenes import measure_scenes
from benchmarks.quality.sheet import contact_sheet
from benchmarks.quality.speech import word_error_rate
from benchmarks.report import Report
from benchmarks.words import Deviations, deviations
from picturelock.finalize.gate import Gate
from picturelock.finalize.sound import SoundJob
from picturelock.models import SAMPLE_RATE
from picturelock.script.spoken import spoken_text
from tests.film_maker import SLOTS, FilmMaker

HOUR = 3_600


async def measure_film(film: Film, studio: FilmMaker, report: Report) -> None:
    """The rows that every film has."""
    frames = measure.duration_error_frames(film)
    report.add(f"duration: {film.name}", frames, "frames off", 1)
    sync = await measure.sync_of(film, studio.store)
    report.add(f"sync: {film.name}", 1000 * max(map(abs, sync.offsets)), "ms off", 20, f"{len(sync.offsets)} scenes")
    report.add(f"silence before speech: {film.name}", 1000 * max(sync.leads), "ms", 20)
    level, peak = measure.loudness_of(film.made.film)
    target = film.made.plan.format.loudness_lufs
    report.add(f"loudness: {film.name}", abs(level - target), "LU off", 0.5, f"{level:.1f} LUFS")
    report.add(f"true peak: {film.name}", peak, "dBTP", -1)
    failed = [one.name for one in film.made.manifest.checks if not one.passed]
    report.add(f"gate: {film.name}", len(failed), "failed", 0, f"{len(film.made.manifest.checks)} checks")


def measure_captions(films: list[Film], report: Report) -> None:
    """The worst of all captions."""
    facts = measure.captions_of(films)
    report.add("captions: lines", facts.lines, "lines", 2)
    report.add("captions: characters a line", facts.characters, "characters", 42)
    report.add("captions: width of a line", 100 * facts.width_share, "% of the frame", 80)
    report.add(
        "captions: shortest cue", 1.0 - facts.shortest_seconds, "s below 1 s", 0, f"{facts.shortest_seconds:.2f} s"
    )
    report.add("captions: overlaps", facts.overlaps, "cues", 0)
    report.add("captions: SRT and VTT differ from what is burnt in", facts.differences, "cues", 0)
    report.add("captions: signs that no font forms", facts.missing_glyphs, "signs", 0)


async def measure_words(report: Report) -> None:
    """Word times against the reference."""
    found = await deviations()
    report.add("word times of the voice, p95", 1000 * Deviations.p95(found.engine), "ms off", 120, "44 words, by eye")
    report.add("word times by alignment, p95", 1000 * Deviations.p95(found.aligned), "ms off", 120)


async def measure_hour(film: Film, studio: FilmMaker, folder: Path, report: Report) -> None:
    """An hour of sound: the film's narrations over and over."""
    audio = film.made.plan.timeline.audio
    cues, at = [], 0
    while at < HOUR * SAMPLE_RATE:
        for cue in audio.speech:
            cues.append(cue.model_copy(update={"start_sample": at}))
            at += cue.samples + SAMPLE_RATE
    plan = audio.model_copy(update={"speech": cues, "total_samples": at})
    files = {cue.audio.sha256: await studio.store.local(cue.audio) for cue in audio.speech}
    path = folder / "hour.m4a"
    await SoundJob(plan, film.made.plan.format, files, None, stall_seconds=60).master(path)
    level, peak = measure.loudness_of(path)
    report.add(
        "loudness: an hour", abs(level + 16), "LU off", 0.5, f"{level:.1f} LUFS, {at / SAMPLE_RATE / 60:.0f} min"
    )
    report.add("true peak: an hour", peak, "dBTP", -1)


async def measure_gate(film: Film, report: Report) -> None:
    """The gate's share of the time that encoding takes with as many slots as there are cores."""
    took = []
    for _ in range(3):
        began = time.perf_counter()
        await Gate(film.made.film, film.made.plan, film.made.segments).verify()
        took.append(time.perf_counter() - began)
    encoding = sum(segment.seconds for segment in film.made.segments) / SLOTS
    share = 100 * sorted(took)[1] / encoding
    report.add("gate: share of the encode's time", share, "%", 4, f"{sorted(took)[1]:.2f} s of {encoding:.1f} s")


async def measure_motion(studio: FilmMaker, folder: Path, report: Report) -> None:
    """Jitter and reversals of every motion, and what they cost."""
    for how in picture.MOVING:
        report.add(f"motion: {how}, reversals before encoding", picture.drawn(how).reversals, "frames", 0)
        filmed = await picture.filmed(studio, folder, how)
        report.add(f"motion: {how}, jitter in the film", filmed.jitter, "px RMS", 0.05)
    ours, theirs = picture.cost_against_zoompan(folder)
    report.add("motion: CPU ÷ zoompan's", ours / theirs, "times", 3, f"{ours:.2f} s, {theirs:.2f} s for 180 frames")


async def run(folder: Path) -> bool:
    """Everything, in one run."""
    report, studio = Report(), FilmMaker(folder)
    inputs = await Inputs.make(studio, folder / "inputs")
    main = await main_film(studio)
    films = [main]
    await measure_film(main, studio, report)
    await measure_gate(main, report)
    wrong = measure.incompatibilities(main.made.film)
    report.add("compatibility of the default film", len(wrong), "faults", 0, ", ".join(wrong))
    if (program := browser.chromium()) is not None:
        said = browser.plays(main.made.film, program)
        report.add("Chromium plays it to its end", float(not said.endswith("picture and sound")), "failures", 0, said)
    async for film in matrix(studio, inputs):
        films.append(film)
        await measure_film(film, studio, report)
    measure_captions(films, report)
    await measure_words(report)
    for film in (main, films[-1]):
        script = film.made.request.script
        assert script is not None
        text = " ".join(spoken_text(scene) for scene in script.scenes)
        rate = await asyncio.to_thread(word_error_rate, film.made.film, text, folder)
        report.add(f"word error rate: {film.name}", 100 * rate, "%", 3, f"{len(text.split())} words, Whisper base")
    await measure_scenes(studio, report)
    await measure_motion(studio, folder, report)
    for name, worst in (await picture.color_errors(studio, folder)).items():
        report.add(f"colour: {name}", worst, "of 255 off", 4)
    await measure_hour(main, studio, folder, report)
    sheet = await contact_sheet(studio, inputs, folder)
    print(f"contact sheet: {sheet}")
    return report.table("The film")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures every quality of the film.")
    parser.add_argument("--keep", type=Path, help="folder for films and the contact sheet; unset, a temporary one")
    kept = parser.parse_args().keep
    with tempfile.TemporaryDirectory(prefix="picturelock-quality-") as temporary:
        return 0 if asyncio.run(run((kept or Path(temporary)).resolve())) else 1


if __name__ == "__main__":
    sys.exit(main())
