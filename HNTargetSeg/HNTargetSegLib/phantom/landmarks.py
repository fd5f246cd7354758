"""Anatomical landmarks, in the space of the shapes."""

from __future__ import annotations

_SPINE = {f"centre of vertebra C{level + 2}": (0.0, 9.0, 44.0 - 17.0 * level) for level in range(7)}

_PAIRED = {
    "mandibular angle": (47.0, -16.0, 0.0),
    "mandibular ramus": (49.0, -20.0, 40.0),
    "mastoid tip": (53.0, 28.0, 44.0),
    "parotid": (56.0, 2.0, 26.0),
    "submandibular gland": (31.0, -25.0, -6.0),
    "carotid bifurcation": (26.0, -2.0, -12.0),
    "internal carotid at skull base": (25.0, 5.0, 58.0),
    "palatine tonsil": (16.5, -16.0, 19.0),
    "sternocleidomastoid": (39.0, -6.0, -25.0),
    "thyroid lobe": (15.0, -17.0, -63.0),
    "lateral neck": (57.0, 14.0, -30.0),
    "maxillary sinus": (31.0, -55.0, 62.0),
}

LANDMARKS: dict[str, tuple[float, float, float]] = {
    **_SPINE,
    **{f"left {name}": place for name, place in _PAIRED.items()},
    **{f"right {name}": (-x, y, z) for name, (x, y, z) in _PAIRED.items()},
    "chin": (0.0, -75.0, 0.0),
    "hyoid": (0.0, -39.0, -16.0),
    "thyroid notch": (0.0, -34.0, -28.0),
    "tip of the epiglottis": (0.0, -23.0, -3.0),
    "hard palate": (0.0, -58.0, 41.0),
    "clivus": (0.0, 2.0, 72.0),
    "spinous process of C5": (0.0, 55.0, -12.0),
    "nape": (0.0, 74.0, -5.0),
}
