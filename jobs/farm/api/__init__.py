"""REST of farm runs: for the workers, and for the owner of a run."""
