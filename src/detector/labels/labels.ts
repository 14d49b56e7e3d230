import type { Call, HttpCall } from '../../core/index.ts';
import { onlyReads, toolWords } from '../provenance/index.ts';
import type { ToolCatalogue } from './catalogue.ts';
import type { ToldTool } from './hints.ts';
import type { Label } from './label.ts';
import { mcpRequestsOf } from './mcp-request.ts';
import { ServerTools } from './server-tools.ts';

/** What an administrator says of tools, services or hosts; it replaces what would be guessed from their names. */
export interface LabelRule {
  /** Name of a tool, a service or a host; `*` stands for any run of characters. Case is ignored. */
  readonly name: string;
  readonly labels: readonly Label[];
}

/** Agents choose the names of tools that they ask about: so many are remembered, and no longer ones. */
const MAX_KNOWN = 1_000;
const MAX_NAME_CHARS = 200;

const NO_LABELS: ReadonlySet<Label> = new Set();

/**
 * Knows what tools and places are: from the configuration; where that says nothing, by their names and by what tools say
 * of themselves.
 */
export class Labeller {
  readonly #rules: readonly { readonly pattern: RegExp; readonly labels: ReadonlySet<Label> }[];
  readonly #trusted: readonly RegExp[];
  readonly #servers = new ServerTools();
  readonly #known = new Map<string, ReadonlySet<Label>>();

  /** `trusted`: names of services, with `*`, whose tools are also believed to be harmless. */
  constructor(rules: readonly LabelRule[], trusted: readonly string[] = []) {
    this.#rules = rules.map(({ name, labels }) => ({ pattern: patternOf(name), labels: new Set(labels) }));
    this.#trusted = trusted.map(patternOf);
  }

  /** `told`: what the session's tools say of themselves. */
  ofCall(call: Call, told: ToolCatalogue | null = null): ReadonlySet<Label> {
    if (call.kind === 'tool') return this.ofTool(call.tool, told);
    const tools = this.#servers.knows(serviceKey(call)) ? toolsCalled(call) : [];
    if (tools.length === 0) return this.#ofPlace(call);
    return new Set(tools.flatMap((tool) => [...this.#ofServerTool(call, tool)]));
  }

  ofTool(tool: string, told: ToolCatalogue | null = null): ReadonlySet<Label> {
    const labels = this.#ofName(tool);
    const added = told?.of(tool).labels ?? [];
    if (added.length === 0 || this.#said(tool.slice(0, MAX_NAME_CHARS)) !== null) return labels;
    return new Set([...labels, ...added]);
  }

  /**
   * Takes in what a service's answer lists. Only the answer to a `tools/list` of a trusted service can take labels away:
   * else any page with a list in it could.
   */
  learn(call: HttpCall, tools: readonly ToldTool[]): void {
    const { name } = call.service;
    const trusted =
      this.#trusted.some((pattern) => pattern.test(name)) &&
      mcpRequestsOf(call).some(({ method }) => method === 'tools/list');
    this.#servers.learn(serviceKey(call), tools, trusted ? { path: call.path } : null);
  }

  #ofServerTool(call: HttpCall, tool: string): ReadonlySet<Label> {
    const { name } = call.service;
    const short = tool.slice(0, MAX_NAME_CHARS);
    const said = this.#said(`${name}.${short}`) ?? this.#said(short);
    if (said !== null) return said;
    // What is said of the whole service replaces what is guessed, for each of its tools.
    if (this.#saidOfPlace(call) !== null) return this.#ofPlace(call);
    const key = serviceKey(call);
    const labels = new Set([
      ...this.#ofPlace(call),
      ...byName(short),
      ...this.#servers.stricter(key, tool).labels,
    ]);
    for (const label of this.#servers.milder(key, call.path, tool)) labels.delete(label);
    return labels;
  }

  #ofPlace(call: HttpCall): ReadonlySet<Label> {
    const said = this.#saidOfPlace(call);
    if (said !== null) return said;
    const { host } = call.origin;
    const known = HOSTS.filter(({ hosts }) => hosts.some((one) => host === one || host.endsWith(`.${one}`)));
    const reads = READING_METHODS.has(call.method);
    return new Set(known.flatMap(({ reading, writing }) => (reads ? reading : writing)));
  }

  #ofName(tool: string): ReadonlySet<Label> {
    const known = this.#known.get(tool);
    if (known !== undefined) return known;
    const name = tool.slice(0, MAX_NAME_CHARS);
    const labels = this.#said(name) ?? byName(name);
    if (this.#known.size < MAX_KNOWN && tool === name) this.#known.set(name, labels);
    return labels;
  }

  #saidOfPlace({ service, origin }: HttpCall): ReadonlySet<Label> | null {
    return this.#said(service.name) ?? this.#said(origin.host);
  }

  #said(name: string): ReadonlySet<Label> | null {
    return this.#rules.find(({ pattern }) => pattern.test(name))?.labels ?? null;
  }
}

function toolsCalled(call: HttpCall): readonly string[] {
  return mcpRequestsOf(call).flatMap(({ tool }) => (tool === null ? [] : [tool]));
}

function serviceKey({ tenant, service }: HttpCall): string {
  return `${tenant}\n${service.name}`;
}

function byName(tool: string): ReadonlySet<Label> {
  const words = toolWords(tool);
  if (words.length === 0) return NO_LABELS;
  const labels = TOOLS.filter(({ verbs, objects, reads }) => {
    if (reads !== null && reads !== onlyReads(words)) return false;
    return (
      words.some((word) => verbs.has(word)) && (objects.size === 0 || words.some((word) => objects.has(word)))
    );
  });
  return new Set(labels.map(({ label }) => label));
}

// Names are short and patterns the administrator's; without alternatives and with nothing but runs, it is linear enough.
function patternOf(name: string): RegExp {
  const runs = name.split(/\*+/).map((run) => run.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${runs.join('.*')}$`, 'i');
}

const READING_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

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
