"""REST of functions: which there are, which workers run them, and what one returned in a job."""
