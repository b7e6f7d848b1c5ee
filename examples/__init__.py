"""Programs to run and read: ``python -m examples.mnist`` trains on real handwritten digits."""
