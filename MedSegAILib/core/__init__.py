"""The nouns that every other ring speaks: numpy and the standard library only."""
