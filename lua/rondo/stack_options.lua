-- stack_options.lua - what a stack of recurrent layers is told besides the options of its cell.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

local stack_options = {}

stack_options.list = {
  { name = "cell", kind = "string", help = "name of the cell; `rondo plugins` lists them" },
  { name = "input_size", kind = "int", min = 1, max = 1 << 24, help = "features of the input; inferred" },
  { name = "hidden_size", kind = "int", min = 1, max = 65536, required = true, help = "width of the state" },
  { name = "num_layers", kind = "int", def = 1, min = 1, max = 4096, help = "layers on top of each other" },
  { name = "dropout", kind = "real", def = 0.0, min = 0, max = 0.99999, help = "between the layers of the stack" },
  { name = "variational", kind = "bool", def = false, help = "dropout has one mask for all steps" },
  { name = "input_dropout", kind = "real", def = 0.0, min = 0, max = 0.99999,
    help = "on what each layer reads, one mask for all steps" },
  { name = "recurrent_dropout", kind = "real", def = 0.0, min = 0, max = 0.99999,
    help = "on states that meet a matrix, one mask for all steps" },
  { name = "zoneout", kind = "any", def = 0.0,
    help = "probability 0..0.99999 that a unit keeps its state; or by state, as { c = 0.5, h = 0.05 }" },
  { name = "weight_drop", kind = "real", def = 0.0, min = 0, max = 0.99999,
    help = "share of the recurrent weights that are 0 for an update" },
  { name = "connections", kind = "choice", def = "none", choices = { "none", "residual", "highway" },
    help = "where a layer gives as many features as it reads, both are added, or mixed by a gate" },
  { name = "bias", kind = "choice", def = "one", choices = { "none", "one", "two" },
    help = "bias vectors of a line: one, or one beside x and one beside h as in PyTorch" },
  { name = "bidirectional", kind = "bool", def = false, help = "each layer also reads backward, with a second one" },
  { name = "merge", kind = "choice", def = "concat", choices = { "concat", "sum", "mul", "average" },
    help = "how the outputs of the two directions become one" },
  { name = "learn_state", kind = "bool", def = false, help = "the state before the first step is learned" },
  { name = "input_init", kind = "init", lines = true, help = "initial values of matrices on x; or by line" },
  { name = "recurrent_init", kind = "init", lines = true, help = "of matrices on states; or by line" },
  { name = "bias_init", kind = "init", lines = true, vector = true, help = "of all biases; or by line" },
  { name = "return_sequences", kind = "bool", def = true, help = "the output of every step, or of the last" },
  { name = "return_state", kind = "bool", def = false, help = "also return the state after the last step" },
  { name = "seed", kind = "int", min = 0, max = 0xffffffff, help = "own seed of the initial values" },
  { name = "name", kind = "string", help = "how messages call the layer" },
}

-- The options of a stack and of its cell, each name once.
function stack_options.with(cell)
  local list, taken = table.move(stack_options.list, 1, #stack_options.list, 1, {}), {}
  for _, spec in ipairs(list) do
    taken[spec.name] = true
  end
  for _, spec in ipairs(cell.options) do
    if taken[spec.name] then
      errors.raise("cell '%s': its option '%s' has the name of one that every recurrent layer has; its author must "
        .. "rename it", cell.name, spec.name)
    end
    list[#list + 1] = spec
  end
  return list
end

-- zoneout: a number for all states, or numbers by state.
function stack_options.check_zoneout(what, given)
  local function is_share(value)
    return type(value) == "number" and value >= 0 and value <= 0.99999
  end
  local good = is_share(given) or type(given) == "table"
  for name, share in pairs(type(given) == "table" and given or {}) do
    good = good and type(name) == "string" and is_share(share)
  end
  if not good then
    errors.raise("%s: option 'zoneout' must be a number 0..0.99999, or such numbers by state as in "
      .. "{ c = 0.5, h = 0.05 }, got %s", what, type(given) == "table" and "another table" or tostring(given))
  end
end

return stack_options
