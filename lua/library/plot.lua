---@meta
-- plot.lua - annotations for editors of rondo.plot: pictures. Nothing here is run. SPDX-License-Identifier: MIT

---@class rondo.Axis
---@field label? string
---@field log? boolean
---@field time? boolean values are seconds since 1970
---@field min? number
---@field max? number
---@field ticks? [number, string][]

---@class rondo.Line
---@field name? string in the legend
---@field xs? number[] default 1, 2, 3 ...
---@field ys? number[] NaN leaves a gap
---@field style? "line"|"points"|"band"|"bars"|"steps"
---@field lower? number[] of a band
---@field upper? number[] of a band
---@field color? integer|string 1..8, "muted" or "#rrggbb"
---@field width? number
---@field dashed? boolean

---@class rondo.Heat
---@field matrix number[][] the first row is at the bottom
---@field xs? number[]
---@field ys? number[]
---@field label? string
---@field diverging? boolean colours around 0
---@field log? boolean

---@class rondo.Picture
---@field title? string
---@field x? rondo.Axis
---@field y? rondo.Axis
---@field lines? rondo.Line[]
---@field heat? rondo.Heat
---@field marks? { x?: number, y?: number, name?: string }[]
---@field panels? rondo.Picture[] in place of lines and heat
---@field columns? integer of panels

rondo.plot = {}
---Draws into a file, x.svg or x.png, or in characters on standard output. Needs gnuplot.
---@param picture rondo.Picture
---@param options? { path: string?, width: integer?, height: integer?, color: boolean? }
---@return true? drawn
---@return string? message
---@return integer? code
function rondo.plot.draw(picture, options) end

---Draws history, truth, forecast and intervals of a Forecast into x.svg or x.png, or in characters. Needs gnuplot.
---@param forecast rondo.Forecast
---@param path string?
---@param options? { title: string?, width: integer?, height: integer? }
---@return true? drawn
---@return string? message
---@return integer? code
function rondo.plot.forecast(forecast, path, options) end

---draws the gradients of a diagnosis, or of several side by side, into x.svg or x.png; without a path in the terminal
---@param found rondo.Diagnosis|table the list { { name, diagnosis, layer = integer? }, ... }
---@param path string?
---@param options? { title: string?, width: integer?, height: integer? }
---@return true? done
---@return string? message
function rondo.plot.gradients(found, path, options) end
