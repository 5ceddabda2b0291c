-- check_kernels_spec.lua - `rondo check` of backends: wrong on purpose, each refused for its rule, and our own.
--
-- The wrong ones are tried with every seventh product; ours with all.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local places = require "rondo.places"
local support = dofile "tests/lua/support.lua"

local build = core.lib_dir() .. "/../../"
local real = core.real == "double" and "f64" or "f32"
local kernels = ("%slib/rondo/plugins-%s/%s/"):format(build, core.abi:match "^%d+", real)
local program = assert(places.checker("check-" .. real))
local x86 = io.popen "uname -m":read "l" == "x86_64"
local qemu = x86 and os.execute "command -v qemu-x86_64 >/dev/null"

-- The lines of the checker: {status, rule, kind, name, says, message}.
local function results_of(path, options, before)
  local pipe, found = io.popen(("%s '%s' %s '%s'"):format(before or "", program, options or "", path)), {}
  for line in pipe:lines() do
    local r = {}
    for field in (line .. "\t"):gmatch "([^\t]*)\t" do
      r[#r + 1] = field
    end
    found[#found + 1] = r
  end
  pipe:close()
  return found
end

local function broken(results)
  local numbers, seen = {}, {}
  for _, r in ipairs(results) do
    if (r[1] == "fail" or r[1] == "crash" or r[1] == "timeout") and not seen[r[2]] then
      seen[r[2]] = true
      numbers[#numbers + 1] = r[2]
    end
  end
  return table.concat(numbers, " ")
end

local function said(results)
  local text = {}
  for _, r in ipairs(results) do
    text[#text + 1] = r[1] ~= "pass" and ("%s %s: %s"):format(r[1], r[2], r[6]) or nil
  end
  return table.concat(text, "\n")
end

-- Backend (its rule is in its name) and what is said of it.
local wrong = {
  { "k1_beyond_needs", "gemm, product 1 x 70 x 9 uses an instruction that a processor with no more than it needs "
    .. "(nothing) does not have", emulated = true },
  { "k1_score", "score uses an instruction that a processor with neither AVX2 nor fused multiply-add does not have",
    emulated = true },
  { "k2_reads_c", " reads c, which is for accumulate alone" },
  { "k2_beyond_ldc", " writes outside of c, at row 0, column 65" },
  { "k2_pack_bytes", "product 3 x 65 x 7 makes pack() go beyond what pack_bytes(7, 65) asks for" },
  { "k2_odd_stride", " is wrong at row 0, column 0: " },
  { "k2_reads_behind", " makes gemm() read or write behind b" },
  { "k2_writes_a", " writes to a" },
  { "k2_all_panels", "packed b is wrong at row " },
  { "k2_one_piece", "is another where it is cut at a panel: panel p begins at p times what pack_bytes(k, 64) gives" },
  { "k2_no_terms", " does not write all of c" },
  { "k2_trans_b", "packed b is wrong at row 0, column 0: " },
  { "k2_one_row", " is wrong at row 0, column 129: " },
  { "k2_counts", "multiply_adds(1) returns 1 operations and multiply_adds(10) 10, not ten times as many" },
  { "k3_sum_order", "product 50 x 64 x 256 (lda 320, ldb 192, ldc 128) differs from scalar at row 0, column 0: " },
  { "k3_k_down", "; that is the sum with k in the other direction" },
  { "k3_two_roundings", "; that is the sum by multiplications and additions instead of fused multiply-adds" },
  { "k3_c_last", "; that is the sum with c added at its end instead of its beginning" },
  { "k3_flushes", "; that is the sum with denormal numbers taken as 0" },
  { "k3_skips_zeros", "; that is the sum without the terms in which a is 0" },
  { "k3_two_sums", "; that is the sum of the even terms and that of the odd ones" },
  { "k3_bf16_floats", "; that is the sum of the numbers as they are, not rounded to bfloat16" },
  { "k3_int8_floats", "int8 product " },
  { "k4_allocates", "gemm calls malloc()" },
  { "k4_static_block", "gemm changes static data 'calls'; threads call it at the same time" },
  { "k4_deep_stack", "KiB of the stack for a product 1 x 130 x 300; 256 are allowed" },
  { "k4_rounds_up", "gemm changes the direction of rounding" },
  { "k4_flush_to_zero", "pack changes what becomes of denormal numbers (flush to zero)", x86 = true,
    only = "K4" },
  { "k4_thread_local", "the plugin has thread-local data, which are static to a thread" },
  -- Other words for the same rules, and of those rules alone.
  { "k1_divides", "gemm, product 1 x 70 x 9 ends with signal 8 (Floating point exception) on a processor with ",
    emulated = true, only = "K1" },
  { "k2_writes_b", " writes to b", only = "K2" },
  { "k2_before_c", " makes gemm() read or write before c", only = "K2" },
  { "k2_vast_pack", " makes pack_bytes(7, 65) ask for ", only = "K2" },
  { "k4_sets_errno", "gemm changes errno", only = "K4" },
}

describe("a backend that is", function()
  for _, each in ipairs(wrong) do
    it("wrong is refused: " .. each[1], function()
      if each.emulated and not qemu then
        return pending "qemu-x86_64 is not installed (qemu-user)"
      elseif each.x86 and not x86 then
        return pending "of x86-64"
      end
      local options = "--thin 7" .. (each.only and " --only " .. each.only or "")
      local results = results_of(("%stests/bad/%s.so"):format(build, each[1]), options)
      local text = said(results)
      assert.equal(each[1]:sub(1, 2):upper(), broken(results), text)
      assert.is_truthy(text:find(each[2], 1, true), text)
    end)
  end
  it("right is skipped by name where a rule is not for it", function()
    local text = said(results_of(build .. "tests/bad/k2_counts.so", "--thin 70"))
    assert.is_truthy(text:find("skip K2: the backend does not say RD_KERNELS_BF16", 1, true), text)
    assert.is_truthy(text:find("skip K2: the backend does not say RD_KERNELS_INT8", 1, true), text)
  end)
  it("not for this processor is skipped by name", function()
    local text = said(results_of(build .. "tests/bad/backends.so", "--thin 70"))
    assert.is_truthy(text:find("skip K2: this processor lacks ", 1, true), text)
    assert.is_truthy(text:find("skip K2: its score() does not want this machine", 1, true), text)
    assert.is_truthy(text:find("skip K3: the backend says RD_KERNELS_INEXACT", 1, true), text)
  end)
end)

describe("without qemu", function()
  it("K1 is skipped, with what to install", function()
    local results = results_of(build .. "tests/bad/k2_counts.so", "--only K1", "PATH=/nowhere")
    assert.equal("", broken(results))
    assert.is_truthy(said(results):find(x86 and "skip K1: qemu-x86_64 is not here to emulate one (Debian: apt-get "
      .. "install qemu-user)" or "does not emulate processors of this kind", 1, true), said(results))
  end)
end)

describe("a backend of the tree", function()
  for _, name in ipairs(core.listdir(kernels)) do
    local results = name:find "^avx" or name:find "^scalar" or name:find "^neon" or name:find "^openblas"
    if results then
      it("keeps all rules: " .. name, function()
        local found = results_of(kernels .. name)
        assert.equal("", broken(found), said(found))
      end)
    end
  end
end)

-- The template's backend as each compiler makes it, under a name of its own.
describe("one backend by two compilers", function()
  local folder
  setup(function() folder = support.folder() end)
  teardown(function() support.remove(folder) end)
  local source = support.read "plugins/template/kernel/kernel.c"
  local by = { { "gcc", "-O3" }, { "clang", "-O0" } }
  local script = [[
    local rondo = require "rondo"
    rondo.manual_seed(1)
    local model = rondo.Sequential { rondo.LSTM { 5, 70 }, rondo.Linear { 2 } }
    local optimizer = rondo.optim.Adam(model:parameters(), { lr = 0.01 })
    local x, y, loss = rondo.randn(7, 9, 5), rondo.randn(7, 9, 2)
    model:train()
    for _ = 1, 3 do
      optimizer:zero_grad()
      loss = rondo.MSELoss()(model(x), y)
      loss:backward()
      optimizer:step()
    end
    print(("%s %a"):format(rondo.features().kernels, loss:item()))
  ]]

  it("keeps all rules twice, and trains to the same bits, side by side", function()
    if not os.execute "command -v clang >/dev/null && command -v gcc >/dev/null" then
      return pending "clang or gcc is not installed"
    end
    support.write(folder .. "/train.lua", script)
    for _, each in ipairs(by) do
      local name = folder .. "/" .. each[1]
      support.write(name .. ".c", (source:gsub("template%.kernel", "side." .. each[1])))
      assert(os.execute(("%s %s -std=c11 -fPIC -shared -fno-math-errno -fno-trapping-math -ffp-contract=off %s "
        .. "-Icore/include '%s.c' -o '%s.so' -lm"):format(each[1], each[2],
        core.real == "double" and "-DRD_REAL_DOUBLE" or "", name, name)))
      local results = results_of(name .. ".so", "--thin 7")
      assert.equal("", broken(results), said(results))
    end
    local losses = {}
    for i, kernels_name in ipairs { "scalar", "side.gcc", "side.clang" } do
      local out, err = support.rondo(folder, "run train.lua",
        ("RONDO_PLUGIN_PATH='%s' RONDO_KERNELS=%s"):format(folder, kernels_name))
      local used, loss = out:match "^(%S+) (%S+)\n$"
      assert.equal(kernels_name, used, err)
      losses[i] = loss
    end
    assert.same({ losses[1], losses[1], losses[1] }, losses)
  end)
end)
