/**
 * How often a text begins anew inside itself: the most beginnings of it that can be under way at once while it
 * is read (the depth of its borders; Knuth, Morris, Pratt 1977). Random values have one or two; a value of `n`
 * equal bytes has `n`.
 */
export function selfOverlaps(bytes: Uint8Array): number {
  const border = new Uint32Array(bytes.length);
  const depth = new Uint32Array(bytes.length + 1);
  let length = 0;
  let most = Math.min(1, bytes.length);
  depth[1] = 1;
  for (let at = 1; at < bytes.length; at++) {
    while (length > 0 && bytes[at] !== bytes[length]) length = border[length - 1] ?? 0;
    if (bytes[at] === bytes[length]) length++;
    border[at] = length;
    const beginnings = (depth[length] ?? 0) + 1;
    depth[at + 1] = beginnings;
    most = Math.max(most, beginnings);
  }
  return most;
}
