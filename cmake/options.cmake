# Build options and the compile flags that every target shares. Included once by CMakeLists.txt;
# per-instruction-set flags live in isa.cmake.

option(PYTENSOR_PYTHON "Build the Python extension pytensor/_C" ON)
option(PYTENSOR_TESTS "Build tests/cpp as ctest programs" OFF)
option(PYTENSOR_BENCHMARKS "Build benchmarks/cpp (needs Google Benchmark)" OFF)
option(PYTENSOR_WERROR "Treat compiler warnings as errors (continuous integration)" OFF)
set(
  PYTENSOR_CUDA
  OFF
  CACHE STRING
  "Build the CUDA library: ON (needs nvcc 12.8 or newer), EMULATE (a host that plays the device, for tests), CHECKED (EMULATE, and a second library that checks memory), OFF"
)
set(PYTENSOR_SANITIZE "" CACHE STRING "Sanitizers to build with, e.g. address,undefined")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_INSTALL_MESSAGE LAZY)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g -DNDEBUG")

find_program(PYTENSOR_CCACHE ccache)
if(PYTENSOR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${PYTENSOR_CCACHE})
endif()

# -fno-math-errno and -fno-trapping-math let the vectoriser work without changing any result;
# -ffast-math would change results and is never used. Paths are mapped so that no directory of the
# build machine ends up in a binary.
add_library(pytensor_flags INTERFACE)
target_compile_options(
  pytensor_flags
  INTERFACE
    -Wall
    -Wextra
    $<$<BOOL:${PYTENSOR_WERROR}>:-Werror>
    -fno-math-errno
    -fno-trapping-math
    -fno-semantic-interposition
    -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=
    -ffile-prefix-map=${CMAKE_BINARY_DIR}/=
)
target_include_directories(pytensor_flags INTERFACE ${PROJECT_SOURCE_DIR}/csrc)

# Calls go through the table of addresses directly instead of a stub: Python thunk -> dispatch ->
# kernel crosses two libraries. Thread-local state read on every op uses the static block where the
# C library has room for it (glibc; tests/test_packaging.py bounds its size).
include(CheckCXXSymbolExists)
check_cxx_symbol_exists(__GLIBC__ features.h PYTENSOR_GLIBC)
if(NOT PYTENSOR_SANITIZE)
  target_compile_options(pytensor_flags INTERFACE -fno-plt)
  if(PYTENSOR_GLIBC)
    target_compile_options(pytensor_flags INTERFACE -ftls-model=initial-exec)
  endif()
else()
  # With the null checks GCC no longer takes addresses in constant expressions for non-null, which
  # the schemas parsed at compile time need.
  target_compile_options(
    pytensor_flags
    INTERFACE
      -fsanitize=${PYTENSOR_SANITIZE}
      -fno-sanitize=null,nonnull-attribute,returns-nonnull-attribute
      -fno-sanitize-recover=undefined
      -fno-omit-frame-pointer
      $<$<CONFIG:Debug>:-O1>
      -g1
  )
  target_link_options(pytensor_flags INTERFACE -fsanitize=${PYTENSOR_SANITIZE})
endif()
