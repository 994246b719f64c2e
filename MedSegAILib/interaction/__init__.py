"""Interactive correction: prompts in, the changed part of one region out. Ring 4; no files, no scene, no torch."""
