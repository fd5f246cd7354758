"""What a reviewer can do, with no screen: the session that the Slicer module and the review page share."""
