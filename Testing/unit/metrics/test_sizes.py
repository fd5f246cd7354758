"""Bins of lesion size."""

from __future__ import annotations

import pytest

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.metrics.sizes import SizeBins


def test_an_edge_belongs_to_the_bin_above_it():
    bins = SizeBins((0.5, 2.0))
    assert [bins.of(volume) for volume in (0.01, 0.499, 0.5, 1.99, 2.0, 80.0)] == [0, 0, 1, 1, 2, 2]


def test_bins_have_names_and_bounds():
    bins = SizeBins((0.5, 2.0))
    assert bins.names == ("< 0.5 cc", "0.5-2 cc", ">= 2 cc")
    assert [bins.bounds(number) for number in range(len(bins))] == [(0.0, 0.5), (0.5, 2.0), (2.0, None)]


def test_without_edges_all_lesions_are_in_one_bin():
    assert (len(SizeBins(())), SizeBins(()).names, SizeBins(()).of(3.0)) == (1, ("all",), 0)


@pytest.mark.parametrize("edges", [(2.0, 0.5), (0.0, 1.0), (1.0, 1.0), (float("nan"),), (float("inf"),)])
def test_edges_that_do_not_rise_from_over_zero_are_refused(edges):
    with pytest.raises(BadInputError, match="do not rise"):
        SizeBins(edges)
