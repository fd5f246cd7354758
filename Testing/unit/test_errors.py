"""What a user reads when something is wrong."""

from HNTargetSegLib.errors import BadInputError, ErrorCode, MissingDependencyError


def test_a_message_names_file_fault_and_remedy():
    error = BadInputError("The file is empty", path="t2.nii.gz", remedy="Copy it again")
    assert str(error) == "t2.nii.gz: The file is empty. Copy it again."


def test_a_question_keeps_its_mark():
    assert str(BadInputError("Do you accept?", remedy="Answer yes")) == "Do you accept? Answer yes."


def test_every_error_has_its_exit_status():
    assert BadInputError("x").code == ErrorCode.BAD_INPUT == 2
    assert MissingDependencyError("x").code == ErrorCode.MISSING_DEPENDENCY == 5
