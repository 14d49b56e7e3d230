import { createHash } from 'node:crypto';
import { AnswerMemo } from './answer-memo.ts';
import { ask, type EngineAnswer, type EngineRequest, prepare } from './engine.ts';
import { ANYBODY, ANYTHING, agentKey, ownerKey, type Policy, resourceKey } from './policy-file.ts';

type SliceRequest = Pick<EngineRequest, 'principal' | 'owner' | 'resource' | 'resourceOwner'>;

/** Parsed slices that are kept; the least recently used one makes room. */
const SLICES_KEPT = 512;

/** Names under which Cedar keeps parsed sets; it never forgets one, so they are used again. */
const freeSlots: string[] = [];
let slotsMade = 0;

/** The policies that can matter for one agent, owner and resource: what is evaluated for a call. */
export interface Slice {
  readonly policies: readonly Policy[];
  readonly readsBody: boolean;
}

interface PreparedSlice extends Slice {
  readonly slot: string;
  readonly memo: AnswerMemo | null;
}

/**
 * Policies in force together. Cedar's cost grows with the policies that it is given, so a call is put to the
 * few whose head can match it: those for anybody or for its agent or owner, and anything or its resource.
 */
export class PolicySet {
  readonly generation: number;
  readonly digest: string;
  readonly size: number;
  readonly #policies: ReadonlyMap<string, Policy>;
  readonly #byHead: ReadonlyMap<string, readonly Policy[]>;
  readonly #principals: ReadonlySet<string>;
  readonly #resources: ReadonlySet<string>;
  readonly #slices = new Map<string, PreparedSlice>();

  constructor(policies: readonly Policy[], generation: number) {
    this.generation = generation;
    this.size = policies.length;
    this.#policies = new Map(policies.map((policy) => [policy.id, policy]));
    this.#byHead = Map.groupBy(policies, headOf);
    this.#principals = new Set(policies.map((policy) => policy.principalKey));
    this.#resources = new Set(policies.map((policy) => policy.resourceKey));
    const hash = createHash('sha256');
    for (const policy of policies)
      hash.update(`${policy.id.length}:${policy.id}${policy.text.length}:${policy.text}`);
    this.digest = hash.digest('hex');
  }

  policy(id: string): Policy | null {
    return this.#policies.get(id) ?? null;
  }

  policies(): Iterable<Policy> {
    return this.#policies.values();
  }

  sliceFor(request: SliceRequest): Slice {
    return this.#prepared(request);
  }

  evaluate(request: EngineRequest): EngineAnswer {
    const { slot, memo } = this.#prepared(request);
    return memo === null ? ask(slot, request) : memo.answer(request, () => ask(slot, request));
  }

  /** Gives the parsed slices back; the set must not be asked afterwards. */
  release(): void {
    for (const slice of this.#slices.values()) freeSlots.push(slice.slot);
    this.#slices.clear();
  }

  #prepared({ principal, owner, resource, resourceOwner }: SliceRequest): PreparedSlice {
    // Only what some policy names makes a slice of its own, so that ten thousand agents share one.
    const agents = known(this.#principals, agentKey(principal.id));
    const owners = known(this.#principals, ownerKey(owner));
    const resources = known(this.#resources, resourceKey(resource.type, resource.id));
    // Only agents have owners: `resource in Owner::"ana"` is about those of a delegation.
    const holders =
      resourceOwner === undefined ? ANYTHING : known(this.#resources, resourceKey('Owner', resourceOwner));
    const key = `${agents}\n${owners}\n${resources}\n${holders}`;
    const kept = this.#slices.get(key);
    if (kept !== undefined) {
      this.#slices.delete(key);
      this.#slices.set(key, kept);
      return kept;
    }
    const heads = new Set(
      [ANYBODY, agents, owners].flatMap((one) =>
        [ANYTHING, resources, holders].map((what) => head(one, what)),
      ),
    );
    const slice = prepareSlice([...heads].flatMap((one) => this.#byHead.get(one) ?? []));
    this.#slices.set(key, slice);
    if (this.#slices.size > SLICES_KEPT) this.#dropOldest();
    return slice;
  }

  #dropOldest(): void {
    for (const [key, slice] of this.#slices) {
      this.#slices.delete(key);
      freeSlots.push(slice.slot);
      return;
    }
  }
}

function prepareSlice(policies: readonly Policy[]): PreparedSlice {
  const slot = freeSlots.pop() ?? `slice-${++slotsMade}`;
  prepare(slot, Object.fromEntries(policies.map((policy) => [policy.id, policy.text])));
  const readsBody = policies.some((policy) => policy.readsBody);
  const lasting = !readsBody && !policies.some((policy) => policy.readsTime);
  return { slot, policies, readsBody, memo: lasting ? new AnswerMemo() : null };
}

function head(principalKey: string, resourcesKey: string): string {
  return `${principalKey}\n${resourcesKey}`;
}

function headOf(policy: Policy): string {
  return head(policy.principalKey, policy.resourceKey);
}

function known(keys: ReadonlySet<string>, key: string): string {
  return keys.has(key) ? key : '*';
}
