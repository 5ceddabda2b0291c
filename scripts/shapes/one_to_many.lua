-- one_to_many.lua - one input, a sequence of outputs: a picture of a digit, and its caption, letter by letter.
--   rondo run scripts/shapes/one_to_many.lua
-- SPDX-License-Identifier: MIT
local rondo = require "rondo"

local opt = rondo.args { "One to many: writes the name of a digit under its picture.",
  data = { type = "string", help = "CSV of 64 grey values and a digit; without it 'optdigits' of the catalog" },
  cell = { "gru", choices = { "gru", "mgu", "vanilla" }, help = "recurrent cell of the writer: its one state is h" },
  hidden_size = 64, lr = 5e-3, epochs = 10,
}
rondo.manual_seed(opt.seed)
local words = { [0] = "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine" }

-- Every fifth picture is held back.
local train, valid = { pictures = {}, captions = {} }, { pictures = {}, captions = {} }
local n = 0
for line in io.lines(opt.data or assert(rondo.data.get "optdigits")) do
  local picture = {}
  for value in line:gmatch "%d+" do
    picture[#picture + 1] = value / 16
  end
  local digit = math.tointeger(table.remove(picture) * 16)
  n = n + 1
  local part = n % 5 == 0 and valid or train
  part.pictures[#part.pictures + 1], part.captions[#part.captions + 1] = rondo.tensor(picture), words[digit]
end
local letters = rondo.data.Tokenizer { level = "char", bos = true, eos = true }:fit(train.captions)
local BOS, LONGEST = letters:shifted({ "one" })[1][1], 6 -- five letters and the end

local Writer = rondo.Module "Writer"
function Writer:init()
  self.look = rondo.Linear { 64, opt.hidden_size }
  self.embed = rondo.Embedding { #letters.vocab, 16 }
  self.decoder = rondo.RNN { cell = opt.cell, input_size = 16, hidden_size = opt.hidden_size, return_state = true }
  self.out = rondo.Linear { opt.hidden_size, #letters.vocab }
end
function Writer:forward(picture, before)      -- the picture is the state that the writing starts from
  return self.out((self.decoder(self.embed(before), { self.look(picture):tanh() })))
end
function Writer:write(picture)                -- each letter from the one before: ids (batch, LONGEST)
  local state, letter, ids = { self.look(picture):tanh() }, rondo.full({ picture:size(1), 1 }, BOS), {}
  for t = 1, LONGEST do
    local y
    y, state = self.decoder(self.embed(letter), state)
    letter = self.out(y):argmax(-1)
    ids[t] = letter
  end
  return rondo.concat(ids, 2)
end

local function batches(part, shuffle)
  return rondo.data.Batches { x = { part.pictures, letters:shifted(part.captions) },
    y = letters:encode_all(part.captions), shuffle = shuffle, bucket_by_length = false }
end
local model = Writer()
local trainer = rondo.Trainer { options = opt, model = model, loss = rondo.CrossEntropyLoss(), tokenizer = letters,
  optimizer = rondo.optim.Adam { lr = opt.lr }, clip_grad_norm = 1 }
trainer:fit(batches(train, true), batches(valid))

local right, counts, most = 0, {}, 0
model:evaluating(function()
  for i, picture in ipairs(valid.pictures) do
    local caption = letters:decode(model:write(picture:unsqueeze(1))):match "^%l*"
    local wanted = valid.captions[i]
    right, counts[wanted] = right + (caption == wanted and 1 or 0), (counts[wanted] or 0) + 1
    most = math.max(most, counts[wanted])
    if i <= 3 then
      print(("  picture of %s: %s"):format(wanted, caption))
    end
  end
end)
print(("captions of digits, %d to train on, %d held back; whole words that are right"):format(#train.pictures,
  #valid.pictures))
print(("  the most frequent caption  %5.1f %%"):format(100 * most / #valid.pictures))
print(("  %-26s %5.1f %%"):format(opt.cell, 100 * right / #valid.pictures))
