"""Packages and the pipeline that runs them: nouns in, nouns out. Ring 3."""
