-- data/buckets.lua - the order of examples of an epoch, cut into batches of similar length.
--
-- Orders are functions of (seed, epoch), so that batch k of any epoch is found without those before it. Buckets are
-- made in pools of many batches: within one, examples are sorted by length and the batches shuffled. Nothing is kept
-- but the pool read last, so that a long list needs no table of its own.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local random = require "rondo.random"

local buckets = {}

local POOL = 64 -- batches

-- Numbers first..first+n-1 of an order of 1..all: the plain one, or one keyed by the epoch.
function buckets.in_order(how, first, n, all, epoch)
  if how.shuffle then
    return core.permuted(first, n, all, { seed = random.seed(), purpose = "shuffle", update = epoch })
  end
  local list = {}
  for i = 1, n do
    list[i] = first + i - 1
  end
  return list
end

-- Sorts numbers by length; equal ones stay in their order.
local function sort(list, lengths)
  local place = {}
  for i, number in ipairs(list) do
    place[number] = i
  end
  table.sort(list, function(a, b)
    local n, m = lengths[place[a]], lengths[place[b]]
    return n < m or (n == m and place[a] < place[b])
  end)
end

local function make_pool(how, number, epoch)
  local B = how.batch_size
  local first = number * POOL * B + 1
  local list = buckets.in_order(how, first, math.min(POOL * B, how.count - first + 1), how.count, epoch)
  local pool = { number = number, epoch = epoch, list = list, batches = (#list + B - 1) // B }
  if how.bucket then
    sort(list, how.lengths(list))
    if how.shuffle then
      pool.order = core.permuted(1, pool.batches, pool.batches, { seed = random.seed(), purpose = "shuffle",
        update = epoch, layer = number + 1 })
    end
  end
  return pool
end

-- Numbers of the examples of batch k. `how`: count, batch_size, shuffle, bucket, lengths(list) -> list; it keeps the
-- pool.
function buckets.batch(how, k, epoch)
  local number, pool = (k - 1) // POOL, how.pool
  if not pool or pool.number ~= number or pool.epoch ~= epoch or pool.seed ~= random.seed() then
    pool = make_pool(how, number, epoch)
    pool.seed = random.seed()
    how.pool = pool
  end
  local i = (k - 1) % POOL + 1
  local first = ((pool.order and pool.order[i] or i) - 1) * how.batch_size
  return table.move(pool.list, first + 1, math.min(first + how.batch_size, #pool.list), 1, {})
end

return buckets
