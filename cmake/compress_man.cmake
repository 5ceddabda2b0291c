# compress_man.cmake - man pages of a Debian package are compressed. Run by CPack on what it is about to pack.
# SPDX-License-Identifier: MIT
file(GLOB_RECURSE pages "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share/man/*.[1-9]")
foreach(page IN LISTS pages)
  execute_process(COMMAND gzip -9n ${page} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
