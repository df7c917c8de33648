"""Statistics of daily Seattle weather, 2012 to 2015; see README.md."""
