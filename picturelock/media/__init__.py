"""Everything that ffmpeg, pixels and samples are needed for. The only package that starts programs for media."""
