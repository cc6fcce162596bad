#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "lua/call.h"
#include "lua/documentation.h"
#include "lua/engine.h"
#include "lua/globals.h"
#include "rt/worker.h"

namespace {

// A runtime of one worker with an engine, scripts as texts, and calls from fibers.
class Lua : public testing::Test {
 protected:
  void SetUp() override {
    expr::add_builtin(samples_);
    make_engine({});
  }

  void make_engine(lua::Settings settings) {
    settings.booleans_as_integers = false;
    settings.log_to_stderr = lua::LogToStderr::off;
    engine_.reset();
    lua::Environment environment{registry_, patterns_, samples_, rules_};
    environment.log = [this](const state::Proxy*, obs::Level, std::string_view text) {
      lines_.emplace_back(text);
      return true;
    };
    engine_ = std::make_unique<lua::Engine>(std::move(environment), settings);
  }

  base::Result<void> load(const std::string& text, std::vector<std::string> arguments = {}) {
    const std::string path = testing::TempDir() + "script" + std::to_string(getpid()) + ".lua";
    std::ofstream(path) << text;
    auto result = engine_->load(path, arguments, false);
    unlink(path.c_str());
    return result;
  }

  // Runs `body` in a fiber, with tasks of the scripts beside it.
  void run(base::Function<void()> body) {
    rt::spawn([this, body = std::move(body)]() mutable {
      body();
      runtime_.stop();
    });
    runtime_.run();
  }

  void start(const std::string& text) {
    const auto loaded = load(text);
    ASSERT_TRUE(loaded.has_value()) << loaded.error();
    ASSERT_TRUE(engine_->run_init().has_value());
    engine_->start_tasks();
  }

  // "lua.NAME" as text; "<none>" without a sample.
  std::string fetch(const std::string& name) {
    const expr::FetchRow* row = samples_.fetch("lua." + name);
    if (row == nullptr) return "<unknown>";
    expr::Context context{registry_, arena_};
    context.session = &session_;
    context.exchange = &exchange_;
    state::Value value;
    if (!row->fetch({}, context, value, *row)) return "<none>";
    if (!expr::cast(value, state::Type::string, arena_)) return "<no text>";
    return std::string(value.text);
  }

  std::string run_fetch(const std::string& name) { return run_fetches({name}).front(); }

  std::vector<std::string> run_fetches(std::vector<std::string> names) {
    std::vector<std::string> out;
    run([&] {
      for (const std::string& name : names) out.push_back(fetch(name));
    });
    return out;
  }

  rt::Runtime runtime_{1};
  state::Registry registry_;
  state::PatternSets patterns_;
  expr::Catalogue samples_;
  rules::Catalogue rules_;
  std::vector<std::string> lines_;
  std::unique_ptr<lua::Engine> engine_;
  base::Arena arena_;
  txn::Session session_;
  txn::Exchange exchange_{session_};
};

TEST_F(Lua, ReportsWhatFailsToLoad) {
  const auto syntax = load("x = = 1");
  ASSERT_FALSE(syntax.has_value());
  EXPECT_NE(syntax.error().find("script"), std::string::npos) << syntax.error();
  const auto runtime = load("local function f() local x = nil; x.y = 1 end\nf()");
  ASSERT_FALSE(runtime.has_value());
  EXPECT_NE(runtime.error().find(":1: attempt to index a nil value (local 'x')"), std::string::npos)
      << runtime.error();
  EXPECT_NE(runtime.error().find("in main chunk"), std::string::npos) << runtime.error();
}

TEST_F(Lua, GivesScriptsTheirArguments) {
  ASSERT_TRUE(load("local a, b = ... args = a .. '|' .. b", {"one", "two words"}).has_value());
  start("core.register_fetches('args', function() return args end)");
  EXPECT_EQ(run_fetch("args"), "one|two words");
}

TEST_F(Lua, ConvertsResultsOfFetches) {
  start(R"(
core.register_fetches('text', function(txn) return 'x' .. txn.f:int(7) .. txn.sf:bool('true') end)
core.register_fetches('nothing', function() end)
core.register_fetches('done', function() pcall(core.done, 'early'); return 'late' end)
core.register_fetches('bad', function() local function inner() error('boom') end inner() end)
core.register_fetches('conv', function(txn) return txn.c:upper('abc') .. txn.sc:length('four') end)
)");
  EXPECT_EQ(run_fetches({"text", "nothing", "done", "conv", "bad"}),
            (std::vector<std::string>{"x71", "<none>", "early", "ABC4", "<none>"}));
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_NE(lines_[0].find("Lua sample-fetch 'bad': [state-id 0] runtime error: "),
            std::string::npos)
      << lines_[0];
  EXPECT_NE(lines_[0].find("in local 'inner'"), std::string::npos) << lines_[0];
}

TEST_F(Lua, KeepsVariablesAndPrivateData) {
  start(R"(
core.register_fetches('vars', function(txn)
  local out = {tostring(txn:set_var('txn.a', 'v')), tostring(txn:set_var('nowhere.a', 1)),
               txn:get_var('txn.a'), tostring(txn:get_var('txn.b'))}
  txn:set_var('txn.flag', true)
  out[#out + 1] = tostring(txn:get_var('txn.flag'))
  txn:set_priv({n = 5})
  out[#out + 1] = txn:get_priv().n
  txn:set_priv(nil)
  out[#out + 1] = tostring(txn:get_priv())
  return table.concat(out, ' ')
end))");
  EXPECT_EQ(run_fetch("vars"), "true false v nil true 5 nil");
}

TEST_F(Lua, WaitsAtAnyDepth) {
  start(R"(
local function nap(x) core.msleep(1) return x end
core.register_fetches('deep', function(txn)
  local out = {}
  out[1] = (string.gsub('abc', '.', function(c) return nap(c:upper()) end))
  local list = {3, 1, 2}
  table.sort(list, function(a, b) core.msleep(1) return a < b end)
  out[2] = table.concat(list)
  local ok, value = pcall(function() return setmetatable({}, {__index = function(_, k) return nap(k) end}).key end)
  out[3] = value
  local co = coroutine.wrap(function() coroutine.yield(nap('y1')) return nap('y2') end)
  out[4] = co() .. co()
  for k in (function() local n = 0 return function() n = n + 1 core.msleep(1) if n < 3 then return n end end end)() do
    out[#out + 1] = k
  end
  return table.concat(out, ' ')
end))");
  EXPECT_EQ(run_fetch("deep"), "ABC 123 key y1y2 1 2");
}

TEST_F(Lua, CallsStayAloneBetweenWaits) {
  start(R"(
local inside, worst = 0, 0
core.register_fetches('alone', function(txn)
  inside = inside + 1
  if inside > worst then worst = inside end
  for i = 1, 1000 do local t = {i} end
  inside = inside - 1
  core.msleep(1)
  return worst
end))");
  int left = 50;
  run([&] {
    for (int i = 0; i < 50; ++i)
      rt::spawn([&] {
        EXPECT_EQ(fetch("alone"), "1");
        --left;
      });
    while (left > 0) (void)rt::sleep_for(rt::milliseconds(1));
  });
}

TEST_F(Lua, InterruptsLoopsThatNeverEnd) {
  lua::Settings settings;
  settings.burst_timeout = std::chrono::milliseconds(100);
  make_engine(settings);
  start(R"(
core.register_fetches('loop', function() while true do end end)
core.register_fetches('stubborn', function() while true do pcall(function() while true do end end) end end)
core.register_fetches('inner', function() return coroutine.wrap(function() while true do end end)() end)
core.register_fetches('fine', function() return 'fine' end))");
  EXPECT_EQ(run_fetches({"loop", "stubborn", "inner", "fine"}),
            (std::vector<std::string>{"<none>", "<none>", "<none>", "fine"}));
  ASSERT_EQ(lines_.size(), 3u);
  for (const std::string& line : lines_)
    EXPECT_NE(line.find(": burst timeout. Interrupted at "), std::string::npos) << line;
}

TEST_F(Lua, LongScriptsLetOthersRun) {
  lua::Settings settings;
  settings.burst_timeout = std::chrono::milliseconds(2000);
  make_engine(settings);
  start(R"(
core.register_fetches('slow', function() local n = 0 for i = 1, 2e7 do n = n + i end return 'slow' end)
core.register_fetches('fast', function() return 'fast' end))");
  std::vector<std::string> order;
  run([&] {
    rt::spawn([&] { order.push_back(fetch("slow")); });
    rt::spawn([&] { order.push_back(fetch("fast")); });
    while (order.size() < 2) (void)rt::sleep_for(rt::milliseconds(1));
  });
  EXPECT_EQ(order, (std::vector<std::string>{"fast", "slow"}));
}

TEST_F(Lua, HandlesDieWithTheirCall) {
  start(R"(
local kept, fetches
core.register_fetches('keep', function(txn) kept = txn fetches = txn.f return 'kept' end)
core.register_fetches('use', function(txn)
  local _, one = pcall(function() return kept:get_var('txn.a') end)
  local _, two = pcall(function() return fetches:int(1) end)
  local _, three = pcall(function() return kept.sf end)
  return tostring(one) .. '|' .. tostring(two) .. '|' .. tostring(three)
end))");
  const std::string text = run_fetches({"keep", "use"}).back();
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find("used after its transaction ended", at)) != text.npos;
       ++at)
    ++count;
  EXPECT_EQ(count, 3u) << text;
}

TEST_F(Lua, EndsWithErrorsWhatHasNoEnd) {
  lua::Settings settings;
  settings.maximum_memory = 8 << 20;
  make_engine(settings);
  start(R"(
core.register_fetches('recursion', function() local function f() return 1 + f() end return f() end)
core.register_fetches('gsub', function() local function f(s) return (s:gsub('.', f)) end return f('a') end)
core.register_fetches('memory', function() local t = {} while true do t[#t + 1] = string.rep('x', 1000) .. #t end end)
core.register_fetches('value', function() error({}) end)
core.register_fetches('fine', function() collectgarbage() return 'fine' end))");
  EXPECT_EQ(run_fetches({"recursion", "gsub", "memory", "value", "fine"}),
            (std::vector<std::string>{"<none>", "<none>", "<none>", "<none>", "fine"}));
  EXPECT_EQ(lines_.size(), 4u);
}

TEST_F(Lua, RunsTasksAndQueues) {
  start(R"(
local queue, seen = core.queue(), {}
core.register_task(function(name, n) for i = 1, n do seen[#seen + 1] = name .. queue:pop_wait() end end, 'q', 3)
core.register_task(function() for i = 1, 3 do core.msleep(1) queue:push(i) end end)
core.register_init(function() seen[1] = 'init' end)
core.register_fetches('seen', function() core.msleep(50) return table.concat(seen, ' ') end))");
  EXPECT_EQ(run_fetch("seen"), "init q1 q2 q3");
}

TEST_F(Lua, ReadsTextsDatesAndAddresses) {
  start(R"(
core.register_fetches('text', function()
  local a, m = core.parse_addr, core.match_addr
  local st, re = Regex.new('^(a)(b)?', true)
  local _, groups = re:match('ab')
  local c = core.concat() c:add('x') c:add(1)
  return table.concat({
    table.concat(core.tokenize('a,,b;c', ',;'), '.'), table.concat(core.tokenize('a,,b;c,', ',;', true), '.'),
    core.http_date('Sun, 06 Nov 1994 08:49:37 GMT'), core.rfc850_date('Sunday, 06-Nov-94 08:49:37 GMT'),
    core.asctime_date('Sun Nov  6 08:49:37 1994'), tostring(core.imf_date('junk')),
    tostring(m(a('127.0.0.1'), a('127.0.0.0/8'))), tostring(m(a('10.0.0.1'), a('127.0.0.0/8'))),
    tostring(a('junk')), groups[1] .. groups[2] .. groups[3], tostring(re:exec('zz')), c:dump(),
    tostring(Regex.new('(', true)), (tostring(c):gsub(': .*', ''))}, ' ')
end))");
  EXPECT_EQ(run_fetch("text"),
            "a..b.c a.b.c 784111777 784111777 784111777 nil true false nil abab false x1 false "
            "Concat object");
}

// --- what editors are told

std::vector<std::string> members_of(lua_State* L, int index) {
  std::vector<std::string> names;
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TSTRING) names.emplace_back(lua_tostring(L, -1));
  }
  return names;
}

bool documented(std::string_view owner, std::string_view name) {
  for (const lua::Member& member : lua::documented_members())
    if (member.owner == owner && member.name == name) return true;
  return false;
}

TEST_F(Lua, DocumentsEveryMemberThatScriptsFind) {
  ASSERT_TRUE(load("").has_value());
  lua_State* const L = engine_->shared()->main();
  for (const char* table : {"core", "act", "filter", "Map"}) {
    lua_getglobal(L, table);
    for (const std::string& name : members_of(L, lua_gettop(L)))
      EXPECT_TRUE(documented(table, name)) << table << "." << name;
    lua_settop(L, 0);
  }
  using lua::Class;
  const std::pair<Class, const char*> classes[] = {{Class::txn, "TXN"},
                                                   {Class::channel, "Channel"},
                                                   {Class::http, "HTTP"},
                                                   {Class::http_message, "HTTPMessage"},
                                                   {Class::applet_http, "AppletHTTP"},
                                                   {Class::applet_tcp, "AppletTCP"},
                                                   {Class::socket, "Socket"},
                                                   {Class::http_client, "HTTPClient"},
                                                   {Class::proxy, "Proxy"},
                                                   {Class::server, "Server"},
                                                   {Class::listener, "Listener"},
                                                   {Class::concat, "Concat"},
                                                   {Class::queue, "Queue"}};
  for (const auto& [id, owner] : classes) {
    engine_->shared()->push_class(L, id);
    if (lua_getfield(L, 1, "__index") == LUA_TTABLE) {
      for (const std::string& name : members_of(L, 2))
        EXPECT_TRUE(documented(owner, name)) << owner << "." << name;
    }
    lua_settop(L, 0);
  }
}

TEST_F(Lua, FindsGlobalsThatFunctionsSet) {
  ASSERT_TRUE(load("").has_value());
  lua_State* const L = engine_->shared()->main();
  ASSERT_EQ(luaL_loadstring(L, R"(
config = 1
local function f()
  local mine = 2
  winner = mine
  return function() other, mine = 1, 2 end
end
)"),
            LUA_OK);
  const std::vector<lua::GlobalWrite> found = lua::find_global_writes(L);
  lua_settop(L, 0);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].name, "other");
  EXPECT_EQ(found[0].line, 6);
  EXPECT_EQ(found[1].name, "winner");
  EXPECT_EQ(found[1].line, 5);
}

}  // namespace
