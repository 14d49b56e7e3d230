export {
  createKeyFile,
  hasCode,
  KeyFileError,
  readKeyFile,
  removeAbandonedDrafts,
  removeKeyFile,
  replaceKeyFile,
  syncFolder,
} from './key-file.ts';
export { loadOrCreateRandomKey } from './random-key.ts';
