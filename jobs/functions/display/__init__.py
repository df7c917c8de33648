"""How the result of a function is shown: `shape` chooses by what it is, `plot` and `trajectory` draw it."""
