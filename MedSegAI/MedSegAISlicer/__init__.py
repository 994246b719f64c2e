"""The Slicer side of MedSegAI: ``scene`` speaks MRML and no Qt, ``gui`` holds the panels over it."""
