---@meta
-- series.lua - annotations of series, windows and scalers, for editors (LuaCATS). Nothing here is run.
-- SPDX-License-Identifier: MIT

---@class rondo
local rondo = {}
rondo.data = {}

---what a CSV file holds; times are seconds since 1970 in UTC, or numbers
---@class rondo.Series.Summary
---@field rows integer
---@field missing table<string, integer> by column
---@field unread string[] columns that are neither read nor the time
---@field separator string
---@field time string? column of times
---@field first number?
---@field last number?
---@field regular boolean? all steps of time are alike
---@field step number? between the first two rows
---@field unit "seconds"|"months"|"number"|nil of the step
---@field other_steps integer? steps that differ
---@field other_line integer? line of the first row behind one

---columns of numbers in the order of time, mapped from a file
---@class rondo.Series
---@field columns string[]
---@field num_columns integer
---@field path string
---@operator len: integer
local Series = {}
---rows from..to, (n) of one column, (n, columns) of a list or all; no later row has a part in them
---@param columns string|string[]|nil
---@param from integer?
---@param to integer?
---@return rondo.Tensor
function Series:values(columns, from, to) end
---@param from integer?
---@param to integer?
---@return number[]?
function Series:times(from, to) end
---@param from integer?
---@param to integer?
---@return rondo.Series
function Series:slice(from, to) end
---@param where (number|string)[] shares { 0.7, 0.15, 0.15 }, numbers of rows { 100, 44 } or times { "1959-01" }
---@return rondo.Series ...
function Series:split(where) end
---@return rondo.Series.Summary
function Series:summary() end
---a source of batches for a Trainer
---@param options rondo.windows.Options
---@return rondo.Windows
function Series:windows(options) end
---rows of a season, by the part alone, or nil and why there is none
---@param column string?
---@return integer?
---@return string? why
function Series:season(column) end
---one of many series
---@param name string
---@return rondo.Series
function Series:one(name) end
---names of the series of a part, of one as of many
---@return string[]
function Series:names() end
---windows of new data as those of a run
---@param config table rondo.load(run).config.series
---@param options table? further options, as batch_size and future
---@return rondo.Windows
function Series:windows_like(config, options) end
rondo.data.Series = {}
---@param path string
---@param options rondo.Series.from_csv.Options?
---@return rondo.Series? series
---@return string? err
---@return integer? code
---@nodiscard
function rondo.data.Series.from_csv(path, options) end
---@param path string
---@param options rondo.Series.from_hdf5.Options?
---@return rondo.Series? series
---@return string? err
---@return integer? code
---@nodiscard
function rondo.data.Series.from_hdf5(path, options) end

---one window for one target, on the scale of the data
---@class rondo.Window
---@field series string
---@field target string
---@field origin integer the last row whose values are known, in the whole series
---@field history number[] values up to the origin, missing ones filled
---@field truth number[] of the horizon; NaN where missing or behind the part
---@field times number[]? of the horizon

---windows of a part of a series: batches of what is known at an origin and of the truth behind it
---@class rondo.Windows
---@field series rondo.Series
---@field scaler rondo.Scaler?
---@field targets string[]
---@field features string[] names of the numbers of a step of x
---@field num_features integer
---@field target_features integer[] where the targets are among them
---@field input_size integer
---@field horizon integer
---@field steps integer of x: input_size, or input_size + horizon - 1 where something is known ahead
---@field season integer?
---@field count integer windows
---@field filled table<string, integer> missing values of the part, by column
---@operator len: integer
local Windows = {}
---@param k integer
---@param epoch integer?
---@return rondo.Tensor|rondo.Tensor[] x (batch, steps, features), with ids of an embedding a list of it and (batch)
---@return rondo.Tensor y (batch, horizon) or (batch, horizon, targets)
---@return nil how
---@return rondo.Tensor? weight 0 where truth is missing
function Windows:batch(k, epoch) end
---@param k integer
---@param epoch integer?
---@return integer[] numbers of the windows of a batch
function Windows:rows(k, epoch) end
---a batch of these windows
---@param numbers integer[]
---@return rondo.Tensor x
---@return rondo.Tensor y
---@return nil how
---@return rondo.Tensor? weight
function Windows:of(numbers) end
---@param i integer
---@param target string?
---@return rondo.Window
function Windows:window(i, target) end
---steps behind a window's origin from the scale of the model to that of the data
---@param target string?
---@param values number[]
---@param window rondo.Window
---@return number[]
function Windows:unscale(target, values, window) end

---columns of a series on one scale and back
---@class rondo.Scaler
---@field columns string[]?
---@field shift table<string, number>? by column, of (x - shift) / scale
---@field scale table<string, number>? by column
local Scaler = {}
---@param part rondo.Series the training part
---@return rondo.Scaler self
function Scaler:fit(part) end
---numbers of their own for series that are new
---@param part rondo.Series
---@return rondo.Scaler self
function Scaler:adapt(part) end
---@param x rondo.Tensor of one column in any shape, or the last dimension is the columns
---@param columns string|string[]|nil
---@param series string? whose numbers; default: those of all together
---@return rondo.Tensor
function Scaler:transform(x, columns, series) end
---@param x rondo.Tensor
---@param columns string|string[]|nil
---@param series string?
---@return rondo.Tensor
function Scaler:inverse(x, columns, series) end
