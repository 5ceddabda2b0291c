---@meta
-- diagnose.lua - annotations of what looks at gradients, for editors (LuaCATS). Nothing here is run.
-- SPDX-License-Identifier: MIT

---@class rondo
local rondo = {}
---@class rondo.Module
local Module = {}
---gates and states of every recurrent layer at every step, while predicting
---@param x rondo.Tensor|integer[]|string|string[]
---@param how? { lengths: rondo.Tensor?, mask: rondo.Tensor?, resets: rondo.Tensor? }
---@return rondo.Trace trace by number and by name of the layer; output
function Module:trace(x, how) end

---@class rondo.LayerTrace
---@field name string as its parameters begin: "1.layer1"
---@field label string
---@field cell string
---@field states table<string, rondo.Tensor> (batch, time, width) by state
---@field gates table<string, rondo.Tensor> the same of what the cell computes inside
---@class rondo.Trace
---@field output rondo.Tensor
---@field [integer|string] rondo.LayerTrace

---@class rondo.Trail
---@field phase "before"|"forward"|"backward"|"gradient"|"update"
---@field layer string
---@field tensor string
---@field time integer?
---@field row integer?
---@field unit integer?
---@field place integer[]? of a parameter's element
---@field value string "nan", "inf" or "-inf"
---@field batch integer? of an update of several
---the update of a capsule once more
---@param path string RUN/capsules/step-....h5
---@param options? { model: rondo.Module?, loss: rondo.Loss? } where they are of a script's own
---@return { step: integer, trail: rondo.Trail[], recorded: rondo.Trail[], same: boolean }? found
---@return string? message
---@return integer? code
function rondo.replay(path, options) end

---@class rondo.LayerDiagnosis
---@field name string as its parameters begin: "1.layer1"
---@field label string
---@field cell string
---@field gradient table<string, number[]> |dL/ds| of each step, by state; all: of all states together
---@field lag { times: integer[], norm: number[][] } by loss time the norms at lag 0, 1, ...
---@field profile number[] their mean by lag, from 0
---@field horizon integer? lag at which it falls below 1 %
---@field slope number? of its logarithm, per step of lag
---@field jacobian number[]? |ds(T)/ds(k)|
---@field contributions table<string, { norm: number[], sum: rondo.Tensor, parts: rondo.Tensor[]? }>? by parameter
---@field radius table<string, number> spectral radius of the recurrent matrices
---@field step_radius { step: integer, radius: number }[]? of steps' Jacobians
---@field lyapunov number? largest Lyapunov exponent, per step
---@field saturation { name: string, share: number, kind: "gate"|"squashed" }[]?
---@class rondo.Diagnosis
---@field loss number
---@field layers rondo.LayerDiagnosis[]
---@field check { difference: number, tensor: string? }? contributions against the engine's gradient
---@field gradients { name: string, norm: number, weight: number }[]?
---@field updates { name: string, ratio: number? }[]?
---@field clip_rate number?
local Diagnosis = {}

---draws heat maps of lag by time and curves into x.svg or x.png, without a path in the terminal
---@param path string?
---@param options? { width: integer?, height: integer? }
---@return true? done
---@return string? message
function Diagnosis:plot(path, options) end
---the gradient of a model, looked at
---@param model rondo.Module
---@param batch table { x, y } or { x, y, weight }, with lengths, mask, resets, states by name
---@param options? rondo.diagnose.Options
---@return rondo.Diagnosis
function rondo.diagnose(model, batch, options) end
