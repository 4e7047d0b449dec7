# The library itself: cargo builds it (always, cargo knows best what is to be done), two imported targets stand for the results.
#
# The trap: cargo writes libprocsup.so, but the library calls itself by its soname, and that is the name the loader looks for. So a link
# of that name is made beside it.
set(PROCSUP_SONAME "libprocsup.so.${PROJECT_VERSION_MAJOR}")
if(PROJECT_VERSION_MAJOR EQUAL 0) # each minor version may change the interface (build.rs says the same to the linker)
  string(APPEND PROCSUP_SONAME ".${PROJECT_VERSION_MINOR}")
endif()
# What a program needs to link with the archive: rustc --print native-static-libs, without gcc_s, of which there is no archive: the compiler adds
# what unwinds by itself, libgcc_s or, for -static, libgcc_eh.
set(PROCSUP_STATIC_LIBS util rt pthread m dl c)

if(PROCSUP_LIBRARY_DIR)
  get_filename_component(library_dir "${PROCSUP_LIBRARY_DIR}" ABSOLUTE BASE_DIR "${CMAKE_BINARY_DIR}")
  set(cargo_build COMMAND ${CMAKE_COMMAND} -E echo "using ${library_dir}/libprocsup.so")
else()
  find_program(CARGO_EXECUTABLE cargo HINTS ENV CARGO_HOME "$ENV{HOME}/.cargo" PATH_SUFFIXES bin)
  if(NOT CARGO_EXECUTABLE)
    message(FATAL_ERROR "procsup is written in Rust: cargo was not found. Get it from https://rustup.rs, or point PROCSUP_LIBRARY_DIR to a built library.")
  endif()
  set(cargo_dir "${CMAKE_CURRENT_BINARY_DIR}/cargo")
  set(cargo_build COMMAND ${CARGO_EXECUTABLE} rustc --release --lib --crate-type cdylib,staticlib --manifest-path "${PROJECT_SOURCE_DIR}/Cargo.toml" --target-dir "${cargo_dir}")
  set(library_dir "${cargo_dir}/release")
  if(PROCSUP_RUST_TARGET)
    list(APPEND cargo_build --target ${PROCSUP_RUST_TARGET})
    set(library_dir "${cargo_dir}/${PROCSUP_RUST_TARGET}/release")
  else()
    # Which paths are hot (./x profile): for one compiler and one kind of machine. scripts/x/build.py asks the same.
    file(STRINGS "${PROJECT_SOURCE_DIR}/rust-toolchain.toml" channel REGEX "^channel = ")
    string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" channel "${channel}")
    get_filename_component(rust_dir "${CARGO_EXECUTABLE}" DIRECTORY)
    find_program(RUSTC_EXECUTABLE rustc HINTS "${rust_dir}")
    execute_process(COMMAND "${RUSTC_EXECUTABLE}" -vV WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" OUTPUT_VARIABLE about ERROR_QUIET)
    if(about MATCHES "release: ${channel}\n" AND about MATCHES "host: x86_64-unknown-linux-gnu\n")
      list(APPEND cargo_build -- @release.args)
    endif()
  endif()
endif()

add_custom_target(procsup-cargo ALL
  ${cargo_build}
  COMMAND ${CMAKE_COMMAND} -E create_symlink libprocsup.so "${library_dir}/${PROCSUP_SONAME}"
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
  BYPRODUCTS "${library_dir}/libprocsup.so" "${library_dir}/libprocsup.a"
  USES_TERMINAL VERBATIM)
set(PROCSUP_SHARED_FILE "${library_dir}/libprocsup.so")
set(PROCSUP_STATIC_FILE "${library_dir}/libprocsup.a")

add_library(procsup SHARED IMPORTED GLOBAL)
set_target_properties(procsup PROPERTIES
  IMPORTED_LOCATION "${PROCSUP_SHARED_FILE}"
  IMPORTED_SONAME ${PROCSUP_SONAME}
  INTERFACE_INCLUDE_DIRECTORIES "${PROJECT_SOURCE_DIR}/include")
add_dependencies(procsup procsup-cargo)
add_library(procsup::procsup ALIAS procsup)

add_library(procsup_static STATIC IMPORTED GLOBAL)
set_target_properties(procsup_static PROPERTIES
  IMPORTED_LOCATION "${PROCSUP_STATIC_FILE}"
  INTERFACE_INCLUDE_DIRECTORIES "${PROJECT_SOURCE_DIR}/include"
  INTERFACE_LINK_LIBRARIES "${PROCSUP_STATIC_LIBS}")
add_dependencies(procsup_static procsup-cargo)
add_library(procsup::procsup_static ALIAS procsup_static)
