-- catalog_spec.lua - data sets: the catalog, downloads against a server of the test's own, what they leave behind.
-- Over 400 lines: each way a download can go wrong has its own case.
-- SPDX-License-Identifier: MIT
local catalog = require "rondo.data.catalog"
local core = require "rondo.core"
local errors = require "rondo.errors"
local json = require "rondo.json"
local support = dofile "tests/lua/support.lua"

local folder, server, base
local TEXT = ("Now is the winter of our discontent\n"):rep(3000) -- 108,000 bytes
-- curl waits for ever before its main() where the address sanitizer is loaded into it.
local why_not = os.getenv "LD_PRELOAD" and "the sanitizer is in every program"
  or not core.run { "python3", "--version" } and "python3 is missing"
  or not core.run { "curl", "--version" } and "curl is missing"
  or core.run({ "python3", "-c", "import socket; s = socket.create_server(('127.0.0.1', 0)); "
    .. "socket.create_connection(s.getsockname())" }).code ~= 0 and "127.0.0.1 cannot be reached"

local function sum(text)
  support.write(folder .. "/sum", text)
  return assert(catalog.sha256(folder .. "/sum"))
end

-- A catalog with one set `t` of one file, fetched from `path` of the server.
local function one(path, fields)
  local text = ([[return { { name = "t", what = "w", licence = "l", source = "the home of t", prepare = %q,
    downloads = { { url = %q, bytes = %d, sha256 = %q } },
    files = { { path = "text/t.txt", bytes = 1, sha256 = %q, header = "h" } } } }]]):format(
    fields and fields.prepare or "raw", path:find "^http" and path or base .. path, fields and fields.bytes or #TEXT,
    fields and fields.sha256 or sum(TEXT), fields and fields.result or sum(TEXT))
  return support.write(folder .. "/catalog.lua", text)
end

local function get(arguments, before)
  return support.rondo(folder, "data get " .. (arguments or "t") .. " --catalog catalog.lua",
    ("no_proxy=127.0.0.1 RONDO_DATA= XDG_CACHE_HOME='%s/cache' %s"):format(folder, before or ""))
end

local function fails(code, pattern, arguments, before)
  local out, err, got = get(arguments, before)
  assert.equal(code, got, err)
  assert.matches(pattern, err)
  assert.equal("", out)
end

local function path_of(name)
  return folder .. "/cache/rondo/" .. name
end

-- What lies in the cache, without the locks.
local function left()
  local names = {}
  for _, place in ipairs { "text", "download" } do
    for _, name in ipairs(core.listdir(path_of(place)) or {}) do
      names[#names + 1] = not name:find "%.lock$" and place .. "/" .. name or nil
    end
  end
  table.sort(names)
  return names
end

local function requests()
  local list = {}
  for line in support.read(folder .. "/requests"):gmatch "[^\n]+" do
    list[#list + 1] = line
  end
  return list
end

setup(function()
  folder = support.folder()
  assert(core.mkdir(folder .. "/files"))
  support.write(folder .. "/files/t.txt", TEXT)
  if why_not then
    return
  end
  server = assert(io.popen("exec python3 tests/support/http_server.py " .. folder, "w"))
  for _ = 1, 200 do
    if core.stat(folder .. "/port") then
      break
    end
    core.run { "sleep", "0.05" }
  end
  base = "http://127.0.0.1:" .. support.read(folder .. "/port")
end)
teardown(function()
  if server then
    server:close()
  end
  support.remove(folder)
end)
before_each(function()
  support.remove(folder .. "/cache")
  support.write(folder .. "/requests", "")
end)

describe("a catalog", function()
  local entry = [[name = "x", what = "w", licence = "l", source = "s", prepare = "raw",
    files = { { path = "a/b.txt", bytes = 1, sha256 = "]] .. ("0"):rep(64) .. [[" } }]]
  local function refused(pattern, text)
    local none, message, code = catalog.read(support.write(folder .. "/bad.lua", text))
    assert.is_nil(none)
    assert.matches(pattern, message)
    assert.equal(errors.DATA, code)
  end
  local function altered(from, to)
    return "return { { " .. entry:gsub(from, to) .. " } }"
  end
  it("of Rondo's own is right", function()
    local entries, by_name = catalog.read()
    assert.is_truthy(entries, by_name)
    assert.equal("text/tinyshakespeare.txt", by_name.tinyshakespeare.files[1].path)
  end)
  it("calls nothing", function()
    refused("it can hold data alone: .*'os'", "return { os.getenv 'HOME' }")
    refused("it must return a table, got a number", "return 1")
    refused("bad.lua:1: .*expected", "return {")
    refused("attempt to load a binary chunk", string.dump(function() return {} end))
  end)
  it("names what is wrong", function()
    refused("entry 1 %('x'%): file 1 %(a/b.txt%): sha256 must be 64 digits", altered('"0+"', '"12"'))
    refused("path must be relative", altered("a/b", "../b"))
    refused("path must be relative", altered("a/b", "/b"))
    refused("bytes must be a whole number", altered("bytes = 1", "bytes = 1.5"))
    refused("licence is missing", altered('licence = "l",', ""))
    refused("files is missing", altered("files", "fils"))
    refused("name must be letters, digits and _", altered('"x"', '"x y"'))
    refused("there is no prepare function 'row'", altered('"raw"', '"row", downloads = {}'))
    refused("download 1: url must begin with https", altered('"raw"', '"raw", downloads = { { url = "file:///x" } }'))
    refused("download 1: sha256 must be", altered('"raw"', '"raw", downloads = { { url = "http://x" } }'))
    refused("entry 1 %('7'%): must be a table", "return { 7 }")
    refused("the name is taken", altered("$", "}, {" .. entry:gsub("%%", "%%%%")))
    assert.matches("none.lua: No such file", (select(2, catalog.read(folder .. "/none.lua"))))
  end)
  it("agrees with datasets/README.md", function()
    local readme = support.read "datasets/README.md"
    for _, record in ipairs((assert(catalog.read()))) do
      local row = ("| `%s` | %s | %s |"):format(record.name, record.what, record.licence)
      assert.is_truthy(readme:find(row, 1, true), "not in datasets/README.md: " .. row)
    end
  end)
end)

local online = not why_not and it or function(name)
  pending(("%s (%s)"):format(name, why_not))
end

describe("rondo data get", function()
  online("downloads once, prints the path, and leaves nothing else", function()
    one "/plain/t.txt"
    for i = 1, 2 do
      local out, err, code = get()
      assert.equal(0, code)
      assert.equal(i == 1 and "note: getting t from the home of t (licence: l)\n" or "", err)
      assert.equal(path_of "text/t.txt\n", out)
    end
    assert.equal(TEXT, support.read(path_of "text/t.txt"))
    assert.same({ "/plain/t.txt whole" }, requests())
    assert.same({ "text/t.txt" }, left())
  end)
  online("follows a redirection", function()
    one "/moved/t.txt"
    assert.equal(path_of "text/t.txt\n", (get()))
  end)
  online("looks in RONDO_DATA first, and uses nothing with another sum", function()
    one "/plain/t.txt"
    local own = folder .. "/own/text"
    assert(core.mkdir(own))
    support.write(own .. "/t.txt", TEXT)
    local before = "RONDO_DATA=" .. folder .. "/own"
    assert.equal(own .. "/t.txt\n", (get("t", before)))
    assert.same({}, requests())
    support.write(own .. "/t.txt", "other")
    local out, err = get("t", before)
    assert.equal(path_of "text/t.txt\n", out)
    assert.matches("own/text/t.txt is not used: its sha256 is %x+, expected " .. sum(TEXT), err)
    assert.equal("other", support.read(own .. "/t.txt"))
  end)
  online("replaces a damaged file of the cache", function()
    one "/plain/t.txt"
    get()
    support.write(path_of "text/t.txt", "x")
    local out, err = get()
    assert.equal(path_of "text/t.txt\n", out)
    assert.matches("is not used", err)
    assert.equal(TEXT, support.read(path_of "text/t.txt"))
  end)
  online("goes on with what an earlier call left", function()
    one "/plain/t.txt"
    assert(core.mkdir(path_of "download"))
    support.write(path_of "download/t.1.t.txt.part", TEXT:sub(1, 1000))
    assert.equal(path_of "text/t.txt\n", (get()))
    assert.same({ "/plain/t.txt bytes=1000-" }, requests())
    assert.equal(TEXT, support.read(path_of "text/t.txt"))
  end)
  online("goes on after a connection that was cut", function()
    one "/cut/40000/t.txt"
    assert.equal(path_of "text/t.txt\n", (get()))
    assert.same({ "/cut/40000/t.txt whole", "/cut/40000/t.txt bytes=40000-", "/cut/40000/t.txt bytes=80000-" },
      requests())
  end)
  online("gives up on a line that is cut again and again, and keeps what came", function()
    one "/cut/9000/t.txt"
    fails(3, "the connection was cut 5 times; the same command goes on")
    assert.same({ "download/t.1.t.txt.part" }, left())
    assert.equal(45000, core.stat(path_of "download/t.1.t.txt.part").size)
  end)
  online("begins again where the server knows no ranges, or the part is longer than the whole", function()
    one "/norange/t.txt"
    assert(core.mkdir(path_of "download"))
    support.write(path_of "download/t.1.t.txt.part", TEXT:sub(1, 1000))
    assert.equal(path_of "text/t.txt\n", (get()))
    support.remove(folder .. "/cache")
    assert(core.mkdir(path_of "download"))
    support.write(path_of "download/t.1.t.txt.part", TEXT .. "x")
    assert.equal(path_of "text/t.txt\n", (get()))
  end)
  online("says both sizes of a wrong one, and throws it away", function()
    one "/short/5000/t.txt"
    fails(3, "/short/5000/t.txt has 5000 bytes, expected 108000")
    assert.same({}, left())
    one("/plain/t.txt", { bytes = 100000 })
    fails(3, "/plain/t.txt has 108000 bytes, expected 100000;")
    assert.same({}, left())
    one("/plain/t.txt", { bytes = 7 })
    fails(3, "/plain/t.txt has more than 65550 bytes, expected 7;")
    assert.same({}, left())
  end)
  online("says both sums of a wrong one, and throws it away", function()
    one("/plain/t.txt", { sha256 = ("0"):rep(64) })
    fails(3, "/plain/t.txt has sha256 " .. sum(TEXT) .. ", expected 0000")
    assert.same({}, left())
  end)
  online("says what the server said", function()
    one "/plain/none.txt"
    fails(3, "cannot download http://127.0.0.1:%d+/plain/none.txt: curl: %(22%).* 404; the set's home is the home of t")
    assert.same({}, left())
  end)
  online("says what to do without a network", function()
    one "http://127.0.0.1:1/t.txt"
    fails(3, "cannot download http://127.0.0.1:1/t.txt: curl: %(7%).*put text/t.txt into a folder and name that in "
      .. "RONDO_DATA")
    assert.same({}, left())
  end)
  online("names the package of a program that is missing", function()
    one "/plain/t.txt"
    local bin = folder .. "/bin"
    assert(core.mkdir(bin))
    local function link(name)
      os.execute(("ln -s \"$(command -v %s)\" '%s/%s'"):format(name, bin, name))
    end
    link "rondo"
    link "sha256sum"
    fails(3, "the program curl is missing: install the package curl %(sudo apt install curl%)", "t", "PATH=" .. bin)
    os.remove(bin .. "/sha256sum")
    link "curl"
    fails(3, "cannot check sums: the program sha256sum is missing %(package coreutils%)", "t", "PATH=" .. bin)
    assert.same({ "download/t.1.t.txt.part" }, left())
    assert.equal(path_of "text/t.txt\n", (get()))
    assert.same({ "/plain/t.txt whole" }, requests())
  end)
  online("says that a disk is full", function()
    one "/plain/t.txt"
    assert(core.mkdir(path_of "download"))
    os.execute(("ln -s /dev/full '%s'"):format(path_of "download/t.1.t.txt.part"))
    fails(3, "cannot write .*t.txt.part: curl: %(23%).*%(is the disk full%?%)")
    assert.is_nil(core.stat(path_of "text/t.txt"))
  end)
  online("stops at a signal and goes on the next time", function()
    one "/stall/50000/t.txt"
    support.write(folder .. "/stall", "")
    support.write(folder .. "/stop.sh", ([[
      rondo data get t --catalog catalog.lua & pid=$!
      for i in $(seq 200); do
        [ -s '%s' ] && break
        sleep 0.05
      done
      kill -TERM $pid
      wait $pid]]):format(path_of "download/t.1.t.txt.part"))
    local result = core.run { "env", "-C", folder, "no_proxy=127.0.0.1", "RONDO_DATA=",
      "XDG_CACHE_HOME=" .. folder .. "/cache", "sh", "stop.sh" }
    os.remove(folder .. "/stall")
    assert.equal(75, result.code)
    assert.matches("stopped by SIGTERM; the next `rondo data get` goes on from what has come", result.stderr)
    assert.same({ "download/t.1.t.txt.part" }, left())
    assert.equal(path_of "text/t.txt\n", (get()))
    assert.matches("^/stall/50000/t.txt bytes=[1-9]%d+%-$", requests()[2])
  end)
  online("two at a time download once", function()
    one "/plain/t.txt"
    local command = ("cd '%s' && XDG_CACHE_HOME='%s/cache' RONDO_DATA= no_proxy=127.0.0.1 rondo data get t --catalog "
      .. "catalog.lua 2>.errors"):format(folder, folder)
    local a, b = io.popen(command), io.popen(command)
    assert.equal(path_of "text/t.txt\n", a:read "a")
    assert.equal(path_of "text/t.txt\n", b:read "a")
    a:close()
    b:close()
    assert.equal(1, #requests())
  end)
  online("unpacks and prepares, and refuses a result with another sum", function()
    os.execute(("gzip -c '%s/files/t.txt' > '%s/files/t.txt.gz'"):format(folder, folder))
    local packed = support.read(folder .. "/files/t.txt.gz")
    local fields = { prepare = "header", bytes = #packed, sha256 = sum(packed), result = sum("h\n" .. TEXT) }
    one("/plain/t.txt.gz", fields)
    assert.equal(path_of "text/t.txt\n", (get()))
    assert.equal("h\n" .. TEXT, support.read(path_of "text/t.txt"))
    assert.same({ "text/t.txt" }, left())
    support.remove(folder .. "/cache")
    fields.result = sum "other"
    one("/plain/t.txt.gz", fields)
    fails(3, "prepared, text/t.txt has sha256 " .. sum("h\n" .. TEXT) .. ", expected " .. sum "other")
    assert.is_nil(core.stat(path_of "text/t.txt"))
  end)
end)

describe("sets without a download", function()
  local function local_set()
    support.write(folder .. "/catalog.lua", ([[return {
      { name = "two", what = "w", licence = "l", source = "the home", files = {
        { path = "a.txt", part = "train", bytes = 1, sha256 = %q },
        { path = "b.txt", part = "valid", bytes = 1, sha256 = %q } } },
      { name = "said", what = "w", licence = "l", source = "s", packages = { "pack" }, command = { %q, "x" },
        prepare = "raw", files = { { path = "said.txt", bytes = 2, sha256 = %q } } } }]]):format(sum "a", sum "b",
      folder .. "/say", sum "x\n"))
    support.write(folder .. "/a.txt", "a")
    support.write(folder .. "/b.txt", "b")
  end
  it("print all parts or one", function()
    local_set()
    local before = "RONDO_DATA=" .. folder
    assert.equal(("%s/a.txt\n%s/b.txt\n"):format(folder, folder), (get("two", before)))
    assert.equal(folder .. "/b.txt\n", (get("two valid", before)))
    assert.same({ folder .. "/b.txt" }, json.decode((get("two valid --json", before))))
    fails(2, "there is no part 'vald' %(did you mean 'valid'%?%)", "two vald", before)
    fails(2, "there is no part 'zzzzzz'; two has train, valid", "two zzzzzz", before)
    fails(2, "there is no part 'zzzzzz'; said is one file", "said zzzzzz", before)
  end)
  it("say where to put the file", function()
    local_set()
    fails(3, "two: no download of it is known %(the home%); put a.txt into a folder and name that in RONDO_DATA", "two")
  end)
  it("come from a program, whose package is named where it is missing", function()
    local_set()
    fails(3, "the program .*/say is missing: install the package pack %(sudo apt install pack%)", "said")
    os.execute(("printf '#!/bin/sh\\necho \"$1\"\\n' > '%s/say' && chmod +x '%s/say'"):format(folder, folder))
    local out, err = get "said"
    assert.equal(path_of "said.txt\n", out)
    assert.equal("", err)
    assert.equal("x\n", support.read(path_of "said.txt"))
    support.remove(folder .. "/cache")
    os.execute(("printf '#!/bin/sh\\necho no\\n' > '%s/say'"):format(folder))
    assert.matches("what this version of pack prints has sha256 %x+, not " .. sum "x\n", select(2, get "said"))
    support.remove(folder .. "/cache")
    os.execute(("printf '#!/bin/sh\\necho broken >&2; exit 1\\n' > '%s/say'"):format(folder))
    fails(3, "said: broken; install the packages pack", "said")
    os.remove(folder .. "/say")
  end)
  it("are asked for by name", function()
    local_set()
    fails(2, "there is no data set 'tow' %(did you mean 'two'%?%)", "tow")
    fails(2, "there is no data set 'zzzzzz'; `rondo data list` lists them", "zzzzzz")
    fails(2, "data get: give a name, as in", "")
    assert.matches("data.get: expected the name of a data set, got a nil", support.failure(catalog.get))
    assert.matches("did you mean 'part'", support.failure(catalog.get, "kjv", { prt = "x" }))
    local none, message, code = require("rondo").data.get "tinyshakespear"
    assert.is_nil(none)
    assert.matches("did you mean 'tinyshakespeare'", message)
    assert.equal(errors.USAGE, code)
  end)
end)

describe("without a place for the cache", function()
  it("get says what to set, and nothing shared is used", function()
    for _, home in ipairs { "-u HOME RONDO_DATA=", "HOME= RONDO_DATA=" } do
      local _, err, code = support.rondo(folder, "data get tinyshakespeare", "env -u XDG_CACHE_HOME " .. home)
      assert.matches("there is no place to keep data: set HOME or XDG_CACHE_HOME to a folder of yours", err)
      assert.equal(errors.DATA, code)
    end
  end)
end)

describe("rondo data list", function()
  it("is a table of names, sizes, licences and places", function()
    local own = folder .. "/listed"
    assert(core.mkdir(own .. "/text"))
    support.write(own .. "/text/names.txt", "x")
    local out, _, code = support.rondo(folder, "data list", ("RONDO_DATA='%s' XDG_CACHE_HOME='%s/none'"):format(own,
      folder))
    assert.equal(0, code)
    assert.matches("\ntinyshakespeare +1%.1 MB +public domain +to download\n", out)
    assert.matches("\nnames +228%.1 kB +public domain +" .. own:gsub("%p", "%%%0") .. "/text/names.txt\n", out)
    assert.matches("\nkjv +4%.1 MB +public domain +from package bible%-kjv\n", out)
    assert.matches("\nwikitext2_1m +1%.2 MB +CC BY%-SA 3%.0 +only through RONDO_DATA\n", out)
    local all = json.decode((support.rondo(folder, "data list --json")))
    assert.equal("kjv", all[1].name)
    assert.equal(64, #all[1].files[1].sha256)
  end)
  it("says what is wrong with a catalog", function()
    local _, err, code = support.rondo(folder, "data list --catalog none.lua")
    assert.equal(3, code)
    assert.equal("rondo: none.lua: No such file or directory\n", err)
  end)
end)
