--[[ soak.lua - trains, evaluates, samples, saves, loads and resumes in a loop for as long as it is told: memory and
descriptors stay where they were, and every round ends with the bits of a training that was never stopped.

usage: lua5.4 tests/runs/soak.lua [SECONDS] [FOLDER]

Every round is a training of STEPS updates by Trainers of PART updates each, the next of which goes on from the
checkpoint of the last; between them the checkpoint is loaded, scored and sampled, and a second model is saved and
loaded with its optimizer. Readings are taken between rounds, after a collection. The largest of the first tenth of
the time is what all later ones must keep to within 1 %; descriptors, mappings of files, children and files that were
left are those of the first. RONDO_THREADS says on how many threads (2).
SPDX-License-Identifier: MIT ]]

local rondo = require "rondo"
local core = require "rondo.core"
local run_folder = require "rondo.run_folder"
local seconds, folder = tonumber(arg[1]) or 3600, arg[2] or os.tmpname()
local STEPS, PART, SAVE_EVERY = 32, 8, 4
local SLACK, LEAST_ROUNDS, LINES = 1.01, 5, 30
os.remove(folder)
assert(core.mkdir(folder))

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
  return path
end

local words = { "the", "net", "reads", "a", "line", "and", "keeps", "what", "it", "saw" }
local lines = {}
for i = 1, 300 do
  lines[i] = ("%s %s %s.\n"):format(words[i * 7 % 10 + 1], words[i * i % 10 + 1], words[(i * 3 + i // 5) % 10 + 1])
end
local path = write(folder .. "/t.txt", table.concat(lines))
core.threads(math.tointeger(tonumber(os.getenv "RONDO_THREADS" or 2)))

-- ---- what is done -------------------------------------------------------------------------------------------

local saves = 0

local function trained(run, given)
  local text = assert(rondo.data.Text.open(path))
  local train, valid = text:split(0.8)
  rondo.manual_seed(4)
  local o = { quiet = true, progress = "none", run_dir = run, log_every = 3, vocab = text.vocab, clip_grad_norm = 1,
    loss = rondo.CrossEntropyLoss(), optimizer = rondo.optim.Adam { lr = 0.005 }, ema = 0.9,
    schedule = rondo.optim.CosineLR { total_steps = STEPS, warmup_steps = 5 }, metrics = { "perplexity" },
    model = rondo.Sequential { rondo.Embedding { #text.vocab, 24 },
      rondo.LSTM { 64, num_layers = 2, dropout = 0.2, recurrent_dropout = 0.1 }, rondo.Linear { #text.vocab } } }
  for key, value in pairs(given) do
    o[key] = value
  end
  local trainer = rondo.Trainer(o):on("save", function() saves = saves + 1 end)
  local sizes = { seq_len = 16, batch_size = 24, stateful = true }
  trainer:fit(train:sequences(sizes), valid:sequences(sizes))
  return trainer, valid
end

local function last_checkpoint(run)
  local steps = run_folder.steps_of(run)
  return assert(rondo.load(run_folder.step_file(run, steps[#steps])))
end

-- What a checkpoint writes and how well it reads, as text.
local function tried(ckpt)
  local pieces = {}
  for piece in ckpt.model:generate { prompt = "the ", length = 40, seed = 1 } do
    pieces[#pieces + 1] = piece
  end
  return ("%s %a"):format(table.concat(pieces), ckpt.model:evaluate("the net reads a line.\n").nats)
end

-- A model that is saved by hand, and one of other first values that is loaded from it: the same update after that.
local function by_hand()
  local file, after = folder .. "/hand.h5", {}
  local x = rondo.ones(4, 6, 3)
  local function update(model, optimizer)
    optimizer:zero_grad()
    local y = model(x);
    (y * y):mean():backward()
    optimizer:step()
    return model:parameters()[1]:clone()
  end
  local function make(seed)
    rondo.manual_seed(seed)
    local model = rondo.GRU { 3, 8 }
    return model, rondo.optim.Adam(model:parameters(), { lr = 0.01 })
  end
  local model, optimizer = make(1)
  update(model, optimizer)
  assert(rondo.save(file, { model = model, optimizer = optimizer, step = 1 }))
  after[1] = update(model, optimizer)
  model, optimizer = make(2)
  assert(assert(rondo.load(file)):load_into(model, optimizer))
  after[2] = update(model, optimizer)
  assert(after[1]:allclose(after[2], { rtol = 0, atol = 0 }), "a loaded model goes on otherwise")
  os.remove(file)
end

local function removed(at)
  for _, name in ipairs(core.listdir(at) or {}) do
    removed(at .. "/" .. name)
  end
  assert(core.remove(at))
end

-- One training in parts: the digest of its last checkpoint, and what the checkpoints on the way say.
local function round()
  local run, said = folder .. "/run", {}
  for step = PART, STEPS, PART do
    local trainer, valid = trained(run, { max_steps = step, save_every = SAVE_EVERY, resume = step > PART })
    said[#said + 1] = ("%a"):format(trainer:evaluate(valid:sequences { seq_len = 16, batch_size = 24 }).loss)
    said[#said + 1] = tried(last_checkpoint(run))
  end
  by_hand()
  local digest = last_checkpoint(run).digests.file
  removed(run)
  return digest, table.concat(said, "\n")
end

-- ---- what is read -------------------------------------------------------------------------------------------

local function count(file, pattern)
  local n, handle <close> = 0, assert(io.open(file))
  for _ in handle:read("a"):gmatch(pattern) do
    n = n + 1
  end
  return n
end

local function readings()
  collectgarbage()
  collectgarbage()
  local children = 0
  for _, task in ipairs(core.listdir "/proc/self/task") do
    children = children + count(("/proc/self/task/%s/children"):format(task), "%d+")
  end
  return { rss = core.rss(), heap = collectgarbage "count" * 1024, native = core.memory().live_bytes,
    descriptors = #core.listdir "/proc/self/fd", maps = count("/proc/self/maps", "[^\n]+"),
    mapped = count("/proc/self/maps", "[^\n]* /[^\n]*"), threads = #core.listdir "/proc/self/task",
    children = children, files = #core.listdir(folder) }
end

local SIZES, COUNTS = { "rss", "heap", "native" }, { "descriptors", "mapped", "threads", "children", "files" }

local function report(rounds, spent, now)
  print(("%6.0f s  %6d rounds  resident %.3f MiB  Lua %.3f MiB  tensors %.3f MiB  %d descriptors, %d mappings (%d of "
    .. "files), %d threads, %d children, %d files"):format(spent, rounds, now.rss / 2 ^ 20, now.heap / 2 ^ 20,
    now.native / 2 ^ 20, now.descriptors, now.maps, now.mapped, now.threads, now.children, now.files))
  io.stdout:flush()
end

-- ---- the loop -----------------------------------------------------------------------------------------------

trained(folder .. "/whole", { max_steps = STEPS, save_every = 10 * STEPS })
local whole = last_checkpoint(folder .. "/whole").digests.file
removed(folder .. "/whole")

local began, rounds, failed, shown = core.time(), 0, {}, -math.huge
local first, most, said
local function must(ok, text, ...)
  if not ok then
    failed[#failed + 1] = ("round %d: " .. text):format(rounds, ...)
  end
end
repeat
  local digest, now_said = round()
  rounds = rounds + 1
  said = said or now_said
  must(digest == whole, "the last checkpoint is %s, of a training that is not stopped %s", digest, whole)
  must(now_said == said, "samples and figures are not those of the first round")
  local now, spent = readings(), core.time() - began
  local warming = rounds <= LEAST_ROUNDS or spent < seconds / 10
  first, most = first or now, most or {}
  for _, name in ipairs(SIZES) do
    if warming then
      most[name] = math.max(most[name] or 0, now[name])
    else
      must(now[name] <= most[name] * SLACK, "%s is %.0f bytes, in the first tenth at most %.0f", name, now[name],
        most[name])
    end
  end
  for _, name in ipairs(COUNTS) do
    must(now[name] == first[name], "%d %s, after the first round %d", now[name], name, first[name])
  end
  if spent - shown >= seconds / LINES or spent >= seconds then
    report(rounds, spent, now)
    shown = spent
  end
until spent >= seconds and rounds > LEAST_ROUNDS or #failed > 20
removed(folder)

print(#failed == 0 and ("%d rounds of %d updates, %d checkpoints saved: every round ended as %s"):format(rounds, STEPS,
  saves, whole) or table.concat(failed, "\n"))
os.exit(#failed == 0)
