"""Losses that look at each lesion: the volume-aware Dice and published relatives, for nnU-Net's trainers."""
