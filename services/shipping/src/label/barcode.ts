import { code128, type DrawingContext } from 'bwip-js/node'

export type Bar = { left: number; width: number }

/** The bars of a Code 128 in modules, and its whole width; the quiet zones are the caller's. */
export function barcode(text: string): { width: number; bars: Bar[] } {
  const bars: Bar[] = []
  let width = 0
  const drawing: DrawingContext<void> = {
    scale: () => null,
    measure: () => ({ width: 0, ascent: 0, descent: 0 }),
    init(total) {
      width = total
    },
    // A bar comes as a line through its middle, rounded up to whole modules.
    line(x, _y0, _x1, _y1, thickness) {
      bars.push({ left: x - Math.ceil(thickness / 2), width: thickness })
    },
    polygon: () => undefined,
    hexagon: () => undefined,
    ellipse: () => undefined,
    fill: () => undefined,
    text: () => undefined,
    end: () => undefined,
  }
  code128({ bcid: 'code128', text, scale: 1, height: 10 }, drawing)
  return { width, bars }
}
