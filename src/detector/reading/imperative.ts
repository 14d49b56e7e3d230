/**
 * Whether a sentence seems to command, by its shape alone: a first word that may be a verb's base form, before an article, a
 * pronoun or a particle ("Place a bet", "Sign off the inspection"). Verbs that provenance knows are found without it; this is
 * for all others, so that the guard reads such sentences by themselves.
 */
export function seemsToCommand(sentence: string): boolean {
  const [, first, second] = FIRST_TWO.exec(sentence) ?? [];
  if (first === undefined || second === undefined) return false;
  const word = first.toLowerCase();
  return FOLLOWERS.has(second.toLowerCase()) && !NO_VERBS.has(word) && !NO_BASE_FORM.test(word);
}

/** After marks of lists, labels ("Comment:") and small words that lead in ("Also, …"). */
const FIRST_TWO =
  /^[\s>*#•"'([-]*(?:[A-Za-z][\w ]{0,24}:\s+)?(?:(?:also|and|then|now|next|first|finally|please|kindly|just|but|so|instead|afterwards|by the way),?\s+)*([A-Za-z]{2,14})\s+([A-Za-z]{1,10})\b/i;
const FOLLOWERS: ReadonlySet<string> = new Set(
  'the a an all this that these those it them him her me us my your his their our its every each any no both off up on out down over'.split(
    ' ',
  ),
);
/** Words that open sentences without being verbs, and verbs that ask for no deed ("please note", "let me know"). */
const NO_VERBS: ReadonlySet<string> = new Set(
  `i you he she it we they this that these those there here what which who whom whose when where why how if as at by for from in into of
  on onto off over to under up with without within about above across after against along among around before behind below
  beneath beside between beyond during except inside like near outside past since through throughout till toward towards until
  upon versus via and but or nor so yet both either neither not only just even also still then now once while although though
  because unless whereas whether than the a an all any each every few many most much no none one other some such several two
  three half is are was were be been has have had does do did can could may might must shall should will would ought it's let's
  maybe perhaps never always often yes well thanks thank sorry hello hi dear plus per best not rather quite almost nearly despite
  note notice see contact let feel find mind amid besides regarding depending given provided instead apart ahead today tomorrow yesterday back`.split(
    /\s+/,
  ),
);
/** Other forms of verbs, and nouns by their ending. "Press", "process" and "embed" are base forms. */
const NO_BASE_FORM = /(?:[^s]s|[^e]ed|ing|ly|tion|ment|ness|ity)$/;

const DUTY =
  /\b(?:must|should|shall|ha(?:s|ve) to|needs? to|(?:is|are) to)\s+(?:be\s+)?(?!be\b|note\b|see\b|contact\b|let\b|feel\b|mind\b|pay attention\b)[a-z]{2,}/;

/** Whether somebody, or something, is told to have a duty ("agents are to upload a scan", "the address has to be changed"). */
export function tellsADuty(sentence: string): boolean {
  return DUTY.test(sentence);
}
