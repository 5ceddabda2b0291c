#!/bin/bash
# test.sh - builds Rondo in three ways and runs every test, and ends with "N passed, N failed, N skipped".
#
# usage: scripts/test.sh [--list | CHECK...]
#   CHECK   only these checks (names as --list prints them); the builds come first all the same
#
# Each check is a function in tests/checks.sh; two run at a time, and one that fails shows its log. All
# logs are in build/test-logs. A check whose program is missing is skipped by name. With CI=true warnings
# are errors. The exit status is 1 if anything failed.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/.."
readonly logs=$PWD/build/test-logs
# shellcheck source=tests/runner.sh
. tests/runner.sh
# shellcheck source=tests/checks.sh
. tests/checks.sh

arguments "$0" "$@"
mkdir -p "$logs"
scripts/setup.sh test
build_presets release double sanitize
run_checks
summary
