"""What goes out: segmentation, lesion table, picture and run manifest."""
