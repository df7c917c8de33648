"""Real work for Jobdeck to run: each folder holds an input, a script, its results function and an independent check."""
