# rondo_add_plugin.cmake - how a plugin is built: the flags, and the function that makes one of its sources.
# SPDX-License-Identifier: MIT
#
# Of this project and, installed beside rondoConfig.cmake, of those who write plugins. Whoever includes it has set
# RONDO_INCLUDE_DIR, RONDO_REAL, RONDO_PLUGIN_MAP, RONDO_PLUGIN_DIR, and, outside this project, RONDO_COMMAND.

# IEEE arithmetic as written (the bit contract, rule 1). rondo-plugin.pc and `rondo check FILE.c` have them from here.
set(RONDO_FLOAT_FLAGS -fno-math-errno -fno-trapping-math -ffp-contract=off)
# Nothing is exported but the entry symbol, and nothing is left for the host to define; fma() may be libm's.
set(RONDO_LINK_FLAGS -Wl,-z,defs)

# rondo_add_plugin(NAME [NO_DOUBLE] SOURCE...): the shared object NAME.so with one exported symbol, installed where
# Rondo looks. With enable_testing() the test NAME_check runs `rondo check` on it and on the same in double (NAME_f64),
# unless NO_DOUBLE says that the sources are for float alone.
function(rondo_add_plugin name)
  cmake_parse_arguments(plugin "NO_DOUBLE" "" "" ${ARGN})
  set(sources ${plugin_UNPARSED_ARGUMENTS})
  add_library(${name} MODULE ${sources})
  set_target_properties(${name} PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden
    C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF LINK_DEPENDS ${RONDO_PLUGIN_MAP})
  target_include_directories(${name} PRIVATE ${RONDO_INCLUDE_DIR})
  target_compile_options(${name} PRIVATE ${RONDO_FLOAT_FLAGS} $<$<NOT:$<CONFIG:Debug>>:-O3>)
  target_compile_definitions(${name} PRIVATE $<$<STREQUAL:${RONDO_REAL},double>:RD_REAL_DOUBLE>)
  target_link_options(${name} PRIVATE ${RONDO_LINK_FLAGS} -Wl,--version-script=${RONDO_PLUGIN_MAP})
  target_link_libraries(${name} PRIVATE -lm) # not m, which may be the name of a plugin
  install(TARGETS ${name} LIBRARY DESTINATION ${RONDO_PLUGIN_DIR})
  if(RONDO_COMMAND)
    cmake_language(EVAL CODE "cmake_language(DEFER CALL rondo_refuse_flags [[${name}]])")
    set(check ${RONDO_COMMAND} check $<TARGET_FILE:${name}>)
    if(NOT plugin_NO_DOUBLE AND NOT RONDO_REAL STREQUAL double)
      rondo_in_double(${name} ${sources})
      list(APPEND check --double $<TARGET_FILE:${name}_f64>)
    endif()
    add_test(NAME ${name}_check COMMAND ${check})
  endif()
endfunction()

# The same with numbers of double and all else as the plugin has it, but no copies for instruction sets: it is not for
# speed.
function(rondo_in_double name)
  add_library(${name}_f64 MODULE ${ARGN})
  foreach(property COMPILE_DEFINITIONS COMPILE_OPTIONS INCLUDE_DIRECTORIES LINK_LIBRARIES LINK_OPTIONS)
    set_property(TARGET ${name}_f64 PROPERTY ${property} $<TARGET_PROPERTY:${name},${property}>)
  endforeach()
  target_compile_definitions(${name}_f64 PRIVATE RD_REAL_DOUBLE RD_NO_CLONES)
  set_target_properties(${name}_f64 PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden
    C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/f64) # not on a path of float's
endfunction()

# A plugin runs on whatever processor it is given to: RD_CLONES makes the copies that need more, and of a backend
# of several files those with the products alone may have flags of their own (set_source_files_properties).
function(rondo_refuse_flags name)
  get_target_property(sources ${name} SOURCES)
  list(LENGTH sources count)
  get_target_property(flags ${name} COMPILE_OPTIONS)
  get_directory_property(directory COMPILE_OPTIONS)
  string(TOUPPER "CMAKE_C_FLAGS_${CMAKE_BUILD_TYPE}" of_type)
  separate_arguments(given UNIX_COMMAND "${CMAKE_C_FLAGS} ${${of_type}}")
  list(APPEND given ${flags} ${directory})
  if(count EQUAL 1)
    get_source_file_property(own ${sources} COMPILE_OPTIONS)
    list(APPEND given ${own})
  endif()
  foreach(flag IN LISTS given)
    if(flag MATCHES "^-m(arch=|cpu=|avx|fma|sse[34]|f16c|bmi)")
      message(FATAL_ERROR "${name}: take ${flag} away: a plugin must run on any processor. Put RD_CLONES before "
        "forward() and backward(), and the compiler makes a copy for each instruction set.")
    elseif(flag MATCHES "^-(ffast-math|Ofast|funsafe-math-optimizations)$")
      message(FATAL_ERROR "${name}: take ${flag} away: the same bits everywhere need IEEE arithmetic. The loops of "
        "a cell are widened without it.")
    endif()
  endforeach()
endfunction()
