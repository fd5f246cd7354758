"""Whatever goes wrong has a code and a way out."""

from __future__ import annotations

import errno

import pytest

from HNTargetSegLib.errors import CancelledError, ErrorCode, MissingDependencyError
from HNTargetSegLib.worker.plain_errors import plain_error


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("Exception from src/inference/src/cpp/infer_request.cpp:223: std::bad_alloc"),
        RuntimeError("Check 'ptr' failed at cpu_memory.cpp:257: Failed to allocate 75497472 bytes of memory"),
        RuntimeError("can't start new thread"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    ],
)
def test_each_face_of_too_little_memory_is_code_3_with_a_remedy(error: Exception) -> None:
    plain = plain_error(error)
    assert plain.code is ErrorCode.OUT_OF_MEMORY
    assert "smaller model" in plain.remedy


def test_an_error_of_ours_stays_itself() -> None:
    error = CancelledError()
    assert plain_error(error) is error


def test_a_backend_that_had_no_memory_is_not_said_to_be_missing() -> None:
    error = MissingDependencyError("OpenVINO cannot run this network")
    assert plain_error(error) is error
    error.__cause__ = RuntimeError("Failed to allocate 75497472 bytes of memory")
    assert plain_error(error).code is ErrorCode.OUT_OF_MEMORY


def test_a_missing_package_is_code_5_and_named() -> None:
    with pytest.raises(ImportError) as caught:
        import no_such_package  # noqa: F401
    plain = plain_error(caught.value)
    assert plain.code is ErrorCode.MISSING_DEPENDENCY
    assert "'no_such_package'" in plain.what
    assert plain_error(ImportError("libcudart.so.12: cannot open")).code is ErrorCode.MISSING_DEPENDENCY


def test_a_full_disk_is_code_2_and_names_the_file() -> None:
    plain = plain_error(OSError(errno.ENOSPC, "No space left on device", "/full/x"))
    assert plain.code is ErrorCode.BAD_INPUT
    assert plain.path == "/full/x"


def test_anything_else_is_code_1_with_its_text() -> None:
    plain = plain_error(ZeroDivisionError("division by zero"))
    assert plain.code is ErrorCode.INTERNAL
    assert "ZeroDivisionError: division by zero" in plain.what
    assert "log" in plain.remedy
