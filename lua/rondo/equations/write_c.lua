-- write_c.lua - the C source of a scheduled program: a plugin of one cell.
-- SPDX-License-Identifier: MIT
local functions = require "rondo.equations.functions"
local write_layout = require "rondo.equations.write_layout"
local write_rows = require "rondo.equations.write_rows"

local write_c = {}

local NORM_ROW = [[
/* Mean 0 and variance 1; returns 1 / deviation (Ba, Kiros & Hinton 2016, eq. 4). */
RD_INLINE rd_real norm_row(uint32_t width, rd_real *v)
{
    const rd_real mean = rd_sum16(v, width) / (rd_real)width;
    for (uint32_t j = 0; j < width; j++) v[j] -= mean;
    const rd_real over = 1 / rd_sqrt(rd_dot16(v, v, width) / (rd_real)width + (rd_real)1e-5);
    for (uint32_t j = 0; j < width; j++) v[j] *= over;
    return over;
}
]]
local NORM_BACK_ROW = [[
/* From the gradient of normed values to that of what was normed, in d. */
RD_INLINE void norm_back_row(uint32_t width, rd_real *d, const rd_real *normed, rd_real over)
{
    const rd_real mean = rd_sum16(d, width) / (rd_real)width;
    const rd_real along = rd_dot16(d, normed, width) / (rd_real)width;
    for (uint32_t j = 0; j < width; j++) d[j] = over * (d[j] - mean - normed[j] * along);
}
]]

-- The two functions of layer norm, if there is one.
local function norms(p)
  local forward, back = false, false
  for _, segment in ipairs(p.segments) do
    for _, along in ipairs(segment.along) do
      forward = forward or along.node.op == "call" and functions[along.node.name].along
      back = back or along.node.op == "normback"
    end
  end
  return (forward and NORM_ROW .. "\n" or "") .. (back and NORM_BACK_ROW .. "\n" or "")
end

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(c) return ("\\%03o"):format(c:byte()) end) .. '"'
end

local ENDING = [[
static const rd_cell cell = {
    .size = sizeof(rd_cell),
    .revision = 1,
    .name = %s,
    .help = %s,
    .option_size = sizeof(rd_option),
    .layout = layout,
    .forward = forward,
    .backward = backward,
};
static const rd_cell *const cells[] = {&cell, NULL};

RD_PLUGIN = {.stamp = RD_STAMP,
             .size = sizeof(rd_plugin),
             .name = %s,
             .version = "1.0",
             .license = %s,
             .origin = "made from equations by rondo compile-cell",
             .cells = cells};
]]

-- The whole file; `file` is its name.
function write_c.text(p, file)
  local body = write_rows.functions(p)
  return table.concat {
    write_layout.top(p, file),
    '#include "rondo/cell.h"\n#include "rondo/pointmath.h"\n\n',
    write_layout.declaration(p),
    norms(p),
    "/* Rows are functions of their own, since gcc heeds restrict in parameters alone. */\n",
    body,
    ENDING:format(quoted(p.name), quoted(p.help), quoted(p.name), quoted(p.license or "not stated")),
  }
end

return write_c
