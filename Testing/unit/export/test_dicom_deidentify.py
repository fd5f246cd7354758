"""De-identified exports: nothing of the patient is left anywhere in the bytes, and the objects still fit together."""

from __future__ import annotations

import datetime
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.datadict import DicomDictionary, keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from Testing.unit.export.conftest import GEOMETRY
from Testing.unit.export.mr_series import change_headers, write_mr_series

from HNTargetSegLib.case.dicom_import import read_structures
from HNTargetSegLib.case.dicom_series import DicomSeries, read_series
from HNTargetSegLib.case.dicom_structure import label_map
from HNTargetSegLib.errors import BadInputError, OutputError
from HNTargetSegLib.export import deidentify_table as table
from HNTargetSegLib.export.deidentify_profile import Deidentification, Key, Option, Profile, key_file
from HNTargetSegLib.export.dicom_deidentify import deidentified, plain_names
from HNTargetSegLib.export.dicom_files import DicomOptions, write_dicom
from HNTargetSegLib.lesions.lesion import LesionSet

KEY = Key(bytes(range(32)))
NAMING = {
    "PatientName": "Tell^Wilhelm",
    "PatientID": "ID-48151623",
    "PatientBirthDate": "19610213",
    "PatientAge": "064Y",
    "PatientSex": "M",
    "OtherPatientIDs": "OTHER-42",
    "AccessionNumber": "ACC-9001",
    "StudyID": "ST-77",
    "StudyDescription": "Staging of Wilhelm Tell",
    "SeriesDescription": "T2 for Dr Gessler",
    "ReferringPhysicianName": "Gessler^Hermann",
    "InstitutionName": "Altdorf Hospital",
    "InstitutionAddress": "Altdorf 6460",
    "StationName": "MRALTDORF1",
    "DeviceSerialNumber": "SN-123456",
    "ProtocolName": "Altdorf protocol",
    "OperatorsName": "Stauffacher^W",
    "ImageComments": "Seen by Gessler",
    "StudyDate": "20260105",
    "StudyTime": "101501.25",
    "SeriesDate": "20260105",
    "AcquisitionDate": "20260105",
    "AcquisitionDateTime": "20260105101502.5+0100",
    "ContentDate": "20260105",
    "PatientComments": "Shot an apple",
    "PositionReferenceIndicator": "Wilhelm's nose",
}
SOURCE_TEXTS = [value for name, value in NAMING.items() if name not in ("PatientSex",)]


@pytest.fixture
def named_series(tmp_path: Path) -> DicomSeries:
    """A series that names its patient in every way, with private elements."""
    folder = write_mr_series(tmp_path / "series", GEOMETRY, Manufacturer="Scanner maker", **NAMING)
    for path in folder.iterdir():
        data = pydicom.dcmread(path)
        block = data.private_block(0x0029, "ALTDORF SECRETS", create=True)
        block.add_new(1, "LO", "Tell^Wilhelm")
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = data.SOPClassUID, "1.2.3.4.5.6.7"
        item.add_new((0x0029, 0x0010), "LO", "ALTDORF SECRETS")
        data.SourceImageSequence = [item]
        data.preamble = b"Tell^Wilhelm".ljust(128, b"\0")
        data.save_as(path)
    return read_series(folder)


@pytest.fixture
def export(lesions: LesionSet, named_series: DicomSeries, tmp_path: Path) -> Callable[..., Path]:
    """Write SEG, RTSTRUCT and images by a profile; the folder."""

    def write(profile: str = "basic", key: Key = KEY, series: DicomSeries = named_series, name: str = "out") -> Path:
        how = Deidentification(Profile.from_text(profile), key, images=True)
        named = lesions.with_lesions(replace(lesions.lesions[0], name="GTVp^Tell"))
        write_dicom(tmp_path / name, named, series, {"series": series.folder}, DicomOptions(deidentification=how))
        return tmp_path / name

    return write


def elements(data: Dataset) -> Iterator[DataElement]:
    for element in data:
        yield element
        if element.VR == "SQ":
            for item in element.value:
                yield from elements(item)


def objects(folder: Path) -> list[Any]:
    return [pydicom.dcmread(path) for path in sorted(folder.rglob("*.dcm"))]


def uids(data: Dataset) -> Iterator[str]:
    for element in elements(data):
        if element.VR == "UI":
            yield from [element.value] if isinstance(element.value, str) else element.value


def as_date(text: str) -> datetime.date:
    return datetime.datetime.strptime(text, "%Y%m%d").date()


@pytest.mark.parametrize("profile", ["basic", "basic,dates", "basic,dates,patient,device"])
def test_nothing_of_the_source_is_left_in_any_byte(
    export: Callable[..., Path], named_series: DicomSeries, profile: str
) -> None:
    own = {uid for path in named_series.files for uid in uids(pydicom.dcmread(path))}
    secrets = {uid for uid in own if not uid.startswith("1.2.840.10008.")}
    assert len(secrets) > 16
    kept = {NAMING["StudyTime"], "101502.5"} if "dates" in profile else set()
    kept |= {NAMING["PatientAge"]} if "patient" in profile else set()
    words = {"Tell", "Wilhelm", "Gessler", "Altdorf", "ALTDORF", "20260105", "1.2.3.4.5.6.7", *SOURCE_TEXTS} - kept
    names = {path.name for path in named_series.files} - {f"{n:03d}.dcm" for n in range(1, 17)}
    for path in (path for path in export(profile).rglob("*") if path.is_file()):
        content = path.read_bytes()
        found = [word for word in (*secrets, *words, *names) if word.encode() in content]
        assert not found, path.name


def test_every_element_that_is_left_is_in_the_table_and_none_is_private(export: Callable[..., Path]) -> None:
    added = {"PatientName", "PatientID", "PatientIdentityRemoved", "DeidentificationMethod"}
    added |= {"DeidentificationMethodCodeSequence", "LongitudinalTemporalInformationModified"}
    known = table.STAYS | table.OWN_WORDS | table.NAMES | table.EMPTIED | table.DATES | added
    read = objects(export("basic,dates"))
    assert len(read) == 18
    for data in read:
        left = {element.keyword for element in elements(data)}
        assert left <= known
        assert not any(element.tag.is_private for element in elements(data))
        assert data.preamble == b"\0" * 128


def test_every_element_of_an_image_is_kept_emptied_or_replaced_as_the_table_says(
    export: Callable[..., Path], named_series: DicomSeries
) -> None:
    folder = export("basic")
    for number, path in enumerate(named_series.files, 1):
        before, after = pydicom.dcmread(path), pydicom.dcmread(folder / "images" / f"{number:04d}.dcm")
        for element in before:
            name = element.keyword
            if name == "SourceImageSequence":
                assert after.SourceImageSequence[0].ReferencedSOPInstanceUID == KEY.uid("1.2.3.4.5.6.7")
            elif element.VR == "UI":
                assert after[name].value == KEY.uid(str(element.value))
            elif name in table.STAYS:
                assert after[name].value == element.value
            elif name in table.EMPTIED | table.EMPTIED_DATES:
                assert not after[name].value
            elif name not in ("PatientID", "PatientName", "ContentDate"):
                assert name not in after
        assert np.array_equal(after.pixel_array, before.pixel_array)


def test_the_objects_refer_to_each_other_as_before(export: Callable[..., Path], lesions: LesionSet) -> None:
    folder = export()
    series = read_series(folder / "images")
    for name in ("seg.dcm", "rtstruct.dcm"):
        found, _ = label_map(read_structures(folder / name, series), series.geometry, name)
        assert np.array_equal(found.array, lesions.label_map().array)
    images = {data.SOPInstanceUID for data in objects(folder / "images")}
    seg, structures = pydicom.dcmread(folder / "seg.dcm"), pydicom.dcmread(folder / "rtstruct.dcm")
    assert {contour.ContourImageSequence[0].ReferencedSOPInstanceUID for roi in structures.ROIContourSequence
            for contour in roi.ContourSequence} <= images  # fmt: skip
    assert {
        item.ReferencedSOPInstanceUID for item in seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    } <= images
    tracked = [segment.TrackingUID for segment in seg.SegmentSequence]
    volumes = [roi.ConceptualVolumeIdentificationSequence[0].ConceptualVolumeUID
               for roi in structures.StructureSetROISequence]  # fmt: skip
    assert tracked == volumes
    for data in (seg, structures):
        assert data.file_meta.MediaStorageSOPInstanceUID == data.SOPInstanceUID
        assert (data.StudyInstanceUID, data.PatientID) == (
            series.identity.study_instance_uid,
            series.identity.patient_id,
        )
        assert data.FrameOfReferenceUID == series.identity.frame_of_reference_uid


def test_names_of_structures_lose_their_suffix(export: Callable[..., Path]) -> None:
    folder = export()
    assert [s.SegmentLabel for s in pydicom.dcmread(folder / "seg.dcm").SegmentSequence] == ["GTVp", "GTVn1"]
    rois = pydicom.dcmread(folder / "rtstruct.dcm").StructureSetROISequence
    assert [roi.ROIName for roi in rois] == ["GTVp", "GTVn1"]


def test_new_names_are_never_alike() -> None:
    assert plain_names(["GTVn2^left", "GTVn2", "GTVn2^right", "GTVn1", "Tell's node", "GTVp"]) == {
        "GTVn2": "GTVn2",
        "GTVn1": "GTVn1",
        "GTVp": "GTVp",
        "GTVn2^left": "GTVn3",
        "GTVn2^right": "GTVn4",
        "Tell's node": "Structure1",
    }


def test_the_objects_say_by_which_profile(export: Callable[..., Path]) -> None:
    for data in objects(export("basic,dates,patient,device")):
        assert data.PatientIdentityRemoved == "YES"
        codes = [(item.CodeValue, item.CodingSchemeDesignator) for item in data.DeidentificationMethodCodeSequence]
        assert codes == [(value, "DCM") for value in ("113100", "113105", "113107", "113108", "113109")]
        assert data.LongitudinalTemporalInformationModified == "MODIFIED"
    for data in objects(export("basic")):
        assert [item.CodeValue for item in data.DeidentificationMethodCodeSequence] == ["113100", "113105"]
        assert data.LongitudinalTemporalInformationModified == "REMOVED"


def test_options_keep_what_they_say(export: Callable[..., Path]) -> None:
    for data in objects(export("basic,patient") / "images"):
        assert (data.PatientSex, data.PatientAge, data.PatientBirthDate) == ("M", "064Y", "")
        assert data.StudyDate == data.Manufacturer == ""
    for data in objects(export("basic,device") / "images"):
        assert (data.Manufacturer, data.PatientSex) == ("Scanner maker", "")
        assert "DeviceSerialNumber" not in data


def test_the_oldest_are_not_told_apart(named_series: DicomSeries, export: Callable[..., Path]) -> None:
    change_headers(named_series.folder, PatientAge="097Y")
    assert {data.PatientAge for data in objects(export("basic,patient") / "images")} == {"090Y"}


def test_dates_of_a_patient_move_together_and_when_objects_were_made_does_not_give_the_shift_away(
    export: Callable[..., Path], named_series: DicomSeries, tmp_path: Path
) -> None:
    folder = export("basic,dates")
    days = KEY.days(NAMING["PatientID"])
    first = pydicom.dcmread(folder / "images" / "0001.dcm")
    moved = {first.StudyDate, first.SeriesDate, first.AcquisitionDate, first.ContentDate, first.AcquisitionDateTime[:8]}
    assert len(moved) == 1
    (day,) = moved
    assert (datetime.date(2026, 1, 5) - as_date(day)).days == days
    assert 365 <= days < 365 + 3650
    for name in ("seg.dcm", "rtstruct.dcm"):
        made = {str(e.value) for e in elements(pydicom.dcmread(folder / name)) if e.VR in ("DA", "DT") and e.value}
        assert made == {day}
    change_headers(named_series.folder, StudyDate="20260205")
    later = pydicom.dcmread(export("basic,dates", name="later") / "images" / "0001.dcm").StudyDate
    days_apart = np.datetime64(f"{later[:4]}-{later[4:6]}-{later[6:]}") - np.datetime64(
        f"{day[:4]}-{day[4:6]}-{day[6:]}"
    )
    assert days_apart == 31


def test_a_key_gives_the_same_ids_each_time_and_another_key_others(export: Callable[..., Path]) -> None:
    first, again, other = (export(key=key, name=name) for key, name in [(KEY, "a"), (KEY, "b"), (Key(), "c")])

    def ids(folder: Path) -> set[str]:
        return {uid for data in objects(folder / "images") for uid in (data.SOPInstanceUID, data.PatientID)}

    assert ids(first) == ids(again)
    assert not ids(first) & ids(other)


def test_the_manifest_names_neither_paths_nor_hashes_nor_lesions(
    export: Callable[..., Path], named_series: DicomSeries
) -> None:
    text = (export("basic,dates") / "manifest.json").read_text()
    manifest = json.loads(text)
    assert (manifest["inputs"], manifest["reviewer"], manifest["parameters"]["deidentification"]) == (
        [],
        None,
        "basic,dates",
    )
    assert "face" in manifest["warnings"][0]
    assert str(named_series.folder) not in text


def test_without_a_profile_patient_study_and_frame_of_reference_are_kept(
    lesions: LesionSet, named_series: DicomSeries, tmp_path: Path
) -> None:
    write_dicom(tmp_path / "out", lesions, named_series, {})
    source = pydicom.dcmread(named_series.files[0])
    kept = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime")
    kept += ("StudyID", "AccessionNumber", "ReferringPhysicianName", "FrameOfReferenceUID")
    for name in ("seg.dcm", "rtstruct.dcm"):
        data = pydicom.dcmread(tmp_path / "out" / name)
        assert all(data[keyword].value == source[keyword].value for keyword in kept)
        assert "DeidentificationMethod" not in data


MARKS = {
    **dict.fromkeys(("AE", "LO", "PN", "SH", "CS"), "WTELLMARK"),
    **dict.fromkeys(("LT", "ST", "UC", "UT", "UR"), "WTELLMARK"),
    "UI": "1.2.276.99.4815162342",
    "DA": "19610213",
    "DT": "19610213041523",
    "TM": "041523",
    "AS": "077Y",
}
MARKED_BYTES = b"WTELLMARK "


def with_every_attribute() -> FileDataset:
    """An object in which every attribute of the standard that can name somebody does, on top and within sequences."""
    data, item = Dataset(), Dataset()
    sequences = []
    for tag, (vr, _, _, retired, keyword) in DicomDictionary.items():
        if not keyword or tag >> 16 in (0x0000, 0x0002) or keyword == "SOPClassUID":
            continue
        if vr == "SQ":
            sequences.append(tag)
        elif vr in MARKS:
            for place in (data, item):
                place.add_new(tag, vr, MARKS[vr])
        elif vr in ("OB", "UN") and not retired:
            data.add_new(tag, vr, MARKED_BYTES)
    for tag in sequences:
        data.add_new(tag, "SQ", [item])
    data.SOPClassUID = pydicom.uid.MRImageStorage
    data.BurnedInAnnotation = "NO"
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    meta.SourceApplicationEntityTitle = "WTELLMARK"
    return FileDataset(None, data, file_meta=meta)


def test_of_every_attribute_of_the_standard_only_those_in_the_table_survive() -> None:
    data = with_every_attribute()
    assert len(data) > 3000
    new = deidentified(data, Profile(), KEY)
    survived = {e.keyword for e in elements(new) if str(e.value) in (*MARKS.values(), str(MARKED_BYTES))}
    vrs = {keyword: DicomDictionary[tag][0] for tag in DicomDictionary if (keyword := keyword_for_tag(tag))}
    # Defined terms, and codes within the sequences that stay.
    assert {keyword for keyword in survived if vrs[keyword] != "CS"} == set(table.CODES)
    assert survived <= table.STAYS
    assert not {str(e.value) for e in elements(new)} & {MARKS["UI"], MARKS["DA"], MARKS["DT"], MARKS["TM"], MARKS["AS"]}
    assert "SourceApplicationEntityTitle" not in new.file_meta


def test_text_that_is_burned_in_is_refused_and_an_earlier_export_stands(
    export: Callable[..., Path], named_series: DicomSeries
) -> None:
    folder = export()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    change_headers(named_series.folder, BurnedInAnnotation="YES")
    with pytest.raises(BadInputError, match=r"\.dcm: The image says that text is burned into its pixels"):
        export()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_compressed_slices_stay_compressed(export: Callable[..., Path], named_series: DicomSeries) -> None:
    for path in named_series.files:
        data = pydicom.dcmread(path)
        data.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
        data.save_as(path)
    for data in objects(export(series=read_series(named_series.folder)) / "images"):
        assert data.file_meta.TransferSyntaxUID == pydicom.uid.RLELossless
        assert (data.pixel_array == 7).all()


@pytest.mark.parametrize("text", ["", "full", "basic,names", "dates", "basic dates"])
def test_a_profile_that_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="Give basic, alone or followed by"):
        Profile.from_text(text)


def test_a_profile_is_written_as_it_is_read() -> None:
    assert str(Profile.from_text("basic, Device,dates")) == "basic,dates,device"
    assert Profile.from_text("basic").options == frozenset()
    assert Profile.from_text("basic,dates,dates").options == {Option.DATES}


def test_a_key_file_is_made_once_for_its_owner_only_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "key"
    made = key_file(path)
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600
    assert key_file(path) == made
    assert made.secret.hex() not in repr(made)
    path.write_text("no key")
    with pytest.raises(BadInputError, match="holds no key"):
        key_file(path)
    with pytest.raises(OutputError, match="cannot be written"):
        key_file(tmp_path / "none" / "key")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full disk to write to")
def test_a_full_disk_while_images_are_written_leaves_nothing(
    export: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    from HNTargetSegLib.export import dicom_source

    def full(path: Path) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    usual = dicom_source.replacing

    def some(path: Path) -> Any:
        return full(path) if Path(path).name == "0009.dcm" else usual(path)

    monkeypatch.setattr(dicom_source, "replacing", some)
    with pytest.raises(OutputError, match="No space left"):
        export()
    assert not any((tmp_path / "out").rglob("*"))
