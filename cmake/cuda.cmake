# libpytensor_cuda: the kernels and the runtime of cuda devices. libpytensor opens it on first use and
# needs neither it nor CUDA. EMULATE compiles the same files with the C++ compiler against
# csrc/cuda/emu, which lets tests use cuda devices on machines without one; never for a release
# (tools/check_wheel.py refuses it).

# All of "80;90;100;120" are checked (tools/check_cuda.py). Each takes about 2 MB of a wheel, so a
# wheel holds the machine code of one, and the PTX that the drivers of the others compile when a
# file's kernels are first used, and keep.
set(PYTENSOR_CUDA_ARCHITECTURES 90 CACHE STRING "Compute capabilities to compile for")
set(
  PYTENSOR_CUDA_PTX
  80
  CACHE STRING
  "Compute capability of the PTX from which all of them are made, and which newer devices compile"
)

file(GLOB_RECURSE pytensor_cuda_sources CONFIGURE_DEPENDS csrc/cuda/*.cu)

# CHECKED builds the emulated library twice: libpytensor_cuda_checked, which PYTENSOR_CUDA_LIBRARY
# chooses, sees every access to memory (csrc/cuda/emu/checks.cpp) and is slower.
function(pytensor_add_emulated name optimization)
  add_library(${name} MODULE ${pytensor_cuda_sources} ${pytensor_emulator})
  target_link_libraries(${name} PRIVATE pytensor_flags)
  target_compile_definitions(${name} PRIVATE PT_CUDA_EMULATION)
  # The host's own contractions would differ from those of any GPU.
  target_compile_options(${name} PRIVATE ${optimization} -ffp-contract=off -fno-strict-aliasing)
endfunction()

set(pytensor_cuda_targets pytensor_cuda)
if(PYTENSOR_CUDA MATCHES "^(EMULATE|CHECKED)$")
  file(GLOB pytensor_emulator CONFIGURE_DEPENDS csrc/cuda/emu/*.cpp)
  # In the checked library the kernels' files alone are instrumented. The sanitizer's library is not
  # linked: checks.cpp takes its place. Elements of packs stay together, so that their alignment
  # is seen.
  set(kernels ${pytensor_cuda_sources})
  list(FILTER kernels EXCLUDE REGEX "/cuda/runtime/")
  set(in_checked $<STREQUAL:$<TARGET_PROPERTY:NAME>,pytensor_cuda_checked>)
  set_source_files_properties(
    ${pytensor_cuda_sources}
    PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++;-Wno-unused-function"
  )
  set_property(
    SOURCE ${kernels}
    APPEND
    PROPERTY COMPILE_OPTIONS "$<${in_checked}:-fsanitize=thread;-O1;-g1;-fno-tree-sra>"
  )
  pytensor_add_emulated(pytensor_cuda "-O3;-march=native")
  set_property(
    SOURCE csrc/core/device_runtime.cpp
    APPEND
    PROPERTY COMPILE_DEFINITIONS PT_CUDA_EMULATED
  )
  if(PYTENSOR_CUDA STREQUAL "CHECKED")
    pytensor_add_emulated(pytensor_cuda_checked -O1)
    target_compile_definitions(pytensor_cuda_checked PRIVATE PT_EMU_CHECKED)
    list(APPEND pytensor_cuda_targets pytensor_cuda_checked)
  endif()
else()
  if(PYTENSOR_CCACHE AND NOT CMAKE_CUDA_COMPILER_LAUNCHER)
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${PYTENSOR_CCACHE})
  endif()
  enable_language(CUDA)
  # One PTX for all: it takes half the time, and the front end for compute_100 and newer unrolls so
  # much that kernels are a third longer and spill.
  list(TRANSFORM PYTENSOR_CUDA_ARCHITECTURES PREPEND sm_ OUTPUT_VARIABLE names)
  list(JOIN names "," code)
  list(JOIN names " " names)
  set(ptx compute_${PYTENSOR_CUDA_PTX})
  # Its images are read by drivers from 580 on, which CUDA 13 needs anyway.
  if(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
    set(compression --compress-mode=size)
  else()
    set(compression -Xfatbin=-compress-all)
  endif()
  add_library(pytensor_cuda MODULE ${pytensor_cuda_sources})
  set_target_properties(
    pytensor_cuda
    PROPERTIES
      CUDA_ARCHITECTURES OFF
      CUDA_STANDARD 20
      CUDA_STANDARD_REQUIRED ON
      CUDA_RUNTIME_LIBRARY Static
  )
  target_link_options(
    pytensor_cuda
    PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/cuda.map -Wl,--gc-sections
  )
  set_property(TARGET pytensor_cuda PROPERTY LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/cuda.map)
  target_include_directories(pytensor_cuda PRIVATE ${PROJECT_SOURCE_DIR}/csrc)
  target_compile_definitions(pytensor_cuda PRIVATE PT_CUDA_ARCHITECTURES="${names}")
  target_compile_options(
    pytensor_cuda
    PRIVATE
      "SHELL:-gencode arch=${ptx},code=[${code},${ptx}]"
      ${compression}
      --expt-relaxed-constexpr
      -Xcompiler=-Wall,-Wextra
      $<$<BOOL:${PYTENSOR_WERROR}>:-Werror=all-warnings>
  )
endif()

foreach(target IN LISTS pytensor_cuda_targets)
  set_target_properties(
    ${target}
    PROPERTIES
      CXX_VISIBILITY_PRESET hidden
      CUDA_VISIBILITY_PRESET hidden
      VISIBILITY_INLINES_HIDDEN ON
  )
  target_link_libraries(${target} PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
  target_link_options(${target} PRIVATE -Wl,--exclude-libs,ALL -Wl,--no-undefined)
  install(TARGETS ${target} LIBRARY DESTINATION pytensor/lib)
endforeach()
