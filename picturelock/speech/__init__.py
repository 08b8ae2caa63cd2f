"""From text to voice: engines behind one protocol, audio as 48 kHz mono WAV, words with their times."""
