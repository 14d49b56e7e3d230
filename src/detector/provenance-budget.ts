import { Provenance } from './provenance/index.ts';

/** What the budget needs to know of a session. */
export interface Weighed {
  readonly tenant: string;
  readonly agentId: string | null;
  provenance: Provenance;
  forgotten: boolean;
}

/** Down to this share of the budget at once, so that forgetting is rare. */
const LOW_WATER = 0.9;

/**
 * One bound for what all sessions have read. When it is reached, the agent that uses most of it forgets its sessions
 * that were quiet longest: nobody can push the memory of another agent's sessions out by opening many of his own.
 */
export class ProvenanceBudget {
  readonly #bytes: number;
  readonly #weights = new Map<Weighed, { readonly agent: string; readonly weight: number }>();
  readonly #agents = new Map<string, number>();
  #total = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  get total(): number {
    return this.#total;
  }

  /** Takes note of what a session weighs now; `sessions`, quiet longest first, are those that may have to forget. */
  weigh(session: Weighed, sessions: Iterable<Weighed>): void {
    this.#set(session, session.provenance.weight);
    while (this.#total > this.#bytes && this.#forgetOf(this.#heaviest(), sessions));
  }

  /** The session is gone. */
  drop(session: Weighed): void {
    this.#set(session, 0);
  }

  #set(session: Weighed, weight: number): void {
    const known = this.#weights.get(session);
    if (known !== undefined) this.#add(known.agent, -known.weight);
    this.#weights.delete(session);
    if (weight === 0) return;
    // A session that nobody has called in yet is of no agent.
    const agent = agentOf(session);
    this.#weights.set(session, { agent, weight });
    this.#add(agent, weight);
  }

  #add(agent: string, change: number): void {
    const whole = (this.#agents.get(agent) ?? 0) + change;
    this.#total += change;
    if (whole === 0) this.#agents.delete(agent);
    else this.#agents.set(agent, whole);
  }

  #heaviest(): string {
    let most = 0;
    let found = '';
    for (const [agent, weight] of this.#agents) {
      if (weight <= most) continue;
      most = weight;
      found = agent;
    }
    return found;
  }

  /** False when there was nothing to forget. */
  #forgetOf(agent: string, sessions: Iterable<Weighed>): boolean {
    let forgot = false;
    for (const session of sessions) {
      if (this.#weights.get(session)?.agent !== agent) continue;
      session.forgotten ||= session.provenance.hasRead;
      session.provenance = new Provenance();
      this.#set(session, 0);
      forgot = true;
      if (this.#total <= this.#bytes * LOW_WATER) break;
    }
    return forgot;
  }
}

function agentOf({ tenant, agentId }: Weighed): string {
  return `${tenant}\n${agentId ?? ''}`;
}
