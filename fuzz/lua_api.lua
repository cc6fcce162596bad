-- Calls every function of the API that it can reach, with random arguments, in whatever context it is run. Arguments of
-- lua-load: the seed, and how many calls one turn makes. Everything is protected: an error is fine, a crash or a hang is not.
local seed, turns = ...
local state = tonumber(seed) or 1
turns = tonumber(turns) or 40

local function random(n)
  state = (state * 1103515245 + 12345) % 2147483648
  return (state // 65536) % n + 1
end

-- What would stop the process, the machine's files, or time itself.
local skipped = {sleep = true, stop = true, shut_sess = true, shut_bcksess = true, pop_wait = true, exit = true, execute = true,
  remove = true, rename = true, popen = true, register_task = true, set_maxconn = true, pause = true}

local kept = {}
local strings = {"", "x", "txn.a", "proc.b", "127.0.0.1", "::1", "GET", "/p?q=1", "http://127.0.0.1:1/", "SERVER_UP", "be", "s1", "*l", "*a",
  "unix@/nowhere", ("long"):rep(5000), "\0\r\n", "content-length", "chunked", "[", "(a)(b)", "%d+", "virt@fuzz", "PAT_REF_ADD", "tcp-req"}
local numbers = {0, 1, -1, 2, 7, 100, 255, 65536, -2147483648, 2147483647, 1.5, 0 / 0, 1 / 0, -1 / 0, math.maxinteger, math.mininteger}

local value
local function argument(depth)
  local kind = random(11)
  if kind == 1 then return nil
  elseif kind == 2 then return random(2) == 1
  elseif kind <= 4 then return numbers[random(#numbers)]
  elseif kind <= 7 then return strings[random(#strings)]
  elseif kind == 8 and depth < 2 then
    local t = {}
    for i = 1, random(4) do t[random(2) == 1 and i or strings[random(#strings)]] = argument(depth + 1) end
    if random(6) == 1 then setmetatable(t, {__index = t, __gc = function() end, __tostring = function() return 3 end}) end
    return t
  elseif kind == 9 then return function(...) core.yield() if random(3) == 1 then error({}) end return ... end
  elseif kind == 10 then return coroutine.create(function() core.yield() end)
  elseif #kept > 0 then return kept[random(#kept)] end
  return ""
end

local function keep(thing)
  if type(thing) == "table" or type(thing) == "userdata" or type(thing) == "thread" then
    if #kept > 200 then kept[random(#kept)] = thing else kept[#kept + 1] = thing end
  end
end

local function functions_of(object, found, depth)
  local meta = getmetatable(object)
  for _, source in ipairs({object, type(meta) == "table" and meta.__index or false}) do
    if type(source) == "table" then
      for name, member in next, source do
        if type(member) == "function" and not skipped[name] then found[#found + 1] = {object, member, name}
        elseif type(member) == "table" and depth < 1 then keep(member) end
      end
    end
  end
  return found
end

local members = {"f", "sf", "c", "sc", "req", "res", "http", "http_req", "http_res", "channel", "headers", "servers", "listeners"}

local function turn(object)
  keep(object)
  for _ = 1, turns do
    local target = random(3) == 1 and #kept > 0 and kept[random(#kept)] or object or core
    pcall(function() keep(target[members[random(#members)]]) end)
    local ok, list = pcall(functions_of, target, {}, 0)
    if ok and #list > 0 then
      local chosen = list[random(#list)]
      local arguments = {}
      local count = random(5) - 1
      for i = 1, count do arguments[i] = argument(0) end
      local run = function()
        if random(4) == 1 then return chosen[2](table.unpack(arguments, 1, count)) end
        return chosen[2](chosen[1], table.unpack(arguments, 1, count))
      end
      if random(8) == 1 then run = coroutine.wrap(run) end
      if chosen[3] ~= "done" or random(20) == 1 then
        local results = table.pack(pcall(run))
        for i = 2, results.n do keep(results[i]) end
      end
    end
    if random(60) == 1 then collectgarbage() end
  end
end

core.register_action("fuzz", {"http-req", "http-res", "http-after-res", "tcp-req", "tcp-res"}, function(txn) turn(txn) return random(12) - 3 end)
core.register_fetches("fuzz", function(txn) turn(txn) return argument(0) end)
core.register_converters("fuzz", function(v) turn(core) return argument(0) end)
core.register_service("fuzz", "http", function(applet) turn(applet) applet:start_response() turn(applet) end)
core.register_service("fuzz_tcp", "tcp", function(applet) turn(applet) end)
core.register_cli({"fuzz"}, "", function(applet) turn(applet) end)
core.register_init(function() turn(core) end)
core.register_task(function() while true do turn(core) core.msleep(20) end end)
for _, name in ipairs({"act", "filter", "Map", "Regex", "core", "io", "coroutine"}) do keep(_G[name]) end

local F = {flags = filter.FLT_CFG_FL_HTX}
F.__index = F
function F:new() return setmetatable({}, F) end
local function callback(self, txn, what)
  if random(3) == 1 then pcall(filter.register_data_filter, self, what.channel or what) end
  turn(what)
  if random(4) == 1 then turn(txn) end
  if random(5) == 1 then filter.wake_time(random(30)) return filter.WAIT end
  return random(6) == 1 and argument(0) or nil
end
for _, name in ipairs({"start_analyze", "http_headers", "http_payload", "http_end", "tcp_payload", "end_analyze"}) do F[name] = callback end
core.register_filter("fuzz", F, function(flt) return flt end)
