---@meta
-- rondo.lua - annotations for editors (LuaCATS). Nothing here is run. SPDX-License-Identifier: MIT
-- Classes and functions; those of series are in series.lua beside it, constructors with options, made from option
-- tables, in options.lua.
-- over 400 lines: a table of names.

---@class rondo
---@field _VERSION string
---@field abi table version of the plugin border
local rondo = {}
rondo.data = {}
rondo.data.Text = {}
rondo.optim = {}
rondo.callbacks = {}
rondo.metrics = {}

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
---@return rondo.Tensor
function Tensor:sqrt() end
---@return rondo.Tensor
function Tensor:exp() end
---@return rondo.Tensor
function Tensor:log() end
---@return rondo.Tensor
function Tensor:abs() end
---@return rondo.Tensor
function Tensor:neg() end
---@return rondo.Tensor
function Tensor:softplus() end
---@return rondo.Tensor
function Tensor:clone() end
---@return rondo.Tensor
function Tensor:contiguous() end
---@return rondo.Tensor
function Tensor:detach() end
---@param other rondo.Tensor|number
---@return rondo.Tensor ones where it holds, zeros elsewhere
function Tensor:eq(other) end
---@param other rondo.Tensor|number
---@return rondo.Tensor ones where it holds, zeros elsewhere
function Tensor:ne(other) end
---@param other rondo.Tensor|number
---@return rondo.Tensor ones where it holds, zeros elsewhere
function Tensor:lt(other) end
---@param other rondo.Tensor|number
---@return rondo.Tensor ones where it holds, zeros elsewhere
function Tensor:le(other) end
---@param other rondo.Tensor|number
---@return rondo.Tensor ones where it holds, zeros elsewhere
function Tensor:gt(other) end
---@param other rondo.Tensor|number
---@return rondo.Tensor ones where it holds, zeros elsewhere
function Tensor:ge(other) end
---@param dim integer
---@return rondo.Tensor
function Tensor:log_softmax(dim) end
---@param dim integer?
---@param keep boolean?
---@return rondo.Tensor
function Tensor:max(dim, keep) end
---@param dim integer
---@param first integer
---@param count integer
---@return rondo.Tensor view
function Tensor:narrow(dim, first, count) end
---@param dim integer
---@return rondo.Tensor view
function Tensor:squeeze(dim) end
---@param dim integer
---@return rondo.Tensor view
function Tensor:unsqueeze(dim) end
---@param ... integer
---@return rondo.Tensor
function Tensor:view(...) end
---@param other rondo.Tensor
---@return self
function Tensor:copy(other) end
---@param low number
---@param high number
---@param stream table?
---@return self
function Tensor:fill_uniform(low, high, stream) end
---@param mean number
---@param deviation number
---@param stream table?
---@return self
function Tensor:fill_normal(mean, deviation, stream) end
---@param init { kind: string, a: number?, b: number? }
---@param stream table
---@return self
function Tensor:fill_init(init, stream) end
---@return boolean
function Tensor:is_leaf() end
---@return boolean
function Tensor:is_finite() end
function Tensor:close() end
function Tensor:release() end

---@param ... integer|integer[]
---@return rondo.Tensor
function rondo.zeros(...) end
---@param ... integer|integer[]
---@return rondo.Tensor
function rondo.ones(...) end
---@param shape integer[]
---@param value number
---@return rondo.Tensor
function rondo.full(shape, value) end
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
---@param a rondo.Tensor
---@param b rondo.Tensor
---@return rondo.Tensor
function rondo.matmul(a, b) end
---@param x rondo.Tensor
---@param dim integer
---@param ids rondo.Tensor of as many dimensions, with size 1 in dim
---@return rondo.Tensor the element that each id names along dim
function rondo.gather(x, dim, ids) end
---@param ids rondo.Tensor
---@param weight rondo.Tensor (V, E)
---@return rondo.Tensor
function rondo.embedding(ids, weight) end
---@param ids rondo.Tensor
---@param classes integer
---@return rondo.Tensor
function rondo.one_hot(ids, classes) end
---@generic T
---@param f fun(...): T
---@return T
function rondo.no_grad(f, ...) end
---@param t rondo.Tensor
---@param init string|table "orthogonal", { "uniform", -0.1, 0.1 }
---@return rondo.Tensor
function rondo.init(t, init) end
---@param seed integer
function rondo.manual_seed(seed) end
---Numbers that enter the products of recurrent layers and Linear from now on; parameters and sums stay float32.
---int8 is for recurrent layers alone, without gradients.
---@param name ("float32"|"bf16"|"int8")? default: only tell
---@return "float32"|"bf16"|"int8" before
function rondo.precision(name) end
---@param parameters rondo.Tensor[]
---@param max_norm number
---@param norm_type number? 2, 1 or math.huge
---@return number norm
function rondo.clip_grad_norm(parameters, max_norm, norm_type) end
---@param parameters rondo.Tensor[]
---@param limit number
function rondo.clip_grad_value(parameters, limit) end

rondo.check = {}
---@class rondo.GradientReport
---@field worst number |analytic - numeric|, relative to the largest of its tensor where that is above 1
---@field tensor integer
---@field element integer
---@field analytic number
---@field numeric number five-point difference
---@param f fun(): rondo.Tensor a scalar built from the parameters
---@param parameters rondo.Tensor[]
---@return rondo.GradientReport
function rondo.check.gradients(f, parameters) end
---@class rondo.CellReport
---@field cell string
---@field ok boolean
---@field max_rel_error number
---@field worst string where: "f_h[2, 3]"
---@field analytic number
---@field numeric number
---@field numbers integer how many were looked at
---derivatives by parameters, input and first states, of any cell
---@param name string
---@param sizes table? input_size, hidden_size, batch, time; options of the cell and of rondo.RNN
---@return rondo.CellReport
function rondo.check.cell(name, sizes) end
---@param a integer?
---@param b integer?
---@return number as math.random, from a stream that a resumed run goes on with
function rondo.random(a, b) end

---@class rondo.Module
---@field training boolean
---@field vocab table?
---@field tokenizer rondo.Tokenizer|rondo.TokenVocab?
---@field labels rondo.Labels|rondo.TokenVocab?
---@operator call(...): rondo.Tensor
local Module = {}
---@return rondo.Tensor[]
function Module:parameters() end
---@return fun(): string, rondo.Tensor
function Module:named_parameters() end
---@return table<string|integer, any> U, W, B, V, C: parameters by the letters of formulas
function Module:weights() end
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
---@param x rondo.Tensor|integer[]|string|string[] an example or a batch; text and tokens by the model's tokenizer
---@return rondo.Tensor
function Module:predict(x) end
---one step of a stream
---@param x rondo.Tensor (batch, features), or ids (batch)
---@param states table? nil: first values
---@return rondo.Tensor y
---@return table states
function Module:step(x, states) end
---a chunk of a stream
---@param x rondo.Tensor (batch, time, features), or ids (batch, time)
---@param states table? nil: first values
---@param how { lengths: any?, mask: any?, resets: any? }?
---@return rondo.Tensor y
---@return table states
function Module:advance(x, states, how) end
function Module:close() end
---what ActivityRegularization adds to the loss of the last call: to be added before backward()
---@return rondo.Tensor|0
function Module:penalty() end

---@param options rondo.generate.Options
---@return fun(): string? pieces
---@return integer seed
function Module:generate(options) end

---@class rondo.Completion
---@field text string
---@field log_prob number
---@field score number
---@field symbols integer
---@param options rondo.complete.Options
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
---@param options rondo.evaluate.Options?
---@return rondo.TextFigures
function Module:evaluate(text, options) end

---@param name string
---@return fun(...): rondo.Module
function rondo.Module(name) end

---@param layers rondo.Module[]
---@return rondo.Module
function rondo.Sequential(layers) end

---@class rondo.Function
---@operator call(...): rondo.Tensor

---a cell written in Lua, as rondo.cell has defined it
---@class rondo.Cell
---@field name string
---@field help string
local Cell = {}
---of a cell of equations: makes a plugin of it, which its name means from here on; check: also by `rondo check` (true)
---@param options? { check: boolean }
---@return { c: string, plugin: string, cached: boolean, difference: number }? report
---@return string? message
function Cell:compile(options) end

---which steps count: numbers of steps, or 0 where one does not
---@alias rondo.Valid { lengths: rondo.Tensor|integer[] }|{ mask: rondo.Tensor|integer[][]|false }
---@alias rondo.Weight rondo.Tensor|rondo.Valid
---@alias rondo.Loss fun(y: rondo.Tensor, target: rondo.Tensor, weight: rondo.Weight?): rondo.Tensor, number, number

---@class rondo.Schedule
local Schedule = {}
---the rate of the next update
function Schedule:step() end

---@class rondo.Callback
---@field on_fit_begin? fun(self, trainer: rondo.Trainer, facts: table)
---@field on_step_end? fun(self, trainer: rondo.Trainer, facts: table)
---@field on_epoch_end? fun(self, trainer: rondo.Trainer, facts: table)
---@field on_evaluate_end? fun(self, trainer: rondo.Trainer, facts: table)
---@field on_fit_end? fun(self, trainer: rondo.Trainer, facts: table)

---@class rondo.Vocab
---@operator len: integer
local Vocab = {}
---@param text string
---@return integer[]? ids
---@return string? err
function Vocab:encode(text) end
---@param id integer
---@return string
function Vocab:decode(id) end

---@class rondo.Text
---@field vocab rondo.Vocab fitted on the training part
---@operator len: integer
local Text = {}
---@param share number
---@return rondo.Text train
---@return rondo.Text valid
function Text:split(share) end
---batches of a text
---@class rondo.Sequences
---@operator len: integer
---@param options rondo.sequences.Options?
---@return rondo.Sequences
function Text:sequences(options) end
---strings to ids and back
---@class rondo.Tokenizer
---@field vocab rondo.Vocab
local Tokenizer = {}
---@param train string[]|rondo.Text
---@return rondo.Tokenizer
function Tokenizer:fit(train) end
---@param s string
---@return integer[] ids with <eos> behind them where there is one
function Tokenizer:encode(s) end
---@param list string[]
---@param options { max_len: integer? }?
---@return integer[][]
function Tokenizer:encode_all(list, options) end
---@param list string[]
---@param options { max_len: integer? }?
---@return integer[][] what a decoder reads while it writes encode_all(list)
function Tokenizer:shifted(list, options) end
---@param ids integer|integer[]|rondo.Tensor
---@return string
function Tokenizer:decode(ids) end

---sequences that are made, not collected: a source of batches
---@class rondo.Task
---@field naive number loss of a guess without memory
---@operator len: integer
local Task = {}
---@param k integer
---@param epoch integer?
---@return rondo.Tensor x
---@return rondo.Tensor y
function Task:batch(k, epoch) end
---tokens to ids and back
---@class rondo.TokenVocab
---@field vocab rondo.Vocab
---@operator len: integer
local TokenVocab = {}
---@param tokens string[]
---@return integer[] ids with <eos> behind them where there is one
function TokenVocab:encode(tokens) end
---@param lists string[][]
---@param options { max_len: integer? }?
---@return integer[][]
function TokenVocab:encode_all(lists, options) end
---@param lists string[][]
---@param options { max_len: integer? }?
---@return integer[][] what a decoder reads while it writes encode_all(lists)
function TokenVocab:shifted(lists, options) end
---@param ids integer|integer[]|rondo.Tensor
---@return string[]
function TokenVocab:decode(ids) end
---@param token string
---@return integer?
function TokenVocab:id(token) end
---@return { unk: integer?, bos: integer?, eos: integer? }
function TokenVocab:special() end
---@return fun(): integer?, string?
function TokenVocab:each() end
rondo.data.Vocab = {}
---@param lists string[][]
---@param options rondo.Vocab.from.Options?
---@return rondo.TokenVocab
function rondo.data.Vocab.from(lists, options) end

---classes of examples
---@class rondo.Labels
---@operator len: integer
local Labels = {}
---@param label string|number
---@return integer
function Labels:encode(label) end
---@param list (string|number)[]
---@return integer[]
function Labels:encode_all(list) end
---@param ids integer|integer[]|rondo.Tensor
---@return string|string[]
function Labels:decode(ids) end
---@return fun(): integer?, string?
function Labels:each() end
rondo.data.Labels = {}
---@param list (string|number)[]
---@return rondo.Labels
function rondo.data.Labels.from(list) end

---rows of a TSV or CSV file; its columns are fields, lists of strings
---@class rondo.Table
---@field columns string[]
---@field [string] string[]
---@operator len: integer
local Table = {}
---@param shares table { 0.9, 0.1, shuffle = true }
---@return rondo.Table ...
function Table:split(shares) end
---@param name string
---@return string[]
function Table:column(name) end
rondo.data.Table = {}
---@param path string
---@param options rondo.Table.open.Options?
---@return rondo.Table? table
---@return string? err
---@return integer? code
---@nodiscard
function rondo.data.Table.open(path, options) end

---what a model or a baseline says of one window and target; all on the scale of the data
---@class rondo.Forecast.Entry
---@field series string
---@field target string
---@field origin integer row, in the whole series, of the last value that was known
---@field point number[] one a step
---@field history number[]? values up to the origin
---@field truth number[]? values that came, NaN where missing
---@field times number[]?
---@field quantiles table<number, number[]>? by level, as 0.1
---@field paths number[][]? sampled futures

---forecasts of windows, an array of entries
---@class rondo.Forecast
---@field [integer] rondo.Forecast.Entry
---@field name string
---@field horizon integer steps
---@field season integer
---@field time_unit "seconds"|"months"|"number"|nil
---@operator len: integer
local Forecast = {}
---@param names table? { "mae", "rmse", "smape", "mase", "coverage", "pinball", by = "step" }; nil: all there are
---@return table<string, number> figures by name; with `by`, tables of them
---@return string[] notes what to know about them, as of zeros
function Forecast:metrics(names) end
---@return number[] levels of the quantiles, ascending
function Forecast:levels() end
---a line for each step: series, target, origin, time, step, truth, forecast, quantiles
---@param file string|file* path, or an open file
---@return true? ok
---@return string? err
---@return integer? code
function Forecast:csv(file) end
rondo.forecast = {}
rondo.baselines = {}
---what a network must beat, fitted on the values up to the first origin of the windows it is asked about
---@class rondo.Baseline
local Baseline = {}
---@param windows rondo.Windows
---@param options { quantiles: number[]? }? levels; default { 0.1, 0.5, 0.9 }, {}: none
---@return rondo.Forecast
function Baseline:forecast(windows, options) end
---@param windows rondo.Windows
---@param options { metrics: string[]?, quantiles: number[]? }?
---@return table<string, number> figures
---@return string[] notes
function Baseline:evaluate(windows, options) end
---forecasts by all baselines that need no training
---@param windows rondo.Windows
---@param options { season: integer?, quantiles: number[]? }?
---@return rondo.Forecast[]
function rondo.baselines.all(windows, options) end
---of FeedForward alone: trains it; valid may be nil
---@param train rondo.Windows
---@param valid rondo.Windows?
---@return rondo.Baseline self
function Baseline:fit(train, valid) end
---what there is to say of a network beside its baselines
---@class rondo.Verdict
---@field skill boolean
---@field text string the sentence
---@field table string all that is printed
---@field metric string
---@field value number? of the network, in the mean over its runs
---@field best string? name of the best baseline
---@field best_value number?
---@field gain number?
---@field spread number? the larger of the next two
---@field over_seeds number? standard deviation over runs
---@field over_windows number? standard error of the difference
---@field by_target table<string, rondo.Verdict>?
---@param network rondo.Forecast|rondo.Forecast[] of one seed or several
---@param baselines (rondo.Forecast|rondo.Forecast[])[]
---@param options rondo.forecast.compare.Options?
---@return boolean skill
---@return rondo.Verdict verdict
function rondo.forecast.compare(network, baselines, options) end
---@param options rondo.forecast.rolling_origin.Options
---@return rondo.Forecast[] one a seed
function rondo.forecast.rolling_origin(options) end
---@param entries table entries, with name =, horizon =, season =, time_unit = beside them; becomes the Forecast
---@return rondo.Forecast
function rondo.forecast.Forecast(entries) end

---sentences with a tag a word
---@class rondo.Conll
---@field words string[][]
---@field tags string[][]
---@operator len: integer
rondo.data.Conll = {}
---@param path string
---@param options rondo.Conll.open.Options?
---@return rondo.Conll? sentences
---@return string? err
---@return integer? code
---@nodiscard
function rondo.data.Conll.open(path, options) end

---examples of unequal length, batch by batch
---@class rondo.Batches
---@operator len: integer
---@operator call: rondo.Tensor
local Batches = {}
---@param k integer
---@param epoch integer?
---@return rondo.Tensor|rondo.Tensor[] x
---@return rondo.Tensor y
---@return { lengths: rondo.Tensor?, mask: rondo.Tensor? }? how as a call of a model takes it
---@return rondo.Tensor? weight of each step
function Batches:batch(k, epoch) end
---@param k integer
---@param epoch integer?
---@return integer[] numbers of the examples
function Batches:rows(k, epoch) end
---@param epoch integer?
---@return number share of the steps that is padding
function Batches:padding(epoch) end

rondo.data.ngram = {}
---@param train rondo.Text
---@param valid rondo.Text
---@param order integer
---@return number[] nats per symbol of the validation part, for n = 1..order
function rondo.data.ngram.nats(train, valid, order) end
---@param nats number[]
---@param own number? nats of a model
---@param chars number? characters of one symbol
---@return string
function rondo.data.ngram.table(nats, own, chars) end
---@param path string
---@param options rondo.Text.open.Options?
---@return rondo.Text? text
---@return string? err
---@return integer? code
---@nodiscard
function rondo.data.Text.open(path, options) end
---@param name string a data set of the catalog; `rondo data list`
---@param options { part: string? }?
---@return string? path
---@return string? err
---@return integer? code
function rondo.data.get(name, options) end
---@param path string lines of a word and its numbers: GloVe, word2vec, fastText
---@param vocab rondo.Vocab|rondo.Tokenizer
---@param options { dim: integer?, seed: integer? }?
---@return rondo.Tensor? weights for Embedding { weights = }
---@return integer|string found symbols that the file has, or what is wrong
---@return integer? code
---@nodiscard
function rondo.data.load_vectors(path, vocab, options) end
---@return string? path of the King James Bible as a text
---@return string? err
function rondo.data.kjv() end

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

---a metric that is no name: of spans of tags
---@class rondo.SpanF1
---@field name string

---@class rondo.Trainer
---@field baselines table[] figures of what a classifier must beat, each with what it is
local Trainer = {}
---@param train table
---@param valid table?
---@return rondo.Trainer
function Trainer:fit(train, valid) end
---@param source table
---@param how { metrics: string[]?, [string]: any }? metrics in place of the Trainer's; of windows: as predict
---@return { loss: number, [string]: number }
function Trainer:evaluate(source, how) end
---@param x rondo.Tensor|integer[]|string|string[]|rondo.Windows
---@param how rondo.model.forecast.Options? of windows
---@return rondo.Tensor|rondo.Forecast
function Trainer:predict(x, how) end
---@param event string "on_step_end" or "step_end", ...
---@param f fun(trainer: rondo.Trainer, facts: table)
---@return rondo.Trainer
function Trainer:on(event, f) end
---@param name string
---@param value number|string|boolean
function Trainer:log(name, value) end
---@param f fun(...): ...
function Trainer:with_average(f, ...) end
---what memory a batch takes, at once and in segments: tostring() says it, :of(steps) gives numbers
---@param source table? as fit() takes one; nil: that of the last fit
---@param asked? { steps?: integer, memory?: string|integer }
---@return rondo.Plan
function Trainer:plan(source, asked) end

---@class rondo.Plan
local Plan = {}
---@param steps integer? T; nil: that of the batch
---@return { steps: integer, rows: integer, kept: number, whole: number, least: table?, segment: table?, time: number? }
function Plan:of(steps) end
---the length of segments for a batch; nil: it is played at once
---@param steps integer
---@param rows integer?
---@return integer?
function Plan:segment(steps, rows) end

---@class rondo.Checkpoint
---@field tokenizer rondo.Tokenizer|rondo.TokenVocab?
---@field labels rondo.Labels?
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
---What this build can do.
---@return { real: string, kernels: string, threads: integer, cpu: table, cells: string[] }
function rondo.features() end
---Native memory: live_bytes, peak_bytes, held_bytes, system_allocations.
---@return table<string, integer>
function rondo.memory() end
--- Each of list() has path, found (where), name, version, license, origin, cells, layers, kernels; or path and refusal.
---@type { cells: string[], list: (fun(): table[]), load: fun(path: string): table?, string? }
rondo.plugins = {}
---@param options table defaults by name; the first element describes the script
---@return table values
function rondo.args(options) end

return rondo
