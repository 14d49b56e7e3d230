import { jwtVerify } from 'jose';

/** What is used here of oidc-provider, whose types the repository is checked without. */
export interface Provider {
  readonly ClientCredentials: new (o: object) => PlainToken;
  readonly ResourceServer: new (audience: string, o: object) => object;
  registerGrantType(name: string, handler: (ctx: Context) => Promise<void>, parameters: string[]): void;
  callback(): (request: unknown, response: unknown) => void;
}

interface PlainToken {
  resourceServer: object;
  readonly expiration: number;
  readonly scope: string;
  setThumbprint(kind: 'jkt', thumbprint: string): void;
  save(): Promise<string>;
}

interface Proof {
  readonly jti: string;
  readonly thumbprint: string;
}

/** What its own grants use; it has no public way to them. */
export interface ProofChecks {
  readonly default: (provider: Provider, ctx: Context) => Promise<Proof | undefined>;
  readonly checkDpopReplay: (provider: Provider, ctx: Context, proof: Proof, client: string) => Promise<void>;
}

export interface PlainGrantOptions {
  readonly provider: Provider;
  readonly checks: ProofChecks;
  readonly issuer: string;
  readonly audience: string;
  readonly publicKey: CryptoKey;
  /** `act` of the tokens that are being made. */
  readonly acts: WeakMap<object, unknown>;
}

interface Context {
  readonly oidc: {
    readonly client: { readonly clientId: string };
    readonly params: Readonly<Record<string, string | undefined>>;
  };
  body: unknown;
}

/**
 * Token exchange written plainly as a custom grant of oidc-provider: private_key_jwt, DPoP, `may_act`, narrowing of
 * scope and life, nested `act`. It keeps everything in memory, records nothing, counts no chain and revokes nothing.
 */
export function plainExchange(o: PlainGrantOptions): (ctx: Context) => Promise<void> {
  const { provider, checks, issuer, audience, publicKey, acts } = o;
  return async (ctx) => {
    const { client, params } = ctx.oidc;
    const proof = await checks.default(provider, ctx);
    if (proof === undefined) throw new Error('a proof is missing');
    await checks.checkDpopReplay(provider, ctx, proof, client.clientId);
    const { payload } = await jwtVerify(params.subject_token ?? '', publicKey, {
      issuer,
      audience,
      typ: 'at+jwt',
    });
    const mayAct = payload.may_act as { sub?: string } | undefined;
    if (mayAct?.sub !== client.clientId) throw new Error('the actor is not named');
    const held = String(payload.scope).split(' ');
    const scopes = params.scope?.split(' ') ?? held;
    if (!scopes.every((scope) => held.includes(scope))) throw new Error('the scope grows');
    const token = new provider.ClientCredentials({ client, scope: scopes.join(' ') });
    token.resourceServer = new provider.ResourceServer(audience, {
      scope: scopes.join(' '),
      audience,
      accessTokenFormat: 'jwt',
      jwt: { sign: { alg: 'ES256' } },
    });
    const left = (payload.exp ?? 0) - Math.floor(Date.now() / 1000);
    Object.assign(token, { expiresIn: Math.min(300, left) });
    token.setThumbprint('jkt', proof.thumbprint);
    acts.set(token, { act: { sub: client.clientId, act: payload.act } });
    const access_token = await token.save();
    ctx.body = { access_token, token_type: 'DPoP', expires_in: token.expiration, scope: token.scope };
  };
}
