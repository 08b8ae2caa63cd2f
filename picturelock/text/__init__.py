"""Text that is drawn: fonts, and captions and titles as ASS."""
