"""From what a client sends to a `Script`: Markdown, JSON, and writers that turn a brief into scenes."""
