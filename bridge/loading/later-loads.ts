// Finds in a module's code what it loads from disk later, while it runs. A snapshot cannot have that.

// Both as authors write imports and as the compiler writes them.
const IMPORTS = /\b(?:jitiImport|import|require)\s*\(\s*(?:(["'])([^"'\n]*)\1\s*[,)]|[^"'\s)])/g;
const WORKERS = /\bnew\s+(?:[\w$]+\.|\(0,\s*[\w$]+\.)?Worker\b/;
const READS = /["'](?:node:)?fs(?:\/promises)?["']/;

/** Describes what the code loads later. `wasImported` tells whether a name was imported while the module was loaded. */
export function findLaterLoads(code: string, wasImported: (name: string) => boolean): string[] {
  const found = new Set<string>();
  if (READS.test(code)) found.add("files that it reads");
  if (WORKERS.test(code)) found.add("what its worker threads run");
  for (const [, quote, name] of code.matchAll(IMPORTS)) {
    if (quote === undefined) found.add("what it imports by names that it computes");
    else if (name !== undefined && !wasImported(name)) found.add(`${name}, which it imports later`);
  }
  return [...found];
}
