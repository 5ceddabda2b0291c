-- left_out.lua - functions that fuzz_lua_api does not call, each with the reason.
-- SPDX-License-Identifier: MIT
local left_out = {}

-- Of rondo.core and its classes.
left_out.core = {
  open = "opens the core that is open",
  load_plugin = "runs the code of a file: tests/plugin and tests/validate/bad have wrong ones",
  spawn = "starts programs", catch_signals = "replaces the fuzzer's handlers", pause = "sleeps up to an hour",
  raw_terminal = "the terminal of whoever runs this", key = "waits for a key",
  peak_gflops = "measures for a tenth of a second", read_bandwidth = "the same", pool_time = "the same",
  threads = "65,535 threads are what was asked for", profile = "the same time, in the names of operations",
  truncate = "cuts files, also those that are mapped: a mapped file that is cut ends the process, says the manual",
}

-- Of the public interface, by their names in lua/library.
left_out.public = {
  ["rondo.data.get"] = "downloads", ["rondo.data.kjv"] = "downloads",
  ["rondo.args"] = "ends the program by design: fuzz_options has it",
  ["rondo.plot.draw"] = "starts gnuplot", ["rondo.plot.forecast"] = "starts gnuplot",
  ["rondo.plot.gradients"] = "starts gnuplot", ["Diagnosis:plot"] = "starts gnuplot",
  ["Sweep:run"] = "starts programs", ["Sweep:run_trial"] = "starts programs", ["Cell:compile"] = "starts a compiler",
}

return left_out
