/** Colours, shapes and letters that the figures share. */

/** Okabe and Ito (2008): told apart by colour-blind readers and in grey. Arm 'off' is always the grey one. */
const offColour = '#7a7a7a';
const armColours = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00'] as const;
const armSymbols = ['circle', 'triangle', 'diamond', 'rect', 'pin', 'arrow'] as const;

export const partColours = {
  workers: '#0072b2',
  mpsServer: '#e69f00',
  serverOther: '#009e73',
  unexplained: '#c8c8c8',
  notAttributed: '#7a7a7a',
} as const;

/** Ground of the figures, and the rim that parts dots from what lies under them. */
export const paper = '#ffffff';
export const ink = '#222222';
export const faint = '#666666';
export const rule = '#dddddd';
/** No name with quotes: they would end the attribute in the SVG. */
export const fontFamily = 'system-ui, sans-serif';

/** Colour of an arm by its place among the study's arms. */
export function armColour(arm: string, arms: readonly string[]): string {
  return arm === 'off' ? offColour : pick(armColours, arm, arms);
}

/** Marker of an arm: shape says again what colour says. */
export function armSymbol(arm: string, arms: readonly string[]): string {
  return pick(armSymbols, arm, arms);
}

function pick<T>(choices: readonly T[], arm: string, arms: readonly string[]): T {
  const place = arms.filter((other) => other !== 'off').indexOf(arm);
  return choices[Math.max(0, place) % choices.length] as T;
}

/** Title with a line beneath that says what is drawn and how many trials stand behind it. */
export function chartTitle(text: string, subtext: string): object {
  return {
    text,
    subtext,
    left: 4,
    top: 10,
    itemGap: 6,
    textStyle: { color: ink, fontFamily, fontSize: 17, fontWeight: 600 },
    subtextStyle: { color: faint, fontFamily, fontSize: 12, lineHeight: 16 },
  };
}

export function axisText(): object {
  return { color: ink, fontFamily, fontSize: 12 };
}

/** Axis from 0 to above every value, and the step of its labels. */
export function axisScale(largest: number): { readonly max: number; readonly interval: number } {
  if (!(largest > 0)) return { max: 1, interval: 0.5 };
  const interval = niceStep(largest / 5);
  return { max: Math.ceil((largest * 1.02) / interval) * interval, interval };
}

/** The least of 1, 2, 2.5 and 5 times a power of ten that is not below `rough`. */
export function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((candidate) => candidate * power >= rough) ?? 10;
  return step * power;
}
