---@meta
-- rondo.lua - annotations for editors (LuaCATS). Nothing here is run. SPDX-License-Identifier: MIT

---@class rondo
local rondo = {}

---@class rondo.Tensor
---@field grad rondo.Tensor?
---@field requires_grad boolean
---@field ndim integer
---@field order "dense"|"sequence"
---@operator add(rondo.Tensor|number): rondo.Tensor
---@operator sub(rondo.Tensor|number): rondo.Tensor
---@operator mul(rondo.Tensor|number): rondo.Tensor
---@operator div(rondo.Tensor|number): rondo.Tensor
---@operator pow(number): rondo.Tensor
---@operator unm: rondo.Tensor
---@operator len: integer
local Tensor = {}
---@overload fun(self: rondo.Tensor): integer[]
---@param dim integer
---@return integer
function Tensor:size(dim) end
---@return integer
function Tensor:numel() end
---@return number
function Tensor:item() end
---@return table|number
function Tensor:table() end
---@param value number
function Tensor:fill(value) end
---@param dim integer
---@param index integer counted from 1, -1 is the last
---@return rondo.Tensor view
function Tensor:select(dim, index) end
---@param dim integer
---@param first integer
---@param last integer
---@return rondo.Tensor view
function Tensor:slice(dim, first, last) end
---@param a integer
---@param b integer
---@return rondo.Tensor view
function Tensor:transpose(a, b) end
---@param ... integer
---@return rondo.Tensor
function Tensor:reshape(...) end
---@param other rondo.Tensor
---@return rondo.Tensor
function Tensor:matmul(other) end
---@param dim integer?
---@param keep boolean?
---@return rondo.Tensor
function Tensor:sum(dim, keep) end
---@param dim integer?
---@param keep boolean?
---@return rondo.Tensor
function Tensor:mean(dim, keep) end
---@param dim integer
---@return rondo.Tensor ids
function Tensor:argmax(dim) end
---@param dim integer
---@return rondo.Tensor
function Tensor:softmax(dim) end
---@return rondo.Tensor
function Tensor:tanh() end
---@return rondo.Tensor
function Tensor:sigmoid() end
---@return rondo.Tensor
function Tensor:relu() end
---@return number
function Tensor:norm() end
---@param other rondo.Tensor
---@param tolerance { rtol: number?, atol: number? }?
---@return boolean
function Tensor:allclose(other, tolerance) end
---@param seed rondo.Tensor?
---@param how { retain_graph: boolean? }?
function Tensor:backward(seed, how) end
function Tensor:zero_grad() end
function Tensor:release() end

---@param ... integer|integer[]
---@return rondo.Tensor
function rondo.zeros(...) end
---@param ... integer|integer[]
---@return rondo.Tensor
function rondo.ones(...) end
---@param ... integer|integer[]
---@return rondo.Tensor uniform in [0, 1)
function rondo.rand(...) end
---@param ... integer|integer[]
---@return rondo.Tensor normal
function rondo.randn(...) end
---@param values table|number
---@param shape integer[]?
---@return rondo.Tensor
function rondo.tensor(values, shape) end
---@param t rondo.Tensor
---@return rondo.Tensor leaf that wants a gradient
function rondo.parameter(t) end
---@param tensors rondo.Tensor[]
---@param dim integer
---@return rondo.Tensor
function rondo.concat(tensors, dim) end
---@param condition rondo.Tensor
---@param a rondo.Tensor
---@param b rondo.Tensor
---@return rondo.Tensor
function rondo.where(condition, a, b) end
---@param x rondo.Tensor
---@param weight rondo.Tensor
---@param bias rondo.Tensor?
---@return rondo.Tensor
function rondo.linear(x, weight, bias) end
---@generic T
---@param f fun(...): T
---@return T
function rondo.no_grad(f, ...) end
---@param seed integer
function rondo.manual_seed(seed) end
---@param parameters rondo.Tensor[]
---@param max_norm number
---@param norm_type number? 2, 1 or math.huge
---@return number norm
function rondo.clip_grad_norm(parameters, max_norm, norm_type) end
---@param parameters rondo.Tensor[]
---@param limit number
function rondo.clip_grad_value(parameters, limit) end

---@class rondo.Module
---@field training boolean
---@field vocab table?
---@operator call(...): rondo.Tensor
local Module = {}
---@return rondo.Tensor[]
function Module:parameters() end
---@return fun(): string, rondo.Tensor
function Module:named_parameters() end
---@param mode boolean?
---@return self
function Module:train(mode) end
---@return self
function Module:eval() end
---@param pattern string? of the names of the parameters
---@return self
function Module:freeze(pattern) end
---@param pattern string?
---@return self
function Module:unfreeze(pattern) end
---@param x rondo.Tensor
---@return rondo.Tensor
function Module:predict(x) end
function Module:close() end

---@class rondo.Adjust.Options
---@field repetition_penalty number?
---@field repetition_window integer?
---@field logit_bias table<string|integer, number>?
---@field allow (string|integer[]|fun(prefix: string): string|integer[]|nil)?
---@field stop (string|string[])?
---@class rondo.Generate.Options: rondo.Adjust.Options
---@field prompt string?
---@field length integer?
---@field temperature number?
---@field top_k integer?
---@field typical_p number?
---@field top_p number?
---@field min_p number?
---@field greedy boolean?
---@field seed integer?
---@field sample integer?
---@field echo boolean?
---@param options rondo.Generate.Options
---@return fun(): string? pieces
---@return integer seed
function Module:generate(options) end

---@class rondo.Complete.Options: rondo.Adjust.Options
---@field prompt string?
---@field length integer?
---@field beam integer?
---@field length_penalty number?
---@class rondo.Completion
---@field text string
---@field log_prob number
---@field score number
---@field symbols integer
---@param options rondo.Complete.Options
---@return rondo.Completion[]
function Module:complete(options) end

---@class rondo.TextFigures
---@field nats number
---@field loss number
---@field perplexity number
---@field bits_per_char number
---@field symbols integer
---@field counted integer
---@field characters integer
---@field unit string?
---@field lacking integer?
---@field line integer?
---@field text string?
---@param text table|string
---@param options { unit: "stream"|"line"|"document"|nil, on_line: (fun(figures: rondo.TextFigures))? }?
---@return rondo.TextFigures
function Module:evaluate(text, options) end

---@param name string
---@return fun(...): rondo.Module
function rondo.Module(name) end

---@class rondo.RNN.Options
---@field cell string?
---@field input_size integer?
---@field hidden_size integer
---@field num_layers integer?
---@field dropout number?
---@field bias "none"|"one"|"two"?
---@field return_sequences boolean?
---@field return_state boolean?
---@field seed integer?
---@field name string?
---@param options rondo.RNN.Options
---@return rondo.Module
function rondo.RNN(options) end
---@class rondo.LSTM.Options: rondo.RNN.Options
---@field forget_bias number?
---@param options rondo.LSTM.Options
---@return rondo.Module
function rondo.LSTM(options) end
---@param options rondo.RNN.Options
---@return rondo.Module
function rondo.GRU(options) end
---@param options rondo.RNN.Options
---@return rondo.Module
function rondo.VanillaRNN(options) end
---@param options { [1]: integer, [2]: integer, name: string?, seed: integer? }
---@return rondo.Module
function rondo.Embedding(options) end
---@param options { [1]: integer, name: string? }
---@return rondo.Module
function rondo.OneHot(options) end
---@param options { [1]: integer, [2]: integer?, bias: boolean?, name: string?, seed: integer? }
---@return rondo.Module
function rondo.Linear(options) end
---@param options { [1]: number }
---@return rondo.Module
function rondo.Dropout(options) end
---@param options { features: integer?, eps: number? }?
---@return rondo.Module
function rondo.LayerNorm(options) end
---@param layers rondo.Module[]
---@return rondo.Module
function rondo.Sequential(layers) end

---@alias rondo.Reduction "mean"|"sum"|"batch"
---@alias rondo.Loss fun(y: rondo.Tensor, target: rondo.Tensor, weight: rondo.Tensor?): rondo.Tensor, number, number
---@param options { reduction: rondo.Reduction?, label_smoothing: number?, class_weights: number[]? }?
---@return rondo.Loss
function rondo.CrossEntropyLoss(options) end
---@param options { reduction: rondo.Reduction? }?
---@return rondo.Loss
function rondo.MSELoss(options) end
---@param options { reduction: rondo.Reduction? }?
---@return rondo.Loss
function rondo.L1Loss(options) end
---@param options { reduction: rondo.Reduction?, delta: number? }?
---@return rondo.Loss
function rondo.HuberLoss(options) end
---@param options { reduction: rondo.Reduction?, pos_weight: number? }?
---@return rondo.Loss
function rondo.BCEWithLogitsLoss(options) end
---@param options { reduction: rondo.Reduction? }?
---@return rondo.Loss
function rondo.CosineLoss(options) end

---@class rondo.Optimizer
---@field lr number
local Optimizer = {}
function Optimizer:step() end
function Optimizer:zero_grad() end
function Optimizer:start_average() end
---@param loss number of a validation
---@return boolean begins the average begins with this iterate
function Optimizer:validated(loss) end
---@param f fun(...): ...
function Optimizer:with_average(f, ...) end

---@class rondo.Trainer.Options
---@field model rondo.Module
---@field loss rondo.Loss
---@field optimizer rondo.Optimizer
---@field options table?
---@field schedule table?
---@field metrics (string|table)[]?
---@field ema number?
---@field accumulate integer?
---@field clip_grad_norm number?
---@field clip_grad_value number?
---@field callbacks table[]?
---@field vocab table?
---@field run_dir string?
---@field epochs integer?
---@field max_steps integer?
---@class rondo.Trainer
local Trainer = {}
---@param train table
---@param valid table?
---@return rondo.Trainer
function Trainer:fit(train, valid) end
---@param source table
---@return { loss: number, [string]: number }
function Trainer:evaluate(source) end
---@param x rondo.Tensor
---@return rondo.Tensor
function Trainer:predict(x) end
---@param event string "on_step_end" or "step_end", ...
---@param f fun(trainer: rondo.Trainer, facts: table)
---@return rondo.Trainer
function Trainer:on(event, f) end
---@param name string
---@param value number|string|boolean
function Trainer:log(name, value) end
---@param f fun(...): ...
function Trainer:with_average(f, ...) end
---@param options rondo.Trainer.Options
---@return rondo.Trainer
function rondo.Trainer(options) end

---@class rondo.Checkpoint
---@field step integer?
---@field model rondo.Module
---@field path string
local Checkpoint = {}
---@param model rondo.Module
---@param optimizer rondo.Optimizer?
---@return true? ok
---@return string? err
function Checkpoint:load_into(model, optimizer) end

---@param path string
---@param what { model: rondo.Module, optimizer: rondo.Optimizer?, step: integer? }
---@return true? ok
---@return string? err
---@return integer? code
function rondo.save(path, what) end
---@param path string file or run folder
---@return rondo.Checkpoint? ckpt
---@return string? err
---@return integer? code
---@nodiscard
function rondo.load(path) end
---@class rondo.Data.Get
---@field part string? one of the set's files, as "valid"
---@field catalog string? another catalog file
---@class rondo.Data
rondo.data = {}
---@param name string a name that `rondo data list` shows
---@param options rondo.Data.Get?
---@return string? path
---@return string? err
---@return integer? code
---@nodiscard
function rondo.data.get(name, options) end

---@param options table defaults by name; the first element describes the script
---@return table values
function rondo.args(options) end

return rondo
