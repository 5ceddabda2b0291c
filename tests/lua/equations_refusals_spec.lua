-- equations_refusals_spec.lua - what is wrong in an equation, with its column; which value a name stands for.
-- SPDX-License-Identifier: MIT
local read = require "rondo.equations.read"
local rondo = require "rondo"
local support = dofile "tests/lua/support.lua"

local function refused(equations, more)
  local given = more or {}
  given.name, given.equations = "equations.wrong", equations
  return support.failure(rondo.cell, given)
end

-- Of one equation h, where only its text is wrong.
local function of(text)
  return (refused { h = text }:gsub("^[^\n]-cell 'equations.wrong': equation 'h', ", ""):gsub("\n.*", ""))
end

describe("a fault in an equation", function()
  it("is shown in its place", function()
    assert.equal("tests/lua/support.lua:12: cell 'equations.wrong': equation 'h', column 7: there is no "
      .. "function 'sigmod' (did you mean 'sigmoid'?)\n    h = W x + sigmod(U h)\n              ^",
      refused { h = "W x + sigmod(U h)" })
  end)
  local cases = {
    { "tanh(W x + (U h)", "column 5: '(' is not closed" },
    { "tanh(W x)) + b", "column 10: ')' closes nothing" },
    { "tanh()", "column 6: ')' closes nothing" },
    { "W x + * b", "column 7: a value is missing before '*'" },
    { "W x +", "column 6: something is missing behind '+'" },
    { "", "column 1: there is nothing" },
    { "h b", "column 3: 'h' and 'b' stand side by side: write * between them; only a matrix, which begins with a "
      .. "capital "
      .. "letter, multiplies what is behind it" },
    { "2 h", "column 3: '2' and 'h' stand side by side: write * between them; only a matrix, which begins with a "
      .. "capital "
      .. "letter, multiplies what is behind it" },
    { "tanh(W x, 3)", "column 1: tanh takes 1 value, got 2" },
    { "max(W x)", "column 1: max takes 2 values, got 1" },
    { "W x, 3", "column 4: ',' is not expected here" },
    { "tanh + W x", "column 1: 'tanh' is a function: its values stand in parentheses" },
    { "W + h", "column 1: 'W' begins with a capital letter, so it is a matrix, and the vector that it multiplies must "
      .. "stand behind it: W x" },
    { "h*W", "column 3: 'W' begins with a capital letter, so it is a matrix, and the vector that it multiplies must "
      .. "stand behind it: W x" },
    { "h(W x)", "column 1: 'h' is no function; write h*(...) for a product, h' for its value of the step before" },
    { "tanh(W x) + x", "column 13: x has as many numbers as the input has features: a matrix must make a vector "
      .. "of it, as "
      .. "in W x" },
    { "W x + x'", "column 7: x' is the value of the step before, and x has none: keep it by an equation of its own" },
    { "W x + c'", "column 7: c' is the value of the step before, and no equation makes 'c'" },
    { "W x + U h + U (2*h)", "column 13: matrix 'U' has multiplied something else already; give this one a name of its "
      .. "own" },
    { "W x + U p", "column 9: 'U' can multiply x, a state, or what an equation computes, and not a parameter" },
    { "W x + U 2", "column 9: 'U' can multiply x, a state, or what an equation computes, and not a number" },
    { "W x + h^h", "column 9: an exponent is a number or a constant, and 'h' is none" },
    { "W x + h^(2)", "column 9: an exponent is a number or a constant" },
    { "W x ; h", "column 5: ';' has no meaning in an equation" },
    { "W x · h", "column 5: '·' has no meaning in an equation: write *" },
    { "W x + U h_{t-1}", "column 11: '{' has no meaning in an equation: write h' for h of the step before" },
    { "W x + layernorm(p)", "column 17: layernorm needs what differs from row to row, not a parameter" },
    { "W x + layernorm(2)", "column 17: layernorm needs what differs from row to row, not a number" },
    { "W x + hA", "column 7: 'hA' is made of other letters than a-z, 0-9 and _, or longer than 31" },
    { "W x + p_b*h", "column 7: 'p_b' ends as the core's names of biases do; choose another name" },
  }
  for _, case in ipairs(cases) do
    it("as in h = " .. case[1], function()
      assert.equal(case[2], of(case[1]))
    end)
  end
  it("may be a function that nothing is like", function()
    assert.matches("column 1: there is no function 'fourier'; there are abs, exp, layernorm, log, ", of "fourier(W x)")
  end)
  it("may be an equation that nobody needs", function()
    assert.matches("equation 'z', column 1: 'z' is never used: 'h', the output, does not need it",
      refused { h = "W x + U h", z = "V x" })
    assert.matches("does not need it; did you mean it by 'gat'%?", refused { h = "gat*(W x + U h)",
      gate = "sigmoid(V x)" })
    assert.matches("does not need it; did you mean it by 'tehta'%?", refused { h = "tehta*(W x + U h)",
      theta = "sigmoid(V_theta x + b_theta)" })
  end)
  it("may be a circle", function()
    assert.matches("equation 'b', column 7: this goes round in a circle: a, which needs b, which needs a; write a' for "
      .. "the value of the step before", refused { h = "a + b", a = "W x*b", b = "V x + a" })
  end)
  it("may be a name that a matrix cannot multiply", function()
    assert.matches("equation 'c_1', column 1: matrix 'U' multiplies 'c_1', whose name must be without _",
      refused { h = "tanh(W x + U c_1')", c_1 = "h + 1" })
  end)
end)

describe("what is wrong beside the equations", function()
  local good = { h = "tanh(W x + U h + b)" }
  it("is said", function()
    assert.matches("cell 'equations.wrong': no equation makes the output 'h'; output = \"name\" says which one does",
      refused { y = "W x" })
    assert.matches("cell 'equations.wrong': no equation makes the output 'z'$", refused(good, { output = "z" }))
    assert.matches("an equation is named by small letters, digits and _, at most 31, as in h = \"tanh%(...%)\", "
      .. "got 'H'",
      refused { H = "W x" })
    assert.matches("an equation is named by small letters, .*, got 1", refused { "h = W x" })
    assert.matches("'x' is the input and cannot be computed by an equation", refused { x = "1" })
    assert.matches("'tanh' is a function and cannot be computed by an equation", refused { tanh = "1" })
    assert.matches("'k' is a constant and cannot be computed by an equation", refused({ k = "1" },
      { constants = { k = 1 } }))
    assert.matches("equation 'h' must be a text, got a number", refused { h = 1 })
    assert.matches("constants are numbers by name, as in { slope = 0.2 }, got k = a", refused(good,
      { constants = { k = "a" } }))
    assert.matches("'first' has numbers by state, and states are h; got m = 1", refused(good, { first = { m = 1 } }))
    assert.matches("'whole' names 'm', and states are h", refused(good, { whole = { "m" } }))
    assert.matches("init names 'c', and parameters are W, U, b", refused(good, { init = { c = 1 } }))
    assert.matches("init of 'b' must be a number, or one of chrono, constant", refused(good,
      { init = { b = "orthogonal" } }))
    assert.matches("'U' and 'V' stand in one sum, so their initial values must follow one rule",
      refused({ h = "tanh(W x + U h + V c' + b)", c = "h" }, { init = { V = "orthogonal" } }))
    assert.matches("'W_a' and 'b_a' are both called 'a_b' by the core; rename one of them",
      refused { h = "tanh(W_a b' + b_a)", b = "h + V x" })
    assert.matches("cell: unknown option 'equation'", support.failure(rondo.cell, { name = "a", equation = {} }))
  end)
  it("are more states than a cell can have", function()
    local equations, sum = {}, {}
    for i = 1, 16 do
      equations["s" .. i], sum[i] = ("0.5*s%d"):format(i), "s" .. i
    end
    equations.h = "W x + " .. table.concat(sum, " + ")
    assert.matches("cell 'equations.wrong': 17 states, and a cell can have 16", refused(equations))
  end)
  it("are layer norms of layer norms without end", function()
    assert.matches("more than 62 layer norms follow one another",
      refused { h = ("layernorm(1 + "):rep(63) .. "W x" .. (")"):rep(63) })
  end)
end)

describe("a name stands for", function()
  -- The reads of a cell that are of the step before, as "equation: name".
  local function befores(equations, output)
    local p, list = read.program { name = "equations.reads", equations = equations, output = output }, {}
    local order = require "rondo.equations.order"
    for _, equation in ipairs(p.equations) do
      order.walk(equation.tree, function(node)
        if node.before then
          list[#list + 1] = equation.name .. ": " .. node.name
        end
      end)
    end
    table.sort(list)
    return table.concat(list, ", ")
  end
  it("the step before in its own equation, and in those that it needs", function()
    assert.equal("h: h, z: h", befores { z = "sigmoid(W x + U h)", h = "(1 - z)*h + z" })
  end)
  it("this step where that can be had: the output gate of an LSTM sees the new c", function()
    assert.equal("c: c, f: c, f: h, o: h", befores { f = "sigmoid(W_f x + U_f h + p_f*c)", c = "f*c + W_c x",
      o = "sigmoid(W_o x + U_o h + p_o*c)", h = "o*tanh(c)" })
  end)
  it("the step before with a mark, wherever it stands", function()
    assert.equal("f: m, m: m", befores({ m = "max(m, W x)", f = "exp(m' - m)", h = "f" }))
  end)
  it("the step before in two states that need each other", function()
    assert.equal("a: a, a: c, c: a, c: c", befores { a = "a + c", c = "c + a", h = "a + W x" })
  end)
end)
