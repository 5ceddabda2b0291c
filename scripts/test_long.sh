#!/bin/bash
# test_long.sh - the checks that take longer than scripts/test.sh may; tests/README.md keeps their results.
#
# usage: scripts/test_long.sh [--list | CHECK...]
#
# Works as scripts/test.sh does; the checks are in tests/checks_long.sh, their logs in build/test-logs.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/.."
readonly logs=$PWD/build/test-logs
# shellcheck source=tests/runner.sh
. tests/runner.sh
# shellcheck source=tests/checks.sh
. tests/checks.sh
# shellcheck source=tests/checks_long.sh
. tests/checks_long.sh

arguments "$0" "$@"
mkdir -p "$logs"
scripts/setup.sh test
build_presets release sanitize
run_checks
summary
