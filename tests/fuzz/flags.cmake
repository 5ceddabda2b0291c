# flags.cmake - what every file is compiled with where RONDO_FUZZ is on.
# SPDX-License-Identifier: MIT
#
# A fault ends the program at once, and a bit of optimisation makes up for what the sanitizers cost.
if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "RONDO_FUZZ needs clang, which has libFuzzer: cmake --preset fuzz")
endif()
target_compile_options(rondo_any_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined
  -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -gline-tables-only)
# The sanitizers' own functions are the program's, also for plugins, which define all else that they call.
target_link_options(rondo_any_flags INTERFACE -fsanitize=address,undefined
  $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,MODULE_LIBRARY>:LINKER:-z,undefs>)
target_compile_definitions(rondo_any_flags INTERFACE RDC_GUARD)
