# Stands in for CMake/SlicerMacroBuildScriptedModule.cmake of Slicer.

macro(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(MY_SLICER "WITH_GENERIC_TESTS;WITH_SUBDIR;VERBOSE" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(MY_SLICER_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "slicerMacroBuildScriptedModule() does not know: ${MY_SLICER_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT DEFINED MY_SLICER_NAME)
    message(FATAL_ERROR "slicerMacroBuildScriptedModule(): NAME is mandatory")
  endif()
  if(NOT "${MY_SLICER_NAME}.py" IN_LIST MY_SLICER_SCRIPTS)
    message(FATAL_ERROR "slicerMacroBuildScriptedModule(): SCRIPTS lack ${MY_SLICER_NAME}.py")
  endif()
  slicer_stand_in_copy_files(SCRIPTS ${MY_SLICER_SCRIPTS})
  slicer_stand_in_copy_files(RESOURCES ${MY_SLICER_RESOURCES})
  add_custom_target(Copy${MY_SLICER_NAME}Files ALL DEPENDS ${SCRIPTS_copies} ${RESOURCES_copies})
  slicer_stand_in_record(module NAME "${MY_SLICER_NAME}")
  slicer_stand_in_record(module SCRIPTS ${MY_SLICER_SCRIPTS})
  slicer_stand_in_record(module RESOURCES ${MY_SLICER_RESOURCES})
  # Everything that lies there in the build folder, as Slicer does.
  install(
    DIRECTORY "${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR}/"
    DESTINATION "${Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR}"
    COMPONENT RuntimeLibraries
    USE_SOURCE_PERMISSIONS
    )
  if(BUILD_TESTING AND MY_SLICER_WITH_GENERIC_TESTS)
    slicer_stand_in_record(test NAME "py_nomainwindow_qSlicer${MY_SLICER_NAME}ModuleGenericTest")
  endif()
endmacro()

# Rules that copy the files of one kind, with their folders; sets <kind>_copies for the caller.
function(slicer_stand_in_copy_files kind)
  set(copies)
  foreach(file IN LISTS ARGN)
    if(IS_ABSOLUTE "${file}" OR "${file}" MATCHES "\\.\\.")
      message(FATAL_ERROR "${kind}: ${file} would be copied to a place outside the module")
    endif()
    if("${kind}" STREQUAL "SCRIPTS" AND NOT "${file}" MATCHES "\\.py$")
      message(FATAL_ERROR "${kind}: ${file} is no Python file")
    endif()
    set(source "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
    if(NOT EXISTS "${source}" OR IS_DIRECTORY "${source}")
      message(FATAL_ERROR "slicerMacroBuildScriptedModule(${kind}) given nonexistent file '${file}'")
    endif()
    set(copy "${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR}/${file}")
    add_custom_command(
      OUTPUT "${copy}" DEPENDS "${source}" COMMAND ${CMAKE_COMMAND} -E copy "${source}" "${copy}" VERBATIM
      )
    list(APPEND copies "${copy}")
  endforeach()
  set(${kind}_copies "${copies}" PARENT_SCOPE)
endfunction()
