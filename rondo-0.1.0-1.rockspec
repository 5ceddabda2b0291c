-- rondo-0.1.0-1.rockspec - Rondo as a rock: `luarocks --lua-version 5.4 make` in the source folder builds and installs it.
-- SPDX-License-Identifier: MIT
rockspec_format = "3.0"
package = "rondo"
version = "0.1.0-1"
source = { url = "file://rondo-0.1.0.tar.gz" } -- a copy of the source folder; `make` uses the folder itself
description = {
  summary = "train and run recurrent neural networks on ordinary CPUs",
  detailed = "A small C core holds tensors, gradients and backpropagation through time; cells and SIMD kernels are "
    .. "plugins; models are described and trained in Lua and kept in HDF5 files.",
  license = "MIT",
}
supported_platforms = { "linux" }
dependencies = { "lua >= 5.4, < 5.5", "argparse >= 0.7", "dkjson >= 2.5" }
build = {
  type = "cmake",
  variables = {
    CMAKE_INSTALL_PREFIX = "$(PREFIX)",
    CMAKE_BUILD_TYPE = "Release",
    RONDO_ROCK = "ON",
    RONDO_TESTS = "OFF",
  },
}
