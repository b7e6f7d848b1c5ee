"""Programs to run and read: ``python -m examples.digits`` trains on real handwritten digits."""
