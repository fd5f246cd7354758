# Stands in for Slicer's own SlicerConfig.cmake, so that the extension is configured, built and installed on a machine
# without a Slicer build. It holds only what a scripted extension uses, under Slicer's names and with Slicer's rules
# (CMake/UseSlicer.cmake.in, SlicerMacroBuildScriptedModule.cmake, SlicerMacroPythonTesting.cmake and
# SlicerExtensionCPack.cmake of Slicer, ctkMacroCompilePythonScript.cmake of CTK), and is stricter where Slicer is
# silent. What was called, and with what, is written into slicer-calls.txt of the build folder.

set(Slicer_VERSION 5.12)
set(Slicer_USE_FILE "${CMAKE_CURRENT_LIST_DIR}/UseSlicer.cmake")
set(Slicer_EXTENSION_GENERATE_CONFIG "${CMAKE_CURRENT_LIST_DIR}/SlicerExtensionGenerateConfig.cmake")
set(Slicer_EXTENSION_CPACK "${CMAKE_CURRENT_LIST_DIR}/SlicerExtensionCPack.cmake")
set(Slicer_QTSCRIPTEDMODULES_LIB_DIR "lib/Slicer-${Slicer_VERSION}/qt-scripted-modules")
set(Slicer_INSTALL_ROOT "./")

set(SlicerStandIn_CALLS "${CMAKE_BINARY_DIR}/slicer-calls.txt")
file(WRITE "${SlicerStandIn_CALLS}" "")

# One line a value: <call> <name>=<value>
function(slicer_stand_in_record call name)
  foreach(value IN LISTS ARGN)
    file(APPEND "${SlicerStandIn_CALLS}" "${call} ${name}=${value}\n")
  endforeach()
endfunction()
