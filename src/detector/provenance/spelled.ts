import { matchesOf } from './matches.ts';

/** Longest text that is looked through for these. */
const MAX_CHARS = 32 * 1024;

const BINARY = /(?:(?<![01])[01]{8}(?![01])[\s,]{0,2}){4,}|(?<![01])(?:[01]{8}){4,}(?![01])/g;
const MORSE = /(?:[.·–-]{1,6}[ /|]{1,3}){5,}[.·–-]{1,6}/g;
const WORD = /[a-z]{6,12}/g;

/** International Morse code (ITU-R M.1677-1): letters, digits, and the marks that addresses and sentences have. */
const SIGNS: ReadonlyMap<string, string> = new Map(
  '.- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. ----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. .-.-.- --..-- ..--.. ---... -..-. -....- .--.-.'
    .split(' ')
    .map((sign, at) => [sign, 'abcdefghijklmnopqrstuvwxyz0123456789.,?:/-@'.charAt(at)]),
);

/** Words of orders by which text with moved or turned letters is known: long ones, which nothing else looks like. */
const TOLD =
  'ignore ignored instructions instruction previous disregard password transfer forward account override execute download install message credentials'.split(
    ' ',
  );
const BACKWARDS = 0;
/** Of the ways in which one text's letters are moved, so many are read: each is the whole text once more. */
const MAX_WAYS = 3;
/** Each of TOLD as it looks when its letters are moved (1 to 25), or backwards. */
const LOOKS: ReadonlyMap<string, number> = new Map(
  TOLD.flatMap((word): [string, number][] => [
    [reversed(word), BACKWARDS],
    ...Array.from({ length: 25 }, (_, by): [string, number] => [moved(word, by + 1), by + 1]),
  ]),
);

/** What a text says in digits of two, in Morse code, with letters moved in the alphabet (Caesar, ROT13) or backwards. */
export function* spelledIn(text: string): Iterable<string> {
  const looked = text.slice(0, MAX_CHARS);
  for (const [run] of matchesOf(BINARY, looked)) {
    const bytes = run.match(/[01]{8}/g) ?? [];
    yield Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2))).toString('utf8');
  }
  for (const [run] of matchesOf(MORSE, looked)) yield morse(run);
  const ways = new Map<number, number>();
  for (const [word] of matchesOf(WORD, looked.toLowerCase())) {
    const way = LOOKS.get(word);
    if (way !== undefined) ways.set(way, (ways.get(way) ?? 0) + 1);
  }
  const often = [...ways].toSorted(([, a], [, b]) => b - a).slice(0, MAX_WAYS);
  for (const [way] of often) yield way === BACKWARDS ? reversed(looked) : moved(looked, 26 - way);
}

function morse(run: string): string {
  const words = run
    .replaceAll('·', '.')
    .replaceAll('–', '-')
    .split(/\s*[/|]\s*|\s{2,}/);
  const spoken = words.map((word) => Array.from(word.split(' '), (sign) => SIGNS.get(sign) ?? '').join(''));
  return spoken.join(' ').trim();
}

function moved(text: string, by: number): string {
  return text.replace(/[a-zA-Z]/g, (letter) => {
    const first = letter < 'a' ? 65 : 97;
    return String.fromCharCode(first + ((letter.charCodeAt(0) - first + by) % 26));
  });
}

function reversed(text: string): string {
  return [...text].reverse().join('');
}
