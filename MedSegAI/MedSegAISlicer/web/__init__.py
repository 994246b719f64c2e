"""The viewer in a browser: the scene ring behind a trame server. Ring 10, beside the panel; needs the extra ``web``."""
