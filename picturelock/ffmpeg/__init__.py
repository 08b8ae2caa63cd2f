"""The one place that starts ffmpeg and ffprobe."""
