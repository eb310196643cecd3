// What the host asks its compiler, and what it gets.

/** The options of an author's tsconfig.json that change what the code does, as they are written there. */
export interface MeaningOptions {
  experimentalDecorators?: boolean;
  emitDecoratorMetadata?: boolean;
  useDefineForClassFields?: boolean;
  verbatimModuleSyntax?: boolean;
  target?: string;
  jsx?: string;
  jsxFactory?: string;
  jsxFragmentFactory?: string;
  jsxImportSource?: string;
}

export interface CompileRequest {
  filename: string;
  source: string;
  /** Whether jiti runs the code as an async function, for `import`, and not as a plain one, for `require`. */
  async: boolean;
  interopDefault: boolean;
  /** Undefined for the JavaScript of a package, of which only the imports are compiled. */
  options?: MeaningOptions | undefined;
  /** For JavaScript that its author has compiled from one source: the source's path, and the mappings of the source map. */
  compiledFrom?: { source: string; mappings: string } | undefined;
}

/** A fault in the source. Lines and columns count from 1. */
export interface SourceFault {
  message: string;
  line: number;
  column: number;
}

export type Compiled = { code: string } | { fault: SourceFault };
