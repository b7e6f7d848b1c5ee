# Kernel files (csrc/cpu) are compiled once per instruction set, each time in a namespace named by
# the macro PT_ISA; the library picks one set at start. csrc/cpu/portable is ordinary code and is
# compiled once with the rest.

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(pytensor_default_isas baseline avx2 avx512)
else()
  set(pytensor_default_isas baseline)
endif()
set(PYTENSOR_ISAS "${pytensor_default_isas}" CACHE STRING "Instruction sets to compile kernels for")

set(pytensor_isa_flags_baseline "")
set(
  pytensor_isa_flags_avx2
  -DPT_ISA_IS_AVX2
  -mavx2
  -mfma
  -mf16c
  -mbmi2
)
set(
  pytensor_isa_flags_avx512
  -DPT_ISA_IS_AVX512
  -mavx512f
  -mavx512bw
  -mavx512dq
  -mavx512vl
  -mavx512cd
  -mavx2
  -mfma
  -mf16c
  -mbmi2
  -mprefer-vector-width=512
)

# Adds one object library per instruction set, and sets `out` to their objects. The baseline copy
# comes first: should two sets emit the same inline function, the linker keeps the first one, which
# then runs on every machine.
function(pytensor_add_isa_objects out)
  set(objects)
  foreach(isa IN LISTS PYTENSOR_ISAS)
    if(NOT DEFINED pytensor_isa_flags_${isa})
      message(FATAL_ERROR "PYTENSOR_ISAS: unknown instruction set '${isa}'")
    endif()
    add_library(pytensor_isa_${isa} OBJECT ${ARGN})
    target_link_libraries(pytensor_isa_${isa} PRIVATE pytensor_flags)
    target_compile_options(
      pytensor_isa_${isa}
      PRIVATE
        $<$<NOT:$<CONFIG:Debug>>:-O3>
        -fvisibility=hidden
        -fvisibility-inlines-hidden
        -DPT_ISA=${isa}
        ${pytensor_isa_flags_${isa}}
    )
    list(APPEND objects $<TARGET_OBJECTS:pytensor_isa_${isa}>)
  endforeach()
  set(${out} ${objects} PARENT_SCOPE)
endfunction()
