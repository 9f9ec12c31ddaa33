"""The desktop: windows, painted widgets and, without Qt, the view-models that say what is on screen.

Importing this package imports no Qt, so that `depthgui.ui.viewmodels` can be used and tested where Qt is absent.
"""
