"""The only rooms that touch vtkMRML*: volumes, segments, views and the state of a review in a Slicer scene."""
