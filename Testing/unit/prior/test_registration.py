"""Pre-RT onto mid-RT: accuracy, the flag, progress, cancelling, and the engines that may be missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import BadInputError, CancelledError, ErrorCode, GeometryError, MissingDependencyError
from HNTargetSegLib.phantom.deformation import rotation_matrix
from HNTargetSegLib.prior.deform import DeformOptions, Level
from HNTargetSegLib.prior.engines import Engine
from HNTargetSegLib.prior.registration import RegisterOptions, register, take_transform
from HNTargetSegLib.prior.rigid import align_rigidly

QUICK = DeformOptions(levels=(Level(5.0, 40.0, 2, 4),))


def landmark_errors(patient, transform):
    """Distances in mm, of the landmarks that both visits show."""

    def shown(image, points):
        kji = image.geometry.to_kji(points)
        return ((kji >= 1) & (kji <= np.array(image.array.shape) - 2)).all(axis=1)

    both = shown(patient.mid.image, patient.landmarks_mid) & shown(patient.pre.image, patient.landmarks_pre)
    moved = np.array([transform.TransformPoint(point) for point in patient.landmarks_mid[both].tolist()])
    return np.linalg.norm(moved - patient.landmarks_pre[both], axis=1)


def turned(image, degrees, axis):
    """The image about its middle, turned in space; no voxel changes."""
    angles = [0.0, 0.0, 0.0]
    angles[axis] = float(np.deg2rad(degrees))
    turn, grid = rotation_matrix(tuple(angles)), image.geometry
    middle = grid.to_lps((np.array(grid.shape) - 1) / 2)
    origin = turn @ (np.array(grid.origin) - middle) + middle
    geometry = Geometry(grid.size, grid.spacing, tuple(origin.tolist()), tuple((turn @ grid.axes).ravel().tolist()))
    return Volume(image.array, geometry, "turned")


def lower_half(image):
    """The lower half of the field of view."""
    slices = image.array.shape[0] // 2
    grid = image.geometry
    return Volume(image.array[:slices], replace(grid, size=(*grid.size[:2], slices)), "half")


def test_landmarks_of_a_generated_patient_meet_within_the_limits_of_the_field(patient, registration):
    before = np.linalg.norm(patient.landmarks_mid - patient.landmarks_pre, axis=1)
    after = landmark_errors(patient, registration.transform)
    assert before.mean() > 6
    assert len(after) >= 30
    assert after.mean() <= 2.5
    assert np.percentile(after, 95) <= 5


def test_a_good_registration_says_so_in_every_figure(registration):
    quality = registration.quality
    assert quality.good
    assert quality.to_dict()["quality"] == "good"
    assert quality.body_dsc_after > quality.body_dsc_before
    assert quality.difference_after < quality.difference_before
    assert quality.folded == 0
    assert 0 < quality.inverse_mm < 1.5 < 3 * quality.inverse_p95_mm
    assert quality.covered > 0.8
    assert quality.masks_after["GTVp"] > quality.masks_before["GTVp"]
    registration.require_good()


def test_rigid_alignment_halves_the_error_and_is_the_same_each_time(patient):
    first, second = (align_rigidly(patient.mid.image, patient.pre.image) for _ in range(2))
    assert first.GetParameters() == pytest.approx(second.GetParameters(), abs=1e-6)
    before = np.linalg.norm(patient.landmarks_mid - patient.landmarks_pre, axis=1).mean()
    assert landmark_errors(patient, first).mean() < before / 2


def test_rigid_alignment_finds_a_patient_who_lies_far_away_in_the_scanner(patient):
    grid = patient.pre.image.geometry
    far = Volume(patient.pre.image.array, replace(grid, origin=tuple(np.add(grid.origin, (90.0, -60.0, 400.0)))), "far")
    found = align_rigidly(patient.mid.image, far)
    near = align_rigidly(patient.mid.image, patient.pre.image)
    points = patient.landmarks_mid.tolist()
    apart = [np.subtract(found.TransformPoint(p), near.TransformPoint(p)) - (90, -60, 400) for p in points]
    assert np.linalg.norm(apart, axis=1).max() < 2


def test_the_same_images_give_the_same_transform(patient):
    options = RegisterOptions(deform=QUICK, inverse=False)
    points = patient.landmarks_mid.tolist()
    ends = []
    for _ in range(2):
        transform = register(patient.mid.image, patient.pre.image, options).transform
        ends.append([transform.TransformPoint(point) for point in points])
    assert np.abs(np.subtract(*ends)).max() < 1e-3


def test_another_patient_is_flagged(patient, stranger):
    found = register(patient.mid.image, stranger.pre.image)
    assert not found.quality.good
    with pytest.raises(BadInputError, match=r"The registration is poor and is not used.*one patient"):
        found.require_good()
    found.require_good(accept_poor=True)


@pytest.mark.parametrize(("degrees", "axis"), [(90, 2), (90, 0)])
def test_a_visit_that_lies_across_is_flagged(patient, degrees, axis):
    assert not register(patient.mid.image, turned(patient.pre.image, degrees, axis)).quality.good


def test_half_of_the_field_of_view_is_flagged_for_just_that(patient):
    quality = register(patient.mid.image, lower_half(patient.pre.image)).quality
    assert quality.covered < 0.7
    assert any("reaches only" in problem for problem in quality.problems)
    # Where both were imaged the registration is fine, and nothing runs wild where one was not.
    assert quality.folded == 0
    assert quality.inverse_mm < 3


def test_visits_that_do_not_meet_are_flagged_with_a_given_transform(patient):
    import SimpleITK as sitk

    far = sitk.TranslationTransform(3, (500.0, 0.0, 0.0))
    found = take_transform(patient.mid.image, patient.pre.image, far, RegisterOptions(inverse=False))
    assert found.engine == "given"
    assert found.quality.covered == 0
    assert found.quality.body_dsc_after is None
    assert not found.quality.good


def test_the_true_deformation_given_from_elsewhere_is_good(patient, registration):
    found = take_transform(patient.mid.image, patient.pre.image, registration.transform)
    assert found.quality.good
    assert found.quality.inverse_mm == pytest.approx(registration.quality.inverse_mm)


def test_progress_counts_up_to_its_end_in_every_stage(patient):
    told = []
    options = RegisterOptions(deform=QUICK, inverse=False)
    found = register(patient.mid.image, patient.pre.image, options, progress=lambda *step: told.append(step))
    assert told == [("rigid", 0, 1), ("rigid", 1, 1), *(("deformable", n, 4) for n in range(1, 5))]
    assert set(found.seconds) == {"descriptor", "quality"}


def test_cancelling_half_way_stops_between_steps(patient):
    told = []
    with pytest.raises(CancelledError):
        register(
            patient.mid.image,
            patient.pre.image,
            RegisterOptions(deform=QUICK),
            progress=lambda *step: told.append(step),
            cancelled=lambda: ("deformable", 2, 4) in told,
        )
    assert told[-1] == ("deformable", 2, 4)


def test_cancelling_stops_in_the_midst_of_the_rigid_alignment(patient):
    asked = []

    def after_a_few_steps():
        asked.append(len(asked))
        return len(asked) > 5

    with pytest.raises(CancelledError):
        align_rigidly(patient.mid.image, patient.pre.image, after_a_few_steps)
    assert len(asked) < 10


def test_a_mask_on_another_grid_is_refused(patient):
    with pytest.raises(GeometryError):
        register(patient.mid.image, patient.pre.image, masks=(patient.pre.mask, patient.pre.mask))


def test_a_flat_image_is_refused(patient):
    flat = patient.pre.image.with_array(np.zeros_like(patient.pre.image.array), "flat")
    with pytest.raises(BadInputError, match="everywhere"):
        register(patient.mid.image, flat)


def test_settings_below_zero_are_refused():
    with pytest.raises(BadInputError):
        DeformOptions(stiffness_mm2=-1.0)
    with pytest.raises(BadInputError):
        DeformOptions(levels=())


def test_an_engine_that_is_not_installed_names_the_line_that_installs_it(patient, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name, package=None: None)
    with pytest.raises(MissingDependencyError, match="pip install itk-elastix") as raised:
        register(patient.mid.image, patient.pre.image, RegisterOptions(engine=Engine.HNTSMRG))
    assert raised.value.code is ErrorCode.MISSING_DEPENDENCY


def test_without_pytorch_the_rigid_engine_still_registers_and_judges(patient, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name, package=None: None)
    found = register(patient.mid.image, patient.pre.image, RegisterOptions(engine=Engine.RIGID))
    assert found.quality.body_dsc_after > found.quality.body_dsc_before
    assert found.quality.difference_after is None
    assert found.quality.inverse_mm is None


# Elastix takes minutes where other work is on the cores.
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("engine", [Engine.CONVEXADAM, Engine.ELASTIX])
def test_an_optional_engine_brings_the_landmarks_closer_than_rigid_alignment(patient, engine):
    if not engine.available:
        pytest.skip(f"{engine.module} is not installed")
    found = register(patient.mid.image, patient.pre.image, RegisterOptions(engine=engine, inverse=False))
    rigid = align_rigidly(patient.mid.image, patient.pre.image)
    assert landmark_errors(patient, found.transform).mean() < 0.7 * landmark_errors(patient, rigid).mean()


def test_elastix_is_ended_when_the_user_cancels(patient):
    if not Engine.ELASTIX.available:
        pytest.skip("itk is not installed")
    told = []
    with pytest.raises(CancelledError):
        register(
            patient.mid.image,
            patient.pre.image,
            RegisterOptions(engine=Engine.ELASTIX),
            progress=lambda *step: told.append(step),
            cancelled=lambda: ("rigid", 1, 1) in told,
        )
