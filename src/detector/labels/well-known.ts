import { onlyReads, toolWords } from '../provenance/index.ts';
import type { Label } from './label.ts';

/** What a tool is by the words of its name. */
export function labelsOfName(tool: string): ReadonlySet<Label> {
  const words = toolWords(tool);
  if (words.length === 0) return new Set();
  const labels = TOOLS.filter(({ verbs, objects, reads }) => {
    if (reads !== null && reads !== onlyReads(words)) return false;
    return (
      words.some((word) => verbs.has(word)) && (objects.size === 0 || words.some((word) => objects.has(word)))
    );
  });
  return new Set(labels.map(({ label }) => label));
}

/** What reading from a host, or writing to it, is. */
export function labelsOfHost(host: string, reads: boolean): ReadonlySet<Label> {
  const known = HOSTS.filter(({ hosts }) => hosts.some((one) => host === one || host.endsWith(`.${one}`)));
  return new Set(known.flatMap(({ reading, writing }) => (reads ? reading : writing)));
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/).filter(Boolean));
}

/** Words of tools' names that tell what they are. */
const TOOLS: readonly {
  readonly label: Label;
  readonly verbs: ReadonlySet<string>;
  /** One of these as well; none: the verb is enough. */
  readonly objects: ReadonlySet<string>;
  /** Whether the tool must be one that only looks; null: either. */
  readonly reads: boolean | null;
}[] = [
  {
    label: 'untrusted-source',
    verbs: words('get read list search fetch browse open view download find query load retrieve input click'),
    objects: words(
      `email emails mail mails inbox message messages chat channel channels slack web webpage website page url link site
       issue issues comment comments review reviews ticket tickets pull request requests feed post posts tweet tweets
       invitation invitations file attachment document documents repo repository readme`,
    ),
    reads: null,
  },
  {
    label: 'untrusted-source',
    verbs: words('webfetch websearch browse fetch curl wget'),
    objects: words(''),
    reads: null,
  },
  {
    label: 'private-data',
    verbs: words(
      'get read list search fetch view show cat find query export dump retrieve select login verify',
    ),
    objects: words(
      `email emails mail mails inbox file files directory secret secrets credential credentials password passwords key keys
       token tokens ssh env account accounts user users customer customers contact contacts employee employees patient
       balance transaction transactions invoice invoices order orders payment payments iban card database table sql drive
       document documents calendar profile information vault memory`,
    ),
    reads: true,
  },
  {
    label: 'public-sink',
    verbs: words(
      'send post publish share upload forward tweet comment reply submit webhook notify invite push input email sms create',
    ),
    objects: words(
      `email mail message messages sms slack channel tweet post comment issue pull webpage web page site url link file webhook
       http gist paste review repo repository collaborators collaborator user dm chat push invitation request`,
    ),
    reads: false,
  },
  { label: 'public-sink', verbs: words('publish tweet push webhook'), objects: words(''), reads: false },
  {
    label: 'destructive',
    verbs: words(
      'delete remove drop erase wipe purge destroy truncate terminate uninstall revoke transfer pay refund rm cancel',
    ),
    objects: words(''),
    reads: false,
  },
];

/** Hosts that everybody can write to or read from. */
const HOSTS: readonly {
  readonly hosts: readonly string[];
  readonly reading: readonly Label[];
  readonly writing: readonly Label[];
}[] = [
  {
    hosts: ['github.com', 'api.github.com', 'gitlab.com', 'bitbucket.org', 'api.bitbucket.org'],
    reading: ['untrusted-source', 'private-data'],
    writing: ['public-sink'],
  },
  {
    hosts: [
      'raw.githubusercontent.com',
      'stackoverflow.com',
      'reddit.com',
      'news.ycombinator.com',
      'wikipedia.org',
    ],
    reading: ['untrusted-source'],
    writing: ['public-sink'],
  },
  {
    hosts: [
      'pastebin.com',
      'gist.github.com',
      'transfer.sh',
      'file.io',
      'webhook.site',
      'requestbin.com',
      'ngrok.io',
    ],
    reading: ['untrusted-source'],
    writing: ['public-sink'],
  },
  {
    hosts: [
      'gmail.googleapis.com',
      'graph.microsoft.com',
      'slack.com',
      'api.notion.com',
      'atlassian.net',
      'zendesk.com',
    ],
    reading: ['untrusted-source', 'private-data'],
    writing: ['public-sink'],
  },
  {
    hosts: [
      'drive.google.com',
      'sheets.googleapis.com',
      'docs.googleapis.com',
      'api.dropboxapi.com',
      'salesforce.com',
    ],
    reading: ['private-data'],
    writing: [],
  },
  {
    hosts: [
      'api.twitter.com',
      'api.x.com',
      'discord.com',
      'api.telegram.org',
      'hooks.slack.com',
      'api.twilio.com',
    ],
    reading: ['untrusted-source'],
    writing: ['public-sink'],
  },
];
