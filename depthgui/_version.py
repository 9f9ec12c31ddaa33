"""The one place that holds the version number; the build and the About dialog read it from here."""

__version__ = "0.1.0"
