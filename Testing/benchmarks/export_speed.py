"""SEG and RTSTRUCT of a large visit beside highdicom's and rt-utils', and the lesion table after an edit there."""

from __future__ import annotations

import datetime
import importlib.util
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from Testing.benchmarks.balls import GEOMETRY, balls
from Testing.benchmarks.setting import Setting
from Testing.benchmarks.table import Row, at_most, below_peer
from Testing.unit.export.mr_series import write_mr_series

from HNTargetSegLib.case.dicom_series import read_series
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.export.dicom_files import DicomFormat, write_dicom
from HNTargetSegLib.export.dicom_rtstruct import write_rtstruct
from HNTargetSegLib.export.dicom_seg import write_seg
from HNTargetSegLib.export.dicom_source import read_source
from HNTargetSegLib.export.manifest import ModelRecord
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import LesionSet
from HNTargetSegLib.review.case import ReviewCase, VisitImage
from HNTargetSegLib.review.rows import COLUMNS
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.visit import RunRecord

_LESIONS = 10
_NAME = "SEG and RTSTRUCT of 512x512x120, 10 lesions"


def run(setting: Setting) -> list[Row]:
    """Measure, from the folder of the series and the lesions in memory to files on disk; medians, the two in turn."""
    folder = write_mr_series(setting.folder / "export-series", GEOMETRY)
    lesions = find_lesions(Volume(balls(_LESIONS), GEOMETRY))
    out = setting.folder / "exported"
    out.mkdir(exist_ok=True)
    rows = _beside_peers(setting, folder, lesions, out)
    return [*rows, *_parts(setting, folder, lesions, out), _table_after_an_edit(lesions)]


def _beside_peers(setting: Setting, folder: Path, lesions: LesionSet, out: Path) -> list[Row]:
    if any(importlib.util.find_spec(name) is None for name in ("rt_utils", "cv2")):
        (ours,) = _each([lambda: _ours(folder, lesions, out)], setting.repeats)
        return [Row(f"{_NAME}, rt-utils is not installed", ours, goal="1x below")]
    work: list[Callable[[], object]] = [
        lambda: _ours(folder, lesions, out),
        lambda: (_highdicom(folder, lesions, out), _rt_utils(folder, lesions, out)),
    ]
    ours, theirs = _each(work, setting.repeats + 4)
    return [below_peer(f"{_NAME} beside highdicom and rt-utils", ours, theirs, 1)]


def _parts(setting: Setting, folder: Path, lesions: LesionSet, out: Path) -> list[Row]:
    source = read_source(read_series(folder))
    work: list[Callable[[], object]] = [
        lambda: read_series(folder),
        lambda: write_rtstruct(out / DicomFormat.RTSTRUCT.file_name, lesions, source),
        lambda: write_seg(out / DicomFormat.SEG.file_name, lesions, source),
    ]
    names = ("the series read", "the RTSTRUCT", "the SEG")
    return [Row(f"  of that {name}", s) for name, s in zip(names, _each(work, setting.repeats), strict=True)]


def _ours(folder: Path, lesions: LesionSet, out: Path) -> None:
    write_dicom(out, lesions, read_series(folder), {})


def _highdicom(folder: Path, lesions: LesionSet, out: Path) -> None:
    """highdicom as its user guide has it: one segment a lesion, from a map of numbers."""
    import highdicom as hd
    import pydicom

    images = [pydicom.dcmread(path, stop_before_pixels=True) for path in folder.iterdir()]
    images.sort(key=lambda image: float(image.ImagePositionPatient[2]))
    tumour = hd.sr.CodedConcept("86049000", "SCT", "Neoplasm, Primary")
    abnormal = hd.sr.CodedConcept("49755003", "SCT", "Morphologically Abnormal Structure")
    segments = [
        hd.seg.SegmentDescription(number, lesion.name, abnormal, tumour, "MANUAL")
        for number, lesion in enumerate(lesions, 1)
    ]
    data = hd.seg.Segmentation(
        source_images=images,
        pixel_array=lesions.ids.array.astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=segments,
        series_instance_uid=hd.UID(),
        series_number=1,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="Peer",
        manufacturer_model_name="Peer",
        software_versions="1",
        device_serial_number="1",
    )
    data.save_as(out / "peer-seg.dcm")


def _rt_utils(folder: Path, lesions: LesionSet, out: Path) -> None:
    """rt-utils as its read-me has it."""
    from rt_utils import RTStructBuilder

    with warnings.catch_warnings():
        # It writes values that are too long.
        warnings.simplefilter("ignore")
        structures = RTStructBuilder.create_new(dicom_series_path=str(folder))
        for lesion in lesions:
            structures.add_roi(mask=np.moveaxis(lesions.ids.array == lesion.id, 0, -1), name=lesion.name)
        structures.save(str(out / "peer-rtstruct.dcm"))


def _table_after_an_edit(lesions: LesionSet) -> Row:
    """From changed voxels of a lesion to the new text of all cells, with a model's proposal to compare with."""
    session = ReviewSession()
    image = Volume(np.random.default_rng(0).normal(300, 60, GEOMETRY.shape).astype(np.float32), GEOMETRY)
    session.open(ReviewCase("speed", {Visit.MID: VisitImage(image)}))
    now = datetime.datetime.now(datetime.timezone.utc)
    session.take_proposal(Visit.MID, lesions, RunRecord(ModelRecord("speed", "1", "0" * 64), "cpu", {}, now, now))
    seconds = []
    for number, lesion in enumerate(lesions):
        ids = session.require(Visit.MID).lesions.ids.array.copy()
        layer = ids[lesion.slices][number % 5]
        layer[layer == lesion.id] = 0
        begin = time.perf_counter()
        session.take_voxels(Visit.MID, ids)
        table = [[column.text(shown) for column in COLUMNS] for shown in session.lesions(Visit.MID)]
        seconds.append(time.perf_counter() - begin)
        assert len(table) == _LESIONS
    return at_most("table after an edit there", median(seconds), 0.3, "s")


def _each(work: list[Callable[[], object]], repeats: int) -> list[float]:
    """Median seconds of each, run in turn after a first time that does not count."""
    seconds: list[list[float]] = [[] for _ in work]
    for turn in range(repeats + 1):
        for kept, action in zip(seconds, work, strict=True):
            begin = time.perf_counter()
            action()
            if turn:
                kept.append(time.perf_counter() - begin)
    return [median(kept) for kept in seconds]
