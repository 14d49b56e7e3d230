import type { IncomingHttpHeaders } from 'node:http';
import type { JsonObject } from '../../core/index.ts';
import type { ClientCertificate } from '../client-certificate.ts';
import type { Ratchets } from '../ratchet/ratchet.ts';
import { readAskedGrant } from './asked-grant.ts';
import type { Authenticate, Grant } from './grant.ts';
import type { TokenForm } from './token-form.ts';
import type { TokenProofReader } from './token-proof.ts';

/** A grant, and how it finds out which agent asks. */
export interface OwnGrant {
  readonly authenticate: Authenticate;
  readonly grant: Grant;
}

export interface OwnGrantsOptions {
  /** By `grant_type`. */
  readonly grants: ReadonlyMap<string, OwnGrant>;
  readonly proofs: TokenProofReader;
  readonly ratchets: Ratchets;
  /** For other endpoints that clients authenticate at. */
  readonly authenticate: Authenticate;
  /** The same, and for clients that have nothing to authenticate with. */
  readonly authenticateOrName: Authenticate;
}

/** The grants that we answer ourselves; the OAuth library has the others. */
export class OwnGrants {
  readonly #o: OwnGrantsOptions;

  constructor(o: OwnGrantsOptions) {
    this.#o = o;
  }

  get names(): readonly string[] {
    return [...this.#o.grants.keys()];
  }

  get authenticate(): Authenticate {
    return this.#o.authenticate;
  }

  get authenticateOrName(): Authenticate {
    return this.#o.authenticateOrName;
  }

  get proofs(): TokenProofReader {
    return this.#o.proofs;
  }

  find(form: TokenForm): OwnGrant | null {
    return this.#o.grants.get(form.one('grant_type') ?? '') ?? null;
  }

  /** The nonce that every answer carries, or null. */
  nonce(): string | null {
    return this.#o.proofs.nonce();
  }

  /** Throws OAuthFault or Refusal; `onClient` hears who asks: who it says it is, then who it is. */
  async answer(
    { authenticate, grant }: OwnGrant,
    form: TokenForm,
    headers: IncomingHttpHeaders,
    certificate: ClientCertificate | null,
    onClient: (clientId: string) => void,
  ): Promise<JsonObject> {
    const client = await authenticate(form, {
      authorization: headers.authorization,
      certificate,
      onClaimed: onClient,
    });
    onClient(client.agent.id);
    const dpop = headers.dpop;
    const shown = { proof: typeof dpop === 'string' ? dpop : undefined, certificate };
    const proof = await this.#o.proofs.read(shown, client.agent.id);
    return grant({ form, asked: readAskedGrant(form), client, proof }).catch((fault: unknown) =>
      this.#o.ratchets.answer(fault),
    );
  }
}
