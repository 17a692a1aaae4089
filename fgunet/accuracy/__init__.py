"""Accuracy of class maps: confusions, scores, intervals, and the comparison of two methods."""
