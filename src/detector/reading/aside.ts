import { fold } from '../provenance/index.ts';

const ASIDE =
  "(?:ignore|disregard|forget|bypass|override|overlook|discard|neglect|stop following|do not follow|don't follow|pay no (?:heed|attention) to)";
const WHATEVER =
  '(?:about |all |any |every |of |the |these |those |your |other |previous |prior |earlier |preceding |former |original |initial |past |above |system |user )*';
/** What was ordered before is set aside, or a text is and its reader told what to say in its place. */
const SETS_ASIDE = new RegExp(
  `\\b${ASIDE}\\s+(?:${WHATEVER}(?:instructions?|prompts?|commands?|guidelines?|directives?|orders?|rules?|programming)\\b|(?:everything (?!you (?:know|knew|thought|learned|have learned)\\b)|all of the above\\b|what (?:you were|was) (?:told|said)\\b)|[^.!?]{1,60}?\\b(?:and|then|instead|but|,)\\s+(?:just |instead |only |simply |rather )?(?:say|state|claim|answer|respond|reply|output|print|write|tell|conclude|declare)\\b)`,
);
/** The same in other languages: a verb of setting aside near what is set aside, whichever stands first. */
const ABROAD: readonly (readonly [verbs: string, things: string])[] = [
  ['ignorier(?:e|en sie)\\b|missacht|vergiss|vergessen|ubergeh', 'anweisung|vorgabe|anordnung|befehl|regeln'],
  [
    'ignore[zr]?\\b|oubli|negligez|ne tenez pas compte|ne tiens pas compte|faites abstraction',
    'instruction|consigne|directive|ordres',
  ],
  [
    'ignor|olvid|haz caso omiso|hagan? caso omiso|descart|desatiend',
    'instruccion|indicacion|orden|directriz|reglas',
  ],
  ['ignor|esquec|desconsider|descart', 'instruco|instruca|orientaco|ordens|diretriz|regras'],
  [
    'ignor|dimentica|trascura|non tener conto|non tenere conto',
    'istruzion|indicazion|ordini|direttiv|regole',
  ],
  ['negeer|vergeet|sla .{0,20} over', 'instructies|aanwijzing|opdracht|regels'],
  ['zignoruj|ignoruj|pomin|zapomnij', 'instrukcj|polece|wskazow|zasad'],
  ['ignorera|glom|bortse|strunta', 'instruktion|anvisning|regler|order'],
  ['yok say|gormezden gel|unut|dikkate alma', 'talimat|yonerge|komut|kural'],
  ['abaikan|lupakan', 'instruksi|perintah|arahan|aturan'],
  ['bo qua|quen', 'huong dan|chi dan|menh lenh|lenh|quy tac'],
  ['игнориру|забудь|отбрось|пренебре|ігнору|забудьте', 'инструкци|указани|правил|команд|інструкц|вказів'],
  ['忽略|无视|忘记|忘掉|不要理会|忽視し|無視し|無視せ|忘れ', '指示|指令|命令|说明|规则|要求|指図|規則'],
  ['무시하[고세십]|무시해|잊어|잊으', '지시|지침|명령|규칙'],
  ['تجاهل|انس', 'تعليمات|اوامر|أوامر|توجيهات|قواعد'],
  ['ignoruj|zapomen|nedbej', 'pokyn|instrukc|prikaz|pravidl'],
  ['unohda|ohita|jata huomiotta|ala valita', 'ohje|kasky|saann'],
  ['ignorer|glem\\b|se bort fra|bortse fra', 'instruk|anvisning|regler|ordre'],
  ['hagyd figyelmen kivul|felejtsd|ne torodj', 'utasitas|szabaly|parancs'],
  ['ignora|uita\\b', 'instructiuni|comenzi|reguli'],
  ['αγνοησ|ξεχασ', 'οδηγι|εντολ|κανον'],
  ['התעלם|התעלמי|התעלמו|שכח', 'הוראות|הנחיות|פקודות|כללים'],
  ['अनदेखा|नज़रअंदाज़|नजरअंदाज|भूल जा', 'निर्देश|आदेश|नियम'],
];
const ABROAD_ASIDE: readonly RegExp[] = ABROAD.map(
  ([verbs, things]) => new RegExp(`(?:${verbs}).{0,60}(?:${things})|(?:${things}).{0,60}(?:${verbs})`, 'u'),
);
/** Few sentences have one of these words; the others need no closer look. */
const ABROAD_THINGS = new RegExp(ABROAD.map(([, things]) => things).join('|'), 'u');

/** Whether a sentence sets aside what the agent was told, or what the text around it says. */
export function setsAside(sentence: string): boolean {
  if (SETS_ASIDE.test(fold(sentence))) return true;
  const plain = sentence
    .toLowerCase()
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC');
  return ABROAD_THINGS.test(plain) && ABROAD_ASIDE.some((one) => one.test(plain));
}
