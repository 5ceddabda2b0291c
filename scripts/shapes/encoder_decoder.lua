-- encoder_decoder.lua - a sequence of inputs, then a sequence of outputs of another length: dates as people write them,
-- and as 2026-11-26. What the encoder has read is the state that the decoder starts from.
--   rondo run scripts/shapes/encoder_decoder.lua
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"

local opt = rondo.args { "Many to many, encoder and decoder: translates dates.",
  cell = { "gru", choices = rondo.plugins.cells, help = "recurrent cell of both" },
  hidden_size = 96, lr = 4e-3, batch_size = 50, epochs = 30,
  examples = { 4000, min = 10, help = "dates to train on; 500 others are held back" },
}
rondo.manual_seed(opt.seed)

local months = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
  "November", "December" }
local weekdays = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" }
-- Days 1950 to 2049, each once: a day is in one part alone.
local function dates(first, last)
  local list = { read = {}, written = {} }
  for i = first, last do
    local day = os.date("!*t", 86400 * ((i * 7919) % 36525 - 7305))
    local month, style = months[day.month], i % 4
    list.written[#list.written + 1] = ("%04d-%02d-%02d"):format(day.year, day.month, day.day)
    list.read[#list.read + 1] = style == 0 and ("%s %d, %d"):format(month, day.day, day.year)
      or style == 1 and ("%d %s %d"):format(day.day, month:sub(1, 3), day.year)
      or style == 2 and ("%d/%d/%d"):format(day.day, day.month, day.year)
      or ("%s, %s %d %d"):format(weekdays[day.wday], month, day.day, day.year)
  end
  return list
end
local train, valid = dates(1, opt.examples), dates(opt.examples + 1, opt.examples + 500)
local source = rondo.data.Tokenizer { level = "char", unk = true }:fit(train.read)
local target = rondo.data.Tokenizer { level = "char", bos = true, eos = true }:fit(train.written)
local BOS, LENGTH = target:shifted({ "1" })[1][1], 10

local Translator = rondo.Module "Translator"
function Translator:init()
  self.encoder = rondo.Sequential { rondo.Embedding { #source.vocab, 32 },
    rondo.RNN { cell = opt.cell, hidden_size = opt.hidden_size, return_state = true } }
  self.embed = rondo.Embedding { #target.vocab, 32 }
  self.decoder = rondo.RNN { cell = opt.cell, input_size = 32, hidden_size = opt.hidden_size, return_state = true }
  self.out = rondo.Linear { opt.hidden_size, #target.vocab }
end
function Translator:forward(read, before)
  local _, state = self.encoder(read)
  return self.out((self.decoder(self.embed(before), state)))
end
function Translator:translate(read)           -- each character from the one before: ids (batch, LENGTH)
  local _, state = self.encoder(read)
  local character, ids = rondo.full({ read:size(1), 1 }, BOS), {}
  for t = 1, LENGTH do
    local y
    y, state = self.decoder(self.embed(character), state)
    character = self.out(y):argmax(-1)
    ids[t] = character
  end
  return rondo.concat(ids, 2)
end

local function batches(part, shuffle)
  return rondo.data.Batches { x = { source:encode_all(part.read), target:shifted(part.written) },
    y = target:encode_all(part.written), batch_size = opt.batch_size, shuffle = shuffle }
end
local model = Translator()
local trainer = rondo.Trainer { options = opt, model = model, loss = rondo.CrossEntropyLoss(), tokenizer = target,
  optimizer = rondo.optim.Adam { lr = opt.lr }, clip_grad_norm = 1,
  schedule = rondo.optim.CosineLR { total_steps = opt.epochs * #batches(train) } }
trainer:fit(batches(train, true), batches(valid))

local right = 0
model:evaluating(function()
  for i, text in ipairs(valid.read) do
    local written = target:decode(model:translate(rondo.tensor { source:encode(text) }))
    right = right + (written == valid.written[i] and 1 or 0)
    if i <= 4 then
      print(("  %-28s %s"):format(text, written))
    end
  end
end)
print(("dates, %d to train on, %d others held back; whole dates that are right"):format(#train.read, #valid.read))
print(("  a day at random            %5.1f %%"):format(100 / 36525))
print(("  %-26s %5.1f %%"):format(opt.cell, 100 * right / #valid.read))
