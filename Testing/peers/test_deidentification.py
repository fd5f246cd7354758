"""De-identification: no attribute of the profile's table, as dicom-anonymizer holds it, keeps its value; dciodvfy."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from Testing.peers.dicom_cases import NAMES, REAL, complaints, made_lesions, open_series
from Testing.peers.installed import peer

from HNTargetSegLib.export.deidentify_profile import Deidentification, Key, Profile
from HNTargetSegLib.export.dicom_deidentify import deidentified
from HNTargetSegLib.export.dicom_files import DicomOptions, write_dicom

VALUES = {"DA": "19610213", "DT": "19610213041523", "TM": "041523", "AS": "077Y", "UI": "1.2.276.99.1", "DS": "4.5"}
NUMBERS = {"FD": 4.5, "FL": 4.5, "US": 45, "SS": 45, "UL": 45, "SL": 45, "IS": "45"}
# What the table has as Z or D may stay as a fixed word of the program.
REPLACED = {"PatientID", "PatientName", "ContentDate", "ContentTime", "SOPInstanceUID"}
# As their title says: objects that are referred to keep their place, and their UIDs are replaced.
RECURSED = {"ReferencedImageSequence", "SourceImageSequence"}


@pytest.fixture(scope="module")
def profile_table() -> set[int]:
    """Tags of table E.1-1 of PS3.15, edition 2026c, whose value must go; repeating groups are left aside."""
    edition = peer("dicomanonymizer.dicom_anonymization_databases.dicomfields_2026c")
    return {(tag[0] << 16) + tag[1] for tag in edition.ALL_TAGS if len(tag) == 2}


def test_no_attribute_of_the_profiles_table_keeps_its_value(profile_table):
    assert len(profile_table) > 600
    data = Dataset()
    known = [tag for tag in profile_table if tag >> 16 != 0x0002 and keyword_for_tag(tag)]
    for tag in known:
        vr = dictionary_VR(tag)
        if vr == "SQ":
            item = Dataset()
            item.PatientName = "Tell^Wilhelm"
            data.add_new(tag, vr, [item])
        else:
            data.add_new(tag, vr, VALUES.get(vr, NUMBERS.get(vr, b"TELL" if vr in ("OB", "UN") else "TELL")))
    data.SOPClassUID = pydicom.uid.MRImageStorage
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    new = deidentified(FileDataset(None, data, file_meta=data.file_meta), Profile(), Key())
    assert len(data) > 600
    for tag in known:
        keyword = keyword_for_tag(tag)
        if tag not in new:
            continue
        if dictionary_VR(tag) == "SQ":
            assert keyword in RECURSED
            assert len(new[tag].value[0]) == 0
        else:
            assert new[tag].value != data[tag].value
            assert not new[tag].value or dictionary_VR(tag) == "UI" or keyword in REPLACED


@pytest.mark.needs("dicom3tools")
@pytest.mark.parametrize("name", NAMES)
def test_dciodvfy_finds_no_error_that_the_source_has_not(real_data, tmp_path, name):
    series = open_series(name, real_data, tmp_path / "series")
    how = Deidentification(Profile.from_text("basic,dates"), images=True)
    lesions = made_lesions("spheres", series)
    write_dicom(tmp_path / "plain", lesions, series, {})
    write_dicom(tmp_path / "out", lesions, series, {}, DicomOptions(deidentification=how))
    for kind in ("seg.dcm", "rtstruct.dcm"):
        assert not added(tmp_path / "out" / kind, tmp_path / "plain" / kind)
    image = tmp_path / "out" / "images" / "0001.dcm"
    assert not added(image, series.files[0])
    if name not in REAL:
        assert not complaints(image)


def added(new: Path, before: Path) -> set[str]:
    return complaints(new) - complaints(before)
