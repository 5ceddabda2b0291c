-- data/fetch.lua - gets a data set into the cache: download or command, sum, preparation, sum, place.
--
-- Invariant: under a real name there is only ever a whole file whose sum is right. What is on its way is called
-- <cache>/download/<set>.<number>.<file>.part and is resumed; one process at a time works on a set (a lock is there).
-- SPDX-License-Identifier: MIT
local catalog = require "rondo.data.catalog"
local core = require "rondo.core"
local errors = require "rondo.errors"
local progress = require "rondo.progress"

local ATTEMPTS = 5 -- of a connection that is cut, as long as each brings something
-- curl's exit codes (man curl)
local HTTP_ERROR, CANNOT_WRITE, NO_RANGES, TOO_LARGE = 22, 23, 33, 63
local CUT = { [18] = true, [52] = true, [55] = true, [56] = true, [92] = true }

-- Raised inside this file and turned into nil, message, code at its border.
local function stop(code, format, ...)
  error({ message = format:format(...), code = code }, 0)
end

local function size_of(path)
  local stat = core.stat(path)
  return stat and stat.size
end

local function read(path)
  local file, message = io.open(path, "rb")
  local text = file and file:read "a"
  if not text then
    stop(errors.DATA, "%s", message or path .. ": cannot be read")
  end
  file:close()
  return text
end

local function must(ok, message)
  if not ok then
    stop(errors.DATA, "%s", message)
  end
  return ok
end

local function sum_of(path)
  return must(catalog.sha256(path))
end

-- Runs a program; `package` is what to install where it is not there.
local function run(argv, package, output)
  local result, message = core.run(argv, output)
  if not result and message:find(argv[1] .. ": No such file", 1, true) then
    stop(errors.DATA, "the program %s is missing: install the package %s (sudo apt install %s)", argv[1], package,
      package)
  end
  must(result, message)
  if result.interrupted then
    stop(result.interrupted == "SIGINT" and errors.INTERRUPTED or errors.TEMPFAIL,
      "stopped by %s; the next `rondo data get` goes on from what has come", result.interrupted)
  end
  return result
end

-- "curl: (22) The requested URL returned error: 404" and how it ended, if it says nothing.
local function words_of(program, result)
  local text = result.stderr:gsub("%s+$", ""):match "[^\n]*$"
  return text ~= "" and text or result.signal and ("%s was ended by signal %d"):format(program, result.signal)
    or ("%s failed with exit status %d"):format(program, result.code)
end

-- ---- downloads ----

-- Far more than was expected is not even begun: another file, or one that would fill the disk.
local function most_bytes(download)
  return 2 * download.bytes + 65536
end

local function curl(download, part)
  local url = download.url
  return run({ "curl", "--fail", "--silent", "--show-error", "--location", "--proto", "=" .. url:match "^%a+",
    "--connect-timeout", "30", "--speed-limit", "1", "--speed-time", "60",
    "--max-filesize", tostring(most_bytes(download)), "--continue-at", "-", "--output", part, "--", url }, "curl")
end

local function refuse(entry, download, part, result)
  local words = words_of("curl", result)
  if result.code == CANNOT_WRITE then
    stop(errors.DATA, "cannot write %s: %s (is the disk full?)", part, words)
  elseif result.code == HTTP_ERROR then
    stop(errors.DATA, "%s: cannot download %s: %s; the set's home is %s", entry.name, download.url, words,
      entry.source)
  elseif result.code == TOO_LARGE then
    stop(errors.DATA, "%s: %s has more than %d bytes, expected %d; the file there is another one", entry.name,
      download.url, most_bytes(download), download.bytes)
  end
  stop(errors.DATA, "%s: cannot download %s: %s; with a network the same command goes on, without one put %s into "
    .. "a folder and name that in RONDO_DATA", entry.name, download.url, words, entry.files[1].path)
end

-- Brings `part` to its full length, over as many connections as it takes.
local function fill(entry, download, part)
  local from_zero
  for _ = 1, ATTEMPTS do
    local before = size_of(part) or 0
    if before == download.bytes then
      return
    elseif before > download.bytes then
      core.remove(part)
      before = 0
    end
    local busy = progress.busy(("downloading %s (%.1f MB)"):format(entry.name, download.bytes / 1e6))
    local result = curl(download, part)
    busy:close()
    local now = size_of(part) or 0
    if result.code == 0 then
      return
    elseif before > 0 and not from_zero
      and (result.code == NO_RANGES or result.code == HTTP_ERROR and result.stderr:find("416", 1, true)) then
      core.remove(part) -- this server cannot go on where we are
      from_zero = true
    elseif not CUT[result.code] or now <= before then
      refuse(entry, download, part, result)
    end
  end
  stop(errors.DATA, "%s: %s: the connection was cut %d times; the same command goes on", entry.name, download.url,
    ATTEMPTS)
end

-- Path of the download, whole and checked.
local function fetch(entry, number, folder)
  local download = entry.downloads[number]
  local path = ("%s/%s.%d.%s"):format(folder, entry.name, number, download.url:match "([^/?#]+)[^/]*$" or "file")
  if size_of(path) == download.bytes and sum_of(path) == download.sha256 then
    return path
  end
  local part = path .. ".part"
  fill(entry, download, part)
  local size = size_of(part) or 0
  local sum = size == download.bytes and sum_of(part)
  if size ~= download.bytes then
    core.remove(part)
    stop(errors.DATA, "%s: %s has %d bytes, expected %d; the file there is another one, and was thrown away",
      entry.name, download.url, size, download.bytes)
  elseif sum ~= download.sha256 then
    core.remove(part)
    stop(errors.DATA, "%s: %s has sha256 %s, expected %s; it was thrown away, try again", entry.name, download.url,
      sum, download.sha256)
  end
  must(core.rename(part, path))
  return path
end

local function unzip(path)
  if not path:find "%.gz$" then
    return path
  end
  local plain = path:sub(1, -4)
  local result = run({ "gzip", "-dc", "--", path }, "gzip", plain)
  if result.code ~= 0 then
    core.remove(plain)
    stop(errors.DATA, "%s: %s", path, words_of("gzip", result))
  end
  return plain
end

-- ---- from here: files that a set is made of ----

local function printed(entry, folder)
  local path = folder .. "/" .. entry.name .. ".printed"
  local packages = table.concat(entry.packages, " ")
  local result = run(entry.command, packages, path)
  if result.code ~= 0 then
    core.remove(path)
    stop(errors.DATA, "%s: %s; install the packages %s", entry.name, words_of(entry.command[1], result), packages)
  end
  return path
end

local function inputs(entry, folder)
  if entry.command then
    local path = printed(entry, folder)
    return { path }, { path }
  elseif not entry.downloads then
    stop(errors.DATA, "%s: no download of it is known (%s); put %s into a folder and name that in RONDO_DATA",
      entry.name, entry.source, entry.files[1].path)
  end
  errors.notice("getting %s from %s (licence: %s)", entry.name, entry.source, entry.licence)
  local plain, all = {}, {}
  for i = 1, #entry.downloads do
    local path = fetch(entry, i, folder)
    plain[i] = unzip(path)
    all[#all + 1] = path
    all[#all + 1] = plain[i]
  end
  return plain, all
end

-- The inputs' bytes, read when a prepare function asks for them.
local function texts_of(plain)
  return setmetatable({}, { __len = function() return #plain end, __index = function(texts, i)
    texts[i] = read(plain[i])
    return texts[i]
  end })
end

local function cache()
  return catalog.cache_folder()
    or stop(errors.DATA, "there is no place to keep data: set HOME or XDG_CACHE_HOME to a folder of yours")
end

-- Makes one file of the set, first beside its place. What needs no preparation is moved: it may be large.
local function make(entry, file, plain)
  local path = cache() .. "/" .. file.path
  local fresh = path .. ".new"
  must(core.mkdir((path:match "^(.*)/")))
  local name = file.prepare or entry.prepare
  if name == "raw" then
    must(core.rename(plain[file.download or 1], fresh))
  else
    must(core.write_file(fresh, require("rondo.data.prepare")[name](texts_of(plain), file)))
  end
  local sum = sum_of(fresh)
  if sum ~= file.sha256 and entry.packages then
    errors.notice("%s: what this version of %s prints has sha256 %s, not %s: figures may differ", path,
      entry.packages[1], sum, file.sha256)
  elseif sum ~= file.sha256 then
    core.remove(fresh)
    stop(errors.DATA, "%s: prepared, %s has sha256 %s, expected %s; prepare function '%s' is wrong here", entry.name,
      file.path, sum, file.sha256, name)
  end
  must(core.rename(fresh, path))
  return path
end

-- Waits for another process that gets the same set.
local function locked(path)
  for _ = 1, 2 * 3600 do
    local lock, message = core.lock(path)
    if lock then
      return lock
    elseif not message:find("another process", 1, true) then
      stop(errors.DATA, "%s", message)
    end
    run({ "sleep", "0.5" }, "coreutils")
  end
  stop(errors.TEMPFAIL, "%s: another process has held the lock for an hour", path)
end

local function get(entry, wanted)
  local folder = cache() .. "/download"
  must(core.mkdir(folder))
  local _ <close> = locked(folder .. "/" .. entry.name .. ".lock")
  local path = catalog.find(entry, wanted, true) -- another process may have made it meanwhile
  if path then
    return path
  end
  local plain, all = inputs(entry, folder)
  for _, file in ipairs(entry.files) do
    if file == wanted or not catalog.where(file) then
      local made = make(entry, file, plain)
      path = file == wanted and made or path
    end
  end
  for _, name in ipairs(all) do
    core.remove(name)
  end
  return path
end

-- Path of a file of an entry, now in the cache; or nil, message, code.
return function(entry, wanted)
  local ok, result = pcall(get, entry, wanted)
  if ok then
    return result
  elseif type(result) == "table" and result.message then
    return nil, result.message, result.code
  end
  error(result, 0)
end
