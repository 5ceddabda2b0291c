-- cli/bptt.lua - rondo bptt --explain: backpropagation through time on one unit and three steps.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

return function(arguments, cli)
  local parser = cli.parser("bptt", "Backpropagation through time, unfolded: a layer of one unit over three steps, "
    .. "with every term of the sum over the steps in symbols and numbers, and the gradient that the engine computes.")
  parser:flag("--explain", "the page of text")
  parser:flag("--dot", "the graph alone, for graphviz: rondo bptt --dot | dot -Tsvg > bptt.svg")
  parser:option("--steps", "how many"):argname "<n>":convert(cli.number("--steps", "int", 1, 9)):default "3"
  parser:option("--activation", "what makes the state: sigmoid, tanh or identity"):argname "<name>"
    :choices { "sigmoid", "tanh", "identity" }:default "sigmoid"
  local o = cli.parse(parser, arguments)
  if o.dot == o.explain then
    errors.stop(errors.USAGE, "bptt: ask for --explain, a page of text, or for --dot, a graph")
  end
  local explain = require "rondo.diagnose.explain"
  local facts = explain.numbers(o.activation, o.steps)
  io.stdout:write(o.dot and explain.dot(facts) or explain.text(facts), "\n")
  return 0
end
