# One program in ten languages (examples/languages/<language>/), each under the language's own event loop: scripts/checksums.py runs it, and
# compares what it says. A language that is not here is skipped; those that take long to build, or come from a registry, run by ./x test languages.

foreach(language c cpp)
  set(source "${PROJECT_SOURCE_DIR}/examples/languages/${language}/checksums.${language}")
  procsup_example_needs("${source}" missing libraries includes)
  if(language STREQUAL "cpp" AND NOT CMAKE_CXX_COMPILER)
    set(missing "a C++ compiler")
  endif()
  set(missing_${language} "${missing}")
  if(NOT missing)
    procsup_program(checksums_${language} "${source}")
    target_link_libraries(checksums_${language} PRIVATE ${libraries})
    target_include_directories(checksums_${language} SYSTEM PRIVATE ${includes})
    set_target_properties(checksums_${language} PROPERTIES CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON
      OUTPUT_NAME checksums RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/examples/languages/${language}")
  endif()
endforeach()

if(PYTHON3_EXECUTABLE AND NOT build_variant)
  foreach(language c cpp python node_poll node_async node_worker ruby luajit php go java rust)
    set(run ${PYTHON3_EXECUTABLE} "${PROJECT_SOURCE_DIR}/scripts/checksums.py" ${language} --library "${PROCSUP_SHARED_FILE}")
    if(TARGET checksums_${language})
      list(APPEND run --program $<TARGET_FILE:checksums_${language}>)
    elseif(missing_${language})
      set(run sh -c "echo 'skipped: ${missing_${language}} is not here' && exit 77")
    endif()
    add_test(NAME languages/${language} COMMAND ${run})
    # Rust's builds the library, too.
    set_tests_properties(languages/${language} PROPERTIES TIMEOUT 1800 SKIP_RETURN_CODE 77)
  endforeach()
  add_test(NAME languages/interpreter_lock COMMAND ${CMAKE_COMMAND} -E env "PROCSUP_LIBRARY=${PROCSUP_SHARED_FILE}" ${PYTHON3_EXECUTABLE}
    "${PROJECT_SOURCE_DIR}/c-tests/languages/interpreter_lock.py" "${PROJECT_SOURCE_DIR}/examples/languages/python/checksums.py")
  set_tests_properties(languages/interpreter_lock PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
endif()
