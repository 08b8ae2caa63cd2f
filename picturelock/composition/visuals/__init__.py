"""Pictures that are looked for or made: stock photos and clips, and images from a model, behind one protocol."""
