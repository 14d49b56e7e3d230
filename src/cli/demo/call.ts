import type { PassportHolder } from '../relay/passport-holder.ts';

/** What an agent got back. */
export interface DemoAnswer {
  readonly status: number;
  readonly text: string;
}

/** One call in reverse mode with the agent's passport and a fresh proof. */
export async function callAs(
  holder: PassportHolder,
  path: string,
  o: { readonly method?: string; readonly body?: string } = {},
): Promise<DemoAnswer> {
  const method = o.method ?? 'GET';
  const url = new URL(path, holder.gateway);
  const { authorization, proof } = await holder.credentials({
    htm: method,
    htu: `${url.origin}${url.pathname}`,
  });
  const response = await fetch(url, {
    method,
    headers: {
      authorization,
      dpop: proof,
      ...(o.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(o.body === undefined ? {} : { body: o.body }),
    redirect: 'manual',
  });
  return { status: response.status, text: await response.text() };
}

/** The claims of the passport, as its bearer can read them. */
export async function claimsOf(holder: PassportHolder): Promise<Readonly<Record<string, unknown>>> {
  const { authorization } = await holder.credentials({ htm: 'GET', htu: holder.gateway.href });
  const payload = authorization.split('.')[1] ?? '';
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
}
