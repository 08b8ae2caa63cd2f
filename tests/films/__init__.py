"""Films made by the real activities: every field of a request, every format, every look."""
