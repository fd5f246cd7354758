"""Reading NIfTI, NRRD and MetaImage files, and masks."""

from __future__ import annotations

import gzip
import os
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from HNTargetSegLib.case.read import image_stem, image_suffix, read_mask, read_volume
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.errors import BadInputError, GeometryError

Make = Callable[..., Volume]
SUFFIXES = [".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd"]
TYPES = ["uint8", "int16", "uint16", "int32", "float32", "float64"]


def save(volume: Volume, path: Path, compress: bool = True) -> Path:
    sitk.WriteImage(volume.to_sitk(), str(path), compress)
    return path


def nifti_with(path: Path, offset: int, form: str, *values: float) -> Path:
    """Overwrite fields of an uncompressed NIfTI header."""
    content = bytearray(path.read_bytes())
    struct.pack_into(form, content, offset, *values)
    path.write_bytes(content)
    return path


def text_header_with(path: Path, old: bytes, new: bytes) -> Path:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("kind", TYPES)
def test_every_format_reads_as_simpleitk_reads_it(
    tmp_path: Path, make_volume: Make, suffix: str, compress: bool, kind: str
) -> None:
    path = save(make_volume(dtype=np.dtype(kind).type), tmp_path / f"a{suffix}", compress)
    found, expected = read_volume(path), Volume.from_sitk(sitk.ReadImage(str(path)))
    assert found.array.dtype == expected.array.dtype == np.dtype(kind)
    assert np.array_equal(found.array, expected.array)
    assert found.stated == expected.geometry


@pytest.mark.parametrize("name", ["T1_head_ext2.nii.gz", "T2w.nii.gz"])
def test_real_mr_reads_as_simpleitk_reads_it(real_data: Path, name: str) -> None:
    path = real_data / "mr-nifti" / name
    found, expected = read_volume(path), Volume.from_sitk(sitk.ReadImage(str(path)))
    assert np.array_equal(found.array, expected.array)
    assert found.stated == expected.geometry


def test_real_masks_read_on_the_grid_of_their_visit(real_data: Path) -> None:
    folder = real_data / "hntsmrg2024-masks"
    patients = sorted(path.name.split("_")[0] for path in folder.glob("*_midRT_mask.nii.gz"))
    assert len(patients) == 8
    for patient in patients:
        mid = read_mask(folder / f"{patient}_midRT_mask.nii.gz")
        prior = read_mask(folder / f"{patient}_preRT_mask_registered.nii.gz", like=mid)
        assert mid.array.dtype == prior.array.dtype == np.uint8
        assert prior.geometry == mid.geometry


def test_slope_and_intercept_are_applied(tmp_path: Path, make_volume: Make) -> None:
    volume = make_volume()
    path = nifti_with(save(volume, tmp_path / "a.nii"), 112, "<2f", 2.5, -10.0)
    assert np.allclose(read_volume(path).array, volume.array * 2.5 - 10, atol=1e-5)
    assert np.array_equal(read_volume(path).array, sitk.GetArrayFromImage(sitk.ReadImage(str(path))))


def test_big_endian_nifti_reads(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    array = np.arange(60, dtype=">i2").reshape(5, 4, 3)
    header = nibabel.Nifti1Header(endianness=">")
    nibabel.Nifti1Image(array, np.diag([-1.0, -2.0, 3.0, 1.0]), header).to_filename(tmp_path / "a.nii")
    found = read_volume(tmp_path / "a.nii")
    assert np.array_equal(found.array, array.transpose())
    assert found.spacing == (1.0, 2.0, 3.0)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_blank_and_unicode_in_the_path_read(tmp_path: Path, make_volume: Make, suffix: str) -> None:
    folder = tmp_path / "Patient Müller 患者"
    folder.mkdir()
    path = save(make_volume(), folder / f"T2 después 1.5 mm{suffix}")
    assert np.array_equal(read_volume(path).array, make_volume().array)


@pytest.mark.parametrize("suffix", [".NII.GZ", ".Nrrd", ".MHA"])
def test_upper_case_suffixes_read(tmp_path: Path, make_volume: Make, suffix: str) -> None:
    plain = save(make_volume(), tmp_path / f"a{suffix.lower()}")
    path = plain.rename(tmp_path / f"B{suffix}")
    assert np.array_equal(read_volume(path).array, make_volume().array)


@pytest.mark.parametrize("spacing", [(5.0, 5.0, 5.0), (0.2, 0.2, 0.2)])
def test_large_and_small_voxels_read(tmp_path: Path, make_volume: Make, spacing: tuple[float, float, float]) -> None:
    path = save(make_volume(spacing=spacing), tmp_path / "a.nii.gz")
    assert np.allclose(read_volume(path).spacing, spacing, atol=1e-6)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"nowhere\.nii\.gz: There is no such file"):
        read_volume(tmp_path / "nowhere.nii.gz")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_file_is_an_error(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").touch()
    with pytest.raises(BadInputError, match="empty"):
        read_volume(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".txt", ".dcm", ""])
def test_a_file_that_is_no_image_is_an_error(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_text("Dear colleague,\n\nthank you for the patient.\n" * 50)
    with pytest.raises(BadInputError, match=r"not (a|an) (NIfTI|NRRD|MetaImage|image)"):
        read_volume(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("keep", [0.98, 0.6])
def test_a_compressed_file_cut_short_is_an_error(tmp_path: Path, make_volume: Make, suffix: str, keep: float) -> None:
    path = save(make_volume(size=(20, 20, 20)), tmp_path / f"a{suffix}")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(BadInputError, match="cut short"):
        read_volume(path)


@pytest.mark.parametrize("suffix", [".nii", ".nrrd", ".mha"])
def test_an_uncompressed_file_cut_short_is_an_error(tmp_path: Path, make_volume: Make, suffix: str) -> None:
    path = save(make_volume(), tmp_path / f"a{suffix}", compress=False)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(BadInputError, match="cut short"):
        read_volume(path)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_one_flipped_bit_in_compressed_voxels_is_an_error(tmp_path: Path, make_volume: Make, suffix: str) -> None:
    path = save(make_volume(size=(20, 20, 20)), tmp_path / f"a{suffix}")
    content = bytearray(path.read_bytes())
    content[len(content) * 3 // 4] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=r"damaged|cut short"):
        read_volume(path)


def test_a_name_that_lies_about_compression_is_an_error(tmp_path: Path, make_volume: Make) -> None:
    plain = save(make_volume(), tmp_path / "a.nii").read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(plain)
    (tmp_path / "c.nii").write_bytes(gzip.compress(plain))
    with pytest.raises(BadInputError, match=r"not compressed.*end in \.nii\."):
        read_volume(tmp_path / "b.nii.gz")
    with pytest.raises(BadInputError, match=r"is compressed.*end in \.nii\.gz"):
        read_volume(tmp_path / "c.nii")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_two_dimensions_are_an_error(tmp_path: Path, suffix: str) -> None:
    sitk.WriteImage(sitk.Image([6, 5], sitk.sitkInt16), str(tmp_path / f"a{suffix}"))
    with pytest.raises(BadInputError, match=r"2 dimensions.*3D volume"):
        read_volume(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_four_dimensions_are_an_error(tmp_path: Path, suffix: str) -> None:
    sitk.WriteImage(sitk.Image([6, 5, 4, 3], sitk.sitkInt16), str(tmp_path / f"a{suffix}"))
    with pytest.raises(BadInputError, match=r"4 dimensions.*3D volume"):
        read_volume(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_colours_and_vectors_are_an_error(tmp_path: Path, suffix: str) -> None:
    sitk.WriteImage(sitk.Image([6, 5, 4], sitk.sitkVectorFloat32, 3), str(tmp_path / f"a{suffix}"))
    with pytest.raises(BadInputError, match="3D volume"):
        read_volume(tmp_path / f"a{suffix}")


def test_a_fourth_axis_of_one_time_point_is_dropped(tmp_path: Path) -> None:
    image = sitk.Image([6, 5, 4, 1], sitk.sitkInt16)
    sitk.WriteImage(image, str(tmp_path / "a.nii.gz"))
    assert read_volume(tmp_path / "a.nii.gz").array.shape == (4, 5, 6)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_an_error(tmp_path: Path, suffix: str, value: float) -> None:
    array = np.zeros((4, 5, 6), np.float32)
    array[1, 2, 3] = value
    sitk.WriteImage(sitk.GetImageFromArray(array), str(tmp_path / f"a{suffix}"))
    with pytest.raises(BadInputError, match=rf"a{suffix}: The image holds NaN or infinite"):
        read_volume(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("value", [-1.0, 0.0, np.nan])
def test_nifti_spacing_that_is_not_positive_is_an_error(tmp_path: Path, make_volume: Make, value: float) -> None:
    path = nifti_with(save(make_volume(), tmp_path / "a.nii"), 84, "<f", value)
    with pytest.raises(GeometryError, match=r"a\.nii: The voxel spacing .* not three positive"):
        read_volume(path)


def test_nrrd_spacing_that_is_negative_is_an_error(tmp_path: Path, make_volume: Make) -> None:
    path = save(make_volume(), tmp_path / "a.nrrd")
    header, voxels = path.read_bytes().split(b"\n\n", 1)
    lines = [line for line in header.split(b"\n") if not line.startswith(b"space")]
    path.write_bytes(b"\n".join([*lines, b"spacings: 1 -1 2"]) + b"\n\n" + voxels)
    with pytest.raises(GeometryError, match=r"1 -1 2"):
        read_volume(path)


def test_metaimage_spacing_that_is_negative_is_an_error(tmp_path: Path, make_volume: Make) -> None:
    path = text_header_with(save(make_volume(), tmp_path / "a.mha"), b"ElementSpacing = 0.5", b"ElementSpacing = -0.5")
    with pytest.raises(GeometryError, match=r"-0\.5 0\.75 2"):
        read_volume(path)


def test_axes_that_are_not_at_right_angles_are_an_error(tmp_path: Path, make_volume: Make) -> None:
    nifti = nifti_with(save(make_volume(axes=np.eye(3)), tmp_path / "a.nii"), 284, "<f", 0.25)
    nifti_with(nifti, 252, "<h", 0)
    nrrd = save(make_volume(axes=np.eye(3)), tmp_path / "a.nrrd")
    text_header_with(nrrd, b"space directions: (0.5,0,0)", b"space directions: (0.5,0.1,0)")
    meta = save(make_volume(axes=np.eye(3)), tmp_path / "a.mha")
    text_header_with(meta, b"TransformMatrix = 1 0 0", b"TransformMatrix = 1 0.2 0")
    for path in (nifti, nrrd, meta):
        with pytest.raises(GeometryError, match=r"a\.(nii|nrrd|mha): .*(right angles|orthonormal)"):
            read_volume(path)


def test_a_header_that_claims_a_huge_image_is_refused_before_memory_is_taken(tmp_path: Path, make_volume: Make) -> None:
    nifti = nifti_with(save(make_volume(), tmp_path / "a.nii"), 42, "<3h", 30000, 30000, 30000)
    squeezed = tmp_path / "a.nii.gz"
    squeezed.write_bytes(gzip.compress(nifti.read_bytes()))
    nrrd = text_header_with(save(make_volume(), tmp_path / "a.nrrd"), b"sizes: 6 5 4", b"sizes: 30000 30000 30000")
    meta = text_header_with(save(make_volume(), tmp_path / "a.mha"), b"DimSize = 6 5 4", b"DimSize = 900 900 900")
    for path in (nifti, squeezed, nrrd, meta):
        with pytest.raises(BadInputError, match=r"The header (claims|promises)"):
            read_volume(path)


def test_a_file_that_holds_more_than_its_header_says_is_an_error(tmp_path: Path, make_volume: Make) -> None:
    volume = make_volume(size=(20, 20, 20))
    plain = nifti_with(save(volume, tmp_path / "a.nii"), 46, "<h", 10)
    squeezed = tmp_path / "a.nii.gz"
    squeezed.write_bytes(gzip.compress(plain.read_bytes()))
    for path in (plain, squeezed):
        with pytest.raises(BadInputError, match="holds more than the 20x20x10 voxels"):
            read_volume(path)


def test_a_detached_header_reads_nothing_outside_its_folder(tmp_path: Path, make_volume: Make) -> None:
    (tmp_path / "in").mkdir()
    header = save(make_volume(), tmp_path / "in" / "a.mhd", compress=False)
    (tmp_path / "in" / "a.raw").rename(tmp_path / "a.raw")
    text_header_with(header, b"a.raw", b"../a.raw")
    with pytest.raises(BadInputError, match="not beside it"):
        read_volume(header)
    text_header_with(header, b"../a.raw", b"a.raw")
    with pytest.raises(BadInputError, match=r"'a\.raw' that the header names is missing"):
        read_volume(header)


def test_nifti_2_and_nifti_in_metres_are_refused(tmp_path: Path, make_volume: Make) -> None:
    path = save(make_volume(), tmp_path / "a.nii")
    nifti_with(path, 123, "<b", 1)
    with pytest.raises(GeometryError, match="millimetres"):
        read_volume(path)
    nifti_with(path, 0, "<i", 540)
    with pytest.raises(BadInputError, match="NIfTI-2"):
        read_volume(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
@pytest.mark.parametrize("offset", [268, 280, 288, 292])
def test_impossible_numbers_in_the_nifti_forms_are_an_error_and_no_endless_loop(
    tmp_path: Path, make_volume: Make, value: float, offset: int
) -> None:
    path = nifti_with(save(make_volume(), tmp_path / "a.nii"), offset, "<f", value)
    with pytest.raises(GeometryError, match=r"a\.nii: The position or direction .* impossible numbers"):
        read_volume(path)


@pytest.mark.parametrize(
    "line", [b"space " + b"x" * 70000 + b": 1", b"kinds: " + b"( " * 9000, b"sizes: 7 6 5", b"dog"]
)
def test_unknown_doubled_and_endless_nrrd_fields_are_an_error_and_no_crash(
    tmp_path: Path, make_volume: Make, line: bytes
) -> None:
    path = text_header_with(
        save(make_volume(), tmp_path / "a.nrrd"), b"dimension: 3\n", b"dimension: 3\n" + line + b"\n"
    )
    with pytest.raises(BadInputError, match="unknown, doubled or far too long"):
        read_volume(path)


def test_gzip_members_one_after_the_other_and_padding_read(tmp_path: Path, make_volume: Make) -> None:
    volume = make_volume()
    plain = save(volume, tmp_path / "a.nii").read_bytes()
    joined = gzip.compress(plain[:100]) + gzip.compress(plain[100:400]) + gzip.compress(plain[400:]) + b"\0" * 512
    (tmp_path / "a.nii.gz").write_bytes(joined)
    assert np.array_equal(read_volume(tmp_path / "a.nii.gz").array, volume.array)


def test_a_mask_is_uint8_whatever_type_it_was_stored_in(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 3, (4, 5, 6))
    for kind in TYPES:
        sitk.WriteImage(sitk.GetImageFromArray(array.astype(kind)), str(tmp_path / "m.nii.gz"))
        mask = read_mask(tmp_path / "m.nii.gz")
        assert mask.array.dtype == np.uint8
        assert np.array_equal(mask.array, array)


def test_a_mask_with_label_3_is_an_error_that_names_it(tmp_path: Path) -> None:
    array = np.zeros((4, 5, 6), np.uint8)
    array[0, 0, :4] = 3, 1, 2, 7
    sitk.WriteImage(sitk.GetImageFromArray(array), str(tmp_path / "m.nii.gz"))
    with pytest.raises(BadInputError, match=r"holds values 3, 7; allowed are 0, 1, 2"):
        read_mask(tmp_path / "m.nii.gz")
    assert read_mask(tmp_path / "m.nii.gz", labels=(0, 1, 2, 3, 7)).array[0, 0, 3] == 7


@pytest.mark.parametrize("value", [0.5, -1.0])
def test_a_mask_with_fractions_or_negative_values_is_an_error(tmp_path: Path, value: float) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(np.full((4, 5, 6), value, np.float32)), str(tmp_path / "m.nii.gz"))
    with pytest.raises(BadInputError, match=rf"the value {value:g};"):
        read_mask(tmp_path / "m.nii.gz")


def test_a_mask_of_another_grid_is_an_error_that_names_both(tmp_path: Path, make_volume: Make) -> None:
    image = make_volume()
    other = make_volume(spacing=(1.0, 0.75, 2.0))
    write_volume(other.with_array(np.zeros(other.array.shape, np.uint8)), tmp_path / "m.nii.gz")
    with pytest.raises(GeometryError, match=r"\(1, 0\.75, 2\) mm.*against .*\(0\.5, 0\.75, 2\) mm"):
        read_mask(tmp_path / "m.nii.gz", like=image)


def test_a_mask_is_resampled_by_nearest_neighbour_only_when_asked(tmp_path: Path) -> None:
    fine = Volume(np.zeros((4, 4, 4), np.int16), Geometry((4, 4, 4), (1.0, 1.0, 1.0)))
    coarse = np.zeros((2, 2, 2), np.uint8)
    coarse[1, 0, 1] = 2
    write_volume(Volume(coarse, Geometry((2, 2, 2), (2.0, 2.0, 2.0), (0.5, 0.5, 0.5))), tmp_path / "m.nrrd")
    expected = coarse.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    moved = read_mask(tmp_path / "m.nrrd", like=fine, resample=True)
    assert np.array_equal(moved.array, expected)
    assert moved.geometry == fine.geometry


def test_the_stem_is_the_name_without_its_format(tmp_path: Path) -> None:
    assert image_stem(tmp_path / "8_preRT_T2.nii.gz") == "8_preRT_T2"
    assert image_stem("a.b.NRRD") == "a.b"
    assert image_suffix("a.b.NRRD") == ".nrrd"
    assert image_suffix("a.png") is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are of POSIX")
@pytest.mark.parametrize("name", ["T2.nii.gz", "T2.nrrd", "T2.mha", "T2"])
def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    # Someone who writes nothing and goes: a reader that opens the pipe would get an empty file and not wait.
    writer = threading.Thread(target=lambda: open(tmp_path / name, "wb").close(), daemon=True)
    writer.start()
    with pytest.raises(BadInputError, match=rf"{name}: This is neither a file nor a folder"):
        read_volume(tmp_path / name)
    os.close(os.open(tmp_path / name, os.O_RDONLY | os.O_NONBLOCK))
    writer.join(10)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_name_that_is_not_utf_8_is_read_and_written_as_any_other(
    tmp_path: Path, make_volume: Make, suffix: str
) -> None:
    folder = tmp_path / os.fsdecode(b"M\xfcller")
    folder.mkdir()
    save(make_volume(), tmp_path / f"a{suffix}")
    for path in [*tmp_path.glob("a.*")]:
        path.rename(folder / path.name)
    image = read_volume(folder / f"a{suffix}")
    assert np.array_equal(image.array, make_volume().array)
    if suffix not in (".nhdr", ".mhd"):
        write_volume(image, folder / os.fsdecode(b"\xe4" + suffix.encode()))
        written = read_volume(folder / os.fsdecode(b"\xe4" + suffix.encode()))
        assert np.array_equal(written.array, image.array)
        assert written.geometry.matches(image.geometry, 1e-4)
