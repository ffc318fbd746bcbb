"""The ``zoo`` command: listings, refusals and what it imports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

import zoo
from zoo import cli
from zoo.cli import build_app, main
from zoo.doctor import Finding
from zoo.registry import installed


@pytest.fixture
def refused(capsys):
    """Run the command line; return the one sentence on stderr with which it exits with 2 and prints nothing else."""

    def run(*arguments: str) -> str:
        assert main(list(arguments)) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("zoo: ")
        assert printed.err.count("\n") == 1
        return printed.err.removeprefix("zoo: ").rstrip("\n")

    return run


@pytest.fixture
def with_fakes(distributions):
    """Let discovery run again, so that it finds fake distributions, and once more afterwards."""
    installed.cache_clear()
    yield distributions
    installed.cache_clear()


def out(capsys, *arguments: str) -> str:
    assert main(list(arguments)) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


@pytest.mark.parametrize("listing", ["models", "tasks", "metrics", "plugins"])
def test_listings_are_tables_with_a_row_for_each(capsys, listing):
    header, _, *rows = [line for line in out(capsys, listing).splitlines() if line.strip()]
    entries = getattr(installed(), listing)
    assert header.split()[0] == "name"
    starts = [row.split()[0] for row in rows if row.startswith(" ") and not row.startswith("  ")]
    assert starts == [entry.name if listing == "plugins" else entry.spec.name for entry in entries]


@pytest.mark.parametrize("listing", ["models", "tasks", "metrics"])
def test_json_listings_hold_the_whole_spec_and_where_it_comes_from(capsys, listing):
    rows = json.loads(out(capsys, listing, "--json"))
    entries = list(getattr(installed(), listing))
    assert [row["name"] for row in rows] == [entry.spec.name for entry in entries]
    for row, entry in zip(rows, entries, strict=True):
        assert (row["target"], row["summary"]) == (entry.spec.target, entry.spec.summary)
        assert (row["plugin"], row["plugin_version"]) == (entry.plugin.distribution, entry.plugin.version)


def test_metrics_say_which_are_computed_on_request(capsys):
    lines = {line.split()[0]: line for line in out(capsys, "metrics").splitlines() if line.strip()}
    assert "On request: FID as papers print it" in lines["fid-inception"]
    assert "On request" not in lines["fid"]
    rows = {row["name"]: row for row in json.loads(out(capsys, "metrics", "--json"))}
    facts = [rows["fid-inception"][key] for key in ("on_request", "judge", "version")]
    assert facts == [True, "inception-v3-compat", "1"]


def test_json_of_plugins_says_what_each_provides(capsys):
    rows = {row["name"]: row for row in json.loads(out(capsys, "plugins", "--json"))}
    assert rows["dcgan"]["provides"] == ["model dcgan"]
    assert rows["dcgan"]["error"] == ""
    assert rows["bench"]["distribution"] == "genzoo"
    assert {"command bench", "task digits", "metric fid", "executor local"} <= set(rows["bench"]["provides"])


def test_show_a_model_prints_its_paper_plugin_and_every_setting(capsys):
    printed = out(capsys, "show", "dcgan")
    assert "Radford" in printed
    assert "provided by: genzoo" in printed
    settings = json.loads(out(capsys, "show", "dcgan", "--json"))["settings"]
    assert {"batch_size", "z_dim", "lr", "betas", "width"} <= {s["name"] for s in settings}
    assert all(s["name"] in printed and s["description"] for s in settings)
    assert next(s for s in settings if s["name"] == "lr")["default"] == "0.0002"


@pytest.mark.parametrize("name", zoo.models())
def test_every_model_can_be_shown(capsys, name):
    facts = json.loads(out(capsys, "show", name, "--json"))
    assert facts["name"] == name
    assert all(setting.keys() == {"name", "type", "default", "description"} for setting in facts["settings"])
    assert f"name: {name}\n" in out(capsys, "show", name)


def test_show_says_the_range_of_a_setting(capsys):
    settings = json.loads(out(capsys, "show", "sngan", "--json"))["settings"]
    kinds = {setting["name"]: setting["type"] for setting in settings}
    assert kinds["lr"] == "number > 0"
    assert kinds["z_dim"] == "integer >= 1"
    assert kinds["loss"] == "one of hinge, non-saturating"


def test_show_a_task_prints_its_shape_and_modes(capsys):
    printed = out(capsys, "show", "digits")
    assert "shape: 1 8 8\n" in printed
    assert "modes: 10\n" in printed
    facts = json.loads(out(capsys, "show", "digits", "--json"))
    assert (facts["shape"], facts["modes"]) == ([1, 8, 8], 10)


def test_show_a_metric_prints_each_column(capsys):
    printed = out(capsys, "show", "fid")
    columns = json.loads(out(capsys, "show", "fid", "--json"))["columns"]
    assert "fid" in [column["name"] for column in columns]
    assert all(column["name"] in printed and column["description"] in printed for column in columns)


def test_show_names_no_internals(capsys):
    assert "Spec(" not in out(capsys, "show", "digits") + out(capsys, "show", "fid") + out(capsys, "show", "vae")


@pytest.mark.parametrize("name", ["dcgan", "digits", "fid"])
def test_find_looks_among_models_tasks_and_metrics(name):
    assert installed().find(name).spec.name == name


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "dcgn"), "unknown model, task or metric 'dcgn': did you mean 'dcgan'?"),
        (("show", "digit"), "unknown model, task or metric 'digit': did you mean 'digits'?"),
        (("show", "zzzz"), "unknown model, task or metric 'zzzz': known: "),
        (("modles",), "No such command 'modles'"),
        (("models", "--jsn"), "No such option: --jsn"),
        (("--verbose", "models"), "No such option: --verbose"),
        (("show",), "Missing argument 'name'"),
        (("models", "extra"), "Got unexpected extra argument"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_unusable_arguments_are_one_sentence(refused, arguments, sentence):
    assert refused(*arguments).startswith(sentence)


def test_no_arguments_print_the_help_and_no_empty_sentence(capsys):
    assert main([]) in (0, 2)
    printed = capsys.readouterr()
    assert "Usage: zoo" in printed.out
    assert printed.err.strip() != "zoo:"


def test_help_lists_own_and_plugged_in_commands(capsys):
    printed = out(capsys, "--help")
    commands = {line.split()[1] for line in printed.splitlines() if len(line.split()) > 2}
    assert {"models", "tasks", "metrics", "plugins", "show", "doctor", "bench", "sample"} <= commands


def test_the_package_runs_as_a_module(tmp_path):
    command = [sys.executable, "-m", "zoo", "--version"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout == f"{zoo.__version__}\n"


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version(capsys, option):
    assert out(capsys, option) == f"{zoo.__version__}\n"


def test_help_has_commands_below_headings_those_of_third_parties_too(capsys, with_fakes):
    with_fakes.add("hi", {"hi": "fake_hi"}, fake_hi=COMMAND)
    sections = out(capsys, "-h").split("╭─ ")
    found = {section.split(" ─")[0]: section for section in sections}
    assert list(found)[2:4] == ["Train", "Results"]
    assert "│ bench " in found["Train"]
    assert "│ models " in found["Models, tasks and metrics"]
    assert "│ task " in found["Models, tasks and metrics"]
    assert "│ doctor " in found["Plugins and installation"]
    assert "│ hello " in found["Commands of plugins"]


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_is_text_in_which_brackets_stay(capsys, monkeypatch, option):
    monkeypatch.setenv("COLUMNS", "200")
    printed = out(capsys, "bench", option)
    assert "Names, '*' patterns, gan[packing=2], or all." in printed
    panels = [line.split()[1] for line in printed.splitlines() if line.startswith("╭─")]
    assert panels == ["Arguments", "Options", "What", "How", "Where", "Output"]


def completed(capsys, monkeypatch, line):
    """Return what a shell is told of a line that ends where the cursor is, as Typer's script for bash asks."""
    monkeypatch.setenv("_ZOO_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    with pytest.raises(SystemExit, match="0"):
        main([])
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("zoo ben", ["bench"]),
        ("zoo bench --mo", ["--models"]),
        ("zoo bench dc", ["dcgan"]),
        ("zoo bench --models vae,dc", ["vae,dcgan"]),
        ("zoo bench --task stacked-d", ["stacked-digits"]),
        ("zoo bench --metrics fid-t", ["fid-train"]),
        ("zoo bench --config absent --ta", ["--task"]),
        ("zoo show fid-t", ["fid-train"]),
        ("zoo nosuch x", []),
    ],
)
def test_shells_complete_commands_options_and_names(capsys, monkeypatch, line, words):
    assert completed(capsys, monkeypatch, line) == words


def test_shells_are_told_nothing_of_broken_plugins(capsys, monkeypatch, with_fakes):
    with_fakes.add("broken", {"bad": "fake_broken"}, fake_broken="1 / 0")
    assert completed(capsys, monkeypatch, "zoo show dc") == ["dcgan"]


def test_doctor_breaks_lines_between_words_where_the_terminal_ends(capsys, monkeypatch):
    finding = Finding("plugins", True, "word " * 30)
    monkeypatch.setattr("zoo.doctor.examine", lambda: [finding])
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    first, *others = out(capsys, "doctor").splitlines()
    assert first.startswith("ok   plugins: word word")
    assert all(line.startswith("     word") and len(line) <= 60 for line in others)


def test_doctor_finds_nothing_wrong_here(capsys):
    findings = json.loads(out(capsys, "doctor", "--json"))
    assert [f for f in findings if not f["ok"]] == []
    assert {f"model {name}" for name in zoo.models()} <= {f["subject"] for f in findings}
    assert out(capsys, "doctor").count("ok  ") == len(findings)


def test_a_broken_plugin_is_a_warning_on_stderr_and_the_listing_goes_on(capsys, with_fakes):
    with_fakes.add("broken", {"bad": "fake_broken"}, version="0.9", fake_broken="import no_such_module")
    assert main(["models", "--json"]) == 0
    printed = capsys.readouterr()
    assert {row["name"] for row in json.loads(printed.out)} >= {"gan", "vae"}
    reason = "ModuleNotFoundError: No module named 'no_such_module'"
    assert printed.err == f"zoo: warning: plugin 'bad' of broken 0.9 was not loaded: {reason}\n"
    main(["plugins", "--json"])
    row = next(r for r in json.loads(capsys.readouterr().out) if r["name"] == "bad")
    assert (row["distribution"], row["version"], row["error"], row["provides"]) == ("broken", "0.9", reason, [])


def test_control_characters_of_plugins_are_shown_and_not_obeyed(capsys, with_fakes):
    with_fakes.add("broken", {"bad": "fake_broken"}, fake_broken="raise OSError('\\x1b[31mred\\x07')")
    for command in ("models", "plugins", "doctor"):
        main([command])
        printed = capsys.readouterr()
        assert "\\u001b[31mred\\u0007" in printed.err
        assert all(line.isprintable() for line in (printed.out + printed.err).splitlines())


def test_doctor_exits_with_one_for_a_broken_plugin(capsys, with_fakes):
    with_fakes.add("broken", {"bad": "fake_broken"}, fake_broken="1 / 0")
    assert main(["doctor"]) == 1
    failures = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL")]
    assert len(failures) == 1
    assert "plugin 'bad' of broken 1.0 was not loaded: ZeroDivisionError" in failures[0]


def provides(model: str) -> str:
    """Source of a plugin with one model, whose target cannot be imported."""
    spec = f"zoo.ModelSpec(name={model!r}, target='no_such_module:It', summary='It.')"
    return f"import zoo\n\n@zoo.hookimpl\ndef zoo_models():\n    yield {spec}\n"


def test_doctor_exits_with_one_for_a_model_that_cannot_be_imported(capsys, with_fakes):
    with_fakes.add("hollow", {"hollow": "fake_hollow"}, fake_hollow=provides("hollow-gan"))
    assert main(["doctor"]) == 1
    assert "FAIL model hollow-gan: of hollow 1.0: ModuleNotFoundError: No module named" in capsys.readouterr().out
    assert main(["models"]) == 0


def test_showing_a_model_that_cannot_be_imported_is_one_sentence(refused, with_fakes):
    with_fakes.add("hollow", {"hollow": "fake_hollow"}, fake_hollow=provides("hollow-gan"))
    sentence = refused("show", "hollow-gan")
    assert "'hollow-gan' of hollow 1.0" in sentence
    assert "No module named 'no_such_module'" in sentence


def test_a_model_that_clashes_is_a_warning_that_names_both(capsys, with_fakes):
    with_fakes.add("other", {"other": "fake_other"}, version="3.1", fake_other=provides("dcgan"))
    assert main(["models", "--json"]) == 0
    printed = capsys.readouterr()
    assert "dcgan" not in {row["name"] for row in json.loads(printed.out)}
    assert printed.err.startswith("zoo: warning: model 'dcgan' is provided by both ")
    assert f"genzoo {zoo.__version__}" in printed.err
    assert "other 3.1" in printed.err


def test_showing_a_model_that_clashes_names_both(capsys, with_fakes):
    with_fakes.add("other", {"other": "fake_other"}, version="3.1", fake_other=provides("dcgan"))
    assert main(["show", "dcgan"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "other 3.1" in printed.err.splitlines()[-1]


COMMAND = """
    import zoo

    @zoo.hookimpl
    def zoo_commands():
        yield zoo.CommandSpec(name="hello", target="fake_commands:hello", summary="Say hello.")
"""


@pytest.mark.parametrize(("body", "code"), [("return 1", 1), ("return None", 0), ("return 0", 0)])
def test_a_plugged_in_command_gets_its_options_and_gives_the_exit_code(capsys, with_fakes, body, code):
    commands = f"def hello(name: str, times: int = 1) -> int:\n    print('hello', name * times)\n    {body}"
    with_fakes.add("hi", {"hi": "fake_hi"}, fake_hi=COMMAND, fake_commands=commands)
    assert main(["hello", "you", "--times", "2"]) == code
    assert capsys.readouterr().out == "hello youyou\n"


def test_a_plugged_in_command_that_cannot_be_imported_is_one_sentence(refused, with_fakes):
    with_fakes.add("hi", {"hi": "fake_hi"}, fake_hi=COMMAND)
    assert refused("hello") == "command 'hello' of hi 1.0 cannot be imported: No module named 'fake_commands'"


def test_a_plugged_in_command_is_imported_only_when_it_is_invoked(with_fakes):
    with_fakes.add("hi", {"hi": "fake_hi"}, fake_hi=COMMAND, fake_commands="raise SystemExit(9)")
    build_app("models")
    assert main(["models"]) == 0
    assert "fake_commands" not in sys.modules


def test_without_plugins_leaves_the_callers_process_as_it_was(capsys, with_fakes):
    with_fakes.add("fake", {"fake": "fake_broken"}, fake_broken="1 / 0")
    assert "fake" in [plugin.name for plugin in installed().plugins]
    assert "fake" not in out(capsys, "--no-plugins", "plugins")
    assert "ZOO_PLUGINS" not in os.environ
    assert "fake" in [plugin.name for plugin in installed().plugins]


LIGHT = """
import sys
from zoo.cli import main
for arguments in (["models"], ["tasks"], ["metrics"], ["plugins"], ["models", "--json"], ["--help"], ["bench", "-h"]):
    assert main(arguments) == 0, arguments
    heavy = {"torch", "pandas", "numpy", "scipy", "sklearn", "matplotlib"} & set(sys.modules)
    heavy |= {"pydantic"} & set(sys.modules) if not {"--help", "-h"} & set(arguments) else set()
    assert not heavy, (arguments, heavy)
"""


def test_every_command_has_help(capsys):
    for command in ("models", "bench"):
        assert main([command, "--help"]) == 0
        assert "--help" in capsys.readouterr().out


def test_help_and_listings_import_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_installed_script_refuses_without_a_traceback():
    script = "import sys; from zoo.cli import entry; sys.argv = ['zoo', 'show', 'dcgn']; entry()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "zoo: unknown model, task or metric 'dcgn': did you mean 'dcgan'?\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("arguments", [["models"], ["show", "vae", "--json"]])
def test_output_that_cannot_be_written_is_one_sentence(arguments):
    script = f"import sys; from zoo.cli import entry; sys.argv = ['zoo', *{arguments}]; entry()"
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (2, "zoo: No space left on device\n")


def test_an_error_of_the_system_that_names_no_file_is_one_sentence(refused, monkeypatch):
    def fail():
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr("zoo.doctor.examine", fail)
    assert refused("doctor") == "No usable temporary directory found in ['/tmp']"


INTERRUPTED = """
import os
import signal
import sys
import time
from zoo import cli

def work(arguments=None):
    {work}

signal.signal(signal.SIGINT, signal.default_int_handler)  # those who run the tests may ignore them, as nohup does
signal.signal(signal.SIGHUP, signal.SIG_DFL)
{prepare}
cli.main = work
cli.entry()
"""

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")


def interrupted(work, prepare="", **options):
    """Run the script with something else in place of the command line; return its exit code and what it printed."""
    script = INTERRUPTED.format(work=work, prepare=prepare)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, **options)
    return done.returncode, done.stdout


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_sigterm_and_a_lost_terminal_are_what_ctrl_c_is_and_the_second_ends_the_command_at_once(name):
    once = f"try: signal.raise_signal(signal.{name})\n    except KeyboardInterrupt: print('kept', flush=True)"
    assert interrupted(once) == (0, "kept\n")
    twice = f"{once}\n    try: signal.raise_signal(signal.{name})\n    finally: print('never')"
    assert interrupted(twice) == (130, "kept\n")


@posix
@pytest.mark.parametrize(
    "after", ["raise ImportError('half done')", "raise zoo.ZooError('of a half-done import')", "raise RecursionError"]
)
def test_what_fails_because_the_command_was_told_to_stop_is_not_told(after):
    """An import that is cut off may make something else of the exception, or fail the next time."""
    work = f"""
    def print_table(*_):
        try: signal.raise_signal(signal.SIGTERM)
        except BaseException: {after}
    cli.print_table = print_table
    return main(["models"])"""
    assert interrupted(work, "import zoo; main = cli.main") == (130, "")


@posix
def test_a_signal_that_is_ignored_stays_so():
    ignore = "signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    assert interrupted("signal.raise_signal(signal.SIGHUP); print('on')", ignore) == (0, "on\n")


@posix
def test_what_is_said_to_a_lost_terminal_is_no_error():
    terminal, other = os.openpty()
    work = """
    try: print(flush=True); time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        return 7"""
    script = INTERRUPTED.format(work=work, prepare="")
    command = subprocess.Popen([sys.executable, "-c", script], stdout=other, stderr=other)
    os.close(other)
    os.read(terminal, 1)
    os.close(terminal)
    command.send_signal(signal.SIGHUP)
    assert command.wait(timeout=60) == 7


def test_a_command_that_is_interrupted_exits_with_130(monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "print_table", lambda *_: interrupt())
    assert cli.main(["models"]) == 130
    monkeypatch.setattr(cli, "installed", interrupt)
    assert cli.main(["models"]) == 130


def test_a_name_that_is_not_utf_8_is_escaped(tmp_path):
    command = [sys.executable, "-m", "zoo", "new-plugin", "one", "--out", os.fsencode(tmp_path) + b"/\xff"]
    result = subprocess.run(command, capture_output=True, check=False)
    assert (result.returncode, result.stdout) == (0, f"{tmp_path}/\\udcff/zoo-plugin-one\n".encode())
