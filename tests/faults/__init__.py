"""Faults: every process of a site killed at every point of a job's life, and at random; nothing may be lost or doubled."""
