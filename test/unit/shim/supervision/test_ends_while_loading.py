"""Modules that end or hang the process while they are loaded, with the real host: the fault names the one and why."""

from pathlib import Path

import pytest
from observed import observed
from real_host import problem_with

# What is read of an ending process must not depend on which of its pipes ends first.
TIMES = 4


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("process.exit(0)", "it called process.exit(0), in second"),
        ("process.exit(3)", "it called process.exit(3), in second"),
        ("process.abort()", "it called process.abort(), in second"),
        ("process.kill(process.pid, 'SIGSEGV'); while (true);", "it sent itself SIGSEGV, in second"),
        ("process.kill(process.pid, 'SIGKILL'); while (true);", "it sent itself SIGKILL, in second"),
        ("process.reallyExit(7)", "exit code 7"),
        (
            "Promise.reject(new Error('x')); await new Promise(() => {});",
            "a rejected promise was not handled, in second",
        ),
        ("setTimeout(() => { throw 1 }); await new Promise(() => {});", "an error was not caught, in second"),
        (
            "import { spawn } from 'node:child_process'; spawn('sleep', ['2'], { stdio: 'inherit', detached: true });"
            " console.error('x'.repeat(300_000)); process.exit(5);",
            "it called process.exit(5), in second",
        ),
    ],
)
def test_a_module_that_ends_node_while_it_loads_is_named_with_the_cause(tmp_path: Path, text: str, cause: str) -> None:
    for _ in range(TIMES):
        message = problem_with(text, tmp_path)
        path = tmp_path / "second.mjs"
        assert message.startswith(
            f"config.modules[1].path: {path}: Node ended while it loaded this module ({cause})"
        ), message
    observed(61, "the module and how it ended Node", on="the start")


def test_a_module_that_needs_too_much_memory_while_it_loads_is_named(tmp_path: Path) -> None:
    message = problem_with("const all = []; while (true) all.push(new Array(1000).fill({}));", tmp_path, memory="32")
    assert "second.mjs: Node ended while it loaded this module (out of memory): raise `memory`" in message


@pytest.mark.parametrize("text", ["await new Promise(() => {});", "while (true);"])
def test_a_module_that_is_never_loaded_is_named(tmp_path: Path, text: str) -> None:
    message = problem_with(text, tmp_path, seconds=2)
    assert message.startswith(
        f"config.modules[1].path: {tmp_path / 'second.mjs'}: was not loaded within 2 s: does it wait, or compute"
    ), message
    observed(61, "the module that is never loaded", on="the start")
