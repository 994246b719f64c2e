"""Pure functions on arrays and volumes: no files, no tasks, no networks. Ring 1."""
