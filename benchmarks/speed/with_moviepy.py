"""The film of the comparison by MoviePy: resized stills, cross-fades, sound; without captions, which favours it."""

import sys

from moviepy import AudioFileClip, CompositeVideoClip, ImageClip, vfx


def main(speech: str, output: str, places: str, *photographs: str) -> None:
    clips = []
    for number, (place, photograph) in enumerate(zip(places.split(","), photographs, strict=True)):
        start, frames = (int(part) for part in place.split(":"))
        seconds = frames / 30
        still = ImageClip(photograph).resized(height=1080).with_duration(seconds).with_start(start / 30)
        moving = still.resized(lambda at, seconds=seconds: 1 + 0.12 * at / seconds).with_position("center")
        clips.append(moving.with_effects([vfx.CrossFadeIn(0.5)] if number else []))
    film = CompositeVideoClip(clips, size=(1920, 1080)).with_audio(AudioFileClip(speech))
    film.write_videofile(
        output, fps=30, codec="libx264", preset="veryfast", threads=2, audio_codec="aac",
        ffmpeg_params=["-crf", "20", "-pix_fmt", "yuv420p"], logger=None,
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
