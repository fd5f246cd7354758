"""The lesion table keeps what it is given."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest

from HNTargetSegLib.errors import BadInputError, OutputError
from HNTargetSegLib.lesions.find import array_probability, find_lesions
from HNTargetSegLib.lesions.lesion import Fate, State
from HNTargetSegLib.lesions.match import match_lesions
from HNTargetSegLib.lesions.table import COLUMNS, as_csv, as_row, as_text, read_lesions, read_table, write_table

NODE = (2, slice(1, 4), slice(3, 8), slice(2, 9))
TUMOUR = (1, slice(5, 9), slice(10, 20), slice(15, 25))
HEADER = (
    "id,label,name,side,state,origin,volume_cc,long_mm,short_mm,cx,cy,cz,p_mean,p_max,prior_id,prior_cc,change_pct,fate"
)


@pytest.fixture
def matched(painted, lesions_of):
    labels = painted(NODE)
    probability = array_probability({2: (labels.array * 0.31).astype("float32")})
    return match_lesions(find_lesions(labels, probability), lesions_of(NODE, TUMOUR))


def test_the_header_is_the_contract(matched):
    assert as_csv(matched).splitlines()[0] == HEADER == ",".join(COLUMNS)
    assert as_csv([]).splitlines() == [HEADER]


def test_lines_hold_rounded_numbers_and_nothing_for_what_is_not_known(matched):
    assert as_csv(matched).splitlines()[1:] == [
        "1,2,GTVn1,right,proposed,model,1.05,11.66,8.16,-14.5,10.0,110.0,0.62,0.62,2,1.05,0.0,kept",
        "2,1,GTVp,midline,proposed,model,0.0,0.0,0.0,0.0,29.0,132.5,,,1,4.0,-100.0,vanished",
    ]


def test_what_is_written_is_read_back(matched, tmp_path):
    merged = matched.with_lesions(replace(matched[1], prior_ids=(1, 2), fate=Fate.UNSURE, state=State.EDITED))
    write_table(merged, tmp_path / "läsionen 1.csv")
    assert read_table(tmp_path / "läsionen 1.csv") == [as_row(lesion) for lesion in merged]


def test_a_spreadsheet_program_may_add_its_byte_order_mark_and_line_ends(matched, tmp_path):
    path = tmp_path / "lesions.csv"
    path.write_bytes(("\ufeff" + as_csv(matched).replace("\n", "\r\n")).encode())
    assert read_table(path) == [as_row(lesion) for lesion in matched]


def test_lesions_are_rebuilt_from_table_and_map(matched, tmp_path):
    write_table(matched, tmp_path / "lesions.csv")
    rebuilt = read_lesions(tmp_path / "lesions.csv", matched.ids)
    assert [as_row(lesion) for lesion in rebuilt] == [as_row(lesion) for lesion in matched]
    assert rebuilt[1].voxels == matched[1].voxels
    assert rebuilt[1].box == matched[1].box


def test_a_table_that_does_not_fit_the_map_is_refused(matched, lesions_of, tmp_path):
    write_table(matched, tmp_path / "lesions.csv")
    with pytest.raises(BadInputError, match="no voxel"):
        read_lesions(tmp_path / "lesions.csv", lesions_of().ids)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("not a table", "lacks the columns id, label"),
        ("", "lacks the columns"),
        (HEADER + "\n1,2,GTVn1,up,proposed,model,1,1,1,0,0,0,,,,,,", "Line 2"),
        (HEADER + "\n1,7,GTVn1,left,proposed,model,1,1,1,0,0,0,,,,,,", "Line 2"),
        (HEADER + "\n1,2,GTVn1,left,proposed,model,,1,1,0,0,0,,,,,,", "Line 2"),
        (HEADER + "\n1,2,GTVn1", "Line 2"),
    ],
)
def test_a_damaged_table_is_an_error_that_names_file_and_line(tmp_path, wrong, message):
    path = tmp_path / "lesions.csv"
    path.write_text(wrong)
    with pytest.raises(BadInputError, match=message) as caught:
        read_table(path)
    assert str(path) in str(caught.value)


def test_a_missing_or_binary_table_is_an_error(tmp_path):
    with pytest.raises(BadInputError, match="cannot be read"):
        read_table(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(BadInputError, match="cannot be read"):
        read_table(tmp_path / "binary.csv")


def test_a_table_that_cannot_be_written_is_an_output_error(matched, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=str(tmp_path)):
        write_table(matched, tmp_path / "file" / "lesions.csv")


def test_rows_are_plain_json_with_a_list_of_priors(matched):
    rows = [as_row(lesion) for lesion in matched]
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    assert rows[0]["prior_id"] == [2]
    assert rows[1]["p_mean"] is None


def test_the_text_table_is_aligned_and_shows_every_lesion(matched):
    assert as_text(matched).splitlines() == [
        "id  name   side     state       cc  long mm  short mm     p  prior cc  change %  fate",
        "-" * 89,
        "1   GTVn1  right    proposed  1.05     11.7       8.2  0.62      1.05        +0  kept",
        "2   GTVp   midline  proposed  0.00      0.0       0.0     -      4.00      -100  vanished",
    ]


def test_an_empty_table_says_so():
    assert as_text([]) == "No lesion found."


def test_every_field_of_a_lesion_but_its_voxels_has_a_column():
    renamed = {"centroid": "cx", "prior_ids": "prior_id"}
    shown = {renamed.get(f.name, f.name) for f in fields(find_lesions.__globals__["Lesion"])} - {"voxels", "box"}
    assert shown | {"cy", "cz"} == set(COLUMNS)
