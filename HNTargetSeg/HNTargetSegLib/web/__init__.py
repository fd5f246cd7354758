"""The review in a browser: trame pages on Slicer's own core. It shows the session and calls it, and decides nothing."""
