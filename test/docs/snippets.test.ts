// The code that pages and hover texts show is right: TypeScript compiles against the package's own types, YAML and JSON parse,
// and what configures the bridge fits its schema. Generated pages are left out, since the hover texts have the same code.
//
// A block of ```ts is a whole file. One of ```ts fragment <place> is put where it belongs, with all exports of the package in
// reach: `module` holds keys of defineModule, `callbacks` keys of its `callbacks`, `handler` statements of a handler, and
// `value` statements on their own, and `testing` statements of a test.
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { Ajv } from "ajv";
import { parseAllDocuments } from "yaml";
import { readSources } from "../../scripts/generate/sources.js";
import { typeCheck } from "../support/type-check.js";
import { fencesOf, hoverTexts, hoverTextsOfKit, isGenerated, ROOT, readPages } from "./pages.js";

interface Snippet {
  readonly place: string;
  readonly language: string;
  readonly fragment: string | undefined;
  readonly text: string;
}

const sdk = hoverTexts();

const kit = hoverTextsOfKit();

const snippets: Snippet[] = [...readPages().filter((page) => !isGenerated(page)), ...sdk, ...kit].flatMap(
  (page) =>
    fencesOf(page).map(({ info, text, line }) => {
      const [language = "", kind, ...where] = info.split(/\s+/);
      const fragment = kind === undefined ? undefined : [kind, ...where].join(" ");
      return { place: `${page.path}:${line}`, language, fragment, text };
    }),
);

const of = (...languages: string[]) => snippets.filter(({ language }) => languages.includes(language));

const EXPORTS =
  "ApiError, Codes, contentOf, DatabaseError, defineHead, defineModule, HttpResponseException, isApiError, isDatabaseError, " +
  "isEventId, isHttpResponseException, isRoomAlias, isRoomId, isSynapseError, isUserId, malformed, NOT_SPAM, " +
  "RateLimiter, RegistrationBehaviour, SynapseError";

/** The types that `synapse-module-bridge` exports besides those. */
const TYPES = sdk
  .filter(({ path }) => !/\/(?:codes|errors|database-error)\.ts$/.test(path))
  .flatMap(({ source }) =>
    [...source.matchAll(/^export (?:interface|type) (\w+)/gm)].map(([, name]) => name),
  );

/** The types that `synapse-module-bridge/testing` exports. */
const TYPES_OF_KIT = [
  ...(
    /export type \{([^}]*)\} from "\.\/options\.js"/.exec(
      readFileSync(join(ROOT, "bridge/testing/index.ts"), "utf8"),
    )?.[1] ?? ""
  ).matchAll(/\w+/g),
  ["EventFields"],
].map(([name]) => name);

const WRAPPERS: Record<string, (body: string) => string> = {
  "fragment module": (body) => `export default defineModule({\n${body}});`,
  "fragment callbacks": (body) => `export default defineModule({ callbacks: {\n${body}} });`,
  "fragment handler": (body) =>
    `declare const event: Sdk.Event, user_id: string, room_id: string, request: Request;
    declare const { api, config, data, log, signal }: Sdk.Context<object, object>;
    export async function handler() {\n${body}}`,
  "fragment testing": (body) =>
    `import { createTester, event } from "synapse-module-bridge/testing";
    import type { ${TYPES_OF_KIT.join(", ")} } from "synapse-module-bridge/testing";\n${body}\nexport {};`,
  "fragment value": (body) => `${body}\nexport {};`,
};

function wholeFile({ fragment, text, place }: Snippet): string {
  if (fragment === undefined) return text;
  const wrap = WRAPPERS[fragment];
  if (!wrap) throw new Error(`${place}: ${fragment} is none of ${Object.keys(WRAPPERS).join(", ")}`);
  const imports = /^import .*;$/gm;
  const from = `from "synapse-module-bridge";`;
  const head = `import type * as Sdk ${from}\nimport type { ${TYPES.join(", ")} } ${from}\nimport { ${EXPORTS} } ${from}`;
  return `${head}\n${(text.match(imports) ?? []).join("\n")}\n${wrap(text.replace(imports, ""))}\n`;
}

describe("TypeScript and JavaScript", () => {
  const code = of("ts", "js", "mjs");
  let output = "";

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "snippets-"));
    try {
      for (const [i, snippet] of code.entries()) {
        const ending = snippet.language === "ts" ? "ts" : "mjs";
        await writeFile(join(folder, `snippet-${i}.${ending}`), wholeFile(snippet));
      }
      const compilerOptions = {
        rootDir: "/",
        typeRoots: [join(ROOT, "node_modules/@types")],
        // JavaScript is only looked through for errors of syntax.
        allowJs: true,
        allowImportingTsExtensions: true,
        // A snippet shows one thing, and leaves the rest to its reader.
        noUnusedLocals: false,
        noUnusedParameters: false,
        noImplicitReturns: false,
      };
      await writeFile(join(folder, "package.json"), `{ "type": "module" }`);
      await writeFile(
        join(folder, "tsconfig.json"),
        JSON.stringify({ extends: join(ROOT, "tsconfig.json"), compilerOptions, include: ["*.ts", "*.mjs"] }),
      );
      output = await typeCheck(folder);
    } finally {
      await rm(folder, { recursive: true });
    }
  }, 60_000);

  test.each(code.map(({ place }, i) => ({ place, i })))("at $place compiles", ({ i }) => {
    const blocks = output.split(/^(?=\S)/m).filter((block) => block.startsWith(`snippet-${i}.`));
    expect(blocks).toEqual([]);
  });

  test("is all that tsc complains of", () => {
    expect(output.split("\n").filter((line) => /^\S/.test(line) && !/^snippet-\d+\./.test(line))).toEqual([]);
  });
});

describe("hover texts", () => {
  // A list is nothing but its items. Of the others, authors see none, or one for each callback or method.
  const LIST = /^export type \w+ = readonly \w+\[\];/;
  const ALL = [
    "CallbackParams",
    "CallbackResults",
    "ApiWrites",
    "NotSpam",
    "EVENT_SHAPES",
    "HONOURED_IN",
    "Inferred",
    "InferredWeb",
  ];
  const EXPORT =
    /(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?^export (?:const )?(?:interface|type|enum|class|function|const)? ?(\w+).*$/gm;

  test.each(sdk)("of $path: every export has one, with an example", ({ source }) => {
    const exported = [...source.matchAll(EXPORT)].filter(
      ([text, , name = ""]) =>
        !/^export (?:type )?\{/m.test(text) &&
        !ALL.includes(name) &&
        !LIST.test(text.split("*/\n").at(-1) ?? ""),
    );
    const shown = exported.filter(([, comment = ""]) => comment.includes("* @example\n"));
    // Of a function with several signatures, the first has the comment.
    const names = new Set(shown.map(([, , name]) => name));
    expect(exported.map(([, , name]) => name).filter((name) => !names.has(name))).toEqual([]);
  });

  test("every callback, and every member of the api, has an example", () => {
    const { callbacks, methods, properties } = readSources();
    const textOf = (name: string) => sdk.find(({ path }) => path === `bridge/sdk/${name}.ts`)?.source ?? "";
    const count = (text: string) => text.split("* @example\n").length - 1;
    const params = textOf("callbacks").split("export interface CallbackParams")[1] ?? "";
    expect(count(params)).toBe(callbacks.length);
    const api = textOf("module-api").split("export interface Api {")[1] ?? "";
    expect(count(api)).toBe(methods.length + properties.length);
  });
});

describe("JSON", () => {
  test.each(of("json", "jsonc"))("at $place parses", ({ text, language }) => {
    const plain = language === "jsonc" ? withoutComments(text) : text;
    expect(isJson(plain) || linesOf(plain).every(isJson)).toBe(true);
  });
});

/** What is one value on each line, as messages are shown. */
const linesOf = (text: string) => text.split("\n").filter((line) => line.trim() !== "");

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function withoutComments(text: string): string {
  return text
    .replace(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (_, kept = "") => kept)
    .replace(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_, kept = "") => kept);
}

describe("YAML", () => {
  const schema = JSON.parse(readFileSync(join(ROOT, "schemas/config.schema.json"), "utf8"));
  const ajv = new Ajv({ strict: false, allErrors: true }).addSchema(schema, "config");

  test.each(of("yaml", "yml"))("at $place parses, and configures the bridge rightly", ({ text }) => {
    const documents = parseAllDocuments(text);
    expect(documents.flatMap(({ errors }) => errors.map(({ message }) => message))).toEqual([]);
    expect(documents.flatMap((document) => faultsOf(document.toJS()))).toEqual([]);
  });

  /** In what the bridge reads: its own block, or entries of its modules alone. */
  function faultsOf(value: unknown): string[] {
    const { modules } = (value ?? {}) as { modules?: unknown };
    if (Array.isArray(modules))
      return modules.flatMap((entry) =>
        entry?.module === "synapse_module_bridge.ModuleBridge" ? misfits("config", entry.config) : [],
      );
    const entries = Array.isArray(value) ? value.filter((entry) => typeof entry?.path === "string") : [];
    return entries.flatMap((entry) => misfits("config#/definitions/module", entry));
  }

  function misfits(schema: string, value: unknown): string[] {
    ajv.validate(schema, value);
    return (ajv.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  }
});
