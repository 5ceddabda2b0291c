-- digest.lua - SHA-256 and Base64: for the content security policy of reports, and sums of what goes into them.
-- SPDX-License-Identifier: MIT
local digest = {}

-- Constants and first state (FIPS 180-4, sections 4.2.2 and 5.3.3).
local K = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2 }
local STATE = {
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 }
local WORD = 0xffffffff

local function turned(x, n)
  return (x >> n | x << (32 - n)) & WORD
end

-- The block of 64 bytes at `from`: state in, state out (section 6.2.2; letters are the standard's).
local function block(state, text, from)
  local w = { (">I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4"):unpack(text, from) }
  for t = 17, 64 do
    local x, y = w[t - 15], w[t - 2]
    w[t] = (w[t - 16] + w[t - 7] + (turned(x, 7) ~ turned(x, 18) ~ x >> 3)
      + (turned(y, 17) ~ turned(y, 19) ~ y >> 10)) & WORD
  end
  local a, b, c, d, e, f, g, h = table.unpack(state)
  for t = 1, 64 do
    local t1 = h + (turned(e, 6) ~ turned(e, 11) ~ turned(e, 25)) + (e & f ~ ~e & g) + K[t] + w[t]
    local t2 = (turned(a, 2) ~ turned(a, 13) ~ turned(a, 22)) + (a & b ~ a & c ~ b & c)
    a, b, c, d, e, f, g, h = t1 + t2 & WORD, a, b, c, d + t1 & WORD, e, f, g
  end
  for i, x in ipairs { a, b, c, d, e, f, g, h } do
    state[i] = state[i] + x & WORD
  end
end

-- The 32 bytes of the SHA-256 of a text.
function digest.sha256(text)
  local state = table.move(STATE, 1, 8, 1, {})
  text = text .. "\x80" .. ("\0"):rep((55 - #text) % 64) .. (">I8"):pack(8 * #text)
  for from = 1, #text, 64 do
    block(state, text, from)
  end
  return (">I4I4I4I4I4I4I4I4"):pack(table.unpack(state))
end

function digest.hex(bytes)
  return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

function digest.base64(bytes)
  local parts = {}
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local n = a << 16 | (b or 0) << 8 | (c or 0)
    local four = ""
    for shift = 18, 0, -6 do
      local digit = (n >> shift & 63) + 1
      four = four .. DIGITS:sub(digit, digit)
    end
    parts[#parts + 1] = four:sub(1, c and 4 or b and 3 or 2) .. ("="):rep(c and 0 or b and 1 or 2)
  end
  return table.concat(parts)
end

return digest
