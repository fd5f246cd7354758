"""Intensity augmentation of the first channel alone, where the second is a map of a prior and no image.

Imported by its bare name beside the trainers, so it imports nothing of the package.
"""

from __future__ import annotations

from typing import Any

import torch
from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform, ImageOnlyTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from batchgeneratorsv2.transforms.utils.random import RandomTransform


class FirstChannel(BasicTransform):
    """A transform that sees the first channel of the image and no other.

    Parameters
    ----------
    transform
        Of an image.
    """

    def __init__(self, transform: BasicTransform) -> None:
        super().__init__()
        self.transform = transform

    def apply(self, data_dict: dict[str, Any], **params: Any) -> dict[str, Any]:
        """Change ``image`` (c, k, j, i); the segmentation stays."""
        image = data_dict["image"]
        changed = self.transform(image=image[:1].clone())["image"]
        data_dict["image"] = torch.cat([changed, image[1:]])
        return data_dict


def on_image_alone(transforms: ComposeTransforms) -> ComposeTransforms:
    """The same transforms in the same order, those of intensities on the first channel alone."""
    return ComposeTransforms([_restricted(transform) for transform in transforms.transforms])


def _restricted(transform: BasicTransform) -> BasicTransform:
    if isinstance(transform, RandomTransform):
        if isinstance(transform.transform, ImageOnlyTransform):
            return RandomTransform(FirstChannel(transform.transform), transform.apply_probability)
        return transform
    return FirstChannel(transform) if isinstance(transform, ImageOnlyTransform) else transform
