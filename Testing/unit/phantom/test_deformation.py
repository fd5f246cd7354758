"""The change between the visits."""

from __future__ import annotations

import ast
import inspect

import numpy as np
import pytest

from HNTargetSegLib.phantom import deformation as module
from HNTargetSegLib.phantom.anatomy import draw_anatomy
from HNTargetSegLib.phantom.deformation import Deformation, draw_deformation, mean_error
from HNTargetSegLib.phantom.landmarks import LANDMARKS
from HNTargetSegLib.phantom.styles import style_named

SEEDS = range(15)


def drawn(seed: int, style: str = "a") -> tuple[Deformation, np.ndarray]:
    rng = np.random.default_rng(seed)
    landmarks = draw_anatomy(rng, style_named(style)).from_shapes(np.array(list(LANDMARKS.values())))
    return draw_deformation(rng, landmarks), landmarks


def whole_field() -> np.ndarray:
    axes = (np.linspace(-105, 105, 12), np.linspace(-130, 130, 14), np.linspace(-85, 85, 12))
    return np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 3)


@pytest.mark.parametrize("style", ["a", "b"])
def test_landmarks_move_by_at_least_six_millimetres_on_average(style: str) -> None:
    errors = [mean_error(*drawn(seed, style)) for seed in SEEDS]
    assert min(errors) >= 6.0
    assert max(errors) < 20.0


def test_the_map_is_invertible_everywhere_in_the_field_of_view() -> None:
    for seed in SEEDS:
        deformation, _ = drawn(seed)
        assert deformation.jacobian_determinant(whole_field()).min() > 0.5


def test_going_to_the_mid_visit_and_back_returns_to_the_same_point() -> None:
    deformation, landmarks = drawn(4)
    there = deformation.points_to_mid(landmarks)
    assert np.abs(deformation.points_to_pre(there) - landmarks).max() < 1e-6
    assert np.abs(there - landmarks).max() > 3


def test_the_patient_gets_thinner() -> None:
    for seed in SEEDS:
        deformation, _ = drawn(seed)
        height = deformation.loss_height
        skin = np.array([(60.0, 8.0, height), (-60.0, 8.0, height)])
        right_left = np.ptp(deformation.points_to_mid(skin)[:, 0])
        assert right_left < 120.0


def test_the_change_is_more_than_rigid() -> None:
    for seed in SEEDS:
        deformation, landmarks = drawn(seed)
        mid = deformation.points_to_mid(landmarks)
        a, b = landmarks - landmarks.mean(0), mid - mid.mean(0)
        u, _, vt = np.linalg.svd(a.T @ b)
        left_over = np.linalg.norm(a @ (u @ vt) - b, axis=1).mean()
        assert left_over > 0.5


def test_the_deformation_shares_no_code_with_a_registration() -> None:
    names = {
        name
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert names == {"__future__", "dataclasses", "numpy", "HNTargetSegLib.phantom.fields"}
