/**
 * What people call the things that tools do: verbs that order them, and words in the names of tools that do them.
 * A word may stand in several rows. The rows decide nothing alone: a call must also take up what the sentence names.
 */
interface Family {
  readonly verbs: readonly string[];
  readonly tools: readonly string[];
}

const OFFICE =
  'access acquire administer allocate alter analyze analyse assess assign audit calibrate capture check compile conduct configure consolidate coordinate deactivate delay dispatch distribute divert draft enforce ensure escalate evaluate examine extend falsify gather grant halt handle identify implement inspect integrate introduce investigate limit maintain manage monitor obtain omit organize perform postpone prepare prescribe prioritize process produce reallocate reassign record redirect reduce report reroute reschedule restrict retain revise schedule secure simulate supply suppress suspend track validate waive withhold';

const rows: readonly (readonly [verbs: string, tools: string])[] = [
  [
    'send sent email mail forward share submit post reply message write notify tell report deliver dispatch dm text inform announce publish',
    'send email mail forward message post share reply notify submit webpage http upload publish announce tweet chat slack sms',
  ],
  [
    'buy purchase order checkout book reserve subscribe rent rebuy',
    'buy purchase order checkout cart book reserve reservation booking place pay subscribe rent',
  ],
  [
    'transfer pay wire refund send deposit donate withdraw move remit return settle',
    'money transfer pay payment transaction refund deposit bank payout invoice donate withdraw standing schedule',
  ],
  [
    'delete remove erase wipe cancel drop unsubscribe clear destroy empty purge uninstall terminate close archive trash',
    'delete remove cancel rm drop erase clear node purge destroy uninstall terminate archive trash unsubscribe close del',
  ],
  [
    'invite add grant give share make assign allow authorize authorise appoint promote',
    'invite add member collaborator grant share permission participant user role access assign delegate acl iam binding',
  ],
  [
    'change update set reset modify edit rename replace append disable enable turn switch unlock lock raise increase lower mark approve rotate stop restart start adjust override',
    'update change set reset modify edit password rename write append enable disable switch toggle lock unlock config settings limit status approve rotate restart stop patch put profile',
  ],
  [
    'create make open propose register generate comment leave review rate raise add sign schedule plan draft launch deploy',
    'create issue comment review rate propose register add post submit new make generate sign schedule event deploy launch insert',
  ],
  [
    'download fetch visit open browse go click run execute install clone access load follow log navigate call invoke curl wget pull import',
    'download browse open visit goto webpage input click run exec execute bash shell command install clone fetch url navigate terminal curl http import login pull load',
  ],
  [
    'read print show reveal list collect export display summarize dump give copy extract get look find search retrieve',
    'read cat get list export dump show print file search find secrets query',
  ],
  [
    'star fork watch follow like favourite favorite upvote join',
    'star fork watch follow like favorite upvote subscribe join',
  ],
  ['move copy transfer hand migrate', 'transfer move copy owner ownership migrate'],
  ['merge push commit force release tag', 'merge push commit release tag branch'],
  ['upload attach save store put place', 'upload attach save store put write create file object'],
  ['accept reject decline confirm verify', 'accept reject decline confirm verify'],
  // The language of offices; each word is also what a tool would be called that does it.
  [OFFICE, OFFICE],
];

const FAMILIES: readonly Family[] = rows.map(([verbs, tools]) => ({
  verbs: verbs.split(' '),
  tools: tools.split(' '),
}));

const VERBS: ReadonlySet<string> = new Set(FAMILIES.flatMap(({ verbs }) => verbs));

/** For each word of a tool's name the verbs of all rows that it stands in. */
const VERBS_OF: ReadonlyMap<string, readonly string[]> = new Map(
  [...new Set(FAMILIES.flatMap(({ tools }) => tools))].map((word) => [
    word,
    FAMILIES.flatMap(({ verbs, tools }) => (tools.includes(word) ? verbs : [])),
  ]),
);

/** Past forms and slips that stand for an order all the same ("Sent the file to …"). */
export function isVerb(word: string): boolean {
  return VERBS.has(word);
}

/** The verbs that a tool of that name carries out: those of the rows that its words stand in, and its own words. */
export function verbsDoneBy(toolWords: readonly string[]): ReadonlySet<string> {
  const done = new Set(toolWords);
  for (const word of toolWords) for (const verb of VERBS_OF.get(word) ?? []) done.add(verb);
  return done;
}

const READS: ReadonlySet<string> = new Set(
  'get list search read view show find lookup query check fetch describe retrieve count calculate think verify login log cat grep glob ls head stat'.split(
    ' ',
  ),
);
/** What a name begins with that does more than look. */
const ACTS: ReadonlySet<string> = new Set(
  `send post write create delete remove update add put set reset upload transfer pay buy purchase invite edit modify execute exec run push
  merge deploy publish approve cancel drop book reserve submit reply forward share move rename clone install grant change input click
  browse open download star fork accept append insert patch start stop invoke call subscribe unsubscribe schedule`.split(
    /\s+/,
  ),
);
/** These are no nouns: wherever they stand, the tool does it (`get_and_delete`). */
const ALWAYS_ACTS: ReadonlySet<string> = new Set('send delete remove write execute exec'.split(' '));

/**
 * A tool that only looks, by its name; `git_get_info`, `GetInfo` and `mcp__tracker__list_issues` alike: the first word
 * that says what it does decides. Calls of those bring nothing about.
 */
export function onlyReads(toolWords: readonly string[]): boolean {
  const verb = toolWords.find((word) => READS.has(word) || ACTS.has(word));
  return verb !== undefined && READS.has(verb) && !toolWords.some((word) => ALWAYS_ACTS.has(word));
}

/** Whether the words of a tool's name say what it does; of `P42` or `実行` nobody knows. */
export function tellsDeed(toolWords: readonly string[]): boolean {
  return toolWords.some((word) => READS.has(word) || ACTS.has(word) || VERBS_OF.has(word));
}

/** Words of tools' names that name no object. */
const GENERIC: ReadonlySet<string> = new Set(
  'git github gitlab api tool get set user the to from in of by for information info through mcp post app url id do run call http'.split(
    ' ',
  ),
);

/** Words of a tool's name that say what it works on: `git_delete_repo` → delete, repo. */
export function tellingToolWords(toolWords: readonly string[]): readonly string[] {
  return toolWords.filter((word) => word.length > 2 && !GENERIC.has(word));
}
