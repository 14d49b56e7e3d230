import { fold, isAscii } from './fold.ts';
import { matchesOf } from './matches.ts';
import { inEnglish } from './tongues.ts';

/** Words that say nothing about what a sentence or a call is for. */
const EMPTY_WORDS: ReadonlySet<string> = new Set(
  `a about after again all also an and any are as at be been before but by can could did do does done each else every few for from
  further had has have he her here him his how i if in into is it its just like may me more most must my no nor not now of off on once
  one only or other our out over own per please same she should so some such than that the their them then there these they this those
  to too under until up upon us very via was we were what when where which while who will with within without would yes you your true
  false null none hi hello dear best regards thanks thank sincerely cheers ok okay sure user users name names account file files email
  emails mail message messages item items page link list text content body subject title data info id ids`
    .split(/\s+/)
    .filter(Boolean),
);

const TOKEN = /[\p{L}\p{N}_@./:+#$-]*[\p{L}\p{N}_]/gu;
/** The same for text of ASCII alone: the classes of Unicode take three times as long. */
const ASCII_TOKEN = /[a-z0-9_@./:+#$-]*[a-z0-9_]/g;
const LEAD = /^(?:https?:\/\/)?(?:www\.)?[./:#$+-]*/;
/** What `LEAD` can begin with. */
const MAY_LEAD: ReadonlySet<string> = new Set('hw./:#$+-');
const MAX_TOKEN_CHARS = 200;
/** Account numbers as people write them, in groups of four. */
const SPACED_IBAN = /\b[a-z]{2}\d{2}(?: [a-z0-9]{4}){2,7}(?: [a-z0-9]{1,3})?\b/g;

/** Names, numbers and words of a text, folded: `Mail it to Eve@x.example!` → mail, it, to, eve@x.example. */
export function tokensOf(text: string): string[] {
  const out: string[] = [];
  const folded = fold(text);
  for (const match of folded.match(isAscii(folded) ? ASCII_TOKEN : TOKEN) ?? []) {
    const token = MAY_LEAD.has(match[0] ?? '') ? match.replace(LEAD, '') : match;
    if (token !== '' && token.length <= MAX_TOKEN_CHARS) out.push(token);
  }
  for (const [account] of matchesOf(SPACED_IBAN, folded)) out.push(account.replaceAll(' ', ''));
  return out;
}

/** The runs of letters of a text, folded. */
export function wordsOf(text: string): string[] {
  const folded = fold(text);
  return folded.match(isAscii(folded) ? /[a-z]+/g : /\p{L}+/gu) ?? [];
}

/** Whether a token can carry meaning from one place to another at all. */
export function isTelling(token: string): boolean {
  return token.length > 1 && !EMPTY_WORDS.has(token);
}

/** A name of somebody or something outside: an address, a host, a path, an identifier, a number, a key. */
export function isName(token: string): boolean {
  return /[@./\p{N}]/u.test(token) || token.length > 12;
}

/** Where something can be sent: an e-mail address, a host or a URL. */
export function isAddress(token: string): boolean {
  return /@\S|\p{L}\.\p{L}{2}|:\/\//u.test(token);
}

const FILE =
  /^[^@:/?]+\.(?:c|cc|cfg|conf|cpp|css|csv|docx?|env|gif|go|h|html?|ini|ipynb|java|jpe?g|js|json|jsx|lock|log|md|mdx|mjs|pdf|php|png|pptx?|ps1|py|rb|rs|sh|sql|svg|tar|toml|tsx?|txt|xlsx?|xml|ya?ml|zip)$/;

/**
 * Where something can go, or what opens something: an address, an account, a number to call, a password. Amounts, files
 * and the short numbers of things are names, too, but anybody's text is full of them.
 */
export function isAuthority(token: string): boolean {
  if (isAddress(token)) return !FILE.test(token);
  if (/^\p{N}{8,}$/u.test(token)) return true;
  const digits = token.match(/\p{N}/gu)?.length ?? 0;
  return digits >= 3 && token.length >= 6 && /\p{L}/u.test(token) && !/[./]/.test(token);
}

/** `check_out` and `logIn` are one word each. */
const TWO_IN_ONE = /(check|log|sign)[^\p{L}]+(out|in|up|off)(?!\p{L})/gu;

/** The words of a tool's name, in English: `GitHub.inviteUser` and `github_invite_user` → git, hub, invite, user. */
export function toolWords(name: string): string[] {
  const folded = fold(name.replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')).replace(TWO_IN_ONE, '$1$2');
  const words = folded.match(/[\p{L}\p{M}]+/gu) ?? [];
  return words.map(inEnglish);
}
