"""tools/sass.py and tools/check_cuda.py: what they read from the output of cuobjdump."""

from tools import check_cuda, sass

LISTING = """
        Function : dense_kernel<Exp, float, float>
    /*0010*/  LDG.E.128 R4, [R2.64] ;
    /*0020*/  STG.E.128 [R6.64], R4 ;
        Function : strided_kernel
    /*0010*/  STL.64 [R1], R4 ;
    /*0020*/  LDL R4, [R1+0x4] ;
"""

USAGE = """
Fatbin elf code:
================
arch = sm_80

Resource usage:
 Common:
  GLOBAL:0
 Function _ZN2pt4cuda43_GLOBAL__N__550c6912_6_row_cu_2de654b2_833910row_kernelINS_4HalfELb1EEEvi:
  REG:40 STACK:0 SHARED:0 LOCAL:0 CONSTANT[0]:424 TEXTURE:0 SURFACE:0 SAMPLER:0

Fatbin elf code:
================
arch = sm_90

Resource usage:
 Function _ZN2pt4cuda43_GLOBAL__N__550c6912_6_row_cu_2de654b2_833910row_kernelINS_4HalfELb1EEEvi:
  REG:38 STACK:24 SHARED:0 LOCAL:0 CONSTANT[0]:424 TEXTURE:0 SURFACE:0 SAMPLER:0
"""


def by_name(listing):
    parts = listing.split("Function : ")[1:]
    return dict(part.split("\n", 1) for part in parts)


def test_functions():
    functions = sass.by_function(LISTING.replace("<Exp, float, float>", "IfEv"))
    assert list(functions) == ["dense_kernelIfEv", "strided_kernel"]
    assert "STG" in functions["dense_kernelIfEv"]


def test_a_few_spilled_registers_are_allowed_and_more_are_not():
    functions = by_name(LISTING)
    assert sass.problems_of(functions, "pointwise/activation.cu") == []
    functions["strided_kernel"] *= 9
    assert sass.problems_of(functions, "pointwise/activation.cu") == [
        "pointwise/activation.cu: strided_kernel has 18 accesses to local memory"
    ]
    assert sass.problems_of(functions, "pointwise/trig.cu") == []


def test_narrow_loads():
    functions = by_name(LISTING.replace("LDG.E.128", "LDG.E"))
    assert sass.problems_of(functions, "pointwise/exp.cu") == [
        "pointwise/exp.cu: dense_kernel<Exp, float, float> has no load of 16 bytes"
    ]
    assert sass.problems_of(functions, "reduce/sum.cu") == []


def test_tensor_cores():
    code = {"gemm_tensor_core_kernel<float, 64>": "LDGSTS.E.BYPASS.128 [R4], [R2.64] ;"}
    assert sass.problems_of(code, "gemm/tf32.cu") == [
        "gemm/tf32.cu: gemm_tensor_core_kernel<float, 64> does not use the tensor cores"
    ]
    code = {name: text + "HMMA.1688.F32.TF32 R8, R4, R2, R8 ;" for name, text in code.items()}
    assert sass.problems_of(code, "gemm/tf32.cu") == []


def test_short_names():
    name = (
        "void pt::cuda::(anonymous namespace)::f<pt::Half, (int)3, pt::device::Exp >(void (*)(int))"
    )
    assert check_cuda.short_name(name) == "f<Half, 3, Exp>"


def test_registers_and_stack():
    assert check_cuda.kernels_of(USAGE) == {
        "row_kernel<Half, true>": {"80": (40, 0), "90": (38, 24)}
    }


def test_table_is_read_as_written():
    table = {"a/b.cu": {"f<A, B>": [(40, 0), (38, 24), (1, 2), (3, 0)], "g": [(1, 0)] * 4}}
    text = check_cuda.write_table(table, "13.0.88")
    assert "  f<A, B>: 40 38+24 1+2 3\n" in text
    assert check_cuda.read_table(text) == table
    assert check_cuda.VERSION.search(text)[1] == "13.0.88"


def test_what_is_worse_than_the_table():
    recorded = {"f": [(40, 0)] * 4, "gone": [(1, 0)] * 4}
    rows = {"f": [(40, 0), (41, 0), (39, 0), (40, 24)], "new": [(1, 0)] * 4}
    assert check_cuda.compared("a.cu", rows, recorded) == [
        "a.cu: f has 41 registers and 0 bytes of stack on sm_90, more than the recorded 40 and 0",
        "a.cu: f has 40 registers and 24 bytes of stack on sm_120, more than the recorded 40 and 0",
        "a.cu: new is not in the table (--update)",
        "a.cu: gone is in the table only (--update)",
    ]
    assert check_cuda.stacks("a.cu", rows) == ["a.cu: f has 24 bytes of stack on sm_120"]
