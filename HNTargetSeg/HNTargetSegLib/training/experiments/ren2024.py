"""What Ren et al. 2024 (arXiv 2410.12941) report on the gradient map, as numbers that stand beside ours.

Their cross-validation is on the 150 patients of HNTS-MRG 2024; distances are MedPy's. Paper and published code differ;
the recipe here is the code's, with which the figures were made (see :mod:`HNTargetSegLib.prior.gradient_map`).
"""

from __future__ import annotations

from HNTargetSegLib.case.labels import Target

TITLE = "Ren et al. 2024, arXiv 2410.12941"

FIGURES = {"dsc_agg": "DSCagg", "hd95_medpy_mm": "HD95, mm", "msd_medpy_mm": "MSD, mm"}
"""Figures of tables 1 and 2 with their headings."""

BY_FOLD: dict[tuple[Target, str], tuple[float, ...]] = {
    (Target.PT, "dsc_agg"): (0.682, 0.493, 0.469, 0.636, 0.697),
    (Target.PT, "hd95_medpy_mm"): (9.9, 15.6, 14.6, 9.3, 12.3),
    (Target.PT, "msd_medpy_mm"): (3.6, 5.4, 4.2, 2.5, 3.9),
    (Target.LN, "dsc_agg"): (0.871, 0.786, 0.868, 0.859, 0.827),
    (Target.LN, "hd95_medpy_mm"): (4.2, 5.4, 6.4, 7.4, 5.9),
    (Target.LN, "msd_medpy_mm"): (1.0, 1.4, 1.8, 1.6, 1.5),
}
"""Tables 1 and 2: with the map, folds 0 to 4."""

AVERAGE: dict[tuple[Target, str], float] = {
    (Target.PT, "dsc_agg"): 0.595,
    (Target.PT, "hd95_medpy_mm"): 12.3,
    (Target.PT, "msd_medpy_mm"): 3.9,
    (Target.LN, "dsc_agg"): 0.842,
    (Target.LN, "hd95_medpy_mm"): 5.9,
    (Target.LN, "msd_medpy_mm"): 1.5,
}
"""The tables' last column."""

MEAN_DSC: dict[Target, tuple[float, float]] = {Target.PT: (0.355, 0.538), Target.LN: (0.688, 0.825)}
"""Fold 0 (30 patients), without and with the map."""

P_VALUE: dict[Target, float] = {Target.PT: 0.001920, Target.LN: 0.000236}
"""Of its figure 2, by Wilcoxon's signed-rank test."""

VOLUME_BINS: dict[Target, tuple[float, float]] = {Target.PT: (0.8, 3.0), Target.LN: (2.567, 8.5)}
"""Mid-RT volume in cc from which to which its middle bin reaches, figure 4."""

RHO_MIDDLE_BIN: dict[Target, float] = {Target.PT: -0.41, Target.LN: -0.34}
"""Spearman's coefficient of volume change and DSC in the middle bin; it prints no other."""

TEST_DSC_AGG: dict[Target, float] = {Target.PT: 0.534, Target.LN: 0.867}
"""The challenge's test set (50 patients), ensemble of five folds."""
