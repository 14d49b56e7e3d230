import { type HeaderList, type PresentedPassport, Refusal } from '../../core/index.ts';
import { valuesOf } from './fields.ts';

/** Where a door looks for passport and proof. */
export interface PassportFields {
  readonly token: 'authorization' | 'proxy-authorization';
  readonly proof: 'dpop' | 'sallyport-dpop';
}

/** Reverse mode and the decide API: the fields of RFC 9449. */
export const DIRECT_FIELDS: PassportFields = { token: 'authorization', proof: 'dpop' };
/** Forward proxy and CONNECT: Authorization and DPoP there belong to the upstream. */
export const PROXY_FIELDS: PassportFields = { token: 'proxy-authorization', proof: 'sallyport-dpop' };

const CREDENTIALS = /^(dpop|bearer) +([A-Za-z0-9._~+/-]+=*)$/i;

/** The passport as it was shown; null: none was. Throws when the field is there and can't be read. */
export function presentedPassport(
  headers: HeaderList,
  fields: PassportFields,
  request: Pick<PresentedPassport, 'htm' | 'htu' | 'loopback' | 'x5t'>,
): PresentedPassport | null {
  const tokens = valuesOf(headers, fields.token);
  if (tokens.length === 0) return null;
  if (tokens.length > 1) {
    throw new Refusal('request_ambiguous', { detail: `${fields.token} stands there more than once.` });
  }
  const parts = CREDENTIALS.exec(tokens[0] ?? '');
  if (parts === null) {
    throw new Refusal('passport_invalid', { detail: `${fields.token} holds no DPoP or Bearer token.` });
  }
  return {
    scheme: parts[1]?.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer',
    token: parts[2] ?? '',
    proofs: valuesOf(headers, fields.proof),
    ...request,
  };
}
