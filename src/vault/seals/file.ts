import { createKeyFile, readKeyFile } from '../../files/index.ts';
import { KEY_BYTES } from '../aead.ts';
import type { Seal } from './seal.ts';

/** The root key as it is, in a file that the service's user alone may read. */
export function fileSeal(): Seal {
  return {
    async unseal(path) {
      const bytes = await readKeyFile(path);
      if (bytes === null) return null;
      if (bytes.length !== KEY_BYTES) {
        throw new Error(
          `${path} has ${bytes.length} bytes instead of ${KEY_BYTES}: it is damaged; restore it from a backup`,
        );
      }
      if (bytes.every((byte) => byte === bytes[0])) {
        throw new Error(`${path} holds no random key: it is damaged; restore it from a backup`);
      }
      return bytes;
    },
    seal: (path, rootKey) => createKeyFile(path, rootKey),
  };
}
