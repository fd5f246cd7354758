"""Qt panels of the Slicer module: no logic."""
