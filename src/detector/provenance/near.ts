/**
 * Whether two names differ in one letter: changed, added or left out on the way. A digit for another digit makes another
 * account, date or number, and no slip.
 */
export function oneLetterApart(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  if (long.length - short.length > 1 || a === b) return false;
  let from = 0;
  while (from < short.length && short[from] === long[from]) from += 1;
  const rest = short.length === long.length ? short.slice(from + 1) : short.slice(from);
  if (rest !== long.slice(from + 1)) return false;
  const changed = [long[from] ?? '', short.length === long.length ? (short[from] ?? '') : ''];
  return !changed.some((letter) => /\d/.test(letter));
}
