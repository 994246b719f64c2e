"""Networks run here: backends, devices, views, and the loop over members and views. Ring 1 (verbs)."""
