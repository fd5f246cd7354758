"""SEG: dciodvfy finds no fault that the series has not, and highdicom and our reader find the same voxels."""

from __future__ import annotations

import numpy as np
import pytest
from Testing.peers.dicom_cases import NAMES, REAL, agreement, complaints, made_lesions, open_series

from HNTargetSegLib.case.dicom_import import read_structures
from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.export.dicom_seg import write_probabilities, write_seg
from HNTargetSegLib.export.dicom_source import read_source


@pytest.mark.needs("dicom3tools")
@pytest.mark.parametrize("name", NAMES)
def test_dciodvfy_finds_no_error_that_the_series_has_not(real_data, tmp_path, name):
    series = open_series(name, real_data, tmp_path / "series")
    lesions, source = made_lesions("shell", series), read_source(series)
    write_seg(tmp_path / "seg.dcm", lesions, source)
    probability = lesions.ids.with_array((lesions.ids.array > 0) * np.float32(0.7))
    write_probabilities(tmp_path / "probability.dcm", {Target.PT: probability}, source)
    inherited = complaints(series.files[0])
    assert not complaints(tmp_path / "seg.dcm") - inherited
    assert not complaints(tmp_path / "probability.dcm") - inherited
    if name not in REAL:
        assert not inherited


@pytest.mark.parametrize("name", NAMES)
def test_our_reader_and_highdicoms_find_the_voxels_that_were_written(real_data, tmp_path, name):
    import highdicom

    series = open_series(name, real_data, tmp_path / "series")
    for shape in ("spheres", "islands"):
        lesions = made_lesions(shape, series)
        write_seg(tmp_path / "seg.dcm", lesions, read_source(series))
        theirs = highdicom.seg.segread(str(tmp_path / "seg.dcm"))
        frames = theirs.get_pixels_by_source_instance(list(series.sop_instance_uids), ignore_spatial_locations=False)
        for structure, lesion in zip(read_structures(tmp_path / "seg.dcm", series), lesions.present, strict=True):
            truth = lesions.ids.array == lesion.id
            ours = np.zeros(truth.shape, bool)
            ours[structure.box] = structure.mask
            dsc, farthest = agreement(ours, truth, lesions.ids.geometry)
            message = f"{name}, {shape}, {lesion.name}: DSC {dsc:.4f}, largest distance {farthest:.2f} mm"
            print(message)
            assert structure.name == lesion.name
            assert dsc == 1.0, message
            assert np.array_equal(frames[..., structure.number - 1] > 0, truth)
