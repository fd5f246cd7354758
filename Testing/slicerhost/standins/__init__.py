"""Thin stand-ins for what only Slicer's own program brings; each is listed in ../API.md."""
