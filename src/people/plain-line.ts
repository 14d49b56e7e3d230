/** No control, direction or other invisible characters: it is shown to people who decide by it. */
export function isPlainLine(text: string, mostChars: number): boolean {
  return (
    text.trim().length > 0 && text.length <= mostChars && /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u.test(text)
  );
}
