-- explain_spec.lua - rondo bptt: the page of three unfolded steps, and its graph.
-- SPDX-License-Identifier: MIT
local core = require "rondo.native"
local explain = require "rondo.diagnose.explain"
local support = dofile "tests/lua/support.lua"

local LIMIT = core.real == "double" and 1e-12 or 1e-6

describe("the unfolded example", function()
  for _, activation in ipairs { "sigmoid", "tanh", "identity" } do
    it("has the engine's numbers where the formula says they are: " .. activation, function()
      local f = explain.numbers(activation, 3)
      local function close(a, b)
        assert.is_true(math.abs(a - b) <= LIMIT, ("%.12g, %.12g"):format(a, b))
      end
      -- dL/dW = dL/dh3 * sum of dh3/dhk d+hk/dW, by hand
      local sum = 0
      for k = 1, 3 do
        local term = f.dL * f.through[k] * f.slope[k] * f.h[k - 1]
        close(term, f.terms.W[k])
        close(f.dL * f.through[k] * f.slope[k] * f.x[k][1], f.terms.U[k])
        close(f.dL * f.through[k] * f.slope[k], f.terms.B[k])
        sum = sum + term
      end
      close(sum, f.engine.W)
      close(f.sum.W, f.engine.W)
      close(f.loss, (f.h[3] - 1) ^ 2 / 2)
    end)
  end

  it("reads as a page", function()
    local out, err, code = support.rondo("/tmp", "bptt --explain")
    assert.equal("", err)
    assert.equal(0, code)
    assert.matches("h%(t%) = sigmoid%(U x%(t%) %+ W h%(t%-1%) %+ B%),  L = %(h3 %- y%)^2 / 2", out)
    assert.matches("  h0 %-%-W%-%-> h1 %-%-W%-%-> h2 %-%-W%-%-> h3 %-%-%-%-> L", out)
    assert.matches("dh3/dh1  = dh3/dh2 dh2/dh1 = 0%.017696", out)
    assert.matches("dL/dW +%-0%.000891 +%-0%.012831 +%-0%.100583 +%-0%.114306 +%-0%.114306", out)
  end)

  it("is a graph that graphviz can draw", function()
    local out = support.rondo("/tmp", "bptt --dot --steps 4")
    assert.matches("^digraph bptt {\n", out)
    assert.matches('h3 %-> h4 %[label="W: dh4/dh3 = ', out)
    if not os.execute "command -v dot >/dev/null" then
      pending "graphviz is not here"
      return
    end
    local pipe = io.popen("rondo bptt --dot | dot -Tsvg 2>&1")
    assert.matches("<svg", pipe:read "a")
    assert.is_true(pipe:close())
  end)

  it("is asked for as text or as a graph", function()
    local _, err, code = support.rondo("/tmp", "bptt")
    assert.equal("rondo: bptt: ask for --explain, a page of text, or for --dot, a graph\n", err)
    assert.equal(2, code)
  end)
end)
