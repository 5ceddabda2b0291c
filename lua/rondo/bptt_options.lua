-- bptt_options.lua - the option bptt of a Trainer: { k1 = 35, k2 = 70 } and its other forms, checked.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"
local options = require "rondo.options"

local bptt_options = {}

local specs = {
  { name = "k1", kind = "int", min = 1, max = 1 << 30, help = "steps between updates, whose losses they have" },
  { name = "k2", kind = "int", min = 1, max = 1 << 30, help = "steps that gradient flows over (k1)" },
  { name = "random", kind = "real", def = 0.0, min = 0, max = 1e6,
    help = "k1 is drawn anew for each update, normal with this standard deviation (5), and lr goes with it" },
  { name = "half", kind = "real", def = 0.05, min = 0, max = 1,
    help = "with random: how often it is drawn around half of k1" },
  { name = "burn_in", kind = "int", def = 0, min = 0, max = 1 << 30,
    help = "first steps of a sequence that only bring the state about: no loss, no gradient" },
}
bptt_options.specs = specs

-- "35", "35,70" or "full" of a command line; a number; a table.
local function as_table(given)
  if math.type(given) == "integer" then
    return { k1 = given }
  elseif type(given) ~= "string" then
    return given
  elseif given == "full" then
    return {}
  end
  local k1, k2 = given:match "^%s*(%d+)%s*,%s*(%d+)%s*$"
  k1 = k1 or given:match "^%s*(%d+)%s*$"
  if not k1 then
    errors.raise("Trainer: bptt must be \"full\", \"35\" or \"35,70\" (steps between updates, steps back), got '%s'",
      given)
  end
  return { k1 = math.tointeger(tonumber(k1)), k2 = math.tointeger(tonumber(k2)) }
end

-- The option bptt, checked; nil for full backpropagation through time.
function bptt_options.read(given)
  given = as_table(given)
  if given == nil then
    return nil
  end
  local o = options.resolve("Trainer: bptt", specs, given, { "k1", "k2" })
  local full = not o.k1 and not o.k2
  if full and o.random > 0 then
    errors.raise("Trainer: bptt: random needs k1, the length that others are drawn around")
  elseif full and o.burn_in == 0 then
    return nil
  elseif o.k1 and o.k2 and o.k2 < o.k1 then
    errors.raise("Trainer: bptt: k2, the steps gradient flows over, must be at least k1, the steps of an update; "
      .. "got k1 = %d, k2 = %d", o.k1, o.k2)
  end
  o.given_k1 = o.k1
  o.k1, o.k2 = o.k1 or o.k2, o.k2 or o.k1
  return o
end

-- What of it the numbers of a run depend on.
function bptt_options.describe(o)
  if not o then
    return nil
  end
  local random_length = o.random > 0
  return { k1 = o.given_k1, k2 = o.k2, burn_in = o.burn_in > 0 and o.burn_in or nil,
    random = random_length and o.random or nil, half = random_length and o.half or nil }
end

return bptt_options
