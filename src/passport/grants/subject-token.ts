import { type Clock, LIMITS, Refusal } from '../../core/index.ts';
import { ProofFault } from '../../proof/index.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { PassportReader, ReadPassport } from '../passport-reader.ts';
import type { GrantRequest } from './grant.ts';
import { type Delegation, readSubjectProof } from './subject-proof.ts';
import type { TokenForm } from './token-form.ts';

export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';

export interface SubjectTokenOptions {
  readonly issuer: string;
  readonly bearer: 'never' | 'loopback';
  readonly reader: PassportReader;
  readonly clock: Clock;
}

/** The subject token, valid now in every respect. Throws OAuthFault. */
export async function readSubjectToken(form: TokenForm, o: SubjectTokenOptions): Promise<ReadPassport> {
  const token = form.required('subject_token');
  if (form.required('subject_token_type') !== ACCESS_TOKEN_TYPE) {
    throw new OAuthFault('invalid_request', 'the subject token is an access token of this issuer');
  }
  const passport = await readPassport(token, 'subject', o);
  if (passport.claims.jkt === null && passport.claims.x5t === null && o.bearer === 'never')
    throw invalidGrant('the subject token is not bound to a key');
  return passport;
}

/** The actor is the client; a token about it may come along, and must then be its own. */
export async function checkActorToken(
  { form, client, proof }: GrantRequest,
  o: SubjectTokenOptions,
): Promise<void> {
  const token = form.one('actor_token');
  const type = form.one('actor_token_type');
  if (token === null) {
    if (type !== null) throw new OAuthFault('invalid_request', 'actor_token_type stands without actor_token');
    return;
  }
  if (type !== ACCESS_TOKEN_TYPE) {
    throw new OAuthFault('invalid_request', 'the actor token is an access token of this issuer');
  }
  const { claims, subject } = await readPassport(token, 'actor', o);
  const sameKey = claims.jkt === (proof?.jkt ?? null) && claims.x5t === (proof?.x5t ?? null);
  if (subject.agentId !== client.agent.id || !sameKey) {
    throw invalidGrant('the actor token is not that of the client and its key');
  }
}

async function readPassport(token: string, which: string, o: SubjectTokenOptions): Promise<ReadPassport> {
  if (token.length > LIMITS.passportChars) throw invalidGrant(`the ${which} token is too long`);
  try {
    return await o.reader.read(token, o.clock.now());
  } catch (fault) {
    if (!(fault instanceof Refusal)) throw fault;
    const wrongType = fault.cause instanceof ProofFault && fault.cause.code === 'type';
    if (wrongType)
      throw new OAuthFault('invalid_request', `the ${which} token is no access token`, { cause: fault });
    throw invalidGrant(`the ${which} token is not valid: ${fault.message}`, fault);
  }
}

/** Rule 2 of docs/guarantees.md: `may_act` names the actor, or the key of the subject token says so. */
export async function proveConsent(
  { form, client }: GrantRequest,
  { claims }: ReadPassport,
  o: SubjectTokenOptions,
): Promise<Delegation | null> {
  const text = form.one('subject_proof');
  if (text === null) {
    if (claims.mayAct === client.agent.id) return null;
    throw invalidGrant(
      'the subject token does not name this client in may_act, and no subject_proof came with it',
    );
  }
  if (claims.jkt === null)
    throw invalidGrant('the subject token is bound to no key that could have made the proof');
  return readSubjectProof(text, {
    issuer: o.issuer,
    subjectToken: form.required('subject_token'),
    jkt: claims.jkt,
    actor: client.agent.id,
    now: o.clock.now(),
  });
}

export function invalidGrant(description: string, cause?: unknown): OAuthFault {
  return new OAuthFault('invalid_grant', description, { cause });
}
