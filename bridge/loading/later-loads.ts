// What a module's own code tells of what it takes from disk while it runs, which no snapshot can have.

// As it is written, and as the compiler writes it.
const IMPORTS = /\b(?:jitiImport|import|require)\s*\(\s*(?:(["'])([^"'\n]*)\1\s*[,)]|[^"'\s)])/g;
const READS = /["'](?:node:)?fs(?:\/promises)?["']/;

/** `wasImported` tells of a name whether it was imported while the module was loaded. */
export function findLaterLoads(code: string, wasImported: (name: string) => boolean): string[] {
  const found = new Set<string>();
  if (READS.test(code)) found.add("files that it reads");
  for (const [, quote, name] of code.matchAll(IMPORTS)) {
    if (quote === undefined) found.add("what it imports by names that it computes");
    else if (name !== undefined && !wasImported(name)) found.add(`${name}, which it imports later`);
  }
  return [...found];
}
