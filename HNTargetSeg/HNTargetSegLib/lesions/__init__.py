"""One record a lesion: finding, naming, matching between the visits, and their tables."""
