/** A program that compiles CUDA, or null where none is found. */
export function findNvcc(): string | null;
