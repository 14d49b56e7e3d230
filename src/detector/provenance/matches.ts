/**
 * All matches of a global expression. `String.matchAll` makes a copy of the expression each time, which for a long one takes
 * longer than to find that a sentence has no match.
 */
export function matchesOf(pattern: RegExp, text: string): readonly RegExpExecArray[] {
  const matches: RegExpExecArray[] = [];
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    matches.push(match);
    if (match[0] === '') pattern.lastIndex += unitsAt(text, match.index, pattern.unicode);
  }
  return matches;
}

/** How far the next place is: inside a pair of code units a Unicode expression would step back, and never come to an end. */
function unitsAt(text: string, at: number, unicode: boolean): number {
  return unicode && (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}
