import { type Answer, exchange } from './exchange.ts';
import type { PassportHolder } from './passport-holder.ts';

/** Posts to one of the gateway's own endpoints as the agent; once more when the gateway names a nonce. Throws RelayFault. */
export async function askGateway(holder: PassportHolder, path: string, value?: unknown): Promise<Answer> {
  const url = new URL(path, holder.gateway);
  const ask = async () => {
    const { authorization, proof } = await holder.credentials({ htm: 'POST', htu: url.href });
    const headers = { authorization, dpop: proof };
    if (value === undefined)
      return exchange('gateway', { trust: holder.trust, method: 'POST', url, headers });
    const json = { ...headers, 'content-type': 'application/json' };
    return exchange('gateway', {
      trust: holder.trust,
      method: 'POST',
      url,
      headers: json,
      body: JSON.stringify(value),
    });
  };
  const answer = await ask();
  const renewed = holder.learnNonce(answer.header('dpop-nonce'));
  return answer.status === 401 && renewed ? ask() : answer;
}
