"""Training of MedSegAI's packages: recipes, data, phantoms, losses, loop, evaluation, export.

Not installed into Slicer, and nothing imports it; ``python -m training`` is its door.
"""
