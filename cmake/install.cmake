# cmake --install: the library under its full version with the usual links, headers, pkg-config file, CMake package. Imported
# targets cannot be install()ed, so the files are, and procsup-config.cmake defines the targets anew.
include(CMakePackageConfigHelpers)

set(full_name "libprocsup.so.${PROJECT_VERSION}")
set(stage "${CMAKE_CURRENT_BINARY_DIR}/install")
file(MAKE_DIRECTORY "${stage}")
file(CREATE_LINK "${full_name}" "${stage}/${PROCSUP_SONAME}" SYMBOLIC)
file(CREATE_LINK "${PROCSUP_SONAME}" "${stage}/libprocsup.so" SYMBOLIC)
install(PROGRAMS "${PROCSUP_SHARED_FILE}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" RENAME "${full_name}")
install(FILES "${stage}/${PROCSUP_SONAME}" "${stage}/libprocsup.so" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES "${PROCSUP_STATIC_FILE}" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")

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
install(FILES "${stage}/procsup.pc" DESTINATION "${pkgconfig_dir}")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/procsup-config.cmake.in" "${stage}/procsup-config.cmake"
  INSTALL_DESTINATION "${package_dir}" PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file("${stage}/procsup-config-version.cmake" COMPATIBILITY SameMajorVersion)
install(FILES "${stage}/procsup-config.cmake" "${stage}/procsup-config-version.cmake" DESTINATION "${package_dir}")
