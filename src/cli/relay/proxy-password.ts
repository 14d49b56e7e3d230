import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const USER = 'run';

/**
 * The password of one run. Any program of any user of this machine can reach a loopback port; only the child
 * that was given the proxy's address may use it.
 */
export class ProxyPassword {
  readonly #password = randomBytes(24).toString('base64url');
  readonly #digest = digest(`Basic ${Buffer.from(`${USER}:${this.#password}`).toString('base64')}`);

  /** The address that the child gets, password included. */
  proxyUrl(port: number): string {
    return `http://${USER}:${this.#password}@127.0.0.1:${port}`;
  }

  /** Takes the same time for any wrong value of the Proxy-Authorization field. */
  accepts(field: string | undefined): boolean {
    if (field === undefined) return false;
    // The scheme's name may come in any case (RFC 9110 section 11.1); the rest may not.
    return timingSafeEqual(digest(field.replace(/^basic +/i, 'Basic ')), this.#digest);
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
