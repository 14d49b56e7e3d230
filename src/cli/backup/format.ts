import { z } from 'zod';
import { passphraseBoxSchema } from '../../vault/index.ts';

/** The first line of a backup. */
export const MAGIC = 'sallyport-backup 1\n';
/** Names what the sealed part holds. */
export const BOX_CONTEXT = 'backup-keys';
/** The manifest of a log with a hundred thousand segments still fits. */
export const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;

/** No step may lead out of the folder that a backup is restored into. */
const path = z
  .string()
  .max(500)
  .regex(
    /^(sallyport\.yaml|(data|keys|policies)(\/[A-Za-z0-9_][A-Za-z0-9._-]*)+)$/,
    'is not a path of a state folder',
  );

/**
 * The second line: JSON. Then the files follow, one behind the other. Private files are in `keys`, sealed; its
 * content is JSON, path to base64.
 */
export const manifestSchema = z.strictObject({
  createdAt: z.iso.datetime(),
  version: z.string(),
  storage: z.enum(['sqlite', 'postgres']),
  files: z.array(z.strictObject({ path, bytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
  keys: passphraseBoxSchema.nullable(),
});
export type Manifest = z.infer<typeof manifestSchema>;

export const keysSchema = z.record(path, z.base64());
