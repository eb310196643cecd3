// Refuses TypeScript that jiti's Babel would silently run with another meaning: decorators, `accessor`, and merged namespaces.
// It is a plug-in of that Babel, so it sees the syntax tree that runs. After a change here, rename the cache folder
// (compile-cache.ts), since cached code is not checked again.

interface Node {
  type: string;
  loc?: { start: { line: number; column: number } } | null;
  declare?: boolean;
  kind?: string;
  global?: boolean;
  decorators?: Node[] | null;
  declaration?: Node | null;
  body?: Node | Node[];
  id?: Node | null;
  name?: string;
  left?: Node;
}

interface File {
  ast: { program: Node };
}

/** The code of the error that the plug-in throws. */
export const UNSUPPORTED = "UNSUPPORTED";

const DECORATORS =
  "decorators are not supported: the loader would leave them out. Call the decorator as a function instead";
const ACCESSOR = "`accessor` is not supported. Write `get` and `set`, or a plain property";
const MUTABLE =
  "a namespace that exports something other than `const` is not supported. Export functions that get and set it, or write a module";

/** The plug-in. It throws an error at the first unsupported place. */
export const unsupportedSyntax = {
  name: "unsupported-syntax",
  /** Enables the syntax in the parser, which would report a missing plug-in otherwise. */
  manipulateOptions(_options: object, parser: { plugins: (string | [string, object])[] }) {
    const names = parser.plugins.map((plugin) => (typeof plugin === "string" ? plugin : plugin[0]));
    if (!names.some((name) => name.startsWith("decorators"))) parser.plugins.push("decorators");
    parser.plugins.push("decoratorAutoAccessors");
  },
  /** Runs before other plug-ins change the tree. */
  pre({ ast }: File) {
    const [first] = findUnsupported(ast.program).sort((a, b) => a.line - b.line || a.column - b.column);
    if (!first) return;
    const loc = { line: first.line, column: first.column };
    throw Object.assign(new Error(first.message), { code: UNSUPPORTED, loc });
  },
};

interface Unsupported {
  line: number;
  column: number;
  message: string;
}

function findUnsupported(program: Node): Unsupported[] {
  const found: Unsupported[] = [];
  const report = ({ loc }: Node, message: string) => {
    found.push({ line: loc?.start.line ?? 1, column: loc?.start.column ?? 0, message });
  };
  // Without recursion, since a syntax tree can have any depth.
  const open: unknown[] = [program];
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) open.push(...value);
    else if (isNode(value)) {
      for (const decorator of value.decorators ?? []) report(decorator, DECORATORS);
      if (value.type === "ClassAccessorProperty") report(value, ACCESSOR);
      if (Array.isArray(value.body)) {
        reportMerged(value.body, report);
        if (value.type === "TSModuleBlock") reportMutable(value.body, report);
      }
      open.push(...Object.values(value));
    }
  }
  return found;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** Babel compiles each part of a merged namespace alone: names that another part declares would not be found, or wrongly. */
function reportMerged(body: Node[], report: (node: Node, message: string) => void): void {
  const seen = new Map<string, Node>();
  for (const statement of body) {
    const declared = statement.declaration ?? statement;
    const name = nameOf(declared);
    if (name === undefined || !isValue(declared)) continue;
    const other = seen.get(name);
    seen.set(name, declared);
    if (!other || ![declared.type, other.type].includes("TSModuleDeclaration")) continue;
    const message = `${name} is declared in parts, here and in line ${other.loc?.start.line}, which is not supported if one of them is a namespace. Write it in one part`;
    report(declared, message);
  }
}

function reportMutable(body: Node[], report: (node: Node, message: string) => void): void {
  for (const { type, declaration } of body) {
    if (type !== "ExportNamedDeclaration" || declaration?.type !== "VariableDeclaration") continue;
    if (!declaration.declare && declaration.kind !== "const") report(declaration, MUTABLE);
  }
}

const NAMED = ["TSModuleDeclaration", "TSEnumDeclaration", "ClassDeclaration", "FunctionDeclaration"];

/** The declared name. For `namespace A.B` it is A. */
function nameOf({ type, id }: Node): string | undefined {
  if (!NAMED.includes(type)) return undefined;
  let first = id;
  while (first?.left) first = first.left;
  return first?.name;
}

/** Whether the declaration exists at run time. A namespace with types only does not. */
function isValue(node: Node): boolean {
  if (node.declare || node.global) return false;
  if (node.type !== "TSModuleDeclaration") return true;
  const { body } = node;
  if (!isNode(body)) return false;
  if (body.type === "TSModuleDeclaration") return isValue(body);
  return Array.isArray(body.body) && body.body.some((statement) => leavesValue(statement));
}

const TYPES = ["TSInterfaceDeclaration", "TSTypeAliasDeclaration", "TSDeclareFunction"];

function leavesValue(statement: Node): boolean {
  const declared = statement.declaration ?? statement;
  return !TYPES.includes(declared.type) && isValue(declared);
}
