import { PDFDocument, type PDFPage, rgb } from 'pdf-lib'
import type { LabelSheet } from '../carriers/carrier.ts'
import { barcode } from './barcode.ts'
import { createTypesetter, type Style, type Typesetter } from './typesetter.ts'

// 4 × 6 inches, what label printers take.
const WIDTH = 288
const HEIGHT = 432
const MARGIN = 14
const INNER = WIDTH - 2 * MARGIN
const BAR_HEIGHT = 66
// Code 128 wants ten modules of white on both sides.
const QUIET_MODULES = 10
const MAX_ITEMS = 5

const black = rgb(0, 0, 0)

/** A shipping label as PDF, one page: to whom, what, and the tracking number as Code 128. */
export async function renderLabel(sheet: LabelSheet): Promise<Uint8Array> {
  const document = await PDFDocument.create()
  document.setTitle(`Label ${sheet.trackingNo}`)
  document.setCreationDate(sheet.createdAt)
  document.setModificationDate(sheet.createdAt)
  const page = document.addPage([WIDTH, HEIGHT])
  const set = await createTypesetter(document)
  const pen = penOn(page, set)

  pen.line(`${sheet.serviceLevel.toUpperCase()}`, { size: 18, bold: true })
  pen.line(`Order ${sheet.orderNo}   ${(sheet.weightGrams / 1000).toFixed(2)} kg   ${day(sheet.createdAt)}`, {
    size: 9,
  })
  pen.rule()
  pen.line('SHIP TO', { size: 7 })
  for (const [index, text] of addressLines(sheet.shipTo).entries())
    pen.paragraph(text, index === 0 ? { size: 14, bold: true } : { size: 11 }, index < 3 ? 2 : 1)
  pen.rule()
  for (const text of itemLines(sheet.items)) pen.paragraph(text, { size: 8 }, 1)

  drawBarcode(page, sheet.trackingNo, MARGIN + 26)
  const style: Style = { size: 13, bold: true }
  set.draw(page, sheet.trackingNo, (WIDTH - set.width(sheet.trackingNo, style)) / 2, MARGIN + 6, style)
  return document.save()
}

const day = (date: Date) => date.toISOString().slice(0, 10)

/** An address as it is written on a parcel. */
export function addressLines(address: LabelSheet['shipTo']): string[] {
  if (!address) return ['(no address)']
  const { name, line1, line2, city, state, postalCode, country, phone } = address
  return [name, line1, line2, [city, postalCode].filter(Boolean).join(' '), state, country, phone].filter(Boolean)
}

/** The contents, at most five lines. */
export function itemLines(items: LabelSheet['items']): string[] {
  const lines = items.map(({ qty, sku, title }) => `${qty} × ${title} (${sku})`)
  if (lines.length <= MAX_ITEMS) return lines
  const rest = items.slice(MAX_ITEMS - 1).reduce((sum, { qty }) => sum + qty, 0)
  return [...lines.slice(0, MAX_ITEMS - 1), `and ${rest} more`]
}

function penOn(page: PDFPage, set: Typesetter) {
  let y = HEIGHT - MARGIN
  const line = (text: string, style: Style) => {
    y -= style.size * 1.3
    set.draw(page, text, MARGIN, y, style)
  }
  return {
    line,
    paragraph(text: string, style: Style, maxLines: number) {
      for (const part of set.wrap(text, style, INNER, maxLines)) line(part, style)
    },
    rule() {
      y -= 8
      page.drawLine({ start: { x: MARGIN, y }, end: { x: WIDTH - MARGIN, y }, thickness: 1, color: black })
      y -= 2
    },
  }
}

function drawBarcode(page: PDFPage, text: string, y: number): void {
  const { width, bars } = barcode(text)
  const unit = INNER / (width + 2 * QUIET_MODULES)
  const x = MARGIN + QUIET_MODULES * unit
  for (const bar of bars)
    page.drawRectangle({ x: x + bar.left * unit, y, width: bar.width * unit, height: BAR_HEIGHT, color: black })
}
