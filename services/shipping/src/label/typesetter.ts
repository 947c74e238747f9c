import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { create, type Font } from 'fontkit'
import { type PDFDocument, type PDFFont, type PDFPage, rgb, StandardFonts } from 'pdf-lib'

const black = rgb(0, 0, 0)

export type Style = { size: number; bold?: boolean }

export type Typesetter = {
  width(text: string, style: Style): number
  /** Breaks at spaces (inside a word only when it is longer than a line); the last line ends in an ellipsis when more is left. */
  wrap(text: string, style: Style, width: number, maxLines: number): string[]
  draw(page: PDFPage, text: string, x: number, y: number, style: Style): void
}

const bengali = new Map<number, Font>()

/** The Bengali face, read once; Latin text needs no file. */
function bengaliFont(weight: 400 | 700): Font {
  let font = bengali.get(weight)
  if (!font) {
    const file = `@fontsource/noto-sans-bengali/files/noto-sans-bengali-bengali-${weight}-normal.woff2`
    const opened = create(readFileSync(fileURLToPath(import.meta.resolve(file))))
    if (!('layout' in opened)) throw new Error(`${file} is a collection`)
    font = opened
    bengali.set(weight, font)
  }
  return font
}

type Run = { text: string; face: 'latin' | 'bengali' }

/**
 * Sets Latin with PDF's own Helvetica and Bengali as outlines: its conjuncts need shaping, which PDF viewers do not do. A
 * character that neither has becomes a question mark.
 */
export async function createTypesetter(document: PDFDocument): Promise<Typesetter> {
  const regular = await document.embedFont(StandardFonts.Helvetica)
  const bold = await document.embedFont(StandardFonts.HelveticaBold)
  const latin = new Set(regular.getCharacterSet())
  const latinFont = (style: Style): PDFFont => (style.bold ? bold : regular)
  const otherFont = (style: Style): Font => bengaliFont(style.bold ? 700 : 400)

  const runsOf = (text: string): Run[] => {
    const runs: Run[] = []
    for (const character of text) {
      const code = character.codePointAt(0)!
      const isLatin = latin.has(code)
      const isBengali = !isLatin && code > 0x7f && bengaliFont(400).hasGlyphForCodePoint(code)
      const face = isBengali ? 'bengali' : 'latin'
      const drawn = isLatin || isBengali ? character : '?'
      const last = runs.at(-1)
      if (last?.face === face) last.text += drawn
      else runs.push({ text: drawn, face })
    }
    return runs
  }
  const runWidth = ({ text, face }: Run, style: Style): number => {
    if (face === 'latin') return latinFont(style).widthOfTextAtSize(text, style.size)
    const font = otherFont(style)
    return (font.layout(text).advanceWidth * style.size) / font.unitsPerEm
  }
  const width = (text: string, style: Style) => runsOf(text).reduce((sum, run) => sum + runWidth(run, style), 0)

  const drawOutlines = (page: PDFPage, text: string, x: number, y: number, style: Style) => {
    const font = otherFont(style)
    const scale = style.size / font.unitsPerEm
    const { glyphs, positions } = font.layout(text)
    let at = x
    for (const [index, glyph] of glyphs.entries()) {
      const position = positions[index]!
      // SVG counts downwards, fonts and PDF upwards.
      const path = glyph.path.scale(1, -1).toSVG()
      if (path)
        page.drawSvgPath(path, {
          x: at + position.xOffset * scale,
          y: y + position.yOffset * scale,
          scale,
          color: black,
        })
      at += position.xAdvance * scale
    }
  }

  const wrap = (text: string, style: Style, most: number, maxLines: number): string[] => {
    const fits = (line: string) => width(line, style) <= most
    const lines: string[] = []
    let line = ''
    for (const word of text.split(/\s+/).filter(Boolean)) {
      if (fits(line ? `${line} ${word}` : word)) {
        line = line ? `${line} ${word}` : word
        continue
      }
      if (line) lines.push(line)
      line = ''
      for (const { segment } of graphemes.segment(word)) {
        if (line && !fits(line + segment)) {
          lines.push(line)
          line = ''
        }
        line += segment
      }
    }
    if (line) lines.push(line)
    if (lines.length <= maxLines) return lines
    let last = lines[maxLines - 1]!
    while (last && !fits(`${last}…`)) last = [...last].slice(0, -1).join('')
    return [...lines.slice(0, maxLines - 1), `${last}…`]
  }

  return {
    width,
    wrap,
    draw(page, text, x, y, style) {
      let at = x
      for (const run of runsOf(text)) {
        if (run.face === 'latin') page.drawText(run.text, { x: at, y, size: style.size, font: latinFont(style) })
        else drawOutlines(page, run.text, at, y, style)
        at += runWidth(run, style)
      }
    },
  }
}

const graphemes = new Intl.Segmenter('bn', { granularity: 'grapheme' })
