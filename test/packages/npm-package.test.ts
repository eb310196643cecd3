/** What a module author gets from npm: types that compile under their own TypeScript, and the command. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { projectRoot } from "../support/paths.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { output } from "./environment.js";

const folder = temporaryFolder();
const project = folder.path("author");

const good = `import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";
export default defineModule({
  configSchema: { type: "object", properties: { friends: { type: "array", items: { type: "string" } } } },
  setup: ({ api }) => ({ home: api.server_name }),
  callbacks: {
    user_may_invite({ invitee }, { config, data }) {
      return invitee.endsWith(data.home) || config.friends?.includes(invitee) ? NOT_SPAM : Codes.FORBIDDEN;
    },
  },
});
`;

const entries = `import * as sdk from "synapse-module-bridge";
import * as testing from "synapse-module-bridge/testing";
import * as synapse from "synapse-module-bridge/testing/synapse";
console.log(sdk.Codes, testing, synapse);
`;

beforeAll(async () => {
  mkdirSync(project);
  const packed = await output(
    "npm",
    ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder.root],
    {
      cwd: projectRoot,
    },
  );
  const tarball = folder.path(packed.stdout.trim());
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "policies", type: "module" }));
  writeFileSync(join(project, "good.ts"), good);
  writeFileSync(join(project, "bad.ts"), good.replace("user_may_invite(", "user_may_invit("));
  copyFileSync(join(projectRoot, "test/types/good.ts"), join(project, "all.ts"));
  writeFileSync(join(project, "entries.ts"), entries);
  const compilers = [
    "typescript@7.0.2",
    "typescript59@npm:typescript@5.9.3",
    "typescript54@npm:typescript@5.4.5",
  ];
  const wanted = [tarball, ...compilers];
  const installed = await output("npm", ["install", "--no-audit", "--no-fund", ...wanted], { cwd: project });
  expect(installed.code).toBe(0);
}, 120_000);

afterAll(() => folder.remove());
jest.setTimeout(90_000); // the older tsc takes long on a busy machine

// The oldest supported, one in between, and the newest; each strict, as strict as can be, and not at all.
const compilers = ["typescript54", "typescript59", "typescript"];
const settings = [
  ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"],
  ["--strict"],
  ["--strict", "false"],
];

describe.each(compilers.flatMap((compiler) => settings.map((strict) => ({ compiler, strict }))))(
  "with $compiler and $strict",
  ({ compiler, strict }) => {
    const check = async (...files: string[]) => {
      const target = ["--module", "nodenext", "--target", "es2022", "--lib", "es2022"];
      const emit = ["--declaration", "--emitDeclarationOnly", "--outDir", folder.path("declarations")];
      const alone = compiler === "typescript" ? ["--ignoreConfig"] : [];
      const tsc = join(project, "node_modules", compiler, "bin/tsc");
      return output(process.execPath, [tsc, ...emit, ...strict, ...target, ...alone, ...files], {
        cwd: project,
      });
    };

    // Without skipLibCheck, the package's own types are checked, too.
    test("modules and tests compile, to declarations, and so do the package's own types", async () => {
      expect(await check("good.ts", "all.ts", "entries.ts")).toEqual({ code: 0, stdout: "", stderr: "" });
    });

    test("a misspelt callback does not compile", async () => {
      const { code, stdout } = await check("bad.ts");
      expect(code).not.toBe(0);
      expect(stdout).toContain("user_may_invit");
    });
  },
);

test("the command checks a module with the author's TypeScript", async () => {
  const command = join(project, "node_modules/.bin/synapse-module-bridge");
  const { code, stdout } = await output(command, ["check", "good.ts"], { cwd: project });
  expect(stdout).toContain("types checked by tsc 7.0.2");
  expect(stdout).toContain("user_may_invite");
  expect(code).toBe(0);
  const wrong = await output(command, ["check", "bad.ts"], { cwd: project });
  expect(wrong.stdout + wrong.stderr).toContain("user_may_invit");
  expect(wrong.code).toBe(1);
});

test("the command runs a module with decorators by the compiler that the wheel carries, too", async () => {
  const decorated = `const refuse = (_: unknown, __: ClassMethodDecoratorContext) => () => "M_FORBIDDEN";
class Policy { @refuse judge() { return "NOT_SPAM"; } }
export default { callbacks: { user_may_invite: () => new Policy().judge() } };
`;
  writeFileSync(join(project, "decorated.ts"), decorated);
  const params = { inviter: "@a:example.org", invitee: "@b:example.org", room_id: "!r:example.org" };
  writeFileSync(join(project, "invite.json"), JSON.stringify(params));
  const command = join(project, "node_modules/.bin/synapse-module-bridge");
  const args = ["call", "decorated.ts", "user_may_invite", "invite.json"];
  expect(await output(command, args, { cwd: project })).toMatchObject({ code: 0, stdout: '"M_FORBIDDEN"\n' });
  const compilers = ["dist", "python-shim/synapse_module_bridge/_host"].map((folder) =>
    readFileSync(join(projectRoot, folder, "compiler.cjs")),
  );
  expect(compilers[0]?.equals(compilers[1] as Buffer)).toBe(true);
});
