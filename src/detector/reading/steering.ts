import { fold } from '../provenance/index.ts';
import { setsAside } from './aside.ts';

/**
 * Verbs that change what an agent answers, believes or sets aside. No tool does them, so provenance asks nothing of them; the
 * guard reads the sentence.
 */
const VERBS =
  'ignore|disregard|forget|bypass|overlook|override|discard|neglect|pretend|imagine|suppose|assume|consider|picture|say|state|claim|answer|respond|reply|output|conclude|declare|assert|insist|mention|repeat|echo|admit|confess|act|behave|treat|regard|believe|agree|accept|recommend|rate|refuse|stop|skip';
/** Where an order has its verb, and where a supposition has its own ("we might say", "let's imagine"). */
const LEADS =
  "please|kindly|must|should|have to|need to|had better|and|or|then|now|just|instead|only|always|never|simply|but|so|let'?s(?: just| all)?|let us(?: just| all)?|(?:we|you|one) (?:might|could|would|may|can|will|should|must)(?: as well)?|(?:was|were) to|do not|don't|(?:ask|urge|want|suggest|order|recommend|advise|instruct|beg|invite|expect|require)(?:s|ed)? (?:that )?you(?: to)?";
const STEERS = new RegExp(
  `(?:^|[,;:\\])>]\\s*["'(]?|\\s["'(]|\\b(?:${LEADS})\\s+)(?:(?:please|also|just|now|then|instead|always|simply|only)\\s+)*(?:${VERBS})\\b(?=\\s*[:"'(]|\\s+\\S)`,
);
const SUPPOSES =
  /\bhypothetical|\bthought experiment|\bfor the sake of (?:argument|this)|\bin an? (?:[a-z]+[ -]){0,4}(?:world|universe|reality|timeline|scenario)\b|\bwhat if\b|\bmake believe\b|\brole.?play/;
const MODES =
  /\b(?:system|developer|admin(?:istrator)?|debug|security|root|maintenance|super ?user|god|operator|training|override|test)[ _-](?:[a-z]+[ _-])?(?:mode|override|prompt|message|instructions?|directive|command|correction|notice|update)\b|\boverride\b/;
const ANSWERS =
  /\b(?:answer|output|response|reply|summary|result|conclusion)s? (?:must|should|could|has to|is to|shall|would|will) (?:be|say|state|contain|begin|start|end|include|read)\b/;
const BORROWS =
  /\bi(?: am|'m) (?:your|the) (?:[a-z]+ )?(?:developer|owner|author|maker|creator|admin(?:istrator)?|operator|user|supervisor|manager|boss)\b|\bas an? (?:[a-z]+ )?(?:authority|expert|specialist|official)\b/;

/** Whether a sentence sets orders aside, tells what to say or to suppose, or borrows somebody's authority. */
export function steers(sentence: string): boolean {
  const folded = fold(sentence);
  return [STEERS, SUPPOSES, MODES, ANSWERS, BORROWS].some((one) => one.test(folded)) || setsAside(sentence);
}
