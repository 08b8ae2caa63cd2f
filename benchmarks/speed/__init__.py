"""How fast a whole export is, against hand-written ffmpeg, MoviePy and the encoder alone: `make bench`."""
