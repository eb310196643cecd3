import { describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../../bridge/testing/synapse/wait.js";
import { observed } from "../../../support/observed.js";
import { call, folder, host, load, loadOne } from "../real-host.js";
import { INVITE } from "../samples.js";

describe("what a module prints or reads never reaches the wire", () => {
  const quiet = {
    "console.log": "console.log('printed');",
    "process.stdout": "process.stdout.write('printed\\n');",
    "a raw write to fd 1": "fs.writeSync(1, 'printed\\n');",
    "a child with inherited stdio": "cp.spawnSync('sh', ['-c', 'echo printed; cat'], { stdio: 'inherit' });",
    "a grandchild": "cp.spawnSync('sh', ['-c', 'sh -c \"echo printed; cat\"'], { stdio: 'inherit' });",
  };
  const imports = `import fs from "node:fs"; import cp from "node:child_process";`;
  test.each(Object.entries(quiet))("%s, at import and in a call", async (_, print) => {
    const name = await loadOne(`${print} return Codes.FORBIDDEN;`, imports + print);
    expect(await call(name)).toMatchObject({ answer: "M_FORBIDDEN" });
    expect(await call(name)).toMatchObject({ answer: "M_FORBIDDEN" });
    const texts = () => [...host.records("printed").map(({ text }) => text), ...host.stderr().split("\n")];
    await waitFor("what was printed", () => texts().filter((text) => text === "printed").length === 3);
    for (const row of [19, 20]) observed(row, { on: "real host", outcome: "by the module; in the log" });
  });

  test("what it prints has its name and the request, as far as they are known", async () => {
    const body = `console.log("before"); await null; console.error("after %s", 1); later(); process.stdout.write("no end");
      process.stderr.write(Buffer.from("ä\\nb")); return NOT_SPAM;`;
    const before = `console.log("loading");
      function later() { setTimeout(() => fs.writeSync(2, "raw\\n")); }`;
    const name = await loadOne(body, imports + before);
    const about = { call: 1, modules: [name], params: INVITE, request: "PUT-1" };
    await host.shim.sendRequest("callback/user_may_invite", about);
    await waitFor("standard error", () => host.stderr().includes("raw"));
    host.closeInput();
    await host.ended;
    expect(host.stderr()).toBe("raw\n");
    expect(host.records("printed")).toEqual([
      { module: name, request: null, text: "loading" },
      { module: name, request: "PUT-1", text: "before" },
      { module: name, request: null, text: "after 1" },
      { module: name, request: null, text: "ä" },
      { module: name, request: null, text: "no end" },
      { module: name, request: null, text: "b" },
    ]);
  });

  test.each([
    ["named.mjs", "export default"],
    ["named.cjs", "module.exports ="],
    ["named.js", "export default"],
    ["a b (c)/named.ts", "export default"],
  ])("it is named by its stack, however it is loaded: %s", async (file, exports) => {
    const text = `${exports} { callbacks: { async user_may_invite() {
      await null;
      console.log("printed");
      setTimeout(() => process.exit(3));
      await new Promise(() => {});
    } } };`;
    const modules = [{ path: folder.write(file, text) }];
    await load(modules);
    call("named").catch(() => {});
    await host.ended;
    expect(host.records("printed")).toEqual([{ module: "named", request: null, text: "printed" }]);
    expect(host.records("ends")).toEqual([{ cause: "it called process.exit(3)", module: "named", code: 3 }]);
  });

  test("a text that poses as a record is a text", async () => {
    const posing = JSON.stringify({ level: 60, module: "no-links", msg: "x", host_ends: "out of memory" });
    const ends = JSON.stringify({ ends: { cause: "out of memory", module: "no-links", code: 1 } });
    const name = await loadOne(
      `const text = ${JSON.stringify(`${posing}\n${ends}`)}; console.log(text);
       fs.writeSync(1, text + "\\n"); context.log.info(JSON.parse(${JSON.stringify(posing)})); process.exit(1);`,
      imports,
    );
    call(name).catch(() => {});
    await host.ended;
    expect(host.records("printed").map(({ module, text }) => [module, text])).toEqual([
      [name, posing],
      [name, ends],
    ]);
    expect(host.stderr()).toBe(`${posing}\n${ends}\n`);
    expect(host.records("ends")).toEqual([{ cause: "it called process.exit(1)", module: name, code: 1 }]);
  });

  test("standard input is empty for it", async () => {
    const read = `let seen = fs.readFileSync(0, "utf8"); for await (const chunk of process.stdin) seen += chunk;`;
    const name = await loadOne(`${read} return "read " + seen.length;`, imports);
    expect(await call(name)).toMatchObject({ answer: "read 0" });
  });
});
