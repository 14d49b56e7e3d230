import { stateFault } from '../fault.ts';

/** A file that can't be read is a fault of this machine, told with its path. */
export async function unreadable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && 'path' in cause)
      throw stateFault(`${String(cause.path)} can not be read (${String(cause.code)}).`, undefined, cause);
    throw cause;
  }
}
