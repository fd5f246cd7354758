"""A small Qt program on the real Slicer core that runs the module without Slicer; see README.md."""
