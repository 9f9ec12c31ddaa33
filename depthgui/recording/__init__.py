"""Recorded market data as people have it: files of several formats, given as the venue's messages in order of time."""
