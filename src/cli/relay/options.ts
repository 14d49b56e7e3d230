import type { JWK } from 'jose';
import type { Delegation } from '../../sdk/index.ts';
import type { Trust } from '../trust.ts';

/** The agent that the relay acts as: what `sallyport agent add` has made. */
export interface AgentIdentity {
  readonly clientId: string;
  /** Private key of private_key_jwt (RFC 7523), with the `kid` under which the issuer knows its public half. */
  readonly privateJwk: JWK;
}

export interface RelayOptions {
  /** Origin of the gateway; also the `resource` (RFC 8707) that passports are asked for. */
  readonly gatewayUrl: string;
  /** The issuer's identifier, under which its metadata is found (RFC 8414). */
  readonly issuerUrl: string;
  readonly agent: AgentIdentity;
  /** Scopes to ask for; without it, all that the agent may have. */
  readonly scope?: string;
  /** What another agent passed on: the passport comes by token exchange (RFC 8693), once, and is not renewed. */
  readonly delegation?: Delegation;
  /** Whom to believe that it is the gateway, or the issuer; default: whom Node believes. */
  readonly trust?: Trust;
  /** Told of what a person should know while the relay runs, one sentence each. Default: nobody. */
  readonly onNotice?: (sentence: string) => void;
}
