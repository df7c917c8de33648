"""The graph of a workflow: a picture of its nodes, the same as a list, and a page for each node."""
