"""The two styles: ``a`` for training and testing; ``b``, of other contrast, lesions and anatomy, for testing only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.phantom.tissues import Tissue

Range = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Style:
    """What differs between the styles.

    Attributes
    ----------
    name
        ``a`` or ``b``.
    scale
        Mean patient size along (x, y, z).
    neck_width
        Mean factor on the half-width of the neck.
    fat_mm
        Range of the thickness of the fat under the skin.
    squareness
        Range of the outline's exponent.
    border_mm
        Root-mean-square shift of all tissue borders.
    muscle, gland, tonsil
        Factors on the size of muscles, salivary glands and tonsils.
    sinus_fluid
        Share of maxillary sinuses that hold fluid.
    plain, saturated
        Mean signal of each tissue without and with fat saturation; arbitrary units, scaled afterwards.
    saturated_share
        Share of patients imaged with fat saturation.
    lesion_form
        ``ragged`` (an ellipsoid torn by waves) or ``lobed`` (joined balls).
    noise, bias, coil
        Ranges of the noise (in the units of the signals), of the bias field's logarithm, and of the relative
        brightening at the skin by the coil.
    """

    name: str
    scale: tuple[float, float, float]
    neck_width: float
    fat_mm: Range
    squareness: Range
    border_mm: float
    muscle: float
    gland: float
    tonsil: float
    sinus_fluid: float
    plain: dict[Tissue, float]
    saturated: dict[Tissue, float]
    saturated_share: float
    lesion_form: Literal["ragged", "lobed"]
    noise: Range
    bias: Range
    coil: Range


_COMMON = {Tissue.AIR: 0.0, Tissue.CORTEX: 35.0, Tissue.ARTERY: 32.0, Tissue.FLUID: 1400.0}

_A_PLAIN = _COMMON | {
    Tissue.SKIN: 260.0,
    Tissue.FAT: 760.0,
    Tissue.MUSCLE: 165.0,
    Tissue.TONGUE: 330.0,
    Tissue.MARROW: 420.0,
    Tissue.DISC: 290.0,
    Tissue.CORD: 470.0,
    Tissue.CSF: 1350.0,
    Tissue.BRAIN: 540.0,
    Tissue.MUCOSA: 690.0,
    Tissue.PAROTID: 610.0,
    Tissue.SUBMANDIBULAR: 560.0,
    Tissue.THYROID: 430.0,
    Tissue.CARTILAGE: 170.0,
    Tissue.VEIN: 520.0,
    Tissue.TONSIL: 590.0,
    Tissue.NODE: 560.0,
    Tissue.TUMOUR: 540.0,
}
_A_SATURATED = _COMMON | {
    Tissue.SKIN: 310.0,
    Tissue.FAT: 120.0,
    Tissue.MUSCLE: 175.0,
    Tissue.TONGUE: 265.0,
    Tissue.MARROW: 135.0,
    Tissue.DISC: 270.0,
    Tissue.CORD: 480.0,
    Tissue.CSF: 1500.0,
    Tissue.BRAIN: 560.0,
    Tissue.MUCOSA: 690.0,
    Tissue.PAROTID: 420.0,
    Tissue.SUBMANDIBULAR: 520.0,
    Tissue.THYROID: 470.0,
    Tissue.CARTILAGE: 160.0,
    Tissue.VEIN: 570.0,
    Tissue.TONSIL: 610.0,
    Tissue.NODE: 580.0,
    Tissue.TUMOUR: 560.0,
}
_B_PLAIN = _COMMON | {
    Tissue.SKIN: 200.0,
    Tissue.FAT: 560.0,
    Tissue.MUSCLE: 110.0,
    Tissue.TONGUE: 210.0,
    Tissue.MARROW: 300.0,
    Tissue.DISC: 160.0,
    Tissue.CORD: 330.0,
    Tissue.CSF: 1900.0,
    Tissue.BRAIN: 420.0,
    Tissue.MUCOSA: 640.0,
    Tissue.PAROTID: 430.0,
    Tissue.SUBMANDIBULAR: 390.0,
    Tissue.THYROID: 290.0,
    Tissue.CARTILAGE: 120.0,
    Tissue.VEIN: 640.0,
    Tissue.TONSIL: 470.0,
    Tissue.NODE: 420.0,
    Tissue.TUMOUR: 400.0,
}
_B_SATURATED = _COMMON | {
    Tissue.SKIN: 220.0,
    Tissue.FAT: 60.0,
    Tissue.MUSCLE: 130.0,
    Tissue.TONGUE: 190.0,
    Tissue.MARROW: 80.0,
    Tissue.DISC: 180.0,
    Tissue.CORD: 400.0,
    Tissue.CSF: 2100.0,
    Tissue.BRAIN: 470.0,
    Tissue.MUCOSA: 700.0,
    Tissue.PAROTID: 300.0,
    Tissue.SUBMANDIBULAR: 430.0,
    Tissue.THYROID: 360.0,
    Tissue.CARTILAGE: 110.0,
    Tissue.VEIN: 700.0,
    Tissue.TONSIL: 520.0,
    Tissue.NODE: 470.0,
    Tissue.TUMOUR: 450.0,
}

STYLES = {
    "a": Style(
        name="a",
        scale=(1.0, 1.0, 1.0),
        neck_width=1.0,
        fat_mm=(3.0, 11.0),
        squareness=(2.05, 2.5),
        border_mm=1.3,
        muscle=1.12,
        gland=1.0,
        tonsil=1.0,
        sinus_fluid=0.0,
        plain=_A_PLAIN,
        saturated=_A_SATURATED,
        saturated_share=0.55,
        lesion_form="ragged",
        noise=(10.0, 22.0),
        bias=(0.08, 0.2),
        coil=(0.0, 0.3),
    ),
    "b": Style(
        name="b",
        scale=(0.93, 0.95, 1.07),
        neck_width=1.1,
        fat_mm=(7.0, 15.0),
        squareness=(2.3, 2.9),
        border_mm=1.7,
        muscle=1.0,
        gland=1.15,
        tonsil=0.85,
        sinus_fluid=0.3,
        plain=_B_PLAIN,
        saturated=_B_SATURATED,
        saturated_share=0.4,
        lesion_form="lobed",
        noise=(14.0, 28.0),
        bias=(0.15, 0.3),
        coil=(0.15, 0.5),
    ),
}


def style_named(name: str) -> Style:
    """The style called ``name``.

    Raises
    ------
    BadInputError
        If there is none.
    """
    if name not in STYLES:
        raise BadInputError(f"There is no phantom style '{name}'", remedy=f"Choose one of {', '.join(STYLES)}")
    return STYLES[name]
