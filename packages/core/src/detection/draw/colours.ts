/** Red, green and blue, 0 … 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

const css = ([red, green, blue]: Rgb, alpha = 1): string => `rgba(${red}, ${green}, ${blue}, ${alpha})`;

/** The colours in which the objects of one class are drawn. */
export interface ClassColours {
  readonly line: string;
  readonly fill: string;
  /** Black or white, whichever is easier to read on `line`. */
  readonly text: string;
}

/** A colour for each class: neighbouring classes differ by the golden angle in hue, and by their lightness. */
export function classColours(index: number): ClassColours {
  const hue = (210 + index * 137.508) % 360;
  const colour = fromHsl(hue, 0.85, [0.5, 0.62, 0.42][index % 3]);
  // Relative luminance of sRGB, without its curve: enough to choose between black and white.
  const [red, green, blue] = colour;
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue > 140;
  return { line: css(colour), fill: css(colour, 0.4), text: light ? '#000' : '#fff' };
}

function fromHsl(hue: number, saturation: number, lightness: number): Rgb {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number): number => {
    const k = (offset + hue / 30) % 12;
    return Math.round(255 * (lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}
