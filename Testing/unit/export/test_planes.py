"""Slices as a radiologist sees them."""

from __future__ import annotations

import numpy as np
import pytest

from HNTargetSegLib.export.planes import Display, Plane

ORIENTATIONS = ["LPS", "RAI", "PSL", "ASR", "SRP", "IPL"]


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("plane", list(Plane))
def test_every_orientation_shows_the_same_pictures(visits, orientation, plane):
    plain, turned = Display(*visits("LPS")), Display(*visits(orientation))
    for a, b in zip(plain.lesions, turned.lesions, strict=True):
        at = plain.centre_of(a)
        assert turned.centre_of(b) == at
        assert np.array_equal(plain.image_slice(plane, at), turned.image_slice(plane, at))
        assert np.array_equal(plain.id_slice(plane, at), turned.id_slice(plane, at))
        assert turned.size_mm(plane) == pytest.approx(plain.size_mm(plane))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_patients_left_is_at_the_right_and_superior_is_up(visits, orientation):
    display = Display(*visits(orientation))
    tumour, node = display.lesions
    assert tumour.centroid[0] > node.centroid[0]
    assert tumour.centroid[1] < node.centroid[1]
    assert tumour.centroid[2] > node.centroid[2]

    def middle(plane, lesion):
        return np.argwhere(display.id_slice(plane, display.centre_of(lesion)) == lesion.id).mean(axis=0)

    for plane in (Plane.AXIAL, Plane.CORONAL):
        assert middle(plane, tumour)[1] > middle(plane, node)[1]
        assert plane.value[:2] == ("R", "L")
    for plane in (Plane.CORONAL, Plane.SAGITTAL):
        assert middle(plane, tumour)[0] < middle(plane, node)[0]
        assert plane.value[2:] == ("S", "I")
    assert middle(Plane.AXIAL, tumour)[0] < middle(Plane.AXIAL, node)[0]
    assert Plane.AXIAL.value[2:] == ("A", "P")
    assert middle(Plane.SAGITTAL, tumour)[1] < middle(Plane.SAGITTAL, node)[1]
    assert Plane.SAGITTAL.value[:2] == ("A", "P")


def test_planes_have_their_size_in_mm(image, lesions):
    display = Display(image, lesions)
    assert display.size_mm(Plane.AXIAL) == (96, 100)
    assert display.size_mm(Plane.CORONAL) == (96, 80)
    assert display.size_mm(Plane.SAGITTAL) == (100, 80)


def test_the_voxel_shown_for_a_hollow_lesion_belongs_to_it(image, lesions):
    ids = lesions.ids.array.copy()
    ids[7:9, 10:14, 32:38] = 0
    display = Display(image, type(lesions)(lesions.ids.with_array(ids), lesions.lesions))
    s, p, left = display.centre_of(lesions[1])
    assert ids[s, p, left] == 1


def test_a_constant_image_still_has_a_window(image, lesions):
    low, high = Display(image.with_array(np.zeros_like(image.array)), lesions).window
    assert low < high
