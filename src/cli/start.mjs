// What bin/sallyport starts. Plain JavaScript: for the first TypeScript file that is not in the cache Node loads its type
// stripper, which takes longer than all that a short command does.
import { keepCompiledCode } from '../compile-cache.mjs';

keepCompiledCode();
await import('./main.ts');
