"""A voice and a source of pictures for Picturelock. Copy it, rename it, and speak."""
