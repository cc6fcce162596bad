"""`moongate lua`: what scripts register, the globals that their functions share, mistakes with their place."""
import subprocess

import pytest

from harness import BINARY, ROOT

pytestmark = pytest.mark.beyond


def run(*words):
    done = subprocess.run([BINARY, "lua", *words], capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout + done.stderr


def test_a_script_is_described(tmp_path):
    script = tmp_path / "x.lua"
    script.write_text("""
limit = 3
core.register_action("pick", {"http-req"}, function(txn)
  local answer = txn.sf:path()
  winner = answer
  core.sleep(1)
  txn:set_var("txn.winner", winner)
end)
core.register_fetches("mine", function() return 1 end)
core.register_service("web", "http", function() end)
core.register_converters("made", function(s) return s end)
core.register_cli({"say", "it"}, "says", function() end)
core.register_filter("sieve", {}, function(f) return f end)
core.register_task(function() end)
core.register_init(
  function() end)
""")
    code, output = run(str(script))
    assert code == 0
    for line in ("registers action 'pick'", "registers fetch 'mine'", "registers service 'web'", "registers converter 'made'",
                 "registers command 'say.it'", "registers filter 'sieve'", "registers task (function at line 14)", "registers init (function at line 16)"):
        assert line in output
    assert f"{script}:5: sets the global 'winner' at run time" in output
    assert "limit" not in output


def test_mistakes_are_told_with_their_place(tmp_path):
    good, syntax, runtime = tmp_path / "a.lua", tmp_path / "b.lua", tmp_path / "c.lua"
    good.write_text("x = 1\n")
    syntax.write_text("local x =\n")
    runtime.write_text("local t\nt.x = 1\n")
    code, output = run(str(good), str(syntax), str(runtime))
    assert code == 1
    assert "b.lua:" in output and "c.lua:2: attempt to index a nil value" in output
    assert run()[0] == 1


def test_the_types_for_editors_are_up_to_date():
    assert (ROOT / "share/lua/moongate.d.lua").read_text() == run("--types")[1]
