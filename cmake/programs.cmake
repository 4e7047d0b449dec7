# How every C program of the repository that uses the library is compiled and linked.
find_package(Threads REQUIRED)

add_library(procsup-program INTERFACE)
target_compile_options(procsup-program INTERFACE -Wall -Wextra)
target_link_libraries(procsup-program INTERFACE procsup::procsup Threads::Threads)
if(PROCSUP_WERROR)
  target_compile_options(procsup-program INTERFACE -Werror)
endif()
if(PROCSUP_SANITIZE STREQUAL "thread")
  # Linked with Rust's runtime: GCC's (12) has not all that newer instrumented code calls, and does not know the memory layout of newer kernels.
  target_compile_options(procsup-program INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  target_link_libraries(procsup-program INTERFACE -rdynamic -Wl,--whole-archive "${PROCSUP_TSAN_RUNTIME}" -Wl,--no-whole-archive rt m resolv ${CMAKE_DL_LIBS})
elseif(PROCSUP_SANITIZE)
  set(sanitizers -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  # Between its checks GCC (12) does not see any more how long a number can be.
  target_compile_options(procsup-program INTERFACE ${sanitizers} -Wno-format-truncation)
  target_link_libraries(procsup-program INTERFACE ${sanitizers})
endif()

function(procsup_program name source)
  add_executable(${name} ${source})
  set_target_properties(${name} PROPERTIES C_STANDARD 11 C_EXTENSIONS ON)
  target_link_libraries(${name} PRIVATE procsup-program)
endfunction()

# Comment lines of a source file that speak to CMake: sets `out` to what stands behind the tag in a line "/* tag: text */" (or to
# "yes" for "/* tag */"), to "" if there is none.
function(procsup_tag file tag out)
  # A change of the line must be seen: configure again whenever the file changes.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  file(STRINGS "${file}" line REGEX "^/\\* *${tag} *(:.*)?\\*/" LIMIT_COUNT 1)
  set(text "")
  if(line)
    string(REGEX REPLACE "^/\\* *${tag} *:? *((.*[^ ])?) *\\*/.*" "\\1" text "${line}")
    if(text STREQUAL "")
      set(text "yes")
    endif()
  endif()
  set(${out} "${text}" PARENT_SCOPE)
endfunction()
