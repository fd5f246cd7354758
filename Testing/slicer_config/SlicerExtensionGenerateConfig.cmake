# Stands in for CMake/SlicerExtensionGenerateConfig.cmake of Slicer.

slicer_stand_in_record(include NAME SlicerExtensionGenerateConfig)
