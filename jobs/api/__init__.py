"""REST: what the dashboard can do, for scripts."""
