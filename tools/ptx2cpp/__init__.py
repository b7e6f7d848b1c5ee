"""Translate the PTX that nvcc makes of a .cu file to C++ for the emulator (csrc/cuda/emu).

What runs then is what NVIDIA's compiler generated, not what the host's compiler made of the
source: registers become local variables, labels and branches stay what they are, and the
instructions that talk to other threads call the emulator. ``module.py`` reads the file,
``function.py`` writes a function, ``instructions.py`` and ``memory.py`` know the instructions. One
that none of them knows is an error that names it. Used by tools/ptx_library.py.
"""

from tools.ptx2cpp.module import UnknownInstruction, translate

__all__ = ["UnknownInstruction", "translate"]
