import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Keeps what Node makes of source files, so that the next start need not make it again: types stripped, code compiled.
 * Called by the entries before they load anything.
 *
 * Never in Node's own choice of place, the system's folder for temporary files: what lies there is run, and another user
 * of the machine could be there first. Who can write into node_modules can change the program as it is. Where this user
 * can't (an agent's user, a container), Node goes without, and says nothing.
 */
export function keepCompiledCode() {
  enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/sallyport', import.meta.url)));
}
