"""A registered delineation is named after the native one."""

from __future__ import annotations

from HNTargetSegLib.lesions.naming import named_after


def box(label, i, width, j=5, k=2, depth=4):
    return (label, slice(k, k + depth), slice(j, j + 4), slice(i, i + width))


def names_by_place(lesions):
    return [lesion.name for lesion in sorted(lesions, key=lambda lesion: lesion.centroid[0])]


def test_names_follow_the_place_where_the_order_of_volumes_has_changed(lesions_of):
    native = lesions_of(box(2, 2, 8), box(2, 20, 6), box(1, 30, 4))
    registered = lesions_of(box(2, 3, 5), box(2, 21, 7), box(1, 31, 3))
    assert names_by_place(native) == ["GTVn1", "GTVn2", "GTVp"]
    assert names_by_place(registered) == ["GTVn2", "GTVn1", "GTVp"]
    assert names_by_place(named_after(registered, native)) == ["GTVn1", "GTVn2", "GTVp"]


def test_names_hold_when_the_patient_lay_elsewhere(lesions_of):
    native = lesions_of(box(2, 2, 6), box(2, 14, 5), box(2, 22, 4))
    registered = lesions_of(box(2, 12, 4), box(2, 24, 5), box(2, 32, 6))
    assert names_by_place(named_after(registered, native)) == names_by_place(native)


def test_a_lesion_that_has_merged_with_another_does_not_shift_the_other_names(lesions_of):
    native = lesions_of(box(2, 2, 6), box(2, 9, 5), box(2, 34, 4))
    registered = lesions_of(box(2, 2, 12), box(2, 34, 4))
    assert names_by_place(named_after(registered, native))[-1] == "GTVn3"


def test_a_lesion_that_nothing_explains_gets_a_name_that_neither_visit_has(lesions_of):
    native = lesions_of(box(2, 2, 6), box(2, 9, 5))
    registered = lesions_of(box(2, 2, 6), box(2, 9, 5), box(2, 36, 4))
    assert names_by_place(named_after(registered, native)) == ["GTVn1", "GTVn2", "GTVn3"]


def test_ids_and_voxels_stay(lesions_of):
    native, registered = lesions_of(box(2, 2, 8)), lesions_of(box(2, 3, 5))
    named = named_after(registered, native)
    assert named.ids is registered.ids
    assert [lesion.id for lesion in named] == [lesion.id for lesion in registered]


def test_without_native_lesions_each_gets_a_name_of_its_own(lesions_of):
    named = named_after(lesions_of(box(2, 3, 5), box(2, 21, 7)), lesions_of())
    assert names_by_place(named) == ["GTVn2", "GTVn1"]
