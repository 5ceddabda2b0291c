-- plot/curves.lua - the picture of figures of several runs: one panel for loss and val_loss, one for each other kind.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local errors = require "rondo.errors"
local records = require "rondo.run_records"

local curves = {}

-- The figures asked for, "loss,val_loss" or nil, of those that there are; or nil, message, code.
function curves.choose(logs, wanted)
  local all, known, chosen = records.figures(logs), {}, {}
  for _, name in ipairs(all) do
    known[name] = true
  end
  if #all == 0 then
    return errors.outside(("%s: no figures yet; the first come after --log-every updates"):format(logs[1].folder))
  end
  for name in (wanted or "loss,val_loss"):gmatch "[^,%s]+" do
    if known[name] then
      chosen[#chosen + 1] = name
    elseif wanted then
      local near = core.nearest(name, all)
      return errors.outside(("no run has a figure '%s'%s"):format(name, near and (" (did you mean '%s'?)"):format(near)
        or "; there is " .. table.concat(all, ", ")), errors.USAGE)
    end
  end
  return #chosen > 0 and chosen or { all[1] }
end

-- Figures by what they measure: loss and val_loss belong together.
function curves.groups(figures)
  local groups, by_kind = {}, {}
  for _, name in ipairs(figures) do
    local kind = name:gsub("^val_", "")
    if not by_kind[kind] then
      by_kind[kind] = { kind = kind }
      groups[#groups + 1] = by_kind[kind]
    end
    table.insert(by_kind[kind], name)
  end
  return groups
end

local LABELS = { step = "step", epoch = "epoch", t = "seconds" }
local WIDE, NARROW = 2.4, 1.4

-- Training figures are thin and validation is wide where both are there. A run has one colour; a single run a colour
-- for each figure.
local function panel(logs, group, o)
  local lines = {}
  for i, log in ipairs(logs) do
    for k, figure in ipairs(group) do
      local xs, ys = records.curve(log, figure, o.over)
      local valid = figure:find "^val_" ~= nil
      if o.smooth and o.smooth > 0 and not valid then
        ys = records.smoothed(ys, o.smooth)
      end
      lines[#lines + 1] = { xs = xs, ys = ys, color = #logs > 1 and i or k,
        width = valid and #group > 1 and WIDE or NARROW,
        name = #logs > 1 and (#group > 1 and log.name .. " " .. figure or log.name) or figure,
        style = #xs == 1 and "points" or "line" }
    end
  end
  return { lines = lines, x = { label = LABELS[o.over], log = o.log_x }, y = { label = group.kind, log = o.log_y } }
end

-- o: over (step, epoch, t), smooth, log_x, log_y.
function curves.picture(logs, figures, o)
  local panels = {}
  for i, group in ipairs(curves.groups(figures)) do
    panels[i] = panel(logs, group, o)
  end
  local one = #panels == 1 and panels[1] or { panels = panels }
  one.title = #logs == 1 and logs[1].folder or nil
  return one, #panels
end

return curves
