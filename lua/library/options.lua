---@meta
-- options.lua - options of constructors, for editors (LuaCATS). Made by scripts/generate_reference.lua; over 400 lines:
-- a table of names. SPDX-License-Identifier: MIT

---@class rondo
local rondo = {}
rondo.optim = {}
rondo.callbacks = {}
rondo.metrics = {}
rondo.data = {}
rondo.data.tasks = {}
rondo.baselines = {}

---@class rondo.ActivityRegularization.Options
---@field [1] any? ar
---@field [2] any? tar
---@field ar? number factor of the mean square; number >= 0; default 0
---@field tar? number factor of the mean square of changes from step to step; number >= 0; default 0
---@field name? string how messages call the layer
---adds squares of activities and of their changes to the loss (Merity et al. 2018)
---@param options? rondo.ActivityRegularization.Options
---@return rondo.Module
function rondo.ActivityRegularization(options) end

---@class rondo.Bidirectional.Options
---@field [1] any? layer
---@field layer? any the layer that reads forward
---the layer that reads backward; a recurrent layer of a cell has its like made
---@field backward_layer? any
---how two outputs become one; none: both are returned; default "concat"
---@field merge? "concat"|"sum"|"mul"|"average"|"none"
---@field name? string how messages call the layer
---a layer with state and its like that reads backward
---@param options rondo.Bidirectional.Options
---@return rondo.Module
function rondo.Bidirectional(options) end

---@class rondo.Dropout.Options
---@field [1] any? p
---@field p? number probability of zero; 0..0.99999; default 0.5
---the same zeros at every step of a sequence (Gal & Ghahramani 2016); default false
---@field variational? boolean
---@field name? string how messages call the layer
---@field seed? integer own seed of the initial values; integer >= 0
---zeroes at random in training and scales the rest up
---@param options? rondo.Dropout.Options
---@return rondo.Module
function rondo.Dropout(options) end

---@class rondo.Embedding.Options
---@field [1] any? num_embeddings
---@field [2] any? embedding_dim
---@field num_embeddings? integer ids are 1..num_embeddings; required without weights; integer >= 1
---@field embedding_dim? integer features of one id; required without weights; integer >= 1
---@field weights? any a matrix (num_embeddings, embedding_dim), tensor or table; it is copied
---@field frozen? boolean the matrix is not trained; model:unfreeze() ends it; default false
---probability that an id gives zeros for an update in training; 0..0.99999; default 0
---@field dropout? number
---@field weight_init? string|table initial values of the matrix
---@field name? string how messages call the layer
---@field seed? integer own seed of the initial values; integer >= 0
---ids to rows of a matrix; id 0 gives zeros
---@param options? rondo.Embedding.Options
---@return rondo.Module
function rondo.Embedding(options) end

---@class rondo.Forecaster.Options
---@field cell? string recurrent cell: gru, lstm, ...; default "gru"
---@field hidden_size? integer width of the recurrent layers; 1..65536; default 64
---@field num_layers? integer recurrent layers, one on the other; 1..64; default 1
---@field dropout? number between layers; 0..0.99999; default 0
---all steps at once, one step fed back, or encoder and decoder; default "direct"
---@field form? "direct"|"recursive"|"seq2seq"
---what is said of each value; default "point"
---@field output? "point"|"quantiles"|"gaussian"|"student_t"|"negative_binomial"
---@field quantiles? table levels of output = "quantiles", ascending; default: 0.1, 0.5, 0.9
---what the network adds to: nothing, the last value, the value a season ago; default "none"
---@field baseline? "none"|"last"|"seasonal"
---each window by its own mean size, to mean 0 and variance 1, or minus its last value; default "none"
---@field normalize? "none"|"mean"|"standard"|"last"
---values that a linear autoregression beside the network reads; 0: there is none; 0..1048576; default 0
---@field ar_window? integer
---share of steps in training that are fed the truth; default: recursive 1, seq2seq 0.5; 0..1
---@field teacher_forcing? number
---@field horizon? integer steps ahead; default: those of the windows; 1..1048576
---@field window? integer steps up to the origin; default: those of the windows; 1..1048576
---@field season? integer steps of a season; default: that of the windows; 1..1048576
---@field input_size? integer features of a step; default: those of the windows; 1..1048576
---@field targets? integer values to forecast at each step; default: those of the windows, 1; 1..1048576
---@field target_features? table places of the targets among the features; default: the first
---features at the end that are known ahead; default: those of the windows, 0; 0..1048576
---@field known? integer
---series that a second input of ids tells apart; default: of windows with ids = "embedding"; 1..1048576
---@field num_series? integer
---@field embedding_dim? integer numbers that stand for a series; 1..65536; default 8
---@field name? string how messages call the layer
---@field seed? integer own seed of the initial values; integer >= 0
---a recurrent network that forecasts windows of a series: points, quantiles or distributions
---@param options? rondo.Forecaster.Options
---@return rondo.Module
function rondo.Forecaster(options) end

---@class rondo.Highway.Options
---@field gate_bias? number first bias of the gate; below 0 most of x passes; -100..100; default -1
---@field seed? integer own seed of the initial values; integer >= 0
---@field name? string how messages call the layer
---y = g f(x) + (1 - g) x with a gate g = sigmoid(W x + b) (Srivastava et al. 2015)
---@param options? rondo.Highway.Options
---@return rondo.Module
function rondo.Highway(options) end

---@class rondo.Layer.Options
---@field [1] any? layer
---@field layer? string its name, as in "rondo plugins"
---@field input_size? integer features of the input; inferred; integer >= 1
---@field name? string how messages call the layer
---@field seed? integer own seed of the initial values; integer >= 0
---a layer that a plugin computes as a whole
---@param options rondo.Layer.Options
---@return rondo.Module
function rondo.Layer(options) end

---@class rondo.LayerNorm.Options
---@field [1] any? features
---@field features? integer size of the last dimension; inferred; integer >= 1
---@field eps? number added to the variance; number >= 0; default 1e-05
---@field name? string how messages call the layer
---to mean 0 and variance 1 over the last dimension, then gain and bias
---@param options? rondo.LayerNorm.Options
---@return rondo.Module
function rondo.LayerNorm(options) end

---@class rondo.Linear.Options
---@field [1] any? out_features
---@field in_features? integer features of the input; inferred; integer >= 1
---@field out_features? integer features of the output; integer >= 1
---@field bias? boolean add a vector; default true
---position, in the same Sequential, of the Embedding whose matrix this layer shares; integer >= 1
---@field tied_to? integer
---@field weight_init? string|table initial values of the matrix
---@field bias_init? string|table initial values of the vector
---@field name? string how messages call the layer
---@field seed? integer own seed of the initial values; integer >= 0
---y = x W' + b over the last dimension
---@param options rondo.Linear.Options
---@return rondo.Module
function rondo.Linear(options) end

---@class rondo.OneHot.Options
---@field [1] any? num_classes
---@field num_classes? integer ids are 1..num_classes; integer >= 1
---@field name? string how messages call the layer
---ids to vectors with a single 1
---@param options rondo.OneHot.Options
---@return rondo.Module
function rondo.OneHot(options) end

---@class rondo.Pool.Options
---@field [1] any? how
---@field how? "last"|"mean"|"max" the last step that counts, or the mean or maximum of those that do
---@field name? string how messages call the layer
---a sequence to one vector: last step that counts, mean or maximum; length 0 gives 0
---@param options rondo.Pool.Options
---@return rondo.Module
function rondo.Pool(options) end

---@class rondo.Repeat.Options
---@field [1] any? n
---@field n? integer steps of the output; integer >= 1
---@field name? string how messages call the layer
---a vector to a sequence of n like it
---@param options rondo.Repeat.Options
---@return rondo.Module
function rondo.Repeat(options) end

---@class rondo.Residual.Options
---@field name? string how messages call the layer
---y = x + f(x), f a list of layers
---@param options? rondo.Residual.Options
---@return rondo.Module
function rondo.Residual(options) end

---@class rondo.TimeDistributed.Options
---@field [1] any? layer
---@field layer? any what each step goes through
---@field name? string how messages call the layer
---a layer on each step by itself; Linear and others of single steps need it not
---@param options rondo.TimeDistributed.Options
---@return rondo.Module
function rondo.TimeDistributed(options) end

---@class rondo.RNN.Options
---@field [1] any? hidden_size
---@field cell? string name of the cell; `rondo plugins` lists them
---@field input_size? integer features of the input; inferred; integer >= 1
---@field hidden_size? integer width of the state; 1..65536
---@field num_layers? integer layers on top of each other; 1..4096; default 1
---@field dropout? number between the layers of the stack; 0..0.99999; default 0
---@field variational? boolean dropout has one mask for all steps; default false
---@field input_dropout? number on what each layer reads, one mask for all steps; 0..0.99999; default 0
---on states that meet a matrix, one mask for all steps; 0..0.99999; default 0
---@field recurrent_dropout? number
---probability 0..0.99999 that a unit keeps its state; or by state, as { c = 0.5, h = 0.05 }; default 0
---@field zoneout? any
---share of the recurrent weights that are 0 for an update; 0..0.99999; default 0
---@field weight_drop? number
---where a layer gives as many features as it reads, both are added, or mixed by a gate; default "none"
---@field connections? "none"|"residual"|"highway"
---bias vectors of a line: one, or one beside x and one beside h as in PyTorch; default "one"
---@field bias? "none"|"one"|"two"
---@field bidirectional? boolean each layer also reads backward, with a second one; default false
---how the outputs of the two directions become one; default "concat"
---@field merge? "concat"|"sum"|"mul"|"average"
---@field learn_state? boolean the state before the first step is learned; default false
---@field input_init? string|table initial values of matrices on x; or by line
---@field recurrent_init? string|table of matrices on states; or by line
---@field bias_init? string|table of all biases; or by line
---@field return_sequences? boolean the output of every step, or of the last; default true
---@field return_state? boolean also return the state after the last step; default false
---@field seed? integer own seed of the initial values; integer >= 0
---@field name? string how messages call the layer
---a stack of recurrent layers of any cell
---@param options rondo.RNN.Options
---@return rondo.Module
function rondo.RNN(options) end

---@class rondo.VanillaRNN.Options: rondo.RNN.Options
---@field [1] any? hidden_size
---function of the sum that becomes the state; default "tanh"
---@field activation? "tanh"|"relu"|"sigmoid"|"identity"
---simple recurrent cell, one layer or several
---@param options rondo.VanillaRNN.Options
---@return rondo.Module
function rondo.VanillaRNN(options) end

---@class rondo.LSTM.Options: rondo.RNN.Options
---@field [1] any? hidden_size
---@field forget_bias? number first bias of the forget gate; -10..10; default 1
---@field peephole? boolean the gates see the cell state; default false
---@field coupled? boolean the input gate is 1 - forget gate; default false
---width of the output, a matrix times the hidden values; 0: none; 0..65536; default 0
---@field projection? integer
---@field gate? "sigmoid"|"hard_sigmoid" function of the gates; default "sigmoid"
---@field layer_norm? boolean normalise the sums of each source and the cell state; default false
---first biases for memories up to so many steps, instead of forget_bias; 0: off; 0..1000000; default 0
---@field chrono? integer
---long short-term memory, one layer or several
---@param options rondo.LSTM.Options
---@return rondo.Module
function rondo.LSTM(options) end

---@class rondo.GRU.Options: rondo.RNN.Options
---@field [1] any? hidden_size
---is the reset gate applied after or before the recurrent product; default "after"
---@field reset? "after"|"before"
---first biases of the update gate for memories up to so many steps; 0: off; 0..1000000; default 0
---@field chrono? integer
---gated recurrent unit, one layer or several
---@param options rondo.GRU.Options
---@return rondo.Module
function rondo.GRU(options) end

---@class rondo.cell.Options
---@field name string how it is found: RNN { cell = name }
---list of names, or of { name, width =, first =, stops =, whole = }, or a function of the sizes; the
---first is the output
---@field state? any
---params(c): parameters by name, { rows, columns, init =, frozen = }; c has the sizes and options
---@field params? function
---step(p, x, s, c): the states after a step by name, out of x (batch, features) and the states before
---@field step? function
---@field options? table list of { name =, kind =, def =, min =, max =, choices =, help = }
---@field lines? table lines in the order of initial values; else by name
---@field help? string one line that says what it is; default ""
---in place of state, params and step: right sides by name, { h = "tanh(W x + U h + b)" }
---@field equations? table
---@field output? string of equations: the name that is the output; default "h"
---@field init? table of equations: initial values by parameter, { b_f = 1, U = "orthogonal" }
---@field first? table of equations: states before the first step where not 0, { m = -1e30 }
---@field whole? table of equations: states that zoneout leaves alone, { "c", "n" }
---@field constants? table of equations: numbers by name
---@field license? string of equations: the license of the C file
---a recurrent cell as one step in Lua or as equations, for rondo.RNN { cell = name }
---@param options rondo.cell.Options
---@return rondo.Cell
function rondo.cell(options) end

---@class rondo.Function.Options
---@field name string how messages call it
---@field forward function forward(ctx, ...): the result, or several
---@field backward function backward(ctx, dy, ...): for each argument its gradient, or nil
---a differentiable function with a gradient of its own
---@param options rondo.Function.Options
---@return rondo.Function
function rondo.Function(options) end

---@class rondo.BCEWithLogitsLoss.Options
---@field [1] any? reduction
---mean over what counts, sum, or sum over time and mean over the batch; default "mean"
---@field reduction? "mean"|"sum"|"batch"
---@field pos_weight? number weight of ones; number >= 0; default 1
---binary cross-entropy of logits
---@param options? rondo.BCEWithLogitsLoss.Options
---@return rondo.Loss
function rondo.BCEWithLogitsLoss(options) end

---@class rondo.CosineLoss.Options
---@field [1] any? reduction
---mean over what counts, sum, or sum over time and mean over the batch; default "mean"
---@field reduction? "mean"|"sum"|"batch"
---1 - cosine of output and target
---@param options? rondo.CosineLoss.Options
---@return rondo.Loss
function rondo.CosineLoss(options) end

---@class rondo.CrossEntropyLoss.Options
---@field [1] any? reduction
---mean over what counts, sum, or sum over time and mean over the batch; default "mean"
---@field reduction? "mean"|"sum"|"batch"
---share of the target that is spread over all classes; 0..0.999999; default 0
---@field label_smoothing? number
---@field class_weights? table a number for each class; the mean is over them
---of logits (..., V) and ids; id 0 does not count
---@param options? rondo.CrossEntropyLoss.Options
---@return rondo.Loss
function rondo.CrossEntropyLoss(options) end

---@class rondo.GaussianLoss.Options
---@field [1] any? reduction
---mean over what counts, sum, or sum over time and mean over the batch; default "mean"
---@field reduction? "mean"|"sum"|"batch"
---how the output has what must be positive: as it is, before softplus, or as its logarithm; default
---"given"
---@field positive? "given"|"softplus"|"log"
----log density of a mean and a scale of each value
---@param options? rondo.GaussianLoss.Options
---@return rondo.Loss
function rondo.GaussianLoss(options) end

---@class rondo.HuberLoss.Options
---@field [1] any? reduction
---mean over what counts, sum, or sum over time and mean over the batch; default "mean"
---@field reduction? "mean"|"sum"|"batch"
---@field delta? number where the square ends; number >= 1e-12; default 1
---squared error near 0, absolute error beyond delta
---@param options? rondo.HuberLoss.Options
---@return rondo.Loss
function rondo.HuberLoss(options) end

---@class rondo.L1Loss.Options
---@field [1] any? reduction
---mean over what counts, sum, or sum over time and mean over the batch; default "mean"
---@field reduction? "mean"|"sum"|"batch"
---absolute error
---@param options? rondo.L1Loss.Options
---@return rondo.Loss
function rondo.L1Loss(options) end

---@class rondo.MSELoss.Options
---@field [1] any? reduction
---mean over what counts, sum, or sum over time and mean over the batch; default "mean"
---@field reduction? "mean"|"sum"|"batch"
---squared error
---@param options? rondo.MSELoss.Options
---@return rondo.Loss
function rondo.MSELoss(options) end

---@class rondo.NegativeBinomialLoss.Options
---@field [1] any? reduction
---mean over what counts, sum, or sum over time and mean over the batch; default "mean"
---@field reduction? "mean"|"sum"|"batch"
---how the output has what must be positive: as it is, before softplus, or as its logarithm; default
---"given"
---@field positive? "given"|"softplus"|"log"
----log probability of counts, of a mean and a dispersion: variance mean + a mean^2
---@param options? rondo.NegativeBinomialLoss.Options
---@return rondo.Loss
function rondo.NegativeBinomialLoss(options) end

---@class rondo.QuantileLoss.Options
---@field [1] any? reduction
---mean over what counts, sum, or sum over time and mean over the batch; default "mean"
---@field reduction? "mean"|"sum"|"batch"
---@field quantiles? table levels, ascending; default: { 0.1, 0.5, 0.9 }
---the output is the middle one and, before softplus, steps from each to the next: they cannot cross;
---default false
---@field ascending? boolean
---pinball loss of several quantiles of each value, their mean (Koenker and Bassett 1978)
---@param options? rondo.QuantileLoss.Options
---@return rondo.Loss
function rondo.QuantileLoss(options) end

---@class rondo.StudentTLoss.Options
---@field [1] any? reduction
---mean over what counts, sum, or sum over time and mean over the batch; default "mean"
---@field reduction? "mean"|"sum"|"batch"
---how the output has what must be positive: as it is, before softplus, or as its logarithm; default
---"given"
---@field positive? "given"|"softplus"|"log"
----log density of a mean, a scale and degrees of freedom of each value
---@param options? rondo.StudentTLoss.Options
---@return rondo.Loss
function rondo.StudentTLoss(options) end

---@class rondo.optim.ASGD.Options
---@field [1] any? lr
---@field lr? number learning rate; 0..1e+06; default 0.01
---@field momentum? number share of the last step kept; 0..1; default 0
---@field nesterov? boolean look ahead along the momentum; default false
---@field weight_decay? number L2 penalty, added to the gradient; 0..1e+06; default 0
---{ match = pattern(s) | parameters = list | ndim = n, lr_factor =, weight_decay = }, the first that fits
---@field groups? table
---@field nonmono? integer validations that may pass without a better loss; integer >= 1; default 5
---@field average_from? integer average from this update on, whatever the validation says; integer >= 0
---averaged SGD (Polyak and Juditsky 1992)
---@overload fun(first: rondo.Tensor[], options?: rondo.optim.ASGD.Options): rondo.Optimizer
---@param options? rondo.optim.ASGD.Options
---@return rondo.Optimizer
function rondo.optim.ASGD(options) end

---@class rondo.optim.Adadelta.Options
---@field [1] any? lr
---@field lr? number learning rate; 0..1e+06; default 1
---@field rho? number share of the last means kept; 0..1; default 0.9
---@field eps? number added under both roots; 0..1; default 1e-06
---@field weight_decay? number L2 penalty, added to the gradient; 0..1e+06; default 0
---{ match = pattern(s) | parameters = list | ndim = n, lr_factor =, weight_decay = }, the first that fits
---@field groups? table
---steps in the units of the parameters (Zeiler 2012)
---@overload fun(first: rondo.Tensor[], options?: rondo.optim.Adadelta.Options): rondo.Optimizer
---@param options? rondo.optim.Adadelta.Options
---@return rondo.Optimizer
function rondo.optim.Adadelta(options) end

---@class rondo.optim.Adagrad.Options
---@field [1] any? lr
---@field lr? number learning rate; 0..1e+06; default 0.01
---@field lr_decay? number the rate is lr / (1 + lr_decay times updates before); 0..1e+06; default 0
---@field initial_accumulator_value? number what the sum of squares starts with; 0..1e+06; default 0
---@field eps? number added to the root of the sum of squares; 0..1; default 1e-10
---@field weight_decay? number L2 penalty, added to the gradient; 0..1e+06; default 0
---{ match = pattern(s) | parameters = list | ndim = n, lr_factor =, weight_decay = }, the first that fits
---@field groups? table
---steps over the root of the summed squares (Duchi et al. 2011)
---@overload fun(first: rondo.Tensor[], options?: rondo.optim.Adagrad.Options): rondo.Optimizer
---@param options? rondo.optim.Adagrad.Options
---@return rondo.Optimizer
function rondo.optim.Adagrad(options) end

---@class rondo.optim.Adam.Options
---@field [1] any? lr
---@field lr? number learning rate; 0..1e+06; default 0.001
---@field beta1? number share of the last mean kept; 0..1; default 0.9
---@field beta2? number share of the last mean square kept; 0..1; default 0.999
---@field eps? number added to the root of the mean square; 0..1; default 1e-08
---@field weight_decay? number L2 penalty, added to the gradient; 0..1e+06; default 0
---@field amsgrad? boolean divide by the largest mean square so far; default false
---{ match = pattern(s) | parameters = list | ndim = n, lr_factor =, weight_decay = }, the first that fits
---@field groups? table
---moments of the gradient and its square (Kingma and Ba 2015)
---@overload fun(first: rondo.Tensor[], options?: rondo.optim.Adam.Options): rondo.Optimizer
---@param options? rondo.optim.Adam.Options
---@return rondo.Optimizer
function rondo.optim.Adam(options) end

---@class rondo.optim.AdamW.Options
---@field [1] any? lr
---@field lr? number learning rate; 0..1e+06; default 0.001
---@field beta1? number share of the last mean kept; 0..1; default 0.9
---@field beta2? number share of the last mean square kept; 0..1; default 0.999
---@field eps? number added to the root of the mean square; 0..1; default 1e-08
---share of a parameter taken away at each update, times lr; 0..1e+06; default 0.01
---@field weight_decay? number
---@field amsgrad? boolean divide by the largest mean square so far; default false
---{ match = pattern(s) | parameters = list | ndim = n, lr_factor =, weight_decay = }, the first that fits
---@field groups? table
---Adam with weight decay beside the step (Loshchilov and Hutter 2019)
---@overload fun(first: rondo.Tensor[], options?: rondo.optim.AdamW.Options): rondo.Optimizer
---@param options? rondo.optim.AdamW.Options
---@return rondo.Optimizer
function rondo.optim.AdamW(options) end

---@class rondo.optim.ConstantLR.Options
---@field base_lr? number the rate to start from; the optimizer's lr; number >= 0
---@field warmup_steps? integer updates of linear warm-up; integer >= 0; default 0
---the rate as it is, after a warm-up
---@overload fun(first: rondo.Optimizer, options?: rondo.optim.ConstantLR.Options): rondo.Schedule
---@param options? rondo.optim.ConstantLR.Options
---@return rondo.Schedule
function rondo.optim.ConstantLR(options) end

---@class rondo.optim.CosineLR.Options
---@field base_lr? number the rate to start from; the optimizer's lr; number >= 0
---@field warmup_steps? integer updates of linear warm-up; integer >= 0; default 0
---@field min_lr? number floor; number >= 0; default 0
---@field total_steps integer updates to the floor, warm-up included; integer >= 0
---half a cosine down to min_lr
---@overload fun(first: rondo.Optimizer, options?: rondo.optim.CosineLR.Options): rondo.Schedule
---@param options rondo.optim.CosineLR.Options
---@return rondo.Schedule
function rondo.optim.CosineLR(options) end

---@class rondo.optim.ExponentialLR.Options
---@field base_lr? number the rate to start from; the optimizer's lr; number >= 0
---@field warmup_steps? integer updates of linear warm-up; integer >= 0; default 0
---@field decay_after? integer updates before the first factor, warm-up included; integer >= 0; default 0
---@field gamma? number factor of each update; 0..1; default 0.9999
---a factor at every update
---@overload fun(first: rondo.Optimizer, options?: rondo.optim.ExponentialLR.Options): rondo.Schedule
---@param options? rondo.optim.ExponentialLR.Options
---@return rondo.Schedule
function rondo.optim.ExponentialLR(options) end

---@class rondo.optim.Lion.Options
---@field [1] any? lr
---@field lr? number learning rate; 0..1e+06; default 0.0001
---@field beta1? number share of the mean in the sign's argument; 0..1; default 0.9
---@field beta2? number share of the last mean kept; 0..1; default 0.99
---share of a parameter taken away at each update, times lr; 0..1e+06; default 0
---@field weight_decay? number
---{ match = pattern(s) | parameters = list | ndim = n, lr_factor =, weight_decay = }, the first that fits
---@field groups? table
---the sign of a momentum (Chen et al. 2023)
---@overload fun(first: rondo.Tensor[], options?: rondo.optim.Lion.Options): rondo.Optimizer
---@param options? rondo.optim.Lion.Options
---@return rondo.Optimizer
function rondo.optim.Lion(options) end

---@class rondo.optim.NAdam.Options
---@field [1] any? lr
---@field lr? number learning rate; 0..1e+06; default 0.002
---@field beta1? number share of the last mean kept; 0..1; default 0.9
---@field beta2? number share of the last mean square kept; 0..1; default 0.999
---@field eps? number added to the root of the mean square; 0..1; default 1e-08
---@field momentum_decay? number how fast the momentum comes to beta1; 0..1; default 0.004
---@field weight_decay? number L2 penalty, added to the gradient; 0..1e+06; default 0
---{ match = pattern(s) | parameters = list | ndim = n, lr_factor =, weight_decay = }, the first that fits
---@field groups? table
---Adam with Nesterov's momentum (Dozat 2016)
---@overload fun(first: rondo.Tensor[], options?: rondo.optim.NAdam.Options): rondo.Optimizer
---@param options? rondo.optim.NAdam.Options
---@return rondo.Optimizer
function rondo.optim.NAdam(options) end

---@class rondo.optim.OneCycleLR.Options
---@field max_lr? number the peak; the optimizer's lr; number >= 0
---@field total_steps integer updates of the whole cycle; integer >= 0
---@field pct_start? number share of the updates up to the peak; 0..1; default 0.3
---@field div_factor? number the first rate is max_lr divided by this; number >= 1; default 25
---@field final_div_factor? number the last rate is the first divided by this; number >= 1; default 10000
---up and down once (Smith 2018)
---@overload fun(first: rondo.Optimizer, options?: rondo.optim.OneCycleLR.Options): rondo.Schedule
---@param options rondo.optim.OneCycleLR.Options
---@return rondo.Schedule
function rondo.optim.OneCycleLR(options) end

---@class rondo.optim.RMSprop.Options
---@field [1] any? lr
---@field lr? number learning rate; 0..1e+06; default 0.01
---@field alpha? number share of the last mean square kept; 0..1; default 0.99
---@field eps? number added to the root of the mean square; 0..1; default 1e-08
---@field momentum? number share of the last step kept; 0..1; default 0
---@field centered? boolean take the mean gradient's square away; default false
---@field weight_decay? number L2 penalty, added to the gradient; 0..1e+06; default 0
---{ match = pattern(s) | parameters = list | ndim = n, lr_factor =, weight_decay = }, the first that fits
---@field groups? table
---steps over the root of the mean squared gradient
---@overload fun(first: rondo.Tensor[], options?: rondo.optim.RMSprop.Options): rondo.Optimizer
---@param options? rondo.optim.RMSprop.Options
---@return rondo.Optimizer
function rondo.optim.RMSprop(options) end

---@class rondo.optim.SGD.Options
---@field [1] any? lr
---@field lr? number learning rate; 0..1e+06; default 0.01
---@field momentum? number share of the last step kept; 0..1; default 0
---@field nesterov? boolean look ahead along the momentum; default false
---@field weight_decay? number L2 penalty, added to the gradient; 0..1e+06; default 0
---{ match = pattern(s) | parameters = list | ndim = n, lr_factor =, weight_decay = }, the first that fits
---@field groups? table
---stochastic gradient descent, with momentum
---@overload fun(first: rondo.Tensor[], options?: rondo.optim.SGD.Options): rondo.Optimizer
---@param options? rondo.optim.SGD.Options
---@return rondo.Optimizer
function rondo.optim.SGD(options) end

---@class rondo.optim.StepLR.Options
---@field base_lr? number the rate to start from; the optimizer's lr; number >= 0
---@field warmup_steps? integer updates of linear warm-up; integer >= 0; default 0
---@field decay_after? integer updates before the first factor, warm-up included; integer >= 0; default 0
---@field gamma? number factor of each step; 0..1; default 0.1
---@field step_size integer updates between two factors; integer >= 0
---a factor every step_size updates
---@overload fun(first: rondo.Optimizer, options?: rondo.optim.StepLR.Options): rondo.Schedule
---@param options rondo.optim.StepLR.Options
---@return rondo.Schedule
function rondo.optim.StepLR(options) end

---@class rondo.callbacks.Checkpoint.Options
---@field monitor? string the figure to watch; default "val_loss"
---@field mode? "min"|"max" which way is better; default "min"
---@field keep? integer checkpoints that stay, the newest, beside the best; integer >= 1
---@field keep_every? integer updates between checkpoints that stay for ever; integer >= 0
---which figure makes best.h5, and how many others stay
---@param options? rondo.callbacks.Checkpoint.Options
---@return rondo.Callback
function rondo.callbacks.Checkpoint(options) end

---@class rondo.callbacks.Diagnose.Options
---updates between two looks; 0: as often as `share` allows; integer >= 0; default 0
---@field every? integer
---@field share? number of the time, at most, where every is 0; 1e-06..1; default 0.02
---@field rows? integer rows of the batch that are looked at; integer >= 1; default 4
---@field steps? integer steps of it, from the first on; integer >= 2; default 64
---@field lags? integer loss times whose gradient is looked at by lag; integer >= 1; default 4
---gradients looked at during the training, for under 3 % of its time
---@param options? rondo.callbacks.Diagnose.Options
---@return rondo.Callback
function rondo.callbacks.Diagnose(options) end

---@class rondo.callbacks.EarlyStopping.Options
---@field monitor? string the figure to watch; default "val_loss"
---@field mode? "min"|"max" which way is better; default "min"
---@field patience? integer evaluations without a better figure; integer >= 1; default 3
---@field min_delta? number what counts as better; number >= 0; default 0
---ends the training when a figure has stopped getting better
---@param options? rondo.callbacks.EarlyStopping.Options
---@return rondo.Callback
function rondo.callbacks.EarlyStopping(options) end

---@class rondo.callbacks.ReduceLROnPlateau.Options
---@field monitor? string the figure to watch; default "val_loss"
---@field mode? "min"|"max" which way is better; default "min"
---@field factor? number what the rate is multiplied by; 0..1; default 0.1
---@field patience? integer evaluations without a better figure; integer >= 1; default 10
---@field min_delta? number what counts as better; number >= 0; default 0.0001
---@field cooldown? integer evaluations after a change that do not count; integer >= 0; default 0
---@field min_lr? number no rate below this; number >= 0; default 0
---a factor when the validation stops getting better
---@param options? rondo.callbacks.ReduceLROnPlateau.Options
---@return rondo.Callback
function rondo.callbacks.ReduceLROnPlateau(options) end

---@class rondo.callbacks.Sample.Options
---@field prompt? string text to go on from; default ""
---@field length? integer symbols; integer >= 1; default 200
---@field temperature? number below 1 safer; number >= 0; default 0.8
---a sample of text after each epoch
---@param options? rondo.callbacks.Sample.Options
---@return rondo.Callback
function rondo.callbacks.Sample(options) end

---@class rondo.Trainer.Options
---@field model rondo.Module a module
---@field loss rondo.Loss rondo.CrossEntropyLoss() or a function like it
---@field optimizer rondo.Optimizer rondo.optim.Adam { lr = 2e-3 }
---@field options? table what rondo.args returned
---@field schedule? rondo.Schedule rondo.optim.CosineLR { ... }
---@field metrics? table perplexity, bits_per_char, accuracy, top_5_accuracy, f1_macro
---@field clip_grad_norm? number largest common norm of all gradients; number >= 0
---@field clip_grad_value? number largest size of one gradient; number >= 0
---@field ema? number decay of averaged weights: 0.999; 0..1
---@field accumulate? integer batches of one update; 1..1048576; default 1
---@field callbacks? table rondo.callbacks.EarlyStopping { ... }, ...
---@field vocab? rondo.Vocab text.vocab: goes into the checkpoints
---@field tokenizer? any a fitted Tokenizer or a Vocab, in place of vocab
---@field labels? any the Labels or the Vocab of the targets: goes into the checkpoints
---@field bptt? any { k1 = 35, k2 = 70 }: updates every k1 steps, gradient over k2; "35,70"
---@field memory? any "64MB": what weights, batch and all that is kept of it may take
---@field run_dir? string the run folder; nothing is kept without
---@field epochs? integer passes over the data; integer >= 0
---@field max_steps? integer updates; integer >= 0
---@field log_every? integer updates between two lines of figures; integer >= 0; default 100
---@field eval_every? integer updates between two validations; 0: each epoch; integer >= 0; default 0
---@field save_every? integer updates between two checkpoints; 0: each epoch; integer >= 0; default 0
---@field keep? integer checkpoints that stay, the newest, beside the best; integer >= 0; default 3
---updates between checkpoints that stay for ever, beside these; 0: none; integer >= 0; default 0
---@field keep_every? integer
---@field pause_at? integer stop with a checkpoint after so many updates, as a signal does; integer >= 0
---@field resume? boolean go on from the run folder's last checkpoint; default false
---@field overwrite? boolean start anew in a used run folder; default false
---@field init_from? string run folder or file to take the weights from
---@field tensorboard? boolean event files for TensorBoard in the run folder; default false
---@field progress? "auto"|"bar"|"lines"|"none" how progress is shown; default "auto"
---@field color? "auto"|"always"|"never" colour on the terminal; default "auto"
---@field quiet? boolean show nothing but results; default false
---where a number is not finite: end, or go back to the last checkpoint with a lower rate; default "stop"
---@field on_nonfinite? "stop"|"rollback"
---@field rollback_factor? number what the rate is multiplied by each time; 1e-06..1; default 0.5
---updates between two looks at the gradients, or "auto": as often as 2 % of the time allow
---@field diagnose_every? any
---@field rollback_tries? integer how often a run may go back; 1..1000; default 3
---fit, evaluate, predict
---@param options rondo.Trainer.Options
---@return rondo.Trainer
function rondo.Trainer(options) end

---@class rondo.Sweep.Options
---@field script string the Lua script to run, one with rondo.args
---@field fixed? table options that are the same in every trial
---@field space table options with a list or a range of values; or a list of whole settings
---grid: every setting; random: draws; halving: draws, of which the best go on. Without it grid, or random
---where trials are given
---@field search? "grid"|"random"|"halving"
---@field trials? integer how many settings; 1..1000000
---@field seed? integer seed of the draws; integer >= 0; default 1
---runs of each setting, with the seeds 1, 2, ...; without it one, with the script's own seed; 1..10000
---@field seeds? integer
---@field monitor? string the figure to compare by; default "val_loss"
---@field mode? "min"|"max" which way is better; default "min"
---@field factor? integer halving: one of so many goes on at a rung; 2..100; default 3
---@field out? string folder of the sweep; default "runs/sweep"
---many settings of a script's options, and which is best
---@param options rondo.Sweep.Options
---@return rondo.Sweep
function rondo.Sweep(options) end

---@class rondo.run.Options
---@field jobs? integer runs at a time; 1..4096; default 1
---@field threads? integer threads in all; without it one per CPU; 1..4096
---@field trials? table run only these, { 3, 5 }
---slurm: a job array; parallel: the line of GNU parallel; both return at once; default "local"
---@field submit? "local"|"slurm"|"parallel"
---@field sbatch? table more options for sbatch, as "--time=2:00:00"
---@field resume? boolean go on with what is in the folder; default true
---@field overwrite? boolean start anew in the folder of another sweep; default false
---@field progress? "auto"|"bar"|"lines"|"none" how progress is shown; default "auto"
---@field quiet? boolean say nothing but what failed; default false

---@class rondo.generate.Options
---@field [1] any? prompt
---@field prompt? string text to go on from; default ""
---@field length? integer symbols to write; integer >= 0; default 400
---@field temperature? number below 1 safer; 0 is greedy; 0..100; default 1
---@field top_k? integer only the k most likely; 0: all; integer >= 0; default 0
---only the share whose surprise is nearest to the expected one; 1: all; 0..1; default 1
---@field typical_p? number
---@field top_p? number only the likeliest with this share; 0..1; default 1
---@field min_p? number only what has this share of the likeliest's probability; 0..1; default 0
---@field greedy? boolean always the most likely symbol; default false
---@field seed? integer drawn when not given; integer >= 0
---@field sample? integer which of the texts of this seed; integer >= 1; default 1
---@field echo? boolean begin with the prompt; default true
---above 1: symbols that have occurred are less likely; 0.01..100; default 1
---@field repetition_penalty? number
---symbols that the penalty looks back; 0: all, the prompt too; integer >= 0; default 0
---@field repetition_window? integer
---@field logit_bias? table added to logits, { ["x"] = -1 }, by symbol or id; -math.huge: never
---symbols allowed: a text, ids, or a function of the text so far that returns such, or nil for all
---@field allow? any
---@field stop? any a text, or a list of texts, before which writing ends

---@class rondo.complete.Options
---@field [1] any? prompt
---@field prompt? string text to go on from; default ""
---@field length? integer most symbols to write; integer >= 1; default 100
---@field beam? integer hypotheses side by side; 1..65536; default 4
---score = log p / length^x: 0 favours short texts, 1 is the mean of the symbols; -10..10; default 1
---@field length_penalty? number
---above 1: symbols that have occurred are less likely; 0.01..100; default 1
---@field repetition_penalty? number
---symbols that the penalty looks back; 0: all, the prompt too; integer >= 0; default 0
---@field repetition_window? integer
---@field logit_bias? table added to logits, { ["x"] = -1 }, by symbol or id; -math.huge: never
---symbols allowed: a text, ids, or a function of the text so far that returns such, or nil for all
---@field allow? any
---@field stop? any a text, or a list of texts, before which writing ends

---@class rondo.evaluate.Options
---what is read from a fresh state; default: as the model was trained
---@field unit? "stream"|"line"|"document"
---@field on_line? function called with the figures of each line (or document)

---@class rondo.diagnose.Options
---@field loss? rondo.Loss as the Trainer takes it; default: cross-entropy for ids, else mean square
---most loss times, evenly spread, whose gradient is looked at by lag; 1..1048576; default 32
---@field lags? integer
---@field probes? integer random vectors for norms of ds(T)/ds(k); 0..65536; default 8
---@field exact? boolean those norms by every row of the Jacobian instead; default false
---the part of each step in dL/dW, and the check against the engine's gradient; default true
---@field contributions? boolean
---@field keep? boolean keep the contributions themselves, not their norms alone; default false
---@field gates? boolean how saturated gates and states are; default true
---steps, evenly spread, whose own Jacobian has its spectral radius taken; 0..1048576; default 3
---@field jacobians? integer
---@field lyapunov? boolean the largest Lyapunov exponent; default true
---bound to the model: one step gives the ratio of update to weight; weights and optimizer are put back
---@field optimizer? rondo.Optimizer
---@field clip_grad_norm? number what the Trainer clips by, for that step; number >= 0

---@class rondo.forecast.Options
---@field paths? integer futures that are sampled of distributions; 2..65535; default 200
---@field keep_paths? boolean leave them in the forecast; default false
---@field quantiles? table levels that are taken of paths; default: 0.1, 0.5, 0.9
---@field intervals? boolean sample for them where the model gives a distribution; default true
---@field seed? integer of the paths; integer >= 0; default 1
---@field horizon? integer of a series: steps ahead; default: as trained; 1..1048576
---@field name? string what tables call the forecast

---@class rondo.metrics.SpanF1.Options
---@field [1] any? tags
---@field tags? any the Vocab that encoded the tags
---precision, recall and F1 of spans of tags, as conlleval counts them
---@param options rondo.metrics.SpanF1.Options
---@return rondo.SpanF1
function rondo.metrics.SpanF1(options) end

---@class rondo.Text.open.Options
---@field [1] any? level
---@field level? "char"|"byte"|"word"|"bpe" what a symbol is; default "char"
---@field lowercase? boolean read letters as small ones; default false
---@field punctuation? boolean level word: marks are words of their own; default false
---@field unk? boolean an id for what the vocabulary lacks (default: at level word)
---@field bos? boolean an id that begins a sequence; default false
---@field eos? boolean an id that ends one; at level word it is the line feed; default false
---@field min_count? integer rarer symbols get no id; integer >= 1; default 1
---@field max_vocab? integer ids in all: the most frequent symbols; 1..8388607
---@field vocab_size? integer level bpe: ids in all, 256 of them the bytes (default 1000); 256..8388607
---@field vocab? rondo.Vocab a vocabulary there is, as that of a model, in place of all others

---@class rondo.Tokenizer.Options
---@field [1] any? level
---@field level? "char"|"byte"|"word"|"bpe" what a symbol is; default "char"
---@field lowercase? boolean read letters as small ones; default false
---@field punctuation? boolean level word: marks are words of their own; default false
---@field unk? boolean an id for what the vocabulary lacks (default: at level word)
---@field bos? boolean an id that begins a sequence; default false
---@field eos? boolean an id that ends one; at level word it is the line feed; default false
---@field min_count? integer rarer symbols get no id; integer >= 1; default 1
---@field max_vocab? integer ids in all: the most frequent symbols; 1..8388607
---@field vocab_size? integer level bpe: ids in all, 256 of them the bytes (default 1000); 256..8388607
---@field vocab? rondo.Vocab a vocabulary there is, as that of a model, in place of all others
---rondo.data.Tokenizer { ... }: texts to ids and back
---@param options? rondo.Tokenizer.Options
---@return rondo.Tokenizer
function rondo.data.Tokenizer(options) end

---@class rondo.Batches.Options
---a list of id lists or of tensors (time, features) or (features); or a list of such lists, the inputs of
---the model
---@field x any
---@field y any a list of ids, id lists, numbers (floats), lists of numbers, tensors
---@field batch_size? integer examples side by side; 1..1048576; default 32
---@field shuffle? boolean a new order each epoch; default false
---examples of similar length share a batch, so that little is padded; default true
---@field bucket_by_length? boolean
---@field lengths? table how many steps of each example count, its first; all
---@field mask? table for each example a list of 0 and 1: which of its steps count
---rondo.data.Batches { x =, y =, ... }: examples of unequal length as batches
---@param options rondo.Batches.Options
---@return rondo.Batches
function rondo.data.Batches(options) end

---@class rondo.Table.open.Options
---@field columns? table names: of the file's columns in order or, by a header, of some of them
---the first line has the names; default: where no columns are given, and where it holds all of those that
---are
---@field header? boolean
---@field separator? string between cells; default: a comma in *.csv, else a tab
---@field quotes? boolean a cell may stand in double quotes; default: unless tabs separate

---@class rondo.Series.from_csv.Options
---@field columns? table names or numbers of columns to read; default: all that hold numbers
---name or number of the column of times; false: none; default: the first that holds dates
---@field time? any
---name or number of a column that says which series a row is of: many in one file, their rows together or
---mixed
---@field id? any
---missing values: refused, the value before, or on a line between the values seen (never from later rows
---than those asked for); default "error"
---@field missing? "error"|"previous"|"interpolate"
---words that are missing values, beside empty cells; default: NA, N/A, NaN, null, none, ?, -, --, .
---@field missing_values? table
---@field separator? string between cells; default: of , ; tab | the one that fits
---@field decimal? "."|"," decimal sign; default: as the numbers show
---@field thousands? ","|"."|" "|"'"|"_" between groups of three digits; default: there are none
---@field header? boolean the first row has the names; default: where it has no numbers or dates
---@field dates? "dmy"|"mdy" of 3/4/2020; default: as the dates show
---@field skip? integer rows of values at the start that are passed over; integer >= 0; default 0

---@class rondo.Series.from_hdf5.Options
---@field dataset? any path of a dataset in the file, or a list; default: all that hold numbers
---names of the columns of a dataset of two dimensions; default: its attribute 'columns', or the dataset's
---name and a number
---@field names? table
---@field columns? table names of columns to read; default: all
---@field time? string name of the column of times; default: there are none
---of times since 1970-01-01 in UTC, or plain numbers; default "number"
---@field time_unit? "number"|"seconds"|"milliseconds"|"microseconds"|"nanoseconds"|"days"
---@field missing? "error"|"previous"|"interpolate" values that are NaN: as in from_csv; default "error"

---@class rondo.BoxCoxScaler.Options
---@field [1] any? offset
---@field offset? number is added first: all values must be above 0 then; default 0
---@field lambda? number the power; default: the likeliest of -2..3 on the training part
---@field per_series? boolean numbers of its own for each series; default: where the part has several
---a power, the likeliest on the training part (Box and Cox 1964)
---@param options? rondo.BoxCoxScaler.Options
---@return rondo.Scaler
function rondo.data.BoxCoxScaler(options) end

---@class rondo.ChainScaler.Options
---@field per_series? boolean numbers of its own for each series; default: where the part has several
---one scaler behind the other
---@param options? rondo.ChainScaler.Options
---@return rondo.Scaler
function rondo.data.ChainScaler(options) end

---@class rondo.ColumnScaler.Options
---@field per_series? boolean numbers of its own for each series; default: where the part has several
---each column by a scaler of its own
---@param options? rondo.ColumnScaler.Options
---@return rondo.Scaler
function rondo.data.ColumnScaler(options) end

---@class rondo.DifferenceScaler.Options
---@field [1] any? lag
---@field lag? integer rows back: 1, or a season; 1..1048576; default 1
---@field per_series? boolean numbers of its own for each series; default: where the part has several
---differences from a row before, in windows
---@param options? rondo.DifferenceScaler.Options
---@return rondo.Scaler
function rondo.data.DifferenceScaler(options) end

---@class rondo.LogScaler.Options
---@field [1] any? offset
---@field offset? number is added first: all values must be above 0 then; default 0
---@field per_series? boolean numbers of its own for each series; default: where the part has several
---logarithms
---@param options? rondo.LogScaler.Options
---@return rondo.Scaler
function rondo.data.LogScaler(options) end

---@class rondo.MeanScaler.Options
---@field per_series? boolean numbers of its own for each series; default: where the part has several
---a mean size of 1; 0 stays 0
---@param options? rondo.MeanScaler.Options
---@return rondo.Scaler
function rondo.data.MeanScaler(options) end

---@class rondo.MinMaxScaler.Options
---@field per_series? boolean numbers of its own for each series; default: where the part has several
---from 0 to 1
---@param options? rondo.MinMaxScaler.Options
---@return rondo.Scaler
function rondo.data.MinMaxScaler(options) end

---@class rondo.RobustScaler.Options
---@field per_series? boolean numbers of its own for each series; default: where the part has several
---median 0 and distance of the quartiles 1
---@param options? rondo.RobustScaler.Options
---@return rondo.Scaler
function rondo.data.RobustScaler(options) end

---@class rondo.StandardScaler.Options
---@field per_series? boolean numbers of its own for each series; default: where the part has several
---mean 0 and standard deviation 1
---@param options? rondo.StandardScaler.Options
---@return rondo.Scaler
function rondo.data.StandardScaler(options) end

---@class rondo.windows.Options
---@field input integer rows up to the origin that a model is shown; 1..1048576
---@field horizon? integer rows behind it that are to be forecast; 1..1048576; default 1
---@field target? any name of the column to forecast, or a list; default: the only one
---@field past? table further columns that are inputs up to the origin; default: all others
---@field known? table columns whose values are known ahead, as holidays or prices
---@field static? table columns that are the same for all rows of a series: its first is taken
---tells the model which series a window is of: by a second input of ids, or by a feature for each
---@field ids? "embedding"|"one_hot"
---@field separate? boolean each target is a series of its own, and one model is for all; default false
---@field calendar? any known ahead, as sine and cosine: a list of hour, weekday, month, day_of_year
---for each input column one more that is 1 where its value was missing; default false
---@field mask? boolean
---@field scaler? rondo.Scaler a scaler fitted on the training part; default: values as they are
---@field batch_size? integer windows side by side; 1..1048576; default 32
---@field shuffle? boolean a new order each epoch; default false
---@field stride? integer rows from one origin to the next; integer >= 1; default 1
---@field season? integer rows of a season, for baselines and figures; integer >= 1
---the one window behind the last value, whose truth nobody knows, in place of those that have it; default
---false
---@field future? boolean

---@class rondo.Conll.open.Options
---@field word? integer column of the word; -1 is the last; -256..256; default 1
---@field tag? integer column of the tag; -1 is the last; -256..256; default -1
---@field scheme? "keep"|"iob1"|"iob2"|"bioes" how tags of spans are to be written; default "keep"

---@class rondo.Vocab.from.Options
---@field min_count? integer rarer tokens get no id; integer >= 1; default 1
---@field max_vocab? integer ids in all: the most frequent tokens; 1..8388608
---@field unk? boolean an id for what the vocabulary lacks; default false
---@field bos? boolean an id that begins a sequence; default false
---@field eos? boolean an id that ends one; default false
---@field lowercase? boolean read letters as small ones; default false

---@class rondo.sequences.Options
---@field unit? "stream"|"line"|"document" what is read from first values of the state; default "stream"
---steps of one sequence (default 64); of a line, after which it is cut (default 256); 1..1048576
---@field seq_len? integer
---@field batch_size? integer sequences side by side; 1..1048576; default 32
---each row reads its own stretch of the text, and state is carried along it; default false
---@field stateful? boolean
---@field carry_over? boolean stateful: keep the state from epoch to epoch too; default false
---@field shuffle? boolean not stateful: sequences in a new order each epoch (default)
---lines and documents: similar lengths share a batch, so that little is padded; default true
---@field bucket_by_length? boolean

---@class rondo.tasks.Adding.Options
---@field seq_len? integer T, steps; 2..1048576; default 200
---@field batch_size? integer sequences side by side; 1..1048576; default 50
---@field batches? integer batches of an epoch; 1..1048576; default 100
---train: new sequences in every epoch; valid, test: sequences of their own, always the same; default
---"train"
---@field split? "train"|"valid"|"test"
---the sum of two marked numbers among many (Le et al. 2015)
---@param options? rondo.tasks.Adding.Options
---@return rondo.Task
function rondo.data.tasks.Adding(options) end

---@class rondo.tasks.CopyMemory.Options
---T, steps between what is read and what is written; T + 20 in all; 2..1048576; default 100
---@field seq_len? integer
---@field batch_size? integer sequences side by side; 1..1048576; default 50
---@field batches? integer batches of an epoch; 1..1048576; default 100
---train: new sequences in every epoch; valid, test: sequences of their own, always the same; default
---"train"
---@field split? "train"|"valid"|"test"
---ten symbols, to be written after a delay (Arjovsky et al. 2016)
---@param options? rondo.tasks.CopyMemory.Options
---@return rondo.Task
function rondo.data.tasks.CopyMemory(options) end

---@class rondo.tasks.FirstSymbol.Options
---@field seq_len? integer T, steps; 2..1048576; default 50
---@field batch_size? integer sequences side by side; 1..1048576; default 50
---@field batches? integer batches of an epoch; 1..1048576; default 100
---train: new sequences in every epoch; valid, test: sequences of their own, always the same; default
---"train"
---@field split? "train"|"valid"|"test"
---which symbol came first
---@param options? rondo.tasks.FirstSymbol.Options
---@return rondo.Task
function rondo.data.tasks.FirstSymbol(options) end

---@class rondo.tasks.Parity.Options
---@field seq_len? integer longest sequence; 2..1048576; default 40
---@field batch_size? integer sequences side by side; 1..1048576; default 50
---@field batches? integer batches of an epoch; 1..1048576; default 100
---train: new sequences in every epoch; valid, test: sequences of their own, always the same; default
---"train"
---@field split? "train"|"valid"|"test"
---shortest sequence; each batch has one length (default: all are seq_len long); 1..1048576
---@field min_len? integer
---@field every_step? boolean y at every step; default false
---is the number of ones odd
---@param options? rondo.tasks.Parity.Options
---@return rondo.Task
function rondo.data.tasks.Parity(options) end

---@class rondo.baselines.AR.Options
---@field [1] any? order
---@field order? integer values back; default: the smallest AIC; 0..1000
---@field log? boolean of logarithms; default: where all values are positive and it helps
---@field season? integer steps of a season, 12 of months; default: that of the windows; 1..1048576
---an autoregression by least squares
---@param options? rondo.baselines.AR.Options
---@return rondo.Baseline
function rondo.baselines.AR(options) end

---@class rondo.baselines.Drift.Options
---the line from the first value through the last
---@param options? rondo.baselines.Drift.Options
---@return rondo.Baseline
function rondo.baselines.Drift(options) end

---@class rondo.baselines.FeedForward.Options
---@field like? any the network whose number of parameters it gets
---@field hidden_size? integer width of the hidden layer, in place of like; 1..1048576
---each window by its own numbers, as rondo.Forecaster has it; default: as like does
---@field normalize? "none"|"mean"|"standard"|"last"
---what the net adds to, as rondo.Forecaster has it; default: as like does
---@field baseline? "none"|"last"|"seasonal"
---@field epochs? integer passes over the training windows; integer >= 1; default 30
---@field max_steps? integer updates; integer >= 1
---@field lr? number rate of AdamW; number >= 0; default 0.001
---@field loss? rondo.Loss default: rondo.HuberLoss()
---a net of one hidden layer over the whole window, trained by a Trainer
---@param options? rondo.baselines.FeedForward.Options
---@return rondo.Baseline
function rondo.baselines.FeedForward(options) end

---@class rondo.baselines.HoltWinters.Options
---@field [1] any? season
---@field season? integer steps of a season, 12 of months; default: that of the windows; 1..1048576
---how seasons and level go together; auto: what foretells better; default "auto"
---@field seasonal? "auto"|"additive"|"multiplicative"
---@field damped? boolean a trend that fades; default false
---exponential smoothing of level, trend and season (Holt 1957, Winters 1960)
---@param options? rondo.baselines.HoltWinters.Options
---@return rondo.Baseline
function rondo.baselines.HoltWinters(options) end

---@class rondo.baselines.Persistence.Options
---the last value
---@param options? rondo.baselines.Persistence.Options
---@return rondo.Baseline
function rondo.baselines.Persistence(options) end

---@class rondo.baselines.SeasonalNaive.Options
---@field [1] any? season
---@field season? integer steps of a season, 12 of months; default: that of the windows; 1..1048576
---the value a season ago
---@param options? rondo.baselines.SeasonalNaive.Options
---@return rondo.Baseline
function rondo.baselines.SeasonalNaive(options) end

---@class rondo.baselines.SeasonalNaiveGrowth.Options
---@field [1] any? season
---@field season? integer steps of a season, 12 of months; default: that of the windows; 1..1048576
---the value a season ago, grown as that season grew from the one before
---@param options? rondo.baselines.SeasonalNaiveGrowth.Options
---@return rondo.Baseline
function rondo.baselines.SeasonalNaiveGrowth(options) end

---@class rondo.baselines.all.Options
---@field season? integer steps of a season, 12 of months; default: that of the windows; 1..1048576
---@field quantiles? table levels, as { 0.1, 0.5, 0.9 }, the default; {}: none
---the Forecasts of windows by all baselines that need no training
---@param options? rondo.baselines.all.Options
---@return rondo.Baseline
function rondo.baselines.all(options) end

---@class rondo.forecast.compare.Options
---@field metric? "rmse"|"mae"|"mase"|"pinball" what decides; default: rmse, of several targets mase
---@field file? any an open file for the table; default: io.stdout; false: it is not printed
---prints a network's figures beside its baselines'; whether there is skill
---@param options? rondo.forecast.compare.Options
---@return rondo.Baseline
function rondo.forecast.compare(options) end

---@class rondo.forecast.rolling_origin.Options
---@field series any a rondo.data.Series
---@field from any the first row that is evaluated, or the share before it
---@field horizon? integer rows ahead, as that of the windows; 1..1048576; default 1
---@field blocks? integer how often it is fitted again; 1..1048576; default 4
---@field refit? boolean fit before each block; false: before the first alone; default true
---@field seeds? table seeds of the runs, { 1, 2, 3 }; default: one run with the seed there is
---function(train, seed, block) that gives function(part), which gives the Forecast of windows of a part
---@field fit function
---Forecasts of a part of a series, fitted again before each of its blocks, a run for each seed
---@param options rondo.forecast.rolling_origin.Options
---@return rondo.Baseline
function rondo.forecast.rolling_origin(options) end
