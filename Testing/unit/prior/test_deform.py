"""The parts of the registration engine: grids, descriptor, lattice, body."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.prior.body import body_mask
from HNTargetSegLib.prior.descriptor import CHANNELS, self_similarity
from HNTargetSegLib.prior.grids import even_grid, resampled
from HNTargetSegLib.prior.lattice import Lattice, bending, displacement


def test_an_even_grid_covers_the_field_of_view_and_shares_its_middle():
    oblique = Geometry((9, 7, 5), (1.5, 1.0, 3.0), (5.0, -3.0, 2.0), (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    grid = even_grid(oblique, 2.0, 4.0)
    assert grid.spacing == (2.0, 2.0, 2.0)
    middles = [geometry.to_lps((np.array(geometry.shape) - 1) / 2) for geometry in (oblique, grid)]
    assert np.allclose(*middles)
    corners = grid.to_kji(oblique.to_lps(np.array([(0, 0, 0), np.array(oblique.shape) - 1])))
    assert (corners >= 2 - 1e-9).all()
    assert (corners <= np.array(grid.shape) - 3 + 1e-9).all()


def test_resampling_onto_the_own_grid_changes_nothing():
    volume = Volume(np.random.default_rng(0).random((4, 5, 6), np.float32), Geometry((6, 5, 4), (1.0, 2.0, 3.0)))
    assert np.allclose(resampled(volume.to_sitk(), volume.geometry), volume.array)


def test_the_descriptor_does_not_see_brightness_contrast_or_inversion():
    image = torch.rand((8, 9, 10), generator=torch.Generator().manual_seed(0))
    found = self_similarity(image)
    assert found.shape == (CHANNELS, 8, 9, 10)
    assert torch.allclose(found, self_similarity(3 - 2 * image), atol=1e-5)
    assert not torch.allclose(found, self_similarity(image.flip(0)), atol=0.1)


def test_the_descriptor_of_a_flat_image_is_one():
    assert torch.equal(self_similarity(torch.full((4, 4, 4), 7.0)), torch.ones(CHANNELS, 4, 4, 4))


def test_equal_control_points_move_everything_alike():
    lattice = Lattice.covering((20.0, 30.0, 10.0), 8.0)
    bases = [torch.from_numpy(lattice.basis(axis, np.linspace(0, end, 7))) for axis, end in enumerate((20, 30, 10))]
    moved = displacement(torch.full((3, *lattice.size), 2.5), bases)
    assert moved.shape == (3, 7, 7, 7)
    assert torch.allclose(moved, torch.tensor(2.5), atol=1e-5)


def test_a_linear_lattice_gives_a_linear_displacement_and_does_not_bend():
    lattice = Lattice.covering((20.0, 20.0, 20.0), 5.0)
    ramp = (torch.arange(lattice.size[2]) - 1.0) * 5.0
    coefficients = ramp.expand(3, *lattice.size).contiguous()
    places = np.array([0.0, 3.0, 11.5, 20.0])
    moved = displacement(coefficients, [torch.from_numpy(lattice.basis(axis, places)) for axis in range(3)])
    assert torch.allclose(moved[0, 0, 0], torch.from_numpy(places).float(), atol=1e-4)
    assert float(bending(coefficients, 5.0)) == pytest.approx(0.0, abs=1e-9)
    assert float(bending(coefficients**2, 5.0)) > 0


def test_the_body_is_the_patient_with_airway_and_without_air(patient):
    image = patient.mid.image
    body = body_mask(image, image.geometry)
    assert body[patient.mid.mask.array > 0].all()
    assert not body[:, :4, :4].any()
    assert 0.15 < body.mean() < 0.6


def test_a_constant_image_has_no_body():
    volume = Volume(np.full((5, 6, 7), 3.0, np.float32), Geometry((7, 6, 5)))
    assert not body_mask(volume, volume.geometry).any()
