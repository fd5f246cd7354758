# Stands in for CMake/SlicerMacroPythonTesting.cmake of Slicer.

macro(slicer_add_python_unittest)
  cmake_parse_arguments(MY "" "TESTNAME_PREFIX;SCRIPT" "SLICER_ARGS" ${ARGN})
  if(MY_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "slicer_add_python_unittest() does not know: ${MY_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${MY_SCRIPT}")
    message(FATAL_ERROR "slicer_add_python_unittest() given nonexistent file '${MY_SCRIPT}'")
  endif()
  get_filename_component(test_name "${MY_SCRIPT}" NAME_WE)
  slicer_stand_in_record(test NAME "py_${MY_TESTNAME_PREFIX}${test_name}")
endmacro()
