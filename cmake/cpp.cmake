# Tests of include/procsup.hpp.
#
#   c-tests/test_cpp_<behaviour>.cpp   one program, one test named cpp_<behaviour>: plain, and under sanitizers and valgrind; no variants,
#                                      because below the header all is tested through C
#   c-tests/header.cpp                 the header by itself, in every language standard that is promised; it is linked into each test
#                                      too: a function that is not inline would be there twice
file(GLOB cpp_tests CONFIGURE_DEPENDS "${test_dir}/test_cpp_*.cpp")
set(all_variants "${variants}")
set(variants "")
foreach(source IN LISTS cpp_tests)
  get_filename_component(program "${source}" NAME_WE)
  string(REGEX REPLACE "^test_" "" name ${program})
  procsup_test_program(${name} "${source};${test_dir}/header.cpp")
  set_target_properties(${name} PROPERTIES CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
  target_compile_options(${name} PRIVATE -Wpedantic -Wshadow -Wnon-virtual-dtor)
  procsup_test(${name} "${source}" $<TARGET_FILE:${name}>)
endforeach()
set(variants "${all_variants}")

set(hpp_warnings -Wall -Wextra -Wpedantic -Werror -Wundef -Wshadow -Wconversion -Wsign-conversion
  -fsyntax-only "-I${PROJECT_SOURCE_DIR}/include")
include(CheckCXXCompilerFlag)
foreach(standard c++17 c++20 c++23)
  check_cxx_compiler_flag(-std=${standard} PROCSUP_HAS_${standard})
  if(PROCSUP_HAS_${standard})
    add_test(NAME hpp-${standard} COMMAND ${CMAKE_CXX_COMPILER} -std=${standard} ${hpp_warnings} "${test_dir}/header.cpp")
  endif()
endforeach()
add_test(NAME hpp-without-exceptions
  COMMAND ${CMAKE_CXX_COMPILER} -std=c++17 -fno-exceptions -fno-rtti ${hpp_warnings} "${test_dir}/header.cpp")
find_program(PROCSUP_CLANGXX clang++)
mark_as_advanced(PROCSUP_CLANGXX)
if(PROCSUP_CLANGXX)
  add_test(NAME hpp-clang COMMAND ${PROCSUP_CLANGXX} -std=c++17 ${hpp_warnings} "${test_dir}/header.cpp")
endif()

# The C++ header leaves nothing of the C interface out.
add_test(NAME hpp-has-every-call COMMAND sh -c
  "for name in $(cat \"$1\"); do grep -qw \"$name\" \"$2\" || { echo \"$name is not used\"; missing=1; }; done; exit \${missing:-0}"
  sh "${PROJECT_SOURCE_DIR}/symbols.txt" "${PROJECT_SOURCE_DIR}/include/procsup.hpp")
