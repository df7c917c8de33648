"""The pages of farm runs: how far they are, a map of their tasks, their workers, and restarting."""
