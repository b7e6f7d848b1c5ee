"""Functions written with Tensor ops alone, a family a file; their gradients come by themselves.

``pytensor.functional`` gathers them; a function that turns out to be hot moves to the registry.
"""
