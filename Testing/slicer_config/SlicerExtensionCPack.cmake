# Stands in for CMake/SlicerExtensionCPack.cmake of Slicer.

foreach(name EXTENSION_README_FILE EXTENSION_LICENSE_FILE)
  if(NOT EXISTS "${${name}}")
    message(FATAL_ERROR "error: ${name} points to an inexistent file: ${${name}}")
  endif()
endforeach()
if(NOT "${EXTENSION_NAME}" STREQUAL "${PROJECT_NAME}")
  message(FATAL_ERROR "EXTENSION_NAME [${EXTENSION_NAME}] is not PROJECT_NAME [${PROJECT_NAME}]: Slicer packs nothing")
endif()
slicer_stand_in_record(include NAME SlicerExtensionCPack)
