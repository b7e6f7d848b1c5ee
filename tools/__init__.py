"""Checks that the build and lint commands run; nothing here is part of the package."""
