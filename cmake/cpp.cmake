# Tests of include/procsup.hpp.
#
#   c-tests/cpp/<behaviour>.cpp    one program, one test named cpp/<behaviour>: plain, and under sanitizers and valgrind
#   c-tests/lib/header.cpp         the header by itself, in every language standard that is promised; it is linked into each test
#                                  too: a function that is not inline would be there twice
#
# A test may hold, beside the tags of cmake/tests.cmake:
#   /* standard: 20 */              it needs a later one than C++17; where the compiler has none it is left out
#   /* flags: -fno-exceptions */    more options for the compiler
function(procsup_cpp_flags target standard)
  set_target_properties(${target} PROPERTIES CXX_STANDARD ${standard} CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE -Wpedantic -Wshadow -Wnon-virtual-dtor ${ARGN})
endfunction()

# Compiled once for those who want nothing else of the compiler: it takes as long as a test.
add_library(test-cpp-header OBJECT "${test_lib}/header.cpp")
procsup_test_flags(test-cpp-header)
procsup_cpp_flags(test-cpp-header 17)

file(GLOB sources CONFIGURE_DEPENDS "${test_dir}/cpp/*.cpp")
foreach(source IN LISTS sources)
  get_filename_component(behaviour "${source}" NAME_WE)
  procsup_tag("${source}" standard standard)
  procsup_tag("${source}" flags flags)
  if(NOT standard)
    set(standard 17)
  elseif(NOT cxx_std_${standard} IN_LIST CMAKE_CXX_COMPILE_FEATURES)
    continue()
  endif()
  separate_arguments(flags)
  set(header "${test_lib}/header.cpp")
  if(standard EQUAL 17 AND NOT flags)
    set(header $<TARGET_OBJECTS:test-cpp-header>)
  endif()
  procsup_test_program(cpp ${behaviour} "${source}" ${header})
  procsup_cpp_flags(${program} ${standard} ${flags})
  procsup_test(cpp ${behaviour} "${source}" $<TARGET_FILE:${program}>)
endforeach()

set(hpp_warnings -Wall -Wextra -Wpedantic -Werror -Wundef -Wshadow -Wconversion -Wsign-conversion
  -fsyntax-only "-I${PROJECT_SOURCE_DIR}/include")
include(CheckCXXCompilerFlag)
foreach(standard c++17 c++20 c++23)
  check_cxx_compiler_flag(-std=${standard} PROCSUP_HAS_${standard})
  if(PROCSUP_HAS_${standard})
    add_test(NAME cpp/header-${standard} COMMAND ${CMAKE_CXX_COMPILER} -std=${standard} ${hpp_warnings} "${test_lib}/header.cpp")
  endif()
endforeach()
add_test(NAME cpp/header_without_exceptions
  COMMAND ${CMAKE_CXX_COMPILER} -std=c++17 -fno-exceptions -fno-rtti ${hpp_warnings} "${test_lib}/header.cpp")
find_program(PROCSUP_CLANGXX clang++)
mark_as_advanced(PROCSUP_CLANGXX)
if(PROCSUP_CLANGXX)
  foreach(standard c++17 c++20 c++23)
    add_test(NAME cpp/header_with_clang-${standard} COMMAND sh -c
      "\"$1\" -std=${standard} -fsyntax-only -x c++ /dev/null 2>/dev/null || exit 77; exec \"$@\"" sh
      ${PROCSUP_CLANGXX} -std=${standard} ${hpp_warnings} "${test_lib}/header.cpp")
    set_tests_properties(cpp/header_with_clang-${standard} PROPERTIES SKIP_RETURN_CODE 77)
  endforeach()
endif()

# The C++ header leaves nothing of the C interface out.
add_test(NAME cpp/header_has_every_call COMMAND sh -c
  "for name in $(cat \"$1\"); do grep -qw \"$name\" \"$2\" || { echo \"$name is not used\"; missing=1; }; done; exit \${missing:-0}"
  sh "${PROJECT_SOURCE_DIR}/symbols.txt" "${PROJECT_SOURCE_DIR}/include/procsup.hpp")
