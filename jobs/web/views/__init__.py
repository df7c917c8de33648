"""The dashboard's views, one file for each subject."""
