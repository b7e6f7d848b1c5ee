# C++ tests and benchmarks: one program per file, named after it. Both link the objects of the
# library rather than the library, so that they reach kernels that it does not export. They are
# built by the targets cpp_tests and cpp_benchmarks, never by a build of the package.

function(pytensor_add_program name file)
  add_executable(
    ${name}
    EXCLUDE_FROM_ALL
    ${file}
    $<TARGET_OBJECTS:pytensor_objects>
    ${pytensor_isa_objects}
  )
  target_link_libraries(${name} PRIVATE pytensor_flags Threads::Threads ${CMAKE_DL_LIBS} ${ARGN})
endfunction()

function(pytensor_add_tests folder)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
  add_custom_target(cpp_tests)
  foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME_WE)
    pytensor_add_program(${name} ${file})
    add_dependencies(cpp_tests ${name})
    add_test(NAME ${name} COMMAND ${name})
  endforeach()
endfunction()

function(pytensor_add_benchmarks folder)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
  add_custom_target(cpp_benchmarks)
  foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME_WE)
    pytensor_add_program(bench_${name} ${file} benchmark::benchmark)
    add_dependencies(cpp_benchmarks bench_${name})
  endforeach()
endfunction()
