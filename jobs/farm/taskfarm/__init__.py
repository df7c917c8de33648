"""The API of taskfarm 0.4.0, for its existing workers."""
