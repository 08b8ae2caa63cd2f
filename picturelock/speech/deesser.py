"""Takes the edge off hissing voices: where the treble stands out, it is made quieter, and nothing else is touched."""

from typing import Final

import numpy as np
import numpy.typing as npt

from picturelock.speech.engine import Samples

_SIZE: Final = 512
_HOP: Final = _SIZE // 4
_FROM_HZ: Final = 5_000.0
_THRESHOLD_DB: Final = -17.0
"""Treble above this level, relative to the speech, is compressed."""

_RATIO: Final = 6.0


def deessed(samples: Samples, sample_rate: int) -> Samples:
    """The speech (mono, -1 to 1) with its sibilants compressed above 5 kHz."""
    if len(samples) < _SIZE:
        return samples
    padded = np.concatenate([np.zeros(_SIZE, np.float32), samples, np.zeros(2 * _SIZE, np.float32)])
    window = np.hanning(_SIZE + 1)[:-1].astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::_HOP] * window
    spectrum = np.fft.rfft(frames, axis=1)
    treble = np.fft.rfftfreq(_SIZE, 1 / sample_rate) >= _FROM_HZ
    spectrum[:, treble] *= _gains(spectrum, treble)[:, None]
    return _joined(np.fft.irfft(spectrum, _SIZE, axis=1), window, len(samples))


def _gains(spectrum: npt.NDArray[np.complexfloating], treble: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """How much of each frame's treble stays, smoothed over neighbouring frames."""
    power = np.abs(spectrum) ** 2
    whole = power.sum(axis=1)
    speech = float(np.mean(whole[whole > 0.01 * whole.max()])) if whole.max() > 0 else 1.0
    level = 10 * np.log10(np.maximum(power[:, treble].sum(axis=1), 1e-12) / speech)
    reduction = np.maximum(0.0, level - _THRESHOLD_DB) * (1 - 1 / _RATIO)
    smooth = np.convolve(np.pad(reduction, 1, mode="edge"), np.ones(3) / 3, mode="valid")
    gains: npt.NDArray[np.float64] = 10 ** (-smooth / 20)
    return gains


def _joined(frames: npt.NDArray[np.floating], window: npt.NDArray[np.float32], length: int) -> Samples:
    """Overlapping frames added up (Hann windows twice, at a quarter of their length, add up to 1.5)."""
    total = np.zeros(len(frames) * _HOP + _SIZE, np.float64)
    for number, frame in enumerate(frames * window):
        total[number * _HOP : number * _HOP + _SIZE] += frame
    return (total[_SIZE : _SIZE + length] / 1.5).astype(np.float32)
