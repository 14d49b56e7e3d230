export { createKeyFile, hasCode, KeyFileError, readKeyFile, replaceKeyFile, syncFolder } from './key-file.ts';
