import type { Page } from 'playwright-core';

const CONTROLS = ['textbox', 'button', 'link', 'checkbox', 'radio', 'combobox', 'listbox', 'spinbutton'];

/** What keeps people from using a page: nothing, for a page that everybody can use. */
export async function obstaclesOn(page: Page): Promise<readonly string[]> {
  return [...(await unnamedControls(page)), ...(await page.evaluate(structureAndColors))];
}

/** Controls that a screen reader has no words for, as the browser itself works names out. */
async function unnamedControls(page: Page): Promise<string[]> {
  const devtools = await page.context().newCDPSession(page);
  // It is not detached: that would take the page's virtual authenticator away, too. It goes with the page.
  const { nodes } = await devtools.send('Accessibility.getFullAXTree');
  return nodes
    .filter(({ ignored, role, name }) => !ignored && CONTROLS.includes(role?.value) && !name?.value)
    .map(({ role }) => `a ${role?.value} has no name`);
}

/** Runs in the page. Contrast is that of WCAG 2.2, 1.4.3. */
function structureAndColors(): string[] {
  const parse = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color: readonly number[]) => {
    const [red = 0, green = 0, blue = 0] = color
      .slice(0, 3)
      .map((one) => one / 255)
      .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const over = (front: readonly number[], back: readonly number[], opacity: number) =>
    [0, 1, 2].map((index) => (front[index] ?? 0) * opacity + (back[index] ?? 0) * (1 - opacity));
  const backOf = (element: Element | null): number[] => {
    if (element === null) return [255, 255, 255];
    const color = parse(getComputedStyle(element).backgroundColor);
    return (color[3] ?? 1) === 0 ? backOf(element.parentElement) : color;
  };
  const found: string[] = [];
  const { scrollWidth, clientWidth, lang } = document.documentElement;
  if (scrollWidth > clientWidth) found.push(`it is ${scrollWidth} wide in a window of ${clientWidth}`);
  if (lang === '') found.push('it does not say its language');
  if (document.querySelectorAll('h1').length !== 1) found.push('it has not one heading');
  if (document.querySelectorAll('main').length !== 1) found.push('it has not one main part');
  for (const element of document.querySelectorAll('body *')) {
    const text = [...element.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE);
    const words = text.map(({ textContent }) => textContent?.trim() ?? '').join('');
    if (words === '' || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const back = backOf(element);
    const [a, b] = [luminance(over(parse(style.color), back, Number(style.opacity))), luminance(back)];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) found.push(`“${words.slice(0, 40)}” has a contrast of ${contrast.toFixed(1)}`);
  }
  return found;
}
