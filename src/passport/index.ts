export { sha256, signatureVerifier } from './crypto.ts';
