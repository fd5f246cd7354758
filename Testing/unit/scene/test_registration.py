"""A registration in the scene: its transform as a node and back, outlines of what it carries, and a saved scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from Testing.unit.scene.small_case import LN_BOX, PT_BOX, lesions_in, oblique_axes, volume

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.registered import carry_lesions
from HNTargetSegLib.prior.quality import Quality
from HNTargetSegLib.review.change import Change, Part
from HNTargetSegLib.review.prior import Prior
from HNTargetSegLib.scene.reading import read_segments
from HNTargetSegLib.scene.transforms import add_transform, transform_of

PRE, MID = Visit.PRE, Visit.MID
GOOD = Quality(0.95, 0.9, 0.99, 0.1, 0.04, 0.0, 0.8, 1.2, 0.05, 2.0, 0.4, 0.9, 0.5, 0.9)


def rigid():
    transform = sitk.Euler3DTransform()
    transform.SetRotation(0.05, 0.1, -0.03)
    transform.SetTranslation((5.0, -7.0, 20.0))
    transform.SetCenter((3.0, 4.0, 5.0))
    return transform


def deforming():
    """A rigid transform after a smooth displacement, as the registration makes them."""
    coarse = sitk.Image(12, 12, 12, sitk.sitkVectorFloat64)
    coarse.SetSpacing((30.0, 30.0, 30.0))
    coarse.SetOrigin((-165.0, -165.0, -165.0))
    k, j, i = np.indices((12, 12, 12)) / 11
    waves = np.stack([3 * np.sin(2 * i + j), 2 * np.cos(3 * j), 2 * np.sin(2 * k + i)], axis=-1)
    field = sitk.GetImageFromArray(waves, isVector=True)
    field.CopyInformation(coarse)
    return sitk.CompositeTransform([rigid(), sitk.DisplacementFieldTransform(field)])


def places(grid):
    """Some points well inside a grid, LPS mm."""
    kji = np.random.default_rng(5).uniform(0.2, 0.8, (20, 3)) * (np.array(grid.shape) - 1)
    return grid.to_lps(kji)


def apart(first, second, points):
    ends = [[transform.TransformPoint(point) for point in points.tolist()] for transform in (first, second)]
    return np.linalg.norm(np.subtract(*ends), axis=1)


@pytest.mark.parametrize("axes", [None, oblique_axes()], ids=["straight", "oblique"])
def test_a_registration_goes_into_a_node_and_back(scene, axes):
    grid = volume(axes=axes).geometry
    for transform, limit in ((rigid(), 1e-6), (deforming(), 0.1)):
        node = add_transform(scene, transform, "found")
        assert apart(transform_of(node, grid), transform, places(grid)).max() < limit


def test_a_volume_under_the_node_appears_where_mid_rt_has_it(scene):
    from vtkmodules.vtkCommonTransforms import vtkGeneralTransform

    node, transform = add_transform(scene, deforming(), "found"), deforming()
    to_world = vtkGeneralTransform()
    node.GetTransformToWorld(to_world)
    for point in places(volume().geometry).tolist():
        x, y, z = transform.TransformPoint(point)
        seen = to_world.TransformPoint(-x, -y, z)
        assert np.allclose((-seen[0], -seen[1], seen[2]), point, atol=0.1)


def test_what_the_node_itself_lies_under_counts(scene):
    grid = volume().geometry
    inner, outer = add_transform(scene, rigid(), "inner"), add_transform(scene, rigid(), "outer")
    inner.SetAndObserveTransformNodeID(outer.GetID())
    twice = sitk.CompositeTransform([rigid(), rigid()])
    assert apart(transform_of(inner, grid), twice, places(grid)).max() < 1e-6


def test_what_cannot_be_used_as_a_transform_is_told(scene, opened):
    with pytest.raises(BadInputError, match="No transform"):
        transform_of(None, volume().geometry)
    shown = opened()
    moving = shown.review.volume_node(PRE)
    node = add_transform(scene, rigid(), "found")
    moving.SetAndObserveTransformNodeID(node.GetID())
    with pytest.raises(BadInputError, match="count twice"):
        transform_of(node, volume().geometry, moving=moving)


def registered(shown, transform=None):
    """A good registration of the case, which carries a tumour and a node."""
    mid = shown.session.require(MID).image.image
    lesions = carry_lesions(lesions_in(mid, (Target.PT, PT_BOX), (Target.LN, LN_BOX)), lambda ids: ids)
    return Prior(lesions, GOOD, "descriptor", transform=deforming() if transform is None else transform)


def use(shown, prior):
    shown.session.case = replace(shown.session.case, registration=prior)
    shown.session.changed.emit(Change(Part.PRIOR))


def of_class(scene, kind):
    return [scene.GetNthNodeByClass(n, kind) for n in range(scene.GetNumberOfNodesByClass(kind))]


def test_a_registration_is_offered_as_a_transform_node_and_taken_away_with_it(scene, opened):
    shown = opened()
    use(shown, registered(shown))
    (node,) = of_class(scene, "vtkMRMLTransformNode")
    assert node.GetName() == "case 7 pre-RT to mid-RT"
    use(shown, registered(shown, rigid()))
    assert len(of_class(scene, "vtkMRMLTransformNode")) == 1
    use(shown, None)
    assert of_class(scene, "vtkMRMLTransformNode") == []


def test_carried_outlines_are_shown_only_when_asked_and_only_where_mid_rt_is(scene, opened, views):
    shown = opened()
    before = len(of_class(scene, "vtkMRMLSegmentationNode"))
    prior = registered(shown)
    use(shown, prior)
    assert len(of_class(scene, "vtkMRMLSegmentationNode")) == before
    shown.review.show_visits(True)
    shown.review.preview_prior(prior.registered.lesions)
    node = shown.review.prior_nodes.outlines
    names = [node.GetSegmentation().GetNthSegment(n).GetName() for n in range(2)]
    assert names == ["GTVp pre-RT", "GTVn1 pre-RT"]
    display = node.GetDisplayNode()
    assert not display.GetVisibility2DFill()
    of_mid = shown.review.segmentation_node(MID).GetDisplayNode()
    assert list(display.GetViewNodeIDs()) == list(of_mid.GetViewNodeIDs())
    assert len(display.GetViewNodeIDs()) < len(views) + 1
    shown.review.preview_prior(None)
    assert len(of_class(scene, "vtkMRMLSegmentationNode")) == before


def test_outlines_have_the_voxels_that_were_carried(scene, opened):
    shown = opened(axes=oblique_axes())
    prior = registered(shown)
    shown.review.preview_prior(prior.registered.lesions)
    reading = read_segments(shown.review.prior_nodes.outlines, shown.review.volume_node(MID))
    assert np.array_equal(reading.ids({"lesion-1": 1, "lesion-2": 2}), prior.registered.lesions.ids.array)


def test_outlines_never_count_as_lesions_of_the_visit(scene, opened):
    shown = opened()
    shown.review.preview_prior(registered(shown).registered.lesions)
    shown.review.process_pending()
    assert shown.review.follow_edits(MID) == ()
    assert shown.session.lesions(MID) == ()


def test_a_saved_scene_brings_the_registration_back_with_its_node(scene, opened, tmp_path):
    shown = opened()
    prior = registered(shown)
    use(shown, prior)
    shown.review.preview_prior(prior.registered.lesions)
    path = str(tmp_path / "review.mrb")
    assert scene.WriteToMRB(path)
    scene.Clear(0)
    assert shown.session.case is None
    assert scene.ReadFromMRB(path, False)
    after = shown.session.case.registration
    grid = shown.session.require(MID).image.image.geometry
    assert after.registered.lesions.lesions == prior.registered.lesions.lesions
    assert apart(after.transform, prior.transform, places(grid)).max() < 0.1
    assert [node.GetName() for node in of_class(scene, "vtkMRMLTransformNode")] == ["case 7 pre-RT to mid-RT"]


def test_without_its_node_the_carried_lesions_of_a_saved_scene_stay(scene, opened):
    from HNTargetSegLib.review.session import ReviewSession
    from HNTargetSegLib.scene.review_scene import ReviewScene

    shown = opened()
    use(shown, registered(shown))
    for node in of_class(scene, "vtkMRMLTransformNode"):
        scene.RemoveNode(node)
    shown.review.dispose()
    other = ReviewSession()
    again = ReviewScene(other, scene)
    try:
        assert other.case.registration.transform is None
        assert len(other.case.registration.registered.lesions.lesions) == 2
    finally:
        again.dispose()
