-- plot/init.lua - rondo.plot: pictures of runs, forecasts and whatever else is numbers. See gnuplot.lua.
-- SPDX-License-Identifier: MIT
return { draw = require("rondo.plot.gnuplot").draw, forecast = require("rondo.plot.forecast").draw,
  gradients = require("rondo.diagnose.picture").draw }
