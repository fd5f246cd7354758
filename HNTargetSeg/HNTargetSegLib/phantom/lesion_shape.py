"""The form and the inner texture of one lesion or benign node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.phantom.fields import Lattice, Waves, draw_lattice, draw_waves
from HNTargetSegLib.phantom.lesion_model import LesionPlan
from HNTargetSegLib.phantom.styles import Style


@dataclass(frozen=True, eq=False)
class Form:
    """What a lesion looks like, apart from its size; lengths are in units of its radius.

    Attributes
    ----------
    axes
        3x3; rows are the principal directions divided by the relative half-axes.
    balls
        Shape (n, 4), centre and radius of joined balls; empty for an ellipsoid.
    ragged
        Roughness added to the relative distance; at mid-RT ``regrown`` is added too.
    blur_mm
        Half-width of the border.
    grain
        Texture inside.
    contrast
        Standard deviation of the texture relative to the mean signal.
    core
        Relative brightening of the necrotic centre; 0 where there is none.
    hilum
        Centre and radius of a fatty hilum; radius 0 where there is none.
    gain
        Mean signal relative to the tissue's.
    """

    axes: np.ndarray
    balls: np.ndarray
    ragged: Waves
    regrown: Waves
    blur_mm: float
    grain: tuple[Lattice, Lattice]
    contrast: float
    core: float
    hilum: tuple[float, float, float, float]
    gain: float

    def relative_distance(self, offset: np.ndarray, mid: bool) -> np.ndarray:
        """Distance from the centre, 1 near the border, for offsets of shape (3, ...) in radii."""
        u = np.einsum("ab,b...->a...", self.axes.astype(np.float32), offset)
        if len(self.balls):
            near = [
                np.exp(
                    np.float32(-6.0)
                    * (np.sqrt(((u.T - ball[:3].astype(np.float32)) ** 2).sum(-1)).T / np.float32(ball[3]))
                )
                for ball in self.balls
            ]
            distance = np.log(sum(near) + np.float32(1e-12)) / np.float32(-6.0)
        else:
            distance = np.sqrt((u**2).sum(axis=0))
        distance = distance + self.ragged(*offset)
        return distance + self.regrown(*offset) if mid else distance

    def texture(self, x: np.ndarray, y: np.ndarray, z: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """Relative signal, 1 on average; ``depth`` is the relative distance from the centre over that at the border."""
        coarse, fine = self.grain
        pattern = np.float32(self.contrast) * (np.float32(0.8) * coarse(x, y, z) + np.float32(0.5) * fine(x, y, z))
        if self.core:
            pattern += np.float32(self.core) * np.clip((np.float32(0.62) - depth) * 5, 0, 1)
        return 1 + pattern


def draw_form(rng: np.random.Generator, plan: LesionPlan, style: Style) -> Form:
    """Draw the form of a malignant lesion (irregular, uneven, blurred) or of a benign node (smooth, ovoid, even)."""
    benign = plan.label is None
    lobed = style.lesion_form == "lobed" and not benign
    roughness = 0.0 if benign else float(rng.uniform(0.10, 0.17)) * (0.6 if lobed else 1.0)
    necrotic = not benign and plan.radius > 6.5 and rng.random() < 0.5
    return Form(
        axes=_draw_axes(rng, benign),
        balls=_draw_balls(rng) if lobed else np.zeros((0, 4)),
        ragged=draw_waves(rng, (1.2, 2.8), roughness, 9),
        regrown=draw_waves(rng, (1.0, 2.4), roughness * 0.45, 6),
        blur_mm=float(rng.uniform(0.7, 1.0) if benign else rng.uniform(1.3, 2.3)),
        grain=(draw_lattice(rng, (4.5, 4.5, 4.5)), draw_lattice(rng, (2.2, 2.2, 2.6))),
        contrast=0.03 if benign else float(rng.uniform(0.2, 0.32)),
        core=float(rng.uniform(0.4, 0.9)) if necrotic else 0.0,
        hilum=_draw_hilum(rng) if benign else (0.0, 0.0, 0.0, 0.0),
        gain=float(np.exp(rng.normal(0, 0.13))),
    )


def _draw_axes(rng: np.random.Generator, benign: bool) -> np.ndarray:
    if benign:
        # Normal neck nodes lie along the vessels, upright, and are up to twice as long as wide.
        tilt = rng.normal(0, 0.25, (3, 3))
        halves = np.array([0.8, 0.85, 1.0]) * np.array([1, 1, rng.uniform(1.4, 2.0)])
        rotation, _ = np.linalg.qr(np.eye(3) + tilt)
    else:
        halves = np.exp(rng.normal(0, 0.18, 3))
        rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    halves = halves / np.prod(halves) ** (1 / 3)
    return rotation.T / halves[:, None]


def _draw_balls(rng: np.random.Generator) -> np.ndarray:
    count = int(rng.integers(3, 6))
    centres = rng.normal(size=(count, 3))
    centres *= rng.uniform(0.35, 0.75, (count, 1)) / np.linalg.norm(centres, axis=1, keepdims=True)
    return np.column_stack([centres, rng.uniform(0.4, 0.75, count)])


def _draw_hilum(rng: np.random.Generator) -> tuple[float, float, float, float]:
    if rng.random() < 0.3:
        return 0.0, 0.0, 0.0, 0.0
    angle = rng.uniform(0, 2 * np.pi)
    reach = rng.uniform(0.3, 0.5)
    return (
        float(reach * np.cos(angle)),
        float(reach * np.sin(angle)),
        float(rng.normal(0, 0.1)),
        float(rng.uniform(0.25, 0.4)),
    )
