import { fileSeal } from './file.ts';
import { passphraseSeal } from './passphrase.ts';
import type { Seal, SealChoice } from './seal.ts';

/** The file that each kind of seal keeps in the folder of keys. */
export const SEAL_FILES = {
  file: 'root.key',
  passphrase: 'root.sealed.json',
} as const satisfies Record<SealChoice['kind'], string>;

export function makeSeal(choice: SealChoice): Seal {
  switch (choice.kind) {
    case 'file':
      return fileSeal();
    case 'passphrase':
      return passphraseSeal(choice.passphrase);
  }
}

export type { Seal, SealChoice } from './seal.ts';
