"""Workflows: their DAG file, what travels with it, and what the queue says of their nodes."""
