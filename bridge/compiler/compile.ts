// Compiles a file of a module in two steps. TypeScript's own compiler makes JavaScript of TypeScript, decorators included, so
// that the code means what TypeScript says. Then jiti's Babel makes a function of the ES module, for jiti to run. This file
// and TypeScript are bundled into compiler.cjs, which runs in a thread that ends when all is compiled.
import type { TransformOptions, TransformResult } from "jiti";
import ts from "typescript-js";
import { SourceLines } from "./lines.js";
import type { Compiled, CompileRequest, MeaningOptions } from "./request.js";

type Babel = (options: TransformOptions) => TransformResult;

/** An error of Babel's parser. */
interface ParseError {
  message: string;
  loc?: { line: number; column: number };
}

/** Targets under which TypeScript sets class fields by assignment, unless `useDefineForClassFields` says otherwise. */
const OLD_TARGET = /^es(?:[3-6]|20(?:1\d|20|21))$/i;

export function compile(request: CompileRequest, babel: Babel): Compiled {
  const { filename, source, async, interopDefault, options, compiledFrom } = request;
  let code = source;
  let lines = compiledFrom && new SourceLines(compiledFrom.mappings);
  if (options && !compiledFrom) {
    const { outputText, sourceMapText = "", diagnostics = [] } = transpile(filename, source, options);
    const first = diagnostics.find(({ file }) => file !== undefined);
    if (first) return { fault: describe(first) };
    code = outputText;
    lines = new SourceLines(JSON.parse(sourceMapText).mappings);
  }
  const plugins = lines ? [lines.plugin()] : [];
  const done = babel({ filename, source: code, async, interopDefault, ts: false, babel: { plugins } });
  if (done.error) return { fault: describeParseError(done.error as ParseError, lines) };
  // The name by which V8 knows the code.
  return { code: compiledFrom ? `${done.code}\n//# sourceURL=${compiledFrom.source}` : done.code };
}

function transpile(fileName: string, source: string, options: MeaningOptions): ts.TranspileOutput {
  const { target, jsx = "react-jsx", ...rest } = options;
  const isOld = target !== undefined && OLD_TARGET.test(target);
  const { options: compilerOptions } = ts.convertCompilerOptionsFromJson(
    {
      ...{ useDefineForClassFields: !isOld, ...rest },
      // With "preserve", another tool would have to compile the JSX.
      jsx: jsx === "preserve" || jsx === "react-native" ? "react-jsx" : jsx,
      // The oldest supported Node runs all of it. TypeScript leaves decorators as they are for a newer target only.
      ...{ target: "es2022", module: "preserve", moduleDetection: "auto" },
      ...{ sourceMap: true, removeComments: true, newLine: "lf" },
    },
    "/",
  );
  return ts.transpileModule(source, { fileName, reportDiagnostics: true, compilerOptions });
}

function describe({ messageText, file, start = 0 }: ts.Diagnostic) {
  const message = ts.flattenDiagnosticMessageText(messageText, "\n");
  const { line, character } = file?.getLineAndCharacterOfPosition(start) ?? { line: 0, character: 0 };
  return { message, line: line + 1, column: character + 1 };
}

/** TypeScript's parser accepts some code that is no valid JavaScript. */
function describeParseError({ message, loc }: ParseError, lines: SourceLines | undefined) {
  const text = message.replace(/^[^\n]*?: /, "").replace(/ \(\d+:\d+\)(?:\n[\s\S]*)?$/, "");
  const place = loc && (lines ? lines.placeOf(loc) : loc);
  return { message: text, line: place?.line ?? 1, column: (place?.column ?? 0) + 1 };
}
