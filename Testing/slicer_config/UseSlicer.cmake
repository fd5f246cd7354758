# Stands in for CMake/UseSlicer.cmake.in of Slicer.

if(NOT DEFINED EXTENSION_NAME)
  set(EXTENSION_NAME "${PROJECT_NAME}")
endif()
if("${EXTENSION_NAME}" MATCHES "^$|^Slicer$|^Project$")
  message(FATAL_ERROR "Call project(<name of the extension>) before include(\${Slicer_USE_FILE})")
endif()

foreach(name HOMEPAGE CATEGORY CONTRIBUTORS DESCRIPTION ICONURL SCREENSHOTURLS DEPENDS LICENSE_FILE README_FILE)
  if("${EXTENSION_${name}}" STREQUAL "")
    message(FATAL_ERROR "EXTENSION_${name} must be set before include(\${Slicer_USE_FILE})")
  endif()
  # Slicer passes these on without quotes: a semicolon cuts the text.
  if("${EXTENSION_${name}}" MATCHES ";")
    message(FATAL_ERROR "EXTENSION_${name} holds a semicolon")
  endif()
  slicer_stand_in_record(extension ${name} "${EXTENSION_${name}}")
endforeach()

set(Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR "${Slicer_INSTALL_ROOT}${Slicer_QTSCRIPTEDMODULES_LIB_DIR}")

option(BUILD_TESTING "Test the extension" ON)
if(BUILD_TESTING)
  enable_testing()
endif()

include("${CMAKE_CURRENT_LIST_DIR}/SlicerMacroBuildScriptedModule.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/SlicerMacroPythonTesting.cmake")
