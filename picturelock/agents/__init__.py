"""Films made by agents: tools over the Model Context Protocol, with answers that are short."""
