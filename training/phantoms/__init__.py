"""Phantoms: seeded heads with a tumor, made by code. Their voxels may ship; those of real studies may not."""
