/** Characters that show nothing, or turn the direction of text: what hides words from a reader hides them from rules. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

/** Letters of other scripts that look like Latin ones (Unicode UTS 39, the common part). */
const LOOK_ALIKE: ReadonlyMap<string, string> = new Map(
  Object.entries({
    а: 'a',
    е: 'e',
    о: 'o',
    р: 'p',
    с: 'c',
    у: 'y',
    х: 'x',
    і: 'i',
    ј: 'j',
    ѕ: 's',
    ԁ: 'd',
    һ: 'h',
    ӏ: 'l',
    ԛ: 'q',
    ԝ: 'w',
    к: 'k',
    м: 'm',
    т: 't',
    в: 'b',
    н: 'h',
    α: 'a',
    ε: 'e',
    ο: 'o',
    ρ: 'p',
    ν: 'v',
    ι: 'i',
    κ: 'k',
    τ: 't',
    υ: 'u',
    χ: 'x',
    ı: 'i',
    ɡ: 'g',
    ʟ: 'l',
    ɪ: 'i',
    ɴ: 'n',
    ʀ: 'r',
  }),
);
const FOREIGN =
  /[\u0131\u0261\u026a\u0274\u0280\u029f\u03b1-\u03c9\u0430-\u0458\u04bb\u04cf\u0501\u051b\u051d]/gu;

/** Text as it is compared: compatibility forms (NFKC) and look-alikes are one letter, hidden ones gone, lower case. */
export function fold(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  const lower = text.normalize('NFKC').replace(INVISIBLE, '').toLowerCase();
  return isAscii(lower) ? lower : lower.replace(FOREIGN, (letter) => LOOK_ALIKE.get(letter) ?? letter);
}

/** The letters behind the escapes of JSON, Python and YAML, so that a sentence in a dump is a sentence. */
export function withoutEscapes(text: string): string {
  if (!text.includes('\\')) return text;
  return text
    .replace(/\\\r?\n[ \t]*\\?/g, ' ') // a folded line of YAML
    .replace(/\\{1,4}[nrt]/g, '\n')
    .replace(/\\{1,4}u([0-9a-fA-F]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/\\{1,4}(["'/])/g, '$1');
}

/** Whether every character is below DEL: then folding is nothing but lower case. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 0x7e) return false;
  return true;
}
