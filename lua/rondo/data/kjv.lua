-- data/kjv.lua - a text that needs nothing but Debian packages: the King James Bible, without verse labels.
--
-- The catalog's entry `kjv` says how it is made; here is the advice for who has neither.
-- SPDX-License-Identifier: MIT
local errors = require "rondo.errors"

local ADVICE = "install the Debian packages bible-kjv and bible-kjv-text (sudo apt install bible-kjv "
  .. "bible-kjv-text), or give a text with --data FILE"

-- Path of the text, or nil, message, code.
local function kjv()
  local path, message, code = require("rondo.data.catalog").get "kjv"
  if path then
    return path
  elseif message:find("is missing", 1, true) then
    message = "the default text is not there: " .. ADVICE
  end
  return errors.outside(message, code)
end

return kjv
