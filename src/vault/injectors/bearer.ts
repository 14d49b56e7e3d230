import { byteString, faultOfFieldValue, type Injector, withHeader } from './injector.ts';

/** `Authorization: Bearer <secret>` (RFC 6750 section 2.1). */
export const bearer: Injector<{ readonly kind: 'bearer' }> = {
  faultOf: () => null,
  faultOfSecret: faultOfFieldValue,
  inject: (_spec, secret, draft) => withHeader(draft, 'authorization', `Bearer ${byteString(secret)}`),
  derived: () => [],
};
