import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findVectors } from '../../support/shared.ts';
import * as dpop from '../../vectors/dpop.ts';
import * as jws from '../../vectors/jws-wycheproof.ts';
import * as statusList from '../../vectors/status-list.ts';
import * as attenuation from '../../vectors/token-exchange-attenuation.ts';

const vectors = findVectors();
if (vectors === null) {
  process.stderr.write(
    'Vector tests of proof skipped: there is no shared test material (SALLYPORT_SHARED).\n',
  );
}

describe.skipIf(vectors === null)('shared vectors', () => {
  test('every JWS and access token case comes out as expected', async () => {
    const result = await jws.run(join(vectors ?? '', 'jws-wycheproof.json'));
    expect(result.failures).toEqual([]);
    expect(result.passed).toBe(522);
  });

  test('every DPoP case comes out as expected at the gate, at the issuer and in the check itself', async () => {
    const result = await dpop.run(join(vectors ?? '', 'dpop.json'));
    expect(result.failures).toEqual([]);
    expect(result.passed).toBe(96);
  });

  test('every case of delegation comes out as expected, in the decision and at the token endpoint', async () => {
    const result = await attenuation.run(join(vectors ?? '', 'token-exchange-attenuation.json'));
    expect(result.failures).toEqual([]);
    expect(result.passed).toBe(44);
  });

  test('every status list and every token about one comes out as expected', async () => {
    const result = await statusList.run(join(vectors ?? '', 'status-list.json'));
    expect(result.failures).toEqual([]);
    expect(result.passed).toBe(81);
  });
});
