# The C tests. Each room (a folder) holds programs of one behaviour each.
#
#   c-tests/<room>/<behaviour>.c   one program, one test named <room>/<behaviour>; with PROCSUP_VARIANTS also <room>/<behaviour>@<variant>
#   c-tests/inject/<scenario>.c    not run by itself, but swept with faults by scripts/inject_sweep.py
#   c-tests/soak/<load>.c          long runs; as a test with the small default of the program (./x soak runs the big ones)
#   c-tests/fuzz/boundary.c        a stateful fuzzer; as a test with some fixed seeds (./x fuzz boundary goes on with others)
#   c-tests/cpp/<behaviour>.cpp    tests of include/procsup.hpp: cmake/cpp.cmake
#   c-tests/helpers/               the tiny programs that tests spawn, and the tools `without` and `inject`
#   c-tests/lib/                   headers that tests share; the public headers by themselves, in every language standard that is promised
#
# A test file may hold lines that begin with one of these comments:
#   /* covers: EV-11, LAW-10 */    the requirements that it shows (scripts/coverage.py makes docs/evidence/coverage from them)
#   /* timeout: 120 */             seconds, instead of those of its room
#   /* serial */                   busy with threads of its own: hardly anything runs beside it
#   /* as-root */                  label "root"
#   /* share: 3 */                 of a sweep only each third fault; PROCSUP_SWEEP=1 ./x test inject does another third, PROCSUP_SWEEP=all all
#   /* variants: all */            in which variants it runs, where that is not what its room says: all, a set (below), none;
#                                  /* variants: not tier-fork, asan: reason */   /* variants: only no-clone3 */
# Exit code 77 is a skip.

set(test_dir "${PROJECT_SOURCE_DIR}/c-tests")
set(test_lib "${test_dir}/lib")
set(helper_dir "${PROJECT_BINARY_DIR}/c-tests/helpers")
find_program(PYTHON3_EXECUTABLE python3) # not find_package(Python3): older CMakes know no newer Pythons

# `room-<name>` builds what a room needs.
add_custom_target(room-helpers)

# ---- helpers: never sanitized (but for generation), they are what the library runs, not what is tested ----

file(GLOB helper_sources CONFIGURE_DEPENDS "${test_dir}/helpers/*.c")
foreach(source IN LISTS helper_sources)
  get_filename_component(name "${source}" NAME_WE)
  add_executable(helper_${name} "${source}")
  set_target_properties(helper_${name} PROPERTIES
    OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY "${helper_dir}" C_STANDARD 11 C_EXTENSIONS ON)
  target_compile_options(helper_${name} PRIVATE -Wall -Wextra)
  target_include_directories(helper_${name} PRIVATE "${test_lib}")
  add_dependencies(room-helpers helper_${name})
endforeach()
# A generation of a server is a host like a test: it uses the library, so it is sanitized as the tests are.
target_link_libraries(helper_generation PRIVATE procsup-program)
target_link_libraries(helper_handoff_server PRIVATE procsup-program)
# So is an application that forks workers.
target_link_libraries(helper_native_server PRIVATE procsup-program)
target_link_libraries(helper_native_overseer PRIVATE procsup-program)
target_link_libraries(helper_native_app PRIVATE procsup-program)
target_link_libraries(helper_native_promotable PRIVATE procsup-program)
target_include_directories(helper_raw_preloader PRIVATE "${PROJECT_SOURCE_DIR}/include")
target_link_libraries(helper_systemd_service PRIVATE ${CMAKE_DL_LIBS}) # of its own before glibc 2.34
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
  procsup_variant(tier-clone ENV PROCSUP_SPAWN_TIER=clone)
  procsup_variant(tier-fork ENV PROCSUP_SPAWN_TIER=fork)
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
    openat2=ENOSYS fchmodat2=ENOSYS pidfd_getfd=ENOSYS faccessat2=ENOSYS epoll_pwait2=ENOSYS peer-pidfd=ENOPROTOOPT)
  # A container whose profile knows none of the newer calls and says EPERM.
  procsup_variant(locked-down WITHOUT clone3=EPERM close_range=EPERM pidfd_open=EPERM pidfd_send_signal=EPERM waitid-pidfd=EPERM
    pidfd-info=EPERM openat2=EPERM fchmodat2=EPERM pidfd_getfd=EPERM faccessat2=EPERM)
endif()

# Each refusal is one: otherwise its variant would be the plain suite once more.
foreach(variant IN LISTS variants)
  if(variant_without_${variant})
    add_test(NAME helpers/without@${variant} COMMAND helper_without ${variant_without_${variant}} -- $<TARGET_FILE:helper_answers> ${variant_without_${variant}})
    set_tests_properties(helpers/without@${variant} PROPERTIES SKIP_RETURN_CODE 77 LABELS ${variant})
  endif()
endforeach()

# How this build folder runs its tests; a name that tests may opt out of, as of a variant.
set(build_variant "")
set(slowness 1)
if(PROCSUP_SANITIZE STREQUAL "thread")
  set(build_variant tsan)
  set(slowness 5)
elseif(PROCSUP_SANITIZE)
  set(build_variant asan)
  set(slowness 3)
elseif(PROCSUP_TEST_LAUNCHER)
  list(GET PROCSUP_TEST_LAUNCHER 0 launcher)
  get_filename_component(build_variant "${launcher}" NAME)
  set(slowness 10)
endif()

# Sets of variants that have a name. What is done above the spawn engine meets the kernel's poorer sides in these two:
set(variants_few tier-fork locked-down)
# Who is at the other end is asked in another way before Linux 6.5; how the successor was made matters to nobody after its exec.
set(variants_peer locked-down old-kernel-5.4)
# A session is files and proofs above one spawn, which the room process sees in every variant.
set(variants_session tier-fork locked-down old-kernel-5.4)
# The laws hold on each tier; what each single refusal leads to is the room process's, and these two have them all.
set(variants_tiers tier-clone tier-fork locked-down old-kernel-5.4)

# EPERM leads to the same fallback as ENOSYS. That it does is seen in every start of a child (room process), and with all else refused, too.
set(variants_once "${variants}")
list(REMOVE_ITEM variants_once no-clone3-eperm no-close_range-eperm)

# Sets `out` to whether a test runs in this variant, by the text of its tag, or else by what its room says. (asan and valgrind are no variants
# that a set could name: there only "none", "not" and "only" leave a test out.)
function(procsup_wants text default variant out)
  string(REGEX REPLACE ":.*" "" words "${text}") # what follows is the reason
  string(REPLACE "," " " words "${words}")
  separate_arguments(words)
  if(NOT words)
    set(words ${default})
  endif()
  list(GET words 0 kind)
  set(wants ON)
  if(kind STREQUAL "none" OR (kind STREQUAL "not" AND variant IN_LIST words) OR (kind STREQUAL "only" AND NOT variant IN_LIST words)
      OR (DEFINED variants_${kind} AND variant IN_LIST variants AND NOT variant IN_LIST variants_${kind}))
    set(wants OFF)
  elseif(NOT kind MATCHES "^(all|none|not|only)$" AND NOT DEFINED variants_${kind})
    message(FATAL_ERROR "variants: ${text}: no such set")
  endif()
  set(${out} ${wants} PARENT_SCOPE)
endfunction()

# procsup_room(NAME VARIANTS SET [TIMEOUT SECONDS] [PROCESSORS COUNT] [COST SECONDS]): what holds for its tests if their tags say nothing else.
macro(procsup_room name)
  cmake_parse_arguments(room_${name} "" "VARIANTS;TIMEOUT;PROCESSORS;COST" "" ${ARGN})
  add_custom_target(room-${name})
  add_dependencies(room-${name} room-helpers)
endmacro()

procsup_room(boundary VARIANTS once)    # handles, errors, versions, structures: what crosses the C interface
procsup_room(laws VARIANTS tiers)       # what a library may do to the program it lives in, and what always holds
procsup_room(process VARIANTS all)      # one child, from its command to its exit; everything at once
procsup_room(output VARIANTS few)       # what children say and are told: capture, lines, files, input
procsup_room(coordination VARIANTS few) # who may be started, once, when it is ready; and the other side of that
procsup_room(containment VARIANTS tiers) # nobody gets away: control groups, subreapers, children that end with their host
procsup_room(supervisor VARIANTS few)   # many children: events, limits, restarts, shutdown
procsup_room(preloader VARIANTS session) # workers with a session, started directly or through a preloader
procsup_room(interop VARIANTS none)     # workers and preloaders that others have written; what of them is not installed is skipped
procsup_room(handoff VARIANTS peer)     # one generation of a server replaces the other
procsup_room(cpp VARIANTS none)         # below the C++ header all is tested through C
# These hardly wait: two side by side for each that there is a CPU, where ./x starts three times as many tests. They take long, so they begin.
procsup_room(inject VARIANTS none TIMEOUT 600 PROCESSORS 2 COST 100)
procsup_room(soak VARIANTS none PROCESSORS 2 COST 200)
procsup_room(fuzz VARIANTS few)         # every call with anything, some fixed seeds

# procsup_test(ROOM NAME SOURCE COMMAND...): a test by its room and the tags of its source file, plain and in its variants.
function(procsup_test room behaviour source)
  set(name ${room}/${behaviour})
  procsup_tag("${source}" timeout timeout)
  procsup_tag("${source}" serial serial)
  procsup_tag("${source}" as-root root)
  procsup_tag("${source}" variants wanted)
  if(NOT timeout)
    set(timeout 120)
    if(room_${room}_TIMEOUT)
      set(timeout ${room_${room}_TIMEOUT})
    endif()
  endif()
  math(EXPR timeout "${timeout} * ${slowness}")
  set(labels "")
  if(root)
    list(APPEND labels root)
  endif()
  set(common TIMEOUT ${timeout} SKIP_RETURN_CODE 77)
  if(serial) # busy with threads of its own: beside it only one or two that most likely wait
    list(APPEND common PROCESSORS 4)
  elseif(room_${room}_PROCESSORS)
    list(APPEND common PROCESSORS ${room_${room}_PROCESSORS})
  endif()
  if(room_${room}_COST) # the longest first, or the last of them run while nothing else is left
    list(APPEND common COST ${room_${room}_COST})
  elseif(serial OR timeout GREATER 120)
    list(APPEND common COST 50)
  endif()
  set(environment "PROCSUP_TEST_SLOWNESS=${slowness}" "LSAN_OPTIONS=print_suppressions=0:suppressions=${PROJECT_SOURCE_DIR}/scripts/lsan.supp")
  set(plain ON)
  if(build_variant)
    procsup_wants("${wanted}" all ${build_variant} plain)
  endif()
  set(told_variant "${build_variant}")
  if(plain AND build_variant STREQUAL "tsan") # a child on shared memory would be a thread that it knows nothing of: the fork tier, then
    procsup_wants("${wanted}" all tier-fork plain)
    set(told_variant tier-fork)
    list(APPEND environment PROCSUP_SPAWN_TIER=fork)
  endif()
  if(plain)
    add_test(NAME ${name} COMMAND ${PROCSUP_TEST_LAUNCHER} ${ARGN})
    set_tests_properties(${name} PROPERTIES ${common} ENVIRONMENT "${environment};PROCSUP_TEST_VARIANT=${told_variant}")
    set_property(TEST ${name} PROPERTY LABELS ${labels})
  endif()
  foreach(variant IN LISTS variants)
    procsup_wants("${wanted}" ${room_${room}_VARIANTS} ${variant} wants)
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

# What every test is compiled with. What all include first, harness.h, is compiled once, with the same words: a third of a test's time.
function(procsup_test_flags target)
  set_target_properties(${target} PROPERTIES C_STANDARD 11 C_EXTENSIONS ON)
  target_include_directories(${target} PRIVATE "${test_lib}")
  target_compile_definitions(${target} PRIVATE HELPER_DIR="${helper_dir}")
  target_link_libraries(${target} PRIVATE procsup-program ${CMAKE_DL_LIBS}) # handoff_beside.h; of its own before glibc 2.34
endfunction()

set(no_source "${PROJECT_BINARY_DIR}/c-tests/harness.c")
if(NOT EXISTS "${no_source}")
  file(WRITE "${no_source}" "typedef int nothing;\n")
endif()
add_library(test-harness OBJECT "${no_source}")
procsup_test_flags(test-harness)
target_precompile_headers(test-harness PRIVATE "${test_lib}/harness.h")

# procsup_test_program(ROOM BEHAVIOUR SOURCE...): its executable, in the room's folder of the build tree; sets `program` to its target.
function(procsup_test_program room behaviour)
  set(target ${room}.${behaviour})
  add_executable(${target} ${ARGN})
  procsup_test_flags(${target})
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME ${behaviour} RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/c-tests/${room}")
  add_dependencies(room-${room} ${target})
  set(program ${target} PARENT_SCOPE)
endfunction()

foreach(room boundary laws process output containment coordination supervisor preloader interop handoff inject soak fuzz)
  file(GLOB sources CONFIGURE_DEPENDS "${test_dir}/${room}/*.c")
  foreach(source IN LISTS sources)
    get_filename_component(behaviour "${source}" NAME_WE)
    procsup_test_program(${room} ${behaviour} "${source}")
    target_precompile_headers(${program} REUSE_FROM test-harness)
    if(NOT room STREQUAL "inject")
      procsup_test(${room} ${behaviour} "${source}" $<TARGET_FILE:${program}>)
    elseif(PYTHON3_EXECUTABLE AND NOT build_variant) # sanitizers and emulators make calls of their own, which must not fail
      procsup_tag("${source}" share share)
      if(NOT share)
        set(share 1)
      endif()
      procsup_test(${room} ${behaviour} "${source}"
        ${PYTHON3_EXECUTABLE} "${PROJECT_SOURCE_DIR}/scripts/inject_sweep.py" --inject $<TARGET_FILE:helper_inject> --share ${share} $<TARGET_FILE:${program}>)
    endif()
  endforeach()
endforeach()

# Real kills, stops and errnos in both parties of a handoff under traffic; each 43rd of some 5800 faults here, all by the script without --share.
if(PYTHON3_EXECUTABLE AND NOT build_variant)
  add_test(NAME inject/handoff_sweep COMMAND ${PYTHON3_EXECUTABLE} "${PROJECT_SOURCE_DIR}/scripts/handoff_sweep.py" --bin "${helper_dir}" --share 1/101 --jobs 4)
  set_tests_properties(inject/handoff_sweep PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77 PROCESSORS 2 COST 100)
endif()

# ---- docs/evidence/coverage says which test shows which requirement ----

if(PYTHON3_EXECUTABLE)
  add_test(NAME boundary/coverage_pages COMMAND ${PYTHON3_EXECUTABLE} "${PROJECT_SOURCE_DIR}/scripts/coverage.py" --check)
endif()

# ---- ./x in its first second ----

if(PYTHON3_EXECUTABLE AND NOT build_variant)
  add_test(NAME boundary/front_door COMMAND ${PYTHON3_EXECUTABLE} -W ignore "${PROJECT_SOURCE_DIR}/scripts/front_door.py")
  set_tests_properties(boundary/front_door PROPERTIES TIMEOUT 120)
endif()

# ---- the manifests of examples/kubernetes, and what docs/scaling.md says of their values ----

# covers: C16-5
if(PYTHON3_EXECUTABLE AND NOT build_variant)
  add_test(NAME boundary/manifests COMMAND ${PYTHON3_EXECUTABLE} "${PROJECT_SOURCE_DIR}/scripts/manifests.py")
endif()

# ---- the header says what each call may answer: held against what it was seen to answer in these ----

if(PYTHON3_EXECUTABLE AND NOT build_variant)
  file(GLOB sources CONFIGURE_DEPENDS "${test_dir}/boundary/*.c" "${test_dir}/handoff/wrong_answers*.c" "${test_dir}/handoff/freed_*.c"
    "${test_dir}/handoff/exec_fails.c" "${test_dir}/handoff/waiting_*.c" "${test_dir}/handoff/commands_that_*.c" "${test_dir}/handoff/cancel_*.c"
    "${test_dir}/supervisor/*pending*.c" "${test_dir}/supervisor/freed_*.c" "${test_dir}/supervisor/*queue*.c" "${test_dir}/supervisor/replicas_*.c"
    "${test_dir}/process/exec_*.c" "${test_dir}/process/reap_*.c" "${test_dir}/process/*plan*.c" "${test_dir}/process/kill_and_reap*.c"
    "${test_dir}/process/signal_*.c" "${test_dir}/output/output_file*.c" "${test_dir}/containment/cgroup_c*.c" "${test_dir}/containment/cgroup_in_use*.c"
    "${test_dir}/coordination/listen_fds_*.c" "${test_dir}/coordination/notify_*.c")
  set(programs "")
  foreach(source IN LISTS sources)
    file(RELATIVE_PATH behaviour "${test_dir}" "${source}")
    string(REGEX REPLACE "/|\\.c$" ";" behaviour "${behaviour}")
    list(GET behaviour 0 room)
    list(GET behaviour 1 behaviour)
    list(APPEND programs $<TARGET_FILE:${room}.${behaviour}>)
  endforeach()
  add_test(NAME boundary/statuses_are_in_the_header COMMAND ${PYTHON3_EXECUTABLE} "${PROJECT_SOURCE_DIR}/scripts/statuses.py"
    --cc ${CMAKE_C_COMPILER} ${programs})
  set_tests_properties(boundary/statuses_are_in_the_header PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77 PROCESSORS 2 COST 50)
endif()

# ---- what the header and the guide of the handoff show compiles, and does what they say ----

if(PYTHON3_EXECUTABLE AND NOT build_variant)
  add_test(NAME handoff/samples COMMAND ${PYTHON3_EXECUTABLE} "${PROJECT_SOURCE_DIR}/scripts/samples.py" --cc ${CMAKE_C_COMPILER}
    --library $<TARGET_FILE_DIR:procsup::procsup>)
  set_tests_properties(handoff/samples PROPERTIES TIMEOUT 120)
endif()

# ---- a daemon of Debian that knows nothing of procsup is replaced under load (./x daemons has more of them, and for longer) ----

if(PYTHON3_EXECUTABLE AND NOT build_variant)
  add_test(NAME handoff/notify_a_daemon_of_debian COMMAND ${PYTHON3_EXECUTABLE} "${PROJECT_SOURCE_DIR}/x" daemons --quick
    --library $<TARGET_FILE_DIR:procsup::procsup>)
  set_tests_properties(handoff/notify_a_daemon_of_debian PROPERTIES TIMEOUT 180 SKIP_RETURN_CODE 77 PROCESSORS 2)
endif()

# ---- docs/guide/containment.md says what the library does ----

if(PYTHON3_EXECUTABLE AND NOT build_variant)
  add_test(NAME containment/table_in_docs COMMAND ${PYTHON3_EXECUTABLE} "${PROJECT_SOURCE_DIR}/scripts/containment_table.py"
    $<TARGET_FILE:containment.table> "${PROJECT_SOURCE_DIR}/docs/guide/containment.md")
  set_tests_properties(containment/table_in_docs PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77 COST 50)
endif()

# ---- a new call must be known to the fuzzer ----

if(NOT build_variant)
  add_test(NAME fuzz/knows_every_call COMMAND sh -c "\"$1\" --list | LC_ALL=C sort | diff - \"$2\"" sh $<TARGET_FILE:fuzz.boundary> "${PROJECT_SOURCE_DIR}/symbols.txt")
endif()

# ---- the header, by itself ----

set(header_warnings -Wall -Wextra -Wpedantic -Werror -Wundef -fsyntax-only "-I${PROJECT_SOURCE_DIR}/include")
include(CheckLanguage)
include(CheckCCompilerFlag)
foreach(standard c99 c11 c17 c2x)
  check_c_compiler_flag(-std=${standard} PROCSUP_HAS_${standard})
  if(PROCSUP_HAS_${standard})
    add_test(NAME boundary/header-${standard} COMMAND ${CMAKE_C_COMPILER} -std=${standard} ${header_warnings} -Wstrict-prototypes "${test_lib}/header.c")
  endif()
endforeach()
check_language(CXX)
if(CMAKE_CXX_COMPILER)
  enable_language(CXX)
  include(CheckCXXCompilerFlag)
  foreach(standard c++11 c++17 c++20)
    check_cxx_compiler_flag(-std=${standard} PROCSUP_HAS_${standard})
    if(PROCSUP_HAS_${standard})
      add_test(NAME boundary/header-${standard} COMMAND ${CMAKE_CXX_COMPILER} -x c++ -std=${standard} ${header_warnings} "${test_lib}/header.c")
    endif()
  endforeach()
endif()

# ---- the library file, and what is installed of it ----

add_test(NAME boundary/library_file COMMAND "${PROJECT_SOURCE_DIR}/scripts/check_library.sh" "${PROCSUP_SHARED_FILE}" "${PROJECT_SOURCE_DIR}/symbols.txt" ${PROCSUP_SONAME})
# A host that is built with ThreadSanitizer, and what it is given to look past.
if(NOT build_variant)
  add_test(NAME boundary/host_under_tsan COMMAND "${PROJECT_SOURCE_DIR}/scripts/check_tsan_host.sh" "${CMAKE_C_COMPILER}" "${PROCSUP_SHARED_FILE}"
    ${PROCSUP_SONAME} "${PROJECT_SOURCE_DIR}")
  set_tests_properties(boundary/host_under_tsan PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
endif()
# The flat header, read by those it is for. The distribution's python3 is the one that has cffi.
foreach(reader "python:py:/usr/bin/python3" "luajit:lua:luajit" "php:php:php")
  string(REPLACE ":" ";" reader ${reader})
  list(GET reader 0 language)
  list(GET reader 1 suffix)
  list(GET reader 2 program)
  find_program(PROCSUP_${language} ${program})
  set(run ${PROCSUP_${language}} "${test_dir}/languages/flat_header.${suffix}" "${PROJECT_SOURCE_DIR}/include/procsup.ffi.h" "${PROCSUP_SHARED_FILE}")
  if(NOT PROCSUP_${language})
    set(run sh -c "echo ${program} is not here; exit 77")
  endif()
  add_test(NAME languages/flat_header_${language} COMMAND ${run})
  set_tests_properties(languages/flat_header_${language} PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
endforeach()
# Ctrl-C in programs that wait within calls of the library (in C: examples.cmake).
if(PYTHON3_EXECUTABLE AND NOT build_variant)
  set(ctrl_c ${PYTHON3_EXECUTABLE} "${test_dir}/languages/ctrl_c.py" "${PROCSUP_SHARED_FILE}")
  find_program(PROCSUP_ruby ruby)
  foreach(language python ruby php)
    set(run ${ctrl_c})
    if(NOT language STREQUAL "python")
      if(PROCSUP_${language})
        list(APPEND run ${PROCSUP_${language}})
        if(language STREQUAL "ruby")
          list(APPEND run "${test_dir}/languages/ctrl_c.rb")
        else()
          list(APPEND run "${test_dir}/languages/ctrl_c.php" "${PROJECT_SOURCE_DIR}/include/procsup.ffi.h")
        endif()
      else()
        set(run sh -c "echo ${language} is not here; exit 77")
      endif()
    endif()
    add_test(NAME languages/ctrl_c_${language} COMMAND ${run})
    set_tests_properties(languages/ctrl_c_${language} PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
  endforeach()
endif()
add_test(NAME boundary/binary_interface COMMAND ${PYTHON3_EXECUTABLE} "${PROJECT_SOURCE_DIR}/scripts/abi.py" check "${PROJECT_SOURCE_DIR}/include"
  "${PROJECT_SOURCE_DIR}/abi/${PROCSUP_SONAME}.abi" ${PROCSUP_SONAME} "${CMAKE_C_COMPILER}")
set_tests_properties(boundary/binary_interface PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
if(PROCSUP_INSTALL)
  add_test(NAME boundary/installed_package COMMAND "${PROJECT_SOURCE_DIR}/scripts/check_install.sh" "${CMAKE_COMMAND}" "${PROJECT_BINARY_DIR}" "${CMAKE_C_COMPILER}"
    ${PROJECT_VERSION} ${PROCSUP_SONAME} "${PROJECT_SOURCE_DIR}")
  set_tests_properties(boundary/installed_package PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77 COST 50)
endif()
