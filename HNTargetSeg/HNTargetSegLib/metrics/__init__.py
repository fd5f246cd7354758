"""How well a segmentation agrees with a reference: overlap and lesion-wise detection."""
