"""The panels of the module. Ring 10: Qt and widgets, no logic that a script would miss."""
