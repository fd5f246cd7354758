"""Connected components of a mask and their size and shape."""
