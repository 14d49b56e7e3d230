/** `; did you mean X?` when a known name is at most two edits away. */
export function nearest(name: string, known: readonly string[]): string {
  const close = known.find((one) => distance(one.toLowerCase(), name.toLowerCase()) <= 2);
  return close === undefined ? '.' : `; did you mean ${close}?`;
}

function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const replace = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
