# cmake --install: the library under its full version with the usual links, headers, pkg-config file, CMake package. Imported
# targets cannot be install()ed, so the files are, and procsup-config.cmake defines the targets anew.
include(CMakePackageConfigHelpers)

set(full_name "libprocsup.so.${PROJECT_VERSION}")
set(stage "${CMAKE_CURRENT_BINARY_DIR}/install")
file(MAKE_DIRECTORY "${stage}")
file(CREATE_LINK "${full_name}" "${stage}/${PROCSUP_SONAME}" SYMBOLIC)
file(CREATE_LINK "${PROCSUP_SONAME}" "${stage}/libprocsup.so" SYMBOLIC)
set(runtime COMPONENT runtime)
set(development COMPONENT development)

# Nine tenths of the file are for debuggers alone: they find them in a file beside it, by the link that is left in the library (gdb looks in .debug).
if(PROCSUP_STRIP AND CMAKE_OBJCOPY AND CMAKE_STRIP)
  set(installed_library "${stage}/stripped/${full_name}")
  file(MAKE_DIRECTORY "${stage}/stripped/.debug")
  add_custom_command(OUTPUT "${installed_library}"
    COMMAND ${CMAKE_OBJCOPY} --only-keep-debug "${PROCSUP_SHARED_FILE}" ".debug/${full_name}.debug"
    COMMAND ${CMAKE_STRIP} --strip-all -o "${full_name}" "${PROCSUP_SHARED_FILE}"
    COMMAND ${CMAKE_COMMAND} -E chdir .debug ${CMAKE_OBJCOPY} "--add-gnu-debuglink=${full_name}.debug" "../${full_name}"
    DEPENDS procsup-cargo "${PROCSUP_SHARED_FILE}" WORKING_DIRECTORY "${stage}/stripped" VERBATIM)
  set(installed_archive "${stage}/stripped/libprocsup.a")
  add_custom_command(OUTPUT "${installed_archive}" COMMAND ${CMAKE_STRIP} --strip-debug -o libprocsup.a "${PROCSUP_STATIC_FILE}"
    DEPENDS procsup-cargo "${PROCSUP_STATIC_FILE}" WORKING_DIRECTORY "${stage}/stripped" VERBATIM)
  add_custom_target(procsup-stripped ALL DEPENDS "${installed_library}" "${installed_archive}")
  install(FILES "${stage}/stripped/.debug/${full_name}.debug" DESTINATION "${CMAKE_INSTALL_LIBDIR}/.debug" COMPONENT debug)
else()
  set(installed_library "${PROCSUP_SHARED_FILE}")
  set(installed_archive "${PROCSUP_STATIC_FILE}")
endif()
install(PROGRAMS "${installed_library}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" RENAME "${full_name}" ${runtime})
install(FILES "${stage}/${PROCSUP_SONAME}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" ${runtime})
install(FILES "${stage}/libprocsup.so" "${installed_archive}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" ${development})
install(FILES "${PROJECT_SOURCE_DIR}/share/procsup/tsan.supp" DESTINATION "${CMAKE_INSTALL_DATADIR}/procsup" ${development})
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" ${development} FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")

# pkg-config: paths relative to the file itself, so that an installed tree can be moved.
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/procsup")
set(pkgconfig_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
  set(PC_LIBDIR "${CMAKE_INSTALL_FULL_LIBDIR}")
  set(PC_INCLUDEDIR "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
else()
  file(RELATIVE_PATH up "/prefix/${pkgconfig_dir}" "/prefix")
  string(REGEX REPLACE "/$" "" up "${up}")
  set(PC_PREFIX "\${pcfiledir}/${up}")
  set(PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
  set(PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
string(REPLACE ";" " -l" PC_LIBS_PRIVATE "-l${PROCSUP_STATIC_LIBS}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/procsup.pc.in" "${stage}/procsup.pc" @ONLY)
install(FILES "${stage}/procsup.pc" DESTINATION "${pkgconfig_dir}" ${development})

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/procsup-config.cmake.in" "${stage}/procsup-config.cmake"
  INSTALL_DESTINATION "${package_dir}" PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
set(compatible SameMajorVersion)
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatible SameMinorVersion)
endif()
write_basic_package_version_file("${stage}/procsup-config-version.cmake" COMPATIBILITY ${compatible})
install(FILES "${stage}/procsup-config.cmake" "${stage}/procsup-config-version.cmake" DESTINATION "${package_dir}" ${development})
