-- check_spec.lua - `rondo check` itself: plugins that are wrong on purpose, each refused for its rule, and our own.
--
-- Derivatives are looked at in double, in which these plugins are built too.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local json = require "rondo.json"
local support = dofile "tests/lua/support.lua"

local build = core.lib_dir() .. "/../../"
local cells = ("%slib/rondo/plugins-%s/f32/"):format(build, core.abi:match "^%d+")
local folder
setup(function() folder = support.folder() end)
teardown(function() support.remove(folder) end)

-- The rules that a plugin breaks, as "C3 C5", and all that was found.
local function broken(path, in_double, options)
  local out, err, code = support.rondo(folder, ("check --json %s '%s'%s"):format(options or "", path,
    core.stat(in_double) and (" --double '%s'"):format(in_double) or ""))
  local report = assert(json.decode(out), err)
  local numbers, seen = {}, {}
  for _, r in ipairs(report.files[1].results) do
    local bad = r.status == "fail" or r.status == "crash" or r.status == "timeout"
    if bad and not seen[r.rule] then
      seen[r.rule] = true
      numbers[#numbers + 1] = r.rule
    end
  end
  table.sort(numbers)
  assert.equal(#numbers > 0 and 5 or 0, code)
  return table.concat(numbers, " "), report.files[1].results
end

local function has_message(results, rule, message)
  local said = {}
  for _, r in ipairs(results) do
    if r.rule == rule and r.message then
      said[#said + 1] = r.status .. ": " .. r.message
      if said[#said]:find(message, 1, true) then
        return true
      end
    end
  end
  return false, ("%s says '%s' instead of '%s'"):format(rule, table.concat(said, "', '"), message)
end

-- Plugin, the rules that it breaks, what the first of them says. What writes to or reads memory of others breaks
-- more rules, and which depends on what lies there: `may`.
local memory = "C4 C5 C6 C7 C9"
local hang = "--time-limit 0.5 --only C2 --only C4"
local layer_memory = "T4 T5 T6 T7 T9"
local wrong = {
  { "no_symbol", "L1", "fail: it has no symbol rd_plugin_v" },
  { "other_major", "L1", "fail: built for ABI 7, this is ABI " },
  { "unresolved", "L1", "undefined symbol: rd_test_is_nowhere" },
  { "wrong_magic", "L2", "fail: magic: expected 0x524e5031, got 0x31504e52" },
  { "wrong_major", "L2", "fail: abi_major: expected " },
  { "wrong_real", "L2", "fail: real_size: expected 4, got 2" },
  { "wrong_pointer", "L2", "fail: ptr_size: expected 8, got 2" },
  { "needs_newer", "L2", "fail: abi_needed: " },
  { "wrong_reserved", "L2", "fail: reserved: expected 0, got 1" },
  { "short_record", "L3", "fail: a cell's record has " },
  { "no_license", "L3", "fail: the plugin lacks its " },
  { "bad_name", "L3", "fail: cell name 'Bad Name' is not [a-z][a-z0-9_.-]*" },
  { "no_layout", "L3", "fail: cell 'no_layout' lacks its layout function" },
  { "two_cells", "L3", "fail: the plugin has two cells 'same'" },
  { "too_many", "L4", "more cells, layers and backends than can be checked at once" },
  { "bad_default", "L3", "fail: option 'bias' of cell 'bad_default': default 5 is not in 0..1" },
  { "bad_choice", "L3", "fail: option 'kind' of cell 'bad_choice': default 2 is not one of its 2 choices" },
  { "half_backend", "L3", "fail: backend 'half': gemm, pack and pack_bytes go together" },
  { "init_fails", "L3", "fail: it does not start: the licence server of minor " },
  { "fast_math", "L4", "fail: set_fast_math() runs when the file is loaded" },
  { "constructor", "L4", "fail: set_up() runs when the file is loaded: nothing of a plugin may" },
  { "constructor_crashes", "L4", "fail: opening the file ends badly: SIGABRT" },
  { "destructor", "L4", "fail: tear_down() runs when the file is closed, at the end of a program: nothing of" },
  { "init_crashes", "L4", "fail: opening the file ends badly: SIGABRT" },
  { "init_hangs", "L4", "timeout: it did not end within 0.5 s", options = "--time-limit 0.5", may = "L0 L1 L2 L3" },
  { "exports_more", "", "warn: it also exports 1 more: helper_of_exports_more; ", "L1" },
  { "slow_start", "", "warn: loading takes ", "L5" },
  { "id_gap", "C1", "fail: save 'save' does not have the next id of its kind: ids count from 0, in order" },
  { "temp_too_late", "C1", "fail: line 'a' names a temp that no earlier phase makes" },
  { "layout_counts", "C1", "fail: layout() declared something else when it was called again" },
  { "layout_remembers", "C1", "fail: layout() declares something else after it was called for other sizes" },
  { "allocates", "C2", "fail: forward of phase 0 calls malloc()" },
  { "prints", "C2", "fail: backward of phase 0 calls printf()" },
  { "calls_libm", "C2", "fail: forward of phase 1 calls exp() of the C library, whose bits depend on the machine" },
  { "counts_calls", "C2", "fail: forward of phase 0 changes static data 'calls' at t=0" },
  { "thread_local", "C2", "fail: the plugin has thread-local data, which are static to a thread" },
  { "remembers", "C2 C3 C4 C5 C6", "fail: the same calls made again give other numbers: line 'a' (row 0, element 0) " },
  { "sets_errno", "C2", "fail: forward of phase 0 sets errno to 33 at t=0" },
  { "flushes_to_zero", "C2", "fail: backward of phase 0 changes the floating-point environment" },
  { "skips_state", "C3", "fail: forward of phase 1 did not write state 'h' at t=0 (row 0, element 0)", may = memory },
  { "skips_temp", "C3", "fail: forward of phase 0 did not write temp 'q' at t=0 (row 0, element 0)", may = memory },
  { "writes_ahead", "C3", "fail: forward of phase 0 wrote line 'n' at t=0 (row 0, element 0), whose phase comes" },
  { "past_line", "C3", "fail: backward of phase 1 wrote 4 bytes past line 'n' at t=7 (row 4)", may = memory },
  { "one_more", "C3", "fail: forward of phase 0 wrote 4 bytes past line 'a' at t=0 (row 0)", may = memory },
  { "before_row", "C3", "fail: forward of phase 0 wrote 4 bytes before temp 'q' at t=0 (row 0)", may = memory },
  { "wrong_choice", "C3", "fail: backward of phase 1 wrote 4 bytes past line 'n' at t=7 (row 0), with kind = 'lazy'",
    may = memory },
  { "writes_weights", "C3 C6", "fail: forward of phase 0 wrote to vector 'v' at t=0 (row 0, element 0), which it may "
    .. "only read" },
  { "writes_previous", "C3", "fail: forward of phase 1 wrote to previous state 'h' at t=0 (row 0, element 0), which it "
    .. "may only read", may = memory },
  { "later_line", "C3 C6", "fail: backward of phase 0 wrote to line 'n' of phase 1 at t=7 (row 0, element 0), which is "
    .. "complete by then" },
  { "leaves_line", "C3 C6", "fail: backward of phase 0 left line 'a' as it was, or its gradient is not linear: " },
  { "sets_dprev", "C3", "fail: backward does not add to the gradient of previous state 'h' (row 0, element 0): " },
  { "sets_dtemp", "C3", "fail: backward does not add to the gradient of temp 'q' (row 0, element 0): on 0 it " },
  { "sets_dvec", "C3", "fail: backward does not add to the gradient of vector 'v' (row 0, element 0): on 0 it gives " },
  { "counts_rows", "C4", "fail: rows 0..0 and 1..4 in two calls differ from one: line 'a' (row 0, element 0) is " },
  { "counts_steps", "C5", "fail: 7 steps at once and one by one differ: the output (row 0, t=1, element 0) is " },
  { "wrong_derivative", "C6", "fail: the gradient of the state 'h' before the first step (row 0, element 3) is " },
  { "no_direct_term", "C6", "fail: the gradient of the state 'h' before the first step (row 0, element 3) is " },
  { "overflows", "C7", "fail: state 'h' is not a number where x is up to 10000 (row 0, element 0)" },
  { "divides_by_x", "C7", "fail: state 'h' is not a number where x is up to 0 (row 0, element 0)" },
  { "refuses_option", "C8", "fail: layout() refuses what the option's record allows, order = 4, input_size = 3, "
    .. "hidden_size = 5: option 'order' must be at most 3" },
  { "no_room", "C8", "crash: SIGSEGV in layout (order = 4000000)" },
  { "random_start", "C9", "fail: saved, and read in another process, a layer gives something else: the output (" },
  { "layer_no_setup", "L3", "fail: layer 'layer_no_setup' lacks its setup function" },
  { "layer_id_gap", "T1", "fail: save 'save' does not have the next id of its kind: ids count from 0, in order" },
  { "layer_narrow_da", "T1", "fail: parameter 'u' does not have as many rows as its save da is wide" },
  { "layer_setup_remembers", "T1", "fail: setup() declares something else after it was called for other sizes" },
  { "layer_carries_ahead", "T1", "fail: state 'h' is carried on, but RD_LAYER_NOT_CAUSAL says that nothing is" },
  { "layer_allocates", "T2", "fail: forward of 8 steps calls malloc()" },
  { "layer_counts_calls", "T2", "fail: backward of 8 steps changes static data 'calls'" },
  { "layer_sets_errno", "T2", "fail: forward of 8 steps sets errno to 33" },
  { "layer_skips_y", "T3", "fail: forward of 8 steps did not write y (t=7, element 0)", may = layer_memory },
  { "layer_skips_state", "T3", "fail: forward of 8 steps did not write state 'h' (element 0)", may = layer_memory },
  { "layer_past_scratch", "T3", "fail: backward of 8 steps wrote 4 bytes past the memory 'scratch'" },
  { "layer_past_save", "T3", "fail: forward of 8 steps wrote 4 bytes past save 1 (t=7)", may = layer_memory },
  { "layer_one_more", "T3", "fail: backward of 8 steps wrote 4 bytes past the gradient of x (t=0)",
    may = layer_memory },
  { "layer_writes_x", "T3", "fail: forward of 8 steps wrote to x (t=0, element 0), which it may only read",
    may = layer_memory },
  { "layer_leaves_da", "T3 T5 T6", "fail: backward of 8 steps did not write save 1 (t=0, element 0), which the "
    .. "gradient of a parameter is made of" },
  { "layer_reads_scratch", "T3", "fail: it reads memory (y, next, save, kept, scratch) that it has not written: y ("
    .. "t=0, element 1) is ", may = layer_memory },
  { "layer_counts_rows", "T4", "fail: row 0 of a batch of unequal lengths and alone differ: the output (row 0, t=0, " },
  { "layer_counts_steps", "T5", "fail: 7 steps at once and one by one differ: the output (row 0, t=0, element 0) is " },
  { "layer_wrong_derivative", "T6", "fail: the gradient of x (row 0, t=" },
  { "layer_overflows", "T7", "fail: y (t=0, element 0) is not finite where x is up to 10000" },
  { "layer_refuses_option", "T8", "fail: setup() refuses what the option's record allows, order = 4, input_size = 3: "
    .. "option 'order' must be at most 3" },
  { "layer_random_start", "T9", "fail: saved, and read in another process, a layer gives something else: the output " },
  { "crashes", "C2 C3 C4 C5 C6 C7 C9", "crash: SIGSEGV in forward of phase 1 at t=2" },
  { "exits", "C2 C3 C4 C5 C6 C7 C9", "crash: it ended the process with status 0 in forward of phase 1 at t=0" },
  { "eats_memory", "C2 C3 C4 C5 C6 C7 C9", "crash: SIGABRT in forward of phase 0 at t=2" },
  { "spoils_calls", "C2 C3 C4 C5 C6 C7 C9", "crash: it ended the process with status 0" },
  { "asserts", "C2 C3 C4 C5 C6 C7 C9", "Assertion `s->t < 2' failed." },
  { "hangs", "C2", "timeout: it did not end within 0.5 s in forward of phase 0 at t=3", options = hang },
}

describe("a plugin that is", function()
  for _, each in ipairs(wrong) do
    local name, rules, message = each[1], each[2], each[3]
    it(("wrong is refused: %s"):format(name), function()
      local found, results = broken(("%stests/bad/%s.so"):format(build, name),
        ("%stests/bad/f64/%s.so"):format(build, name), each.options)
      if each.may then
        for number in found:gmatch "%S+" do
          assert.is_truthy((rules .. " " .. each.may):find(number, 1, true), number)
        end
        assert.is_truthy(found:find(rules, 1, true), found)
      else
        assert.equal(rules, found)
      end
      assert(has_message(results, each[4] or rules:match "^%S+", message))
    end)
  end
  for _, name in ipairs { "right", "right_layer" } do
    it(("right passes all of it: %s"):format(name), function()
      local found, results = broken(("%stests/bad/%s.so"):format(build, name), ("%stests/bad/f64/%s.so"):format(build,
        name))
      assert.equal("", found)
      for _, r in ipairs(results) do
        assert.is_true(r.status == "pass" or r.rule == "L5", r.message) -- a busy machine may be warned of
      end
    end)
  end
  it("a layer which looks ahead is not asked for its chunks", function()
    local found, results = broken(build .. "tests/bad/layer_ahead.so", build .. "tests/bad/f64/layer_ahead.so")
    assert.equal("", found)
    assert(has_message(results, "T5", "skip: it needs the whole sequence at once (RD_LAYER_NOT_CAUSAL)"))
  end)
  it("without backward is not asked for gradients", function()
    local found, results = broken(build .. "tests/bad/no_backward.so", build .. "tests/bad/f64/no_backward.so")
    assert.equal("", found)
    assert(has_message(results, "C6", "skip: it has no backward, so it cannot be trained"))
  end)
  it("found to hang twice is not run again", function()
    local _, results = broken(build .. "tests/bad/hangs.so", "none", hang)
    assert(has_message(results, "C4", "skip: it hangs in other rules; --only C4 tries this one"))
  end)
  it("stripped of its names is warned of if code runs by itself", function()
    os.execute(("cp '%stests/bad/constructor.so' '%s' && strip '%s/constructor.so'"):format(build, folder, folder))
    local found, results = broken(folder .. "/constructor.so", "none", "--only L4")
    assert.equal("", found)
    assert(has_message(results, "L4", "warn: 2 functions run when the file is loaded, and their names are stripped: "
      .. "check it before it is"))
  end)
  it("without a double build skips what needs one, by name", function()
    local found, results = broken(build .. "tests/bad/wrong_derivative.so", "none")
    assert.equal("", found)
    assert(has_message(results, "C6", "skip: it needs double: the source, `rondo check wrong_derivative.c`, or "
      .. "--double FILE.so"))
  end)
  it("open to others is refused by L0", function()
    os.execute(("cp '%stests/bad/right.so' '%s/open.so' && chmod 666 '%s/open.so'"):format(build, folder, folder))
    local found, results = broken(folder .. "/open.so", "none")
    assert.equal("L0", found)
    assert(has_message(results, "L0", "chmod"))
  end)
  it("of no shared object is refused by L0", function()
    support.write(folder .. "/text.so", ("This is a text.\n"):rep(20))
    assert.equal("L0", (broken(folder .. "/text.so", "none")))
  end)
end)

describe("a cell of the tree", function()
  for _, name in ipairs(core.listdir(build .. "tests/cells_f64")) do
    it(("keeps all rules: %s"):format(name), function()
      local found, results = broken(cells .. name, build .. "tests/cells_f64/" .. name)
      local said = {}
      for _, r in ipairs(results) do
        said[#said + 1] = r.status ~= "pass" and r.status ~= "warn" and ("%s: %s"):format(r.rule, r.message) or nil
      end
      assert.equal("", found .. table.concat(said, "; "))
    end)
  end
end)
