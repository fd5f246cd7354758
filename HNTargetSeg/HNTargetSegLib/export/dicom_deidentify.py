"""De-identify DICOM objects by the Basic Application Level Confidentiality Profile (PS3.15 E) and options of it.

Of the libraries that do such work one leaves the UIDs within sequences as they are, one keeps descriptions and private
elements, and one hashes UIDs without a key. Here UIDs, patient ids and dates are replaced by a keyed hash (HMAC, RFC
2104), so that all objects of an export, and of every export with the same key, fit together, and nobody without the key
can tell or try out what they were.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from HNTargetSegLib.case.dicom_scan import reading
from HNTargetSegLib.case.dicom_structure import target_of_name
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.export import deidentify_table as table
from HNTargetSegLib.export.deidentify_profile import Deidentification, Key, Option, Profile
from HNTargetSegLib.export.dicom_source import save, tolerant_pydicom
from HNTargetSegLib.export.manifest import Manifest

_PLAIN_NAME = re.compile(r"GTV[pn]([1-9]\d?)?")
_OLDEST = 90
"""Years; people of this age and over are so few that all are given as of 90."""
_OWN_MANUFACTURER = "HNTargetSeg"


def deidentified(data: Any, profile: Profile, key: Key) -> Any:
    """A copy of a data set without what identifies the patient, with file meta information of its own.

    Parameters
    ----------
    data
        An image, SEG or RTSTRUCT as pydicom read it; it is not changed.

    Raises
    ------
    BadInputError
        If the image says that names are burned into its pixels.
    """
    import pydicom

    if str(data.get("BurnedInAnnotation", "")).upper() == "YES":
        raise BadInputError(
            "The image says that text is burned into its pixels, which cannot be removed here",
            path=getattr(data, "filename", None) or None,
            remedy="Blank the text with a program for that, or leave the images out",
        )
    new = _Cleaner.of(data, profile, key).cleaned(data)
    new.PatientName = new.PatientID = key.patient(_patient_id(data))
    new.PatientIdentityRemoved = "YES"
    new.DeidentificationMethod = [meaning[:64] for _, meaning in profile.codes]
    new.DeidentificationMethodCodeSequence = [_coded(*code) for code in profile.codes]
    new.LongitudinalTemporalInformationModified = "MODIFIED" if Option.DATES in profile.options else "REMOVED"
    meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = new.SOPClassUID, new.SOPInstanceUID
    meta.TransferSyntaxUID = data.file_meta.TransferSyntaxUID
    # The 128 bytes before the object are free for anything.
    return pydicom.dataset.FileDataset(None, new, preamble=b"\0" * 128, file_meta=meta)


def _coded(value: str, meaning: str) -> Any:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def _patient_id(data: Any) -> str:
    return str(data.get("PatientID") or "").strip() or str(data.get("StudyInstanceUID", ""))


IMAGES = "images"
"""Folder of an export for the slices."""


def deidentify_folder(folder: Path, slices: Sequence[Path], wanted: Deidentification) -> list[str]:
    """De-identify the DICOM files of a folder in place, and write slices into a folder in it if they are wanted.

    Returns
    -------
    list of str
        What a reader should know.

    Raises
    ------
    BadInputError
        If a file is damaged, or an image has text in its pixels.
    OutputError
        If a file cannot be written.
    """
    for path in sorted(folder.glob("*.dcm")):
        _deidentify_file(path, path, wanted)
    if not wanted.images:
        return []
    for number, path in enumerate(slices, 1):
        _deidentify_file(path, folder / IMAGES / f"{number:04d}.dcm", wanted)
    return ["The pixels of the images are as they were: a face can be made out in an MR of the head."]


def deidentified_manifest(manifest: Manifest, wanted: Deidentification, notes: Sequence[str] = ()) -> Manifest:
    """A manifest without paths, hashes of the inputs, reviewer, and what was said about single lesions.

    A hash goes too, as whoever has the file could tell by it whose it is.

    Parameters
    ----------
    notes
        What the warnings become; those of the manifest may name lesions and values of the series.
    """
    return replace(
        manifest,
        inputs=(),
        prompts=(),
        edits=(),
        reviewer=None,
        resampling=(),
        warnings=tuple(notes),
        parameters={**manifest.parameters, "deidentification": str(wanted.profile)},
    )


def _deidentify_file(path: Path, target: Path, wanted: Deidentification) -> None:
    with reading(path), tolerant_pydicom() as pydicom:
        new = deidentified(pydicom.dcmread(path), wanted.profile, wanted.key)
        save(new, target)


@dataclass(frozen=True)
class _Cleaner:
    """Goes through one object.

    Attributes
    ----------
    days
        By how many its dates move back.
    ours
        Whether this program wrote it.
    study_date
        Of the object, moved.
    names
        New name by old name of a structure.
    """

    profile: Profile
    key: Key
    days: int
    ours: bool
    study_date: str
    names: Mapping[str, str]

    @classmethod
    def of(cls, data: Any, profile: Profile, key: Key) -> _Cleaner:
        days = key.days(_patient_id(data))
        ours = str(data.get("Manufacturer", "")) == _OWN_MANUFACTURER
        return cls(
            profile, key, days, ours, _earlier(str(data.get("StudyDate") or ""), days), plain_names(_names(data))
        )

    @cached_property
    def stays(self) -> frozenset[str]:
        """Keywords whose values stay as they are."""
        stays = table.STAYS | (table.OWN_WORDS if self.ours else frozenset())
        if Option.PATIENT in self.profile.options:
            stays |= table.PATIENT
        return stays | table.DEVICE if Option.DEVICE in self.profile.options else stays

    def cleaned(self, data: Any) -> Any:
        from pydicom.datadict import keyword_for_tag
        from pydicom.dataset import Dataset

        new = Dataset()
        for tag in data.keys():  # noqa: SIM118, iterating a data set gives elements, which are converted one by one
            keyword = "" if tag.is_private else keyword_for_tag(tag)
            if keyword in self.stays:
                new[tag] = self._kept(data, tag, keyword)
            else:
                replaced = self._replaced(keyword, data)
                if replaced is not None:
                    setattr(new, keyword, replaced)
        return new

    def _kept(self, data: Any, tag: Any, keyword: str) -> Any:
        from pydicom.datadict import dictionary_VR
        from pydicom.dataelem import DataElement

        vr = dictionary_VR(tag)
        if vr == "SQ":
            return DataElement(tag, vr, [self.cleaned(item) for item in data[tag].value])
        if vr == "UI":
            return DataElement(tag, vr, self._uids(data[tag].value))
        if keyword == "PatientAge":
            return DataElement(tag, vr, "090Y" if _years(str(data[tag].value)) >= _OLDEST else data[tag].value)
        # As it was read: a contour's numbers need not be made objects of.
        return data[tag] if keyword == "PixelData" else data.get_item(tag)

    def _uids(self, value: Any) -> str | list[str]:
        uids = [self.key.uid(str(uid)) for uid in ([value] if isinstance(value, str) else value or [])]
        return uids[0] if len(uids) == 1 else uids

    def _replaced(self, keyword: str, data: Any) -> str | list[str] | None:
        """What an element becomes that does not stay as it is; None where it goes."""
        if keyword in table.EMPTIED:
            return ""
        if keyword in table.NAMES:
            return self.names.get(str(data[keyword].value))
        return self._date(keyword, data) if keyword in table.DATES else None

    def _date(self, keyword: str, data: Any) -> str | list[str] | None:
        shifted = Option.DATES in self.profile.options
        if self.ours and not keyword.startswith("Study"):
            # When an object was made is known to whoever gets it; shifted, it would give the shift away.
            if keyword == "ContentDate" and shifted and self.study_date:
                return self.study_date
        elif shifted:
            return self._moved(keyword, data[keyword].value)
        return "" if keyword in table.EMPTIED_DATES else table.FIXED_DATES.get(keyword)

    def _moved(self, keyword: str, value: Any) -> str | list[str]:
        texts = [str(text) for text in ([value] if isinstance(value, str) or value is None else value)]
        if "Date" in keyword:
            texts = [_earlier(text, self.days) for text in texts]
        return texts[0] if len(texts) == 1 else texts


def _earlier(value: str, days: int) -> str:
    """A date, or a date with a time, moved back; empty where it is none."""
    try:
        day = datetime.datetime.strptime(value[:8], "%Y%m%d") - datetime.timedelta(days=days)
    except (ValueError, OverflowError):
        return ""
    return f"{day:%Y%m%d}".rjust(8, "0") + value[8:].partition("+")[0].partition("-")[0]


def _years(age: str) -> int:
    return int(age[:3]) if age[3:] == "Y" and age[:3].isdecimal() else 0


def _names(data: Any) -> list[str]:
    structures = [*(data.get("SegmentSequence") or ()), *(data.get("StructureSetROISequence") or ())]
    return [str(item[keyword].value) for item in structures for keyword in table.NAMES if keyword in item]


def plain_names(names: Iterable[str]) -> dict[str, str]:
    """New name by old name of a structure: TG-263's without its suffix, as that may say anything; no two are alike."""
    given = sorted(set(names))
    new = {name: name for name in given if _PLAIN_NAME.fullmatch(name)}
    for name in given:
        if name in new:
            continue
        target = target_of_name(name)
        stem = "Structure" if target is None else target.structure_name
        start = re.match(r"GTV[pn]([1-9]\d?)?", name) if target is not None else None
        wanted = [start.group()] if start else []
        new[name] = next(
            free for free in (*wanted, *(f"{stem}{number}" for number in range(1, 100_000))) if free not in new.values()
        )
    return new
