# kit.cmake - what the authors of plugins find in an installed Rondo, and at the same places in the build tree:
# headers, templates, the CMake package, the pkg-config file. SPDX-License-Identifier: MIT
include(CMakePackageConfigHelpers)
set(kit_dir share/cmake/rondo)
# From where they lie to the command and to the folder of plugins. In a rock they lie in a folder of the Lua files'
# (places.kit in lua/rondo/places.lua), five below the tree, which has modules in lib/lua/5.4.
set(install_kit .)
set(kit_to_command bin/rondo)
set(kit_to_plugins ${plugin_dir})
if(RONDO_ROCK)
  set(install_kit ${install_recipe_dir})
  set(kit_to_command ../../../../../bin/rondo)
  string(REPLACE ${lib_dir} ../../../../../${lua_module_dir} kit_to_plugins ${plugin_dir})
endif()

configure_file(cmake/rondoConfig.cmake.in ${kit_dir}/rondoConfig.cmake @ONLY)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/${kit_dir}/rondoConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
foreach(file rondo_add_plugin.cmake plugin.map)
  configure_file(cmake/${file} ${kit_dir}/${file} COPYONLY)
endforeach()
install(DIRECTORY ${PROJECT_BINARY_DIR}/${kit_dir}/ DESTINATION ${install_kit}/${kit_dir})

string(JOIN " " plugin_cflags -std=c11 -O3 -fPIC -fvisibility=hidden ${RONDO_FLOAT_FLAGS})
if(RONDO_REAL STREQUAL double)
  string(APPEND plugin_cflags " -DRD_REAL_DOUBLE")
endif()
string(JOIN " " plugin_libs -Wl,--version-script=\${prefix}/${kit_dir}/plugin.map ${RONDO_LINK_FLAGS} -lm)
configure_file(cmake/rondo-plugin.pc.in share/pkgconfig/rondo-plugin.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/share/pkgconfig/rondo-plugin.pc DESTINATION ${install_kit}/share/pkgconfig)

rondo_link(core/include/rondo include/rondo)
install(DIRECTORY core/include/rondo DESTINATION ${install_kit}/include FILES_MATCHING PATTERN "*.h")
rondo_link(plugins/template ${recipe_dir}/template)
install(DIRECTORY plugins/template DESTINATION ${install_recipe_dir})

# The texts, beside each other as in the source folder, so that their links hold.
set(doc_dir share/doc/rondo)
foreach(text README.md CHANGELOG.md core/README.md core/BITS.md core/STYLE.md lua/README.md plugins/README.md
    plugins/kernels/README.md scripts/README.md tests/README.md datasets/README.md lua/SERIES.md)
  rondo_link(${text} ${doc_dir}/${text})
  get_filename_component(folder ${text} DIRECTORY)
  install(FILES ${text} DESTINATION ${install_kit}/${doc_dir}/${folder})
endforeach()
