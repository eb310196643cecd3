// What `npm run drift` sees of a Synapse: here of a small one that has, in few lines, what a new release may bring.
import { chmodSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { lookInto, type Offered } from "../../scripts/drift/installed.js";
import { venvPython } from "../support/paths.js";
import { type Folder, temporaryFolder } from "../support/temporary-folder.js";

let folder: Folder;
let offered: Offered;

const MODULE_API = `
from typing import TYPE_CHECKING, Any, Awaitable, Callable, Dict, Optional, Union
from synapse.hooks import KNOCK_CALLBACK, Hooks
if TYPE_CHECKING:
    from synapse.elsewhere import Elsewhere

class Parts:
    async def get_part(self, name: str, *, deep: bool = False) -> "Elsewhere":
        """Gives a part of all that there is.

        Added in Synapse v1.164.0.
        """

class ModuleApi:
    def __init__(self) -> None:
        self.theme_dir = "themes"
        self._hooks = Hooks()

    def register_door_callbacks(
        self,
        *,
        user_may_knock: Optional[KNOCK_CALLBACK] = None,
        on_bell: "Optional[Callable[[str, Dict[str, Any]], Awaitable]]" = None,
        on_dead: Optional[Callable[[], Awaitable[None]]] = None,
        locks: Optional[Dict[str, Callable[[str], Awaitable[int]]]] = None,
    ) -> None:
        self._hooks.register_callbacks(knock=user_may_knock, on_bell=on_bell, on_dead=on_dead, locks=locks)

    def register_key(self, key: str) -> None: ...

    @property
    def parts(self) -> Parts: ...

    @property
    def motto(self) -> Union[None, str]: ...

    def run_later(self, func: Callable[..., Any], *args: Any) -> "Awaitable[int]": ...
`;

const HOOKS = `
from copy import deepcopy
from typing import Any, Awaitable, Callable, Dict, Union, cast
from synapse.api.errors import Codes

KNOCK_CALLBACK = Union[
    Callable[[str], Awaitable[Union[bool, Codes]]],
    Callable[[str, str, Dict[str, Any]], Awaitable[Union[Codes, bool]]],
]

class Hooks:
    def __init__(self) -> None:
        self._knock_callbacks = []
        self.bell_callback = None
        self._lock_callbacks = {}

    def register_callbacks(self, knock=None, on_bell=None, on_dead=None, locks=None) -> None:
        if knock is not None:
            self.keep(knock)
        if on_bell is not None:
            self.bell_callback = on_bell
        if locks is not None:
            for name, callback in locks.items():
                self._lock_callbacks.setdefault(name, []).append(callback)

    def keep(self, callback) -> None:
        self._knock_callbacks.append(callback)

    async def user_may_knock(self, user_id, room_id, content):
        """Asks whether a user may knock. It is asked often.

        Args: none
        """
        for callback in self._knock_callbacks:
            longer = cast(Any, callback)
            await longer(user_id, room_id, deepcopy(content))
            shorter = cast(Any, callback)
            await shorter(user_id)

    async def unlock(self, name, user_id):
        for callback in self._lock_callbacks[name]:
            await callback(user_id)
`;

const BELL = `
class Bell:
    async def ring(self, hooks, who, content) -> None:
        if hooks.bell_callback:
            await hooks.bell_callback(who.user_id, content=content.copy())
`;

beforeAll(async () => {
  folder = temporaryFolder();
  folder.write("synapse/__init__.py", "");
  folder.write("synapse/api/__init__.py", "");
  folder.write(
    "synapse/api/errors.py",
    'from enum import Enum\nclass Codes(str, Enum):\n    SHUT = "M_SHUT"\n',
  );
  folder.write("synapse/hooks.py", HOOKS);
  folder.write("synapse/rest/bell.py", BELL);
  folder.write("synapse/module_api/__init__.py", MODULE_API);
  folder.write("matrix_synapse-1.164.0rc1.dist-info/METADATA", "Name: matrix-synapse\nVersion: 1.164.0rc1\n");
  offered = await lookInto(pythonWith(folder));
});
afterAll(() => folder.remove());

/** A Python that has the Synapse of a folder: its option -I would leave the folder out. */
function pythonWith({ root, write }: Folder): string {
  const python = write("python", `#!/bin/sh\nshift\nPYTHONPATH='${root}' exec '${venvPython()}' "$@"\n`);
  chmodSync(python, 0o755);
  return python;
}

test("it tells the version and the codes", () => {
  expect(offered.version).toBe("1.164.0rc1");
  expect(offered.codes).toEqual({ SHUT: "M_SHUT" });
});

test("a callback has the types of each form, and each place that calls it, wherever it is kept", () => {
  expect(offered.callbacks.door?.user_may_knock).toEqual({
    forms: [
      { params: ["str"], result: "Codes | bool" },
      { params: ["str", "str", "dict[str, Any]"], result: "Codes | bool" },
    ],
    calls: [
      {
        at: expect.stringMatching(/^hooks\.py:\d+$/),
        in_order: ["user_id", "room_id", "content"],
        by_name: [],
      },
      { at: expect.stringMatching(/^hooks\.py:\d+$/), in_order: ["user_id"], by_name: [] },
    ],
    told: "Asks whether a user may knock.",
  });
  expect(offered.callbacks.door?.locks).toMatchObject({
    forms: [{ params: ["str"], result: "int" }],
    calls: [{ in_order: ["user_id"] }],
  });
});

test("a call in another file is found, and what it gives by name is told", () => {
  expect(offered.callbacks.door?.on_bell).toEqual({
    forms: [{ params: ["str", "dict[str, Any]"], result: "Any" }],
    calls: [{ at: "rest/bell.py:5", in_order: ["user_id"], by_name: ["content"] }],
    told: null,
  });
});

test("a callback that Synapse forgets has no call", () => {
  expect(offered.callbacks.door?.on_dead).toMatchObject({ forms: [{ params: [] }], calls: [] });
});

test("only what registers callbacks has callbacks", () => {
  expect(Object.keys(offered.callbacks)).toEqual(["door"]);
});

test("the api has the members of its class, those that it gets when it is made, and those of its parts", () => {
  expect(Object.keys(offered.api).sort()).toEqual([
    "motto",
    "parts.get_part",
    "register_door_callbacks",
    "register_key",
    "run_later",
    "theme_dir",
  ]);
  expect(offered.api).toMatchObject({
    theme_dir: { kind: "property", type: null },
    motto: { kind: "property", type: "str | None" },
    run_later: { kind: "method", result: "int", params: { func: { function: true }, args: { many: true } } },
    "parts.get_part": {
      kind: "method",
      params: { name: { optional: false, type: "str" }, deep: { optional: true, type: "bool" } },
      result: "Elsewhere",
      since: "1.164.0",
      told: "Gives a part of all that there is.",
    },
  });
});

test("a Python without a Synapse is an error", async () => {
  const python = folder.write("without", `#!/bin/sh\nexec '${venvPython()}' -S "$@"\n`);
  chmodSync(python, 0o755);
  await expect(lookInto(python)).rejects.toThrow("No module named 'synapse'");
});
