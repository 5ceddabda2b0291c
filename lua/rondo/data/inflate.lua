-- data/inflate.lua - unpacks what zlib packed (RFC 1950 and 1951): matrices of MATLAB files are kept so.
--
-- inflate(text) -> bytes. The checksum at the end is not looked at: whoever calls knows the sum of the file.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

-- Lengths 257..285 and distances 0..29: first value and extra bits (RFC 1951, 3.2.5).
local LENGTH, LENGTH_BITS, DISTANCE, DISTANCE_BITS = {}, {}, {}, {}
local base = 3
for i = 0, 27 do
  LENGTH_BITS[i] = i < 8 and 0 or (i - 4) // 4
  LENGTH[i], base = base, base + (1 << LENGTH_BITS[i])
end
LENGTH[28], LENGTH_BITS[28] = 258, 0
base = 1
for i = 0, 29 do
  DISTANCE_BITS[i] = i < 4 and 0 or (i - 2) // 2
  DISTANCE[i], base = base, base + (1 << DISTANCE_BITS[i])
end
local CODE_ORDER = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 }

local function broken()
  error("inflate: this is not a whole zlib stream", 0)
end

-- The next n bits, lowest first.
local function bits(s, n)
  while s.n < n do
    s.at = s.at + 1
    s.held, s.n = s.held | (s.text:byte(s.at) or broken()) << s.n, s.n + 8
  end
  local value = s.held & (1 << n) - 1
  s.held, s.n = s.held >> n, s.n - n
  return value
end

-- A canonical code from the lengths of its symbols 0, 1, ...: how many there are of each length, and the symbols by
-- length, then value.
local function huffman(lengths)
  local code = { symbols = {} }
  for n = 1, 15 do
    code[n] = 0
    for symbol = 0, lengths.count - 1 do
      if lengths[symbol] == n then
        code[n] = code[n] + 1
        code.symbols[#code.symbols + 1] = symbol
      end
    end
  end
  return code
end

local function symbol_of(s, code)
  local value, first, index = 0, 0, 0
  for n = 1, 15 do
    value = value | bits(s, 1)
    if value - first < code[n] then
      return code.symbols[index + value - first + 1]
    end
    index, first = index + code[n], first + code[n] << 1
    value = value << 1
  end
  broken()
end

local function fixed_codes()
  local lengths, distances = { count = 288 }, { count = 30 }
  for i = 0, 287 do
    lengths[i] = i < 144 and 8 or i < 256 and 9 or i < 280 and 7 or 8
  end
  for i = 0, 29 do
    distances[i] = 5
  end
  return huffman(lengths), huffman(distances)
end

local function dynamic_codes(s)
  local n_lengths, n_distances, n_codes = bits(s, 5) + 257, bits(s, 5) + 1, bits(s, 4) + 4
  local lengths = { count = 19 }
  for i = 1, n_codes do
    lengths[CODE_ORDER[i]] = bits(s, 3)
  end
  local code, all, n = huffman(lengths), {}, 0
  while n < n_lengths + n_distances do
    local symbol = symbol_of(s, code)
    local value, times = symbol, 1
    if symbol == 16 then
      value, times = all[n - 1], 3 + bits(s, 2)
    elseif symbol > 16 then
      value, times = 0, symbol == 17 and 3 + bits(s, 3) or 11 + bits(s, 7)
    end
    for _ = 1, times do
      all[n], n = value, n + 1
    end
  end
  local distances = { count = n_distances }
  for i = 0, n_distances - 1 do
    distances[i] = all[n_lengths + i]
  end
  all.count = n_lengths
  return huffman(all), huffman(distances)
end

-- Bytes of one block whose codes are known, behind what is in `out`.
local function coded(s, out, literals, distances)
  while true do
    local symbol = symbol_of(s, literals)
    if symbol == 256 then
      return
    elseif symbol < 256 then
      out[#out + 1] = symbol
    else
      local i = symbol - 257
      local length = (LENGTH[i] or broken()) + bits(s, LENGTH_BITS[i])
      local j = symbol_of(s, distances)
      local from = #out - (DISTANCE[j] or broken()) - bits(s, DISTANCE_BITS[j])
      for k = 1, length do
        out[#out + 1] = out[from + k] or broken()
      end
    end
  end
end

local function stored(s, out)
  s.held, s.n = 0, 0 -- from the next whole byte
  local length = bits(s, 16)
  bits(s, 16)
  for _ = 1, length do
    out[#out + 1] = bits(s, 8)
  end
end

local function inflate(text)
  if type(text) ~= "string" then
    errors.raise("inflate: expected the bytes of a zlib stream, got a %s", type(text))
  end
  local s, out, last = { text = text, at = 2, held = 0, n = 0 }, {}, 0
  while last == 0 do
    last = bits(s, 1)
    local kind = bits(s, 2)
    if kind == 0 then
      stored(s, out)
    elseif kind == 1 then
      coded(s, out, fixed_codes())
    elseif kind == 2 then
      coded(s, out, dynamic_codes(s))
    else
      broken()
    end
  end
  local parts = {}
  for i = 1, #out, 4096 do
    parts[#parts + 1] = string.char(table.unpack(out, i, math.min(i + 4095, #out)))
  end
  return table.concat(parts)
end

return inflate
