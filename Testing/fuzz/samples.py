"""Small valid files of every format the readers take; the fuzzer damages them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import SimpleITK as sitk

_SIZE = (7, 6, 5)


class Sample(NamedTuple):
    """One valid input.

    Attributes
    ----------
    name
        Of the kind of input.
    path
        What the reader is given, relative to the folder of the sample: a file, or "." for a DICOM folder.
    files
        Content of each file by its name.
    is_mask
        Whether it is read as a mask.
    """

    name: str
    path: str
    files: dict[str, bytes]
    is_mask: bool = False


def samples(folder: Path) -> list[Sample]:
    """Make all samples; ``folder`` is scratch space."""
    image = _image(np.random.default_rng(0).integers(0, 500, _SIZE[::-1]).astype(np.int16))
    mask = _image((np.arange(np.prod(_SIZE)).reshape(_SIZE[::-1]) % 3).astype(np.uint8))
    found = [
        _file_sample(folder, "nifti", image, "a.nii", compress=False),
        _file_sample(folder, "nifti-gz", image, "a.nii.gz"),
        _file_sample(folder, "nrrd", image, "a.nrrd"),
        _file_sample(folder, "nrrd-raw", image, "a.nrrd", compress=False),
        _file_sample(folder, "nhdr", image, "a.nhdr"),
        _file_sample(folder, "mha", image, "a.mha"),
        _file_sample(folder, "mha-raw", image, "a.mha", compress=False),
        _file_sample(folder, "mhd", image, "a.mhd"),
        _file_sample(folder, "mask", mask, "m.nii.gz")._replace(is_mask=True),
        _file_sample(folder, "mask-nrrd", mask, "m.nrrd")._replace(is_mask=True),
        _dicom_sample(folder),
    ]
    return found + [_compressed_dicom_sample(folder, found[-1], codec) for codec in ("JPEG", "JPEG2000", "RLE")]


def _image(array: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.6, 0.7, 2.5))
    image.SetOrigin((-10.0, 20.0, 30.5))
    c, s = np.cos(0.2), np.sin(0.2)
    image.SetDirection((1, 0, 0, 0, c, -s, 0, s, c))
    return image


def _file_sample(folder: Path, name: str, image: sitk.Image, path: str, compress: bool = True) -> Sample:
    scratch = folder / name
    scratch.mkdir(parents=True)
    sitk.WriteImage(image, str(scratch / path), compress)
    return Sample(name, path, _contents(scratch))


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _dicom_sample(folder: Path) -> Sample:
    scratch = folder / "dicom"
    scratch.mkdir()
    for k in range(4):
        data = _slice(k)
        data.save_as(scratch / f"{k}.dcm", enforce_file_format=True)
    return Sample("dicom", ".", _contents(scratch))


def _slice(k: int) -> Any:
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MRImageStorage, f"1.2.3.{k + 1}"
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID, data.SeriesInstanceUID = MRImageStorage, f"1.2.3.{k + 1}", "1.2.4"
    data.Modality, data.PatientID, data.PatientName, data.StudyDate = "MR", "P1", "Doe^Jane", "20240102"
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 9, 8, 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.RescaleSlope, data.RescaleIntercept = 1, 0
    data.PixelSpacing, data.ImageOrientationPatient = [0.7, 0.6], [1, 0, 0, 0, 0.980067, 0.198669]
    data.ImagePositionPatient = [10, round(20 - 0.496673 * k, 6), round(30 + 2.450167 * k, 6)]
    data.PixelData = np.arange(72, dtype="<u2").tobytes()
    return data


def _compressed_dicom_sample(folder: Path, plain: Sample, codec: str) -> Sample:
    """The same series with compressed pixels, which another decoder reads."""
    import pydicom

    source, scratch = folder / "dicom", folder / f"dicom-{codec.lower()}"
    scratch.mkdir()
    for k, name in enumerate(plain.files):
        data = _slice(k)
        if codec == "RLE":
            data.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
            data.save_as(scratch / name, enforce_file_format=True)
            continue
        writer = sitk.ImageFileWriter()
        writer.UseCompressionOn()
        writer.SetCompressor(codec)
        writer.SetFileName(str(scratch / name))
        writer.Execute(sitk.ReadImage(str(source / name)))
        # GDCM makes new UIDs and times at each run; only its pixels are kept.
        compressed = pydicom.dcmread(scratch / name)
        data.file_meta.TransferSyntaxUID = compressed.file_meta.TransferSyntaxUID
        data.PixelData = compressed.PixelData
        data["PixelData"].is_undefined_length = True
        data.save_as(scratch / name, enforce_file_format=True)
    return Sample(scratch.name, ".", _contents(scratch))
