"""A synthetic patient: both visits, their masks, landmarks and the truth about each lesion."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.phantom.anatomy import draw_anatomy
from HNTargetSegLib.phantom.deformation import Deformation, draw_deformation, rotation_matrix
from HNTargetSegLib.phantom.landmarks import LANDMARKS
from HNTargetSegLib.phantom.lesion_model import LesionPlan, draw_benign_nodes, draw_lesions
from HNTargetSegLib.phantom.lesion_shape import draw_form
from HNTargetSegLib.phantom.signal import draw_scan, draw_textures
from HNTargetSegLib.phantom.styles import style_named
from HNTargetSegLib.phantom.visit import Painted, Patient, paint_visit

# A change in volume by less than this is said to be none.
_STEADY = 0.2


@dataclass(frozen=True)
class PhantomOptions:
    """What to generate.

    Attributes
    ----------
    style
        ``a``, or ``b`` for the style that is never trained on.
    size
        Voxels along (i, j, k).
    spacing
        Voxel size in mm along (i, j, k).

    Raises
    ------
    BadInputError
        If the style is unknown, or a size or spacing is not positive.
    """

    style: str = "a"
    size: tuple[int, int, int] = (128, 160, 56)
    spacing: tuple[float, float, float] = (1.6, 1.6, 3.0)

    def __post_init__(self) -> None:
        style_named(self.style)
        if len(self.size) != 3 or len(self.spacing) != 3 or min(self.size) < 1 or min(self.spacing) <= 0:
            raise BadInputError(
                f"A phantom of {self.size} voxels of {self.spacing} mm cannot be made",
                remedy="Give three positive numbers each",
            )


@dataclass(frozen=True, eq=False)
class PhantomVisit:
    """One visit; all volumes on one grid.

    Attributes
    ----------
    image
        T2-weighted, float32.
    mask
        uint8; 0 background, 1 PT, 2 LN.
    lesions
        uint16 lesion ids; a lesion has the same id at both visits.
    distractors
        uint8; 1 benign node, 2 tonsil.
    """

    image: Volume
    mask: Volume
    lesions: Volume
    distractors: Volume


@dataclass(frozen=True)
class LesionTruth:
    """What is known about one lesion.

    Attributes
    ----------
    id
        Its value in the lesion maps.
    label
        1 PT, 2 LN.
    site
        Side and anatomical site.
    pre_cc, mid_cc
        Volume in the masks; 0 where it is absent.
    fate
        ``kept`` (within 20 %), ``shrunk``, ``grown``, ``vanished`` or ``new``.
    """

    id: int
    label: int
    site: str
    pre_cc: float
    mid_cc: float
    fate: str


@dataclass(frozen=True, eq=False)
class PhantomPatient:
    """Both visits of one synthetic patient.

    Attributes
    ----------
    name
        The patient's number, as in the challenge.
    seed, index
        From which it can be made again.
    options
        From which it can be made again.
    pre, mid
        The visits, each on its own grid.
    landmarks_pre, landmarks_mid
        Shape (n, 3), LPS mm; the same anatomical points at both visits.
    landmark_names
        Their names.
    truth
        One record a lesion.
    deformation
        The true map from mid-RT to pre-RT positions, about ``centre``.
    centre
        LPS position in mm of the anatomical zero.
    """

    name: str
    seed: int
    index: int
    options: PhantomOptions
    pre: PhantomVisit
    mid: PhantomVisit
    landmarks_pre: np.ndarray
    landmarks_mid: np.ndarray
    landmark_names: tuple[str, ...]
    truth: list[LesionTruth]
    deformation: Deformation = field(repr=False)
    centre: np.ndarray = field(repr=False)

    def to_pre(self, lps: np.ndarray) -> np.ndarray:
        """Where the tissue at mid-RT positions of shape (n, 3), LPS mm, was at the pre-RT visit."""
        return self.deformation.points_to_pre(np.asarray(lps, float) - self.centre) + self.centre


def generate_patient(seed: int, index: int = 0, options: PhantomOptions = PhantomOptions()) -> PhantomPatient:
    """Make one patient; the same arguments give the same patient, voxel by voxel.

    Parameters
    ----------
    seed
        Of the cohort.
    index
        Of the patient in the cohort; any two differ in everything.
    options
        Style and grid.
    """
    style = style_named(options.style)
    rng = np.random.default_rng([seed, index, ord(style.name)])
    anatomy = draw_anatomy(rng, style)
    plans = draw_lesions(rng)
    benign = draw_benign_nodes(rng, plans)
    patient = Patient(anatomy, draw_textures(rng), plans + benign, [draw_form(rng, p, style) for p in plans + benign])
    centre = np.asarray(rng.normal(0, (5.0, 12.0, 40.0)))
    marks = anatomy.from_shapes(np.array(list(LANDMARKS.values())))
    deformation = draw_deformation(rng, marks)
    saturated = bool(rng.random() < style.saturated_share)
    pre, mid = (_image(rng, options, patient, centre, saturated, moved) for moved in (None, deformation))
    return PhantomPatient(
        name=str(index + 1),
        seed=seed,
        index=index,
        options=options,
        pre=pre,
        mid=mid,
        landmarks_pre=marks + centre,
        landmarks_mid=deformation.points_to_mid(marks) + centre,
        landmark_names=tuple(LANDMARKS),
        truth=[_truth(plan, pre, mid) for plan in plans],
        deformation=deformation,
        centre=centre,
    )


def _image(
    rng: np.random.Generator,
    options: PhantomOptions,
    patient: Patient,
    centre: np.ndarray,
    saturated: bool,
    deformation: Deformation | None,
) -> PhantomVisit:
    # Most patients are imaged alike at both visits.
    fat_saturated = saturated if rng.random() < 0.9 else not saturated
    scan = draw_scan(rng, style_named(options.style), fat_saturated)
    grid = _draw_grid(rng, options, centre)
    return _visit(paint_visit(patient, scan, grid, centre, deformation, rng), grid, patient.plans)


def _draw_grid(rng: np.random.Generator, options: PhantomOptions, centre: np.ndarray) -> Geometry:
    axes = rotation_matrix(tuple(np.deg2rad(rng.normal(0, (2.2, 0.7, 0.9)))))
    middle = centre + rng.normal(0, (1.5, 2.0, 3.0))
    half = (np.array(options.size) - 1) * options.spacing / 2
    origin = middle - axes @ half
    return Geometry(options.size, options.spacing, tuple(origin.tolist()), tuple(axes.ravel().tolist()))


def _visit(painted: Painted, grid: Geometry, plans: list[LesionPlan]) -> PhantomVisit:
    labels: np.ndarray = np.zeros(len(plans) + 1, np.uint8)
    malignant: np.ndarray = np.zeros(len(plans) + 1, np.uint16)
    benign: np.ndarray = np.zeros(len(plans) + 1, np.uint8)
    for plan in plans:
        labels[plan.id] = plan.label or 0
        malignant[plan.id] = plan.id if plan.label else 0
        benign[plan.id] = 0 if plan.label else 1
    distractors = benign[painted.ids]
    distractors[painted.tonsils] = 2
    return PhantomVisit(
        image=Volume(painted.image, grid, "phantom T2"),
        mask=Volume(labels[painted.ids], grid, "phantom mask"),
        lesions=Volume(malignant[painted.ids], grid, "phantom lesions"),
        distractors=Volume(distractors, grid, "phantom distractors"),
    )


def _truth(plan: LesionPlan, pre: PhantomVisit, mid: PhantomVisit) -> LesionTruth:
    pre_cc, mid_cc = (
        float((visit.lesions.array == plan.id).sum() * visit.lesions.geometry.voxel_cc) for visit in (pre, mid)
    )
    return LesionTruth(plan.id, int(plan.label or Target.LN), plan.site, pre_cc, mid_cc, _fate(pre_cc, mid_cc))


def _fate(pre_cc: float, mid_cc: float) -> str:
    if not mid_cc:
        return "vanished"
    if not pre_cc:
        return "new"
    change = mid_cc / pre_cc - 1
    if abs(change) < _STEADY:
        return "kept"
    return "grown" if change > 0 else "shrunk"
