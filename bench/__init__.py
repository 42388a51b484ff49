"""How fast and how small, against whom: `make bench`. Every figure is a ratio of the same run."""
