"""Stories in: sources, what an editor decides about a story, and what stories have to do with one another."""
