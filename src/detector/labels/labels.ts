import type { Call, HttpCall } from '../../core/index.ts';
import type { ToolCatalogue } from './catalogue.ts';
import type { ToldTool } from './hints.ts';
import type { Label } from './label.ts';
import { mcpRequestsOf } from './mcp-request.ts';
import { ServerTools } from './server-tools.ts';
import { labelsOfHost, labelsOfName } from './well-known.ts';

/** What an administrator says of tools, services or hosts; it replaces what would be guessed from their names. */
export interface LabelRule {
  /** Name of a tool, a service or a host; `*` stands for any run of characters. Case is ignored. */
  readonly name: string;
  readonly labels: readonly Label[];
}

/** Agents choose the names of tools that they ask about: so many are remembered, and no longer ones. */
const MAX_KNOWN = 1_000;
const MAX_NAME_CHARS = 200;

const READING_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

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
      ...labelsOfName(short),
      ...this.#servers.stricter(key, tool).labels,
    ]);
    for (const label of this.#servers.milder(key, call.path, tool)) labels.delete(label);
    return labels;
  }

  #ofPlace(call: HttpCall): ReadonlySet<Label> {
    const said = this.#saidOfPlace(call);
    if (said !== null) return said;
    return labelsOfHost(call.origin.host, READING_METHODS.has(call.method));
  }

  #ofName(tool: string): ReadonlySet<Label> {
    const known = this.#known.get(tool);
    if (known !== undefined) return known;
    const name = tool.slice(0, MAX_NAME_CHARS);
    const labels = this.#said(name) ?? labelsOfName(name);
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

// Names are short and patterns the administrator's; without alternatives and with nothing but runs, it is linear enough.
function patternOf(name: string): RegExp {
  const runs = name.split(/\*+/).map((run) => run.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${runs.join('.*')}$`, 'i');
}
