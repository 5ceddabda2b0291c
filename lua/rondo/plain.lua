-- plain.lua - a text from outside as a terminal may have it: "?" for control characters, also those that are two bytes
-- of UTF-8 (C1, which some terminals obey). With `lines` it may have several, and tabs.
-- SPDX-License-Identifier: MIT
return function(text, lines)
  return (text:gsub("\xC2[\x80-\x9F]", "?"):gsub(lines and "[\0-\8\11-\31\127]" or "%c", "?"))
end
