"""From segments to a published film: sound, join, verification gate, publication."""
