# package.cmake - `cpack -G DEB` in a build folder makes a Debian package of what is installed.
# SPDX-License-Identifier: MIT
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME rondo)
set(CPACK_PACKAGE_CONTACT "The Rondo authors")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "train and run recurrent neural networks on ordinary CPUs")
set(CPACK_PACKAGE_DESCRIPTION "A small C core holds tensors, gradients and backpropagation through time; cells and SIMD
kernels are plugins; models are described and trained in Lua 5.4 and kept in
HDF5 files. A run gives the same bits on any kernels and number of threads.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/compress_man.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON) # what the programs and modules are linked to
set(CPACK_DEBIAN_PACKAGE_DEPENDS "lua-argparse, lua-dkjson")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "lua5.4, curl")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "gcc, libc6-dev, pkg-config, cmake, gdb") # for those who write plugins
include(CPack)
