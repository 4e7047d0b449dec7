# The C tests.
#
#   c-tests/test_<behaviour>.c     one program, one test named <behaviour>; with PROCSUP_VARIANTS also <behaviour>@<variant>
#   c-tests/inject_<scenario>.c    swept with faults by scripts/inject_sweep.py (test inject_<scenario>)
#   scripts/handoff_sweep.py       a sample of its runs (test handoff_sweep), with helpers/handoff_server and helpers/handoff_client
#   c-tests/soak_<load>.c          long runs; as a test with the small default of the program (./x soak runs the big ones)
#   c-tests/helpers/               the tiny programs that tests spawn, and the tools `without` and `inject`
#   c-tests/header.c               the header by itself, in every language standard that is promised
#
# A test file may hold lines that begin with one of these comments:
#   /* timeout: 120 */             seconds, instead of 60 (300 for scenarios)
#   /* serial */                   busy with threads of its own: hardly anything runs beside it
#   /* as-root */                  label "root"
#   /* variants: none */           also: /* variants: not tier-fork, asan: reason */   /* variants: only no-clone3 */
# Exit code 77 is a skip.

set(test_dir "${PROJECT_SOURCE_DIR}/c-tests")
set(helper_dir "${PROJECT_BINARY_DIR}/c-tests/helpers")
find_program(PYTHON3_EXECUTABLE python3) # not find_package(Python3): older CMakes know no newer Pythons

# ---- helpers: never sanitized (but for generation), they are what the library runs, not what is tested ----

file(GLOB helper_sources CONFIGURE_DEPENDS "${test_dir}/helpers/*.c")
foreach(source IN LISTS helper_sources)
  get_filename_component(name "${source}" NAME_WE)
  add_executable(helper_${name} "${source}")
  set_target_properties(helper_${name} PROPERTIES
    OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY "${helper_dir}" C_STANDARD 11 C_EXTENSIONS ON)
  target_compile_options(helper_${name} PRIVATE -Wall -Wextra)
endforeach()
# A generation of a server is a host like a test: it uses the library, so it is sanitized as the tests are.
target_link_libraries(helper_generation PRIVATE procsup-program)
target_link_libraries(helper_handoff_server PRIVATE procsup-program)
foreach(name nothing storm)
  target_compile_options(helper_${name} PRIVATE -fno-pie -fno-stack-protector)
  target_link_options(helper_${name} PRIVATE -nostdlib -static -no-pie)
endforeach()

# ---- variants ----

# procsup_variant(NAME [ENV VARIABLE=VALUE] [WITHOUT RULE...]): the suite once more, with this environment or under these refusals.
set(variants "")
macro(procsup_variant name)
  cmake_parse_arguments(variant "" "" "ENV;WITHOUT" ${ARGN})
  list(APPEND variants ${name})
  set(variant_env_${name} ${variant_ENV})
  set(variant_without_${name} ${variant_WITHOUT})
endmacro()

if(PROCSUP_VARIANTS)
  procsup_variant(tier-clone ENV PROCSUP_SPAWN_PATH=clone)
  procsup_variant(tier-fork ENV PROCSUP_SPAWN_PATH=fork)
  procsup_variant(no-clone3 WITHOUT clone3=ENOSYS)
  procsup_variant(no-clone3-eperm WITHOUT clone3=EPERM)
  procsup_variant(no-close_range WITHOUT close_range=ENOSYS)
  procsup_variant(no-close_range-eperm WITHOUT close_range=EPERM)
  procsup_variant(no-pidfd_open WITHOUT pidfd_open=ENOSYS)
  procsup_variant(no-pidfd_send_signal WITHOUT pidfd_send_signal=ENOSYS)
  procsup_variant(no-pidfd-group-signal WITHOUT pidfd-group=EINVAL)
  procsup_variant(no-waitid-pidfd WITHOUT waitid-pidfd=EINVAL)
  procsup_variant(no-pidfd-info WITHOUT pidfd-info=ENOTTY)
  # What came after 5.4. (5.4 has clone3, but answers EINVAL to the flags that we need.)
  procsup_variant(old-kernel-5.4 WITHOUT clone3=ENOSYS close_range=ENOSYS pidfd-group=EINVAL pidfd-info=ENOTTY
    openat2=ENOSYS pidfd_getfd=ENOSYS faccessat2=ENOSYS epoll_pwait2=ENOSYS peer-pidfd=ENOPROTOOPT)
  # A container whose profile knows none of the newer calls and says EPERM.
  procsup_variant(locked-down WITHOUT clone3=EPERM close_range=EPERM pidfd_open=EPERM pidfd_send_signal=EPERM waitid-pidfd=EPERM
    pidfd-info=EPERM openat2=EPERM pidfd_getfd=EPERM faccessat2=EPERM)
endif()

# Each refusal is one: otherwise its variant would be the plain suite once more.
foreach(variant IN LISTS variants)
  if(variant_without_${variant})
    add_test(NAME variant-${variant} COMMAND helper_without ${variant_without_${variant}} -- $<TARGET_FILE:helper_answers> ${variant_without_${variant}})
    set_tests_properties(variant-${variant} PROPERTIES SKIP_RETURN_CODE 77 LABELS ${variant})
  endif()
endforeach()

# How this build folder runs its tests; a name that tests may opt out of, as of a variant.
set(build_variant "")
set(slowness 1)
if(PROCSUP_SANITIZE)
  set(build_variant asan)
  set(slowness 3)
elseif(PROCSUP_TEST_LAUNCHER)
  list(GET PROCSUP_TEST_LAUNCHER 0 launcher)
  get_filename_component(build_variant "${launcher}" NAME)
  set(slowness 10)
endif()

# Sets `out` to whether the tag text of a test file wants this variant.
function(procsup_wants text variant out)
  string(REGEX REPLACE ":.*" "" words "${text}") # what follows is the reason
  string(REPLACE "," " " words "${words}")
  separate_arguments(words)
  set(wants ON)
  if(text MATCHES "^none" OR (text MATCHES "^not" AND variant IN_LIST words) OR (text MATCHES "^only" AND NOT variant IN_LIST words))
    set(wants OFF)
  endif()
  set(${out} ${wants} PARENT_SCOPE)
endfunction()

set(above_the_engine "^(supervisor_|sc[0-9]|restart_|replicas_|lines_|output_file_|input_|rp[0-9]|lent_|blocking_|event_|exit_costs|p02|p25_lines|handoff_)")

# procsup_test(NAME SOURCE COMMAND...): a test by the tags of its source file, plain and in all variants.
function(procsup_test name source)
  procsup_tag("${source}" timeout timeout)
  procsup_tag("${source}" serial serial)
  procsup_tag("${source}" as-root root)
  procsup_tag("${source}" variants wanted)
  if(NOT timeout)
    set(timeout 60)
    if(name MATCHES "^inject_")
      set(timeout 300)
    endif()
  endif()
  math(EXPR timeout "${timeout} * ${slowness}")
  set(labels "")
  if(root)
    list(APPEND labels root)
  endif()
  set(common TIMEOUT ${timeout} SKIP_RETURN_CODE 77)
  if(name MATCHES "^(inject_|soak_)") # these never wait: as many side by side as there are CPUs, where ./x starts twice as many tests
    list(APPEND common PROCESSORS 2)
  endif()
  if(serial) # busy with threads of its own: beside it only one that most likely waits
    list(APPEND common PROCESSORS 3)
  endif()
  set(environment "PROCSUP_TEST_SLOWNESS=${slowness}" "LSAN_OPTIONS=print_suppressions=0:suppressions=${PROJECT_SOURCE_DIR}/scripts/lsan.supp")
  set(plain ON)
  if(build_variant)
    procsup_wants("${wanted}" ${build_variant} plain)
  endif()
  if(plain)
    add_test(NAME ${name} COMMAND ${PROCSUP_TEST_LAUNCHER} ${ARGN})
    set_tests_properties(${name} PROPERTIES ${common} ENVIRONMENT "${environment};PROCSUP_TEST_VARIANT=${build_variant}")
    set_property(TEST ${name} PROPERTY LABELS ${labels})
  endif()
  foreach(variant IN LISTS variants)
    procsup_wants("${wanted}" ${variant} wants)
    # What the supervisor does above the spawn engine meets the kernel's poorer sides in these two.
    if(name MATCHES "${above_the_engine}" AND NOT wanted AND NOT variant MATCHES "^(tier-fork|locked-down)$")
      set(wants OFF)
    endif()
    # Who is at the other end is asked in another way before Linux 6.5; how the successor was made matters to nobody after its exec.
    if(name MATCHES "^handoff_" AND NOT wanted)
      string(REGEX MATCH "^(locked-down|old-kernel-5.4)$" wants "${variant}")
    endif()
    if(wants)
      set(under "")
      if(variant_without_${variant})
        set(under $<TARGET_FILE:helper_without> ${variant_without_${variant}} --)
      endif()
      add_test(NAME ${name}@${variant} COMMAND ${under} ${ARGN})
      set_tests_properties(${name}@${variant} PROPERTIES ${common}
        ENVIRONMENT "${environment};PROCSUP_TEST_VARIANT=${variant};${variant_env_${variant}}")
      set_property(TEST ${name}@${variant} PROPERTY LABELS ${labels} ${variant})
    endif()
  endforeach()
endfunction()

# ---- behaviours, fault injection, soak ----

# One executable per source file, beside this list's own folder in the build tree.
function(procsup_test_program name source)
  procsup_program(${name} "${source}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/c-tests")
  target_compile_definitions(${name} PRIVATE HELPER_DIR="${helper_dir}")
  target_link_libraries(${name} PRIVATE ${CMAKE_DL_LIBS}) # handoff_beside.h; of its own before glibc 2.34
endfunction()

file(GLOB test_sources CONFIGURE_DEPENDS "${test_dir}/test_*.c")
foreach(source IN LISTS test_sources)
  get_filename_component(program "${source}" NAME_WE)
  string(REGEX REPLACE "^test_" "" name ${program})
  procsup_test_program(${program} "${source}")
  procsup_test(${name} "${source}" $<TARGET_FILE:${program}>)
endforeach()

file(GLOB inject_sources CONFIGURE_DEPENDS "${test_dir}/inject_*.c")
foreach(source IN LISTS inject_sources)
  get_filename_component(name "${source}" NAME_WE)
  procsup_test_program(${name} "${source}")
  if(PYTHON3_EXECUTABLE AND NOT build_variant) # sanitizers and emulators make calls of their own, which must not fail
    procsup_test(${name} "${source}"
      ${PYTHON3_EXECUTABLE} "${PROJECT_SOURCE_DIR}/scripts/inject_sweep.py" --inject $<TARGET_FILE:helper_inject> $<TARGET_FILE:${name}>)
  endif()
endforeach()

# Real kills, stops and errnos in both parties of a handoff under traffic; each 43rd of some 5800 faults here, all by the script without --share.
if(PYTHON3_EXECUTABLE AND NOT build_variant)
  add_test(NAME handoff_sweep COMMAND ${PYTHON3_EXECUTABLE} "${PROJECT_SOURCE_DIR}/scripts/handoff_sweep.py" --bin "${helper_dir}" --share 1/43 --jobs 4)
  set_tests_properties(handoff_sweep PROPERTIES TIMEOUT 180 SKIP_RETURN_CODE 77 PROCESSORS 2)
endif()

file(GLOB soak_sources CONFIGURE_DEPENDS "${test_dir}/soak_*.c")
foreach(source IN LISTS soak_sources)
  get_filename_component(name "${source}" NAME_WE)
  procsup_test_program(${name} "${source}")
  procsup_test(${name} "${source}" $<TARGET_FILE:${name}>)
endforeach()

# ---- docs/guide/containment.md says what the library does ----

if(PYTHON3_EXECUTABLE AND NOT build_variant)
  add_test(NAME containment-table-in-docs COMMAND ${PYTHON3_EXECUTABLE} "${PROJECT_SOURCE_DIR}/scripts/containment_table.py"
    $<TARGET_FILE:test_containment_table> "${PROJECT_SOURCE_DIR}/docs/guide/containment.md")
  set_tests_properties(containment-table-in-docs PROPERTIES TIMEOUT 180 SKIP_RETURN_CODE 77)
endif()

# ---- the header, by itself ----

set(header_warnings -Wall -Wextra -Wpedantic -Werror -Wundef -fsyntax-only "-I${PROJECT_SOURCE_DIR}/include")
include(CheckLanguage)
include(CheckCCompilerFlag)
foreach(standard c99 c11 c17 c2x)
  check_c_compiler_flag(-std=${standard} PROCSUP_HAS_${standard})
  if(PROCSUP_HAS_${standard})
    add_test(NAME header-${standard} COMMAND ${CMAKE_C_COMPILER} -std=${standard} ${header_warnings} -Wstrict-prototypes "${test_dir}/header.c")
  endif()
endforeach()
check_language(CXX)
if(CMAKE_CXX_COMPILER)
  enable_language(CXX)
  include(CheckCXXCompilerFlag)
  foreach(standard c++11 c++17 c++20)
    check_cxx_compiler_flag(-std=${standard} PROCSUP_HAS_${standard})
    if(PROCSUP_HAS_${standard})
      add_test(NAME header-${standard} COMMAND ${CMAKE_CXX_COMPILER} -x c++ -std=${standard} ${header_warnings} "${test_dir}/header.c")
    endif()
  endforeach()
endif()

# ---- the library file, and what is installed of it ----

add_test(NAME library-file
  COMMAND "${PROJECT_SOURCE_DIR}/scripts/check_library.sh" "${PROCSUP_SHARED_FILE}" "${PROJECT_SOURCE_DIR}/symbols.txt" ${PROCSUP_SONAME})
if(PROCSUP_INSTALL)
  add_test(NAME installed-package COMMAND "${PROJECT_SOURCE_DIR}/scripts/check_install.sh"
    "${CMAKE_COMMAND}" "${PROJECT_BINARY_DIR}" "${CMAKE_C_COMPILER}" ${PROJECT_VERSION} ${PROCSUP_SONAME})
  set_tests_properties(installed-package PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
endif()
