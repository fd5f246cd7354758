"""Trained networks: the model store, channel recipes, tiles, and the predictor from channels to labels."""
