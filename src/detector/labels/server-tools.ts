import { both, MAX_TOOL_CHARS, MAX_TOOLS, NOTHING } from './catalogue.ts';
import { milderBy, type Strictness, stricterBy, type ToldTool } from './hints.ts';
import type { Label } from './label.ts';

/** Services of which the tools are known. Administrators register them; of more, the one longest unheard is forgotten. */
const MAX_SERVERS = 4_096;

/**
 * What the servers of MCP behind the gate say of their tools: one memory for each service, whatever sessions it has. What
 * makes a tool stricter is never taken back while the process lives: a server that changes its mind has been that tool.
 */
export class ServerTools {
  readonly #servers = new Map<string, Server>();

  learn(service: string, tools: Iterable<ToldTool>, trusted: { readonly path: string } | null): void {
    const server = this.#servers.get(service) ?? { strict: new Map(), mild: new Map() };
    this.#servers.delete(service);
    this.#servers.set(service, server);
    for (const { name, hints } of tools) {
      if (name.length > MAX_TOOL_CHARS) continue;
      put(server.strict, name, both(server.strict.get(name) ?? NOTHING, stricterBy(hints)));
      if (trusted !== null) put(server.mild, keyOf(trusted.path, name), milderBy(hints));
    }
    if (this.#servers.size > MAX_SERVERS) this.#dropOldest();
  }

  /** Whether this service has told of tools at all. */
  knows(service: string): boolean {
    return this.#servers.has(service);
  }

  stricter(service: string, tool: string): Strictness {
    return this.#servers.get(service)?.strict.get(tool) ?? NOTHING;
  }

  /**
   * The labels that the tool is free of. The path counts: at another path of the service may stand what an attacker wrote.
   */
  milder(service: string, path: string, tool: string): readonly Label[] {
    return this.#servers.get(service)?.mild.get(keyOf(path, tool)) ?? [];
  }

  #dropOldest(): void {
    for (const service of this.#servers.keys()) {
      this.#servers.delete(service);
      return;
    }
  }
}

interface Server {
  readonly strict: Map<string, Strictness>;
  readonly mild: Map<string, readonly Label[]>;
}

/** The first so many; a server that has more tells of the others in vain. */
function put<T>(known: Map<string, T>, key: string, value: T): void {
  if (known.has(key) || known.size < MAX_TOOLS) known.set(key, value);
}

function keyOf(path: string, tool: string): string {
  return `${path}\n${tool}`;
}
