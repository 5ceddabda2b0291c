---@meta
-- sweep.lua - annotations of sweeps for editors (LuaCATS). Nothing here is run. SPDX-License-Identifier: MIT

---@class rondo
local rondo = {}
rondo.sweep = {}

---@class rondo.Range a range of values of an option
---@param low number
---@param high number
---@return rondo.Range
function rondo.sweep.uniform(low, high) end
---@param low number greater than 0
---@param high number
---@return rondo.Range
function rondo.sweep.loguniform(low, high) end
---@param low integer
---@param high integer
---@return rondo.Range
function rondo.sweep.int(low, high) end
---@param ... any values, or one list of them
---@return any[]
function rondo.sweep.choice(...) end

---@class rondo.Sweep.Run
---@field trial integer
---@field seed integer?
---@field folder string
---@field state "waiting"|"running"|"paused"|"done"|"failed"|"diverged"
---@field step integer?
---@field value number?
---@field why string?

---@class rondo.Sweep.Trial
---@field trial integer
---@field params table<string, any>
---@field state "waiting"|"running"|"paused"|"done"|"failed"|"diverged"
---@field value number? mean over seeds
---@field spread number? standard deviation
---@field n integer runs with a figure
---@field runs rondo.Sweep.Run[]

---@class rondo.Sweep
---@field trials integer
---@field out string
local Sweep = {}
---Runs what is not done.
---@param options rondo.run.Options?
---@return integer failed trials
function Sweep:run(options) end
---@param i integer
---@param options rondo.run.Options?
---@return integer failed 1 or 0
function Sweep:run_trial(i, options) end
---The options of trial i.
---@param i integer
---@return table<string, any>
function Sweep:params(i) end
---@return { trials: rondo.Sweep.Trial[], names: string[], best: integer?, monitor: string, mode: string, out: string }
function Sweep:table() end
---@return { trial: integer, params: table<string, any>, folder: string, spread: number?, [string]: any }? best
---@return string? err
function Sweep:best() end
---@return string
function Sweep:text() end
---@param path string? out/report.html
---@return true? ok
---@return string? err
function Sweep:report(path) end

---A table in the order of its keys.
---@generic K, V
---@param t table<K, V>
---@return fun(): K, V
function rondo.sorted(t) end

return rondo
