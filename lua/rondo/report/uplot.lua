-- report/uplot.lua - uPlot, which draws the curves of a report: its files, where scripts/setup.sh report puts them.
--
-- A file counts only with its sum. Without them reports go without: nothing is fetched here.
-- SPDX-License-Identifier: MIT
local core = require "rondo.core"
local digest = require "rondo.digest"
local errors = require "rondo.errors"

local uplot = { version = "1.6.32" }

local FILES = {
  script = { "uPlot.iife.min.js", "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f" },
  style = { "uPlot.min.css", "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04" },
  license = { "LICENSE", "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd" },
}

-- The folder of the files: in XDG_CACHE_HOME or ~/.cache.
function uplot.folder()
  local cache, home = core.getenv "XDG_CACHE_HOME", core.getenv "HOME"
  cache = cache and cache:sub(1, 1) == "/" and cache or home and home .. "/.cache"
  return cache and ("%s/rondo/uplot-%s"):format(cache, uplot.version)
end

-- { script =, style =, license = }, texts, or nil where they are not there. A file that is another one is said.
function uplot.files()
  local folder, texts = uplot.folder(), {}
  for name, entry in pairs(FILES) do
    local path = folder and folder .. "/" .. entry[1]
    local file <close> = path and io.open(path, "rb")
    if not file then
      return nil
    end
    texts[name] = file:read "a" or ""
    if digest.hex(digest.sha256(texts[name])) ~= entry[2] then
      errors.notice("%s is not the file of uPlot %s; `scripts/setup.sh report` fetches it anew", path, uplot.version)
      return nil
    end
  end
  return texts
end

return uplot
