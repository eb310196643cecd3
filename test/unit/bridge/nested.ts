// Values that are nested as deep as a test wants, in lists or otherwise.

export function nested(
  levels: number,
  inner: unknown = 1,
  around: (deep: unknown) => unknown = (deep) => [deep],
): unknown {
  let deep = inner;
  for (let level = 0; level < levels; level++) deep = around(deep);
  return deep;
}
