import type { JsonObject } from '../../core/index.ts';
import type { AskedGrant } from './asked-grant.ts';
import type { AuthenticatedClient, ShownByClient } from './client-authenticator.ts';
import type { TokenForm } from './token-form.ts';
import type { TokenProof } from './token-proof.ts';

/** A token request whose client has authenticated and whose proof, if any, is good. Nothing is used up yet. */
export interface GrantRequest {
  readonly form: TokenForm;
  readonly asked: AskedGrant;
  readonly client: AuthenticatedClient;
  /** The key that the new passport is bound to; null: it is not bound to any. */
  readonly proof: TokenProof | null;
}

/** Finds out which agent asks. Throws OAuthFault. */
export type Authenticate = (form: TokenForm, shown: ShownByClient) => Promise<AuthenticatedClient>;

/** The members of a token response (RFC 6749 section 5.1). Throws OAuthFault or Refusal where there is none. */
export type Grant = (request: GrantRequest) => Promise<JsonObject>;
