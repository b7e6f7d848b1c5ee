"""tools/sass.py: what it reads from the listing of cuobjdump."""

from tools import sass

LISTING = """
        Function : _Z12dense_kernelIfEv
    /*0010*/  LDG.E.128 R4, [R2.64] ;
    /*0020*/  STG.E.128 [R6.64], R4 ;
        Function : _Z14strided_kernelIfEv
    /*0010*/  STL.64 [R1], R4 ;
    /*0020*/  LDL R4, [R1+0x4] ;
"""


def test_functions():
    functions = sass.by_function(LISTING)
    assert list(functions) == ["_Z12dense_kernelIfEv", "_Z14strided_kernelIfEv"]
    assert "STG" in functions["_Z12dense_kernelIfEv"]


def test_local_memory():
    (found,) = sass.problems_of(sass.by_function(LISTING), "pointwise/activation.cu")
    assert found == (
        "pointwise/activation.cu: _Z14strided_kernelIfEv has 2 accesses to local memory"
    )


def test_narrow_loads():
    listing = LISTING.replace("LDG.E.128", "LDG.E").replace("STL", "ST").replace("LDL", "LD")
    assert sass.problems_of(sass.by_function(listing), "pointwise/exp.cu") == [
        "pointwise/exp.cu: no kernel loads 16 bytes at once"
    ]
    assert sass.problems_of(sass.by_function(listing), "reduce/sum.cu") == []
