import type { Sentence } from '../provenance/index.ts';

/** Function words of languages in which orders are not looked for word by word; none of them is an English word. */
const WORDS: ReadonlySet<string> = new Set(
  `der das und nicht ist ein eine einen einem einer auf dem den des mit von zu zum zur auch sich wird werden sie ihr ihre bitte oder wenn dass
  le la les des du une est et dans pour que qui sur avec vous votre nous ne pas plus cette ces aux par sont au
  el los las una y en por para con del se su sus usted que no es al lo como más este esta
  o os uma em não com do da dos das ao seu sua você por favor
  il gli di che è non per con della del sono una dei nel alla questo questa
  het een van en niet dat voor met zijn uw wordt naar bij deze als
  nie się na jest do że w z i oraz proszę dla jak tego przez
  ve bir bu için ile da de olarak tüm lütfen olan
  och att det som är för inte på med av till den ett du alla
  yang dan di untuk dengan ini itu dari pada anda tidak semua silakan ke
  và của là không cho các một được với này trong hãy
  og ikke jeg det er af til fra eller hvis denne dette skal være efter blev hvor
  ja ei että oli joka mutta ovat tämä tämän niin jos sinun kaikki olet mitä myös
  je na že jako nebo při které podle není jsou byl můžete prosím tento této všechny který
  és hogy nem ezt ez csak már vagy lesz kell minden még kérjük
  și nu cu să pentru sunt sau dacă această toate
  ili što nije koji samo vaš molimo kako`
    .split(/\s+/)
    .filter((word) => word !== 'no' && word !== 'do' && word !== 'i' && word !== 'a'),
);
const ENGLISH: ReadonlySet<string> = new Set(
  'the and of to in is are was it for on with that this you your be as at by from or not have has an will can we our all if its but their they which'.split(
    ' ',
  ),
);
const OTHER_LETTERS =
  /[\u0370-\u03ff\u0400-\u052f\u0530-\u1fff\u2e80-\ud7ff\uf900-\ufaff\ufb1d-\ufdff\ufe70-\ufefc]/g;
const LETTERS = /\p{L}/gu;
const MIN_LETTERS = 4;
const MIN_SHARE = 0.3;
const MIN_WORDS = 2;
const MAX_CHARS = 400;
const MAX_GAP = 8;
/** No part of a host, an address or a path. */
const WORD = /(?<![\p{L}.@/_-])\p{L}+(?![\p{L}@/_-]|\.\p{L})/gu;

/** What of a text is in another language than English. */
export interface Unread {
  /** The sentences in it, those after each other put together. */
  readonly pieces: readonly string[];
  /** The same, one by one. */
  readonly sentences: ReadonlySet<string>;
  /** Whether it is more than half of the sentences, by their length. */
  readonly most: boolean;
}

/** What sentences in another language order can't be looked for word by word, so that the guard has to read all of them. */
export function unreadIn(sentences: readonly Sentence[], joined: string): Unread {
  const found: { start: number; end: number }[] = [];
  const apart = new Set<string>();
  let foreign = 0;
  let all = 0;
  for (const { text, at } of sentences) {
    all += text.length;
    if (!isForeign(text)) continue;
    foreign += text.length;
    apart.add(text);
    const start = joined.indexOf(text, at);
    const end = start + text.length;
    const last = found.at(-1);
    if (last !== undefined && start - last.end < MAX_GAP && end - last.start <= MAX_CHARS) last.end = end;
    else found.push({ start, end });
  }
  return {
    pieces: found.map(({ start, end }) => joined.slice(start, end)),
    sentences: apart,
    most: foreign > all / 2,
  };
}

/** Whether most of a sentence is in other letters than Latin ones, or its small words are another language's. */
function isForeign(sentence: string): boolean {
  const other = sentence.match(OTHER_LETTERS)?.length ?? 0;
  if (other >= MIN_LETTERS && other >= MIN_SHARE * (sentence.match(LETTERS)?.length ?? 0)) return true;
  let foreign = 0;
  let english = 0;
  for (const word of sentence.toLowerCase().match(WORD) ?? []) {
    if (ENGLISH.has(word)) english += 1;
    else if (WORDS.has(word)) foreign += 1;
  }
  return foreign >= MIN_WORDS && foreign > english;
}
